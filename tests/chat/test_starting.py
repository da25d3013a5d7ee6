"""The embedded runtime takes long to start, or dies with the process that kept it: what a person sees meanwhile."""

import asyncio
from functools import partial

import pytest

from mozaiks_shell.broker import runtime_share
from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.upstream import Upstream


class Child:
    """The child process, which listens when the test says so."""

    address, pid = "", None

    def __init__(self, port, changed):
        pass

    async def stop(self):
        pass


def listen(address):
    Child.address = address


@pytest.fixture
async def child(database, serve, monkeypatch):
    """Call to have the child listen; a double of the runtime answers there."""
    monkeypatch.setattr(broker, "SharedRuntime", partial(runtime_share.SharedRuntime, make=Child))
    monkeypatch.setattr(runtime_share, "WAIT", 0.05)
    double = Upstream()

    async def play(line):
        await line.meta()
        await line.ask("q1", "Yes?")
        await line.idle()

    double.plays = [play] * 3
    async with serve(double.app) as url:
        get_settings.cache_clear()
        yield lambda: listen(url)
    listen("")
    get_settings.cache_clear()


async def test_a_chat_that_is_opened_while_the_assistant_starts_opens_by_itself(child, ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        await tab.send(t="open", chat=None, workflow="Assistant")
        told = await tab.until(lambda: [one for one in tab.frames if one.get("t") == "starting"])
        assert told[0]["message"] == "The assistant is starting."
        await tab.send(t="ping")  # it goes on listening
        await tab.until(lambda: any(one.get("t") == "pong" for one in tab.frames))
        child()
        await tab.until(tab.asked, 30)
        assert tab.saw_status("waiting") and tab.refusals() == []


async def test_another_chat_can_be_opened_meanwhile(child, ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        child()
        await tab.open(workflow="Assistant")
        kept = tab.chat["chat"]
        listen("")
        await tab.send(t="open", chat=None, workflow="Assistant", new=True)
        await tab.until(lambda: [one for one in tab.frames if isinstance(one, dict) and one.get("t") == "starting"])
        await tab.open(chat=kept)
        seen = len(tab.frames)
        child()
        await asyncio.wait_for(broker.runtime_url(), 10)
        await tab.send(t="ping")
        await tab.until(lambda: any(one.get("t") == "pong" for one in tab.frames if isinstance(one, dict)))
        assert tab.chat["chat"] == kept
        assert not [one for one in tab.frames[seen:] if isinstance(one, dict) and one.get("t") == "chat" and one["chat"] != kept]


async def test_one_that_does_not_start_is_told_in_the_end(child, ada, shell, monkeypatch):
    monkeypatch.setattr("mozaiks_shell.chat.socket._STARTS_WITHIN", 0.0)
    async with shell() as running, running.browser(ada) as tab:
        await tab.send(t="open", chat=None, workflow="Assistant")
        await tab.until(lambda: tab.refusals() == ["RUNTIME_STARTING"])
