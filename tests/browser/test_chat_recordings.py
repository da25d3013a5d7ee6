"""Every recording of the published runtime through the pane: nothing breaks, and what was said, asked and shown is drawn."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mozaiks_shell.chat.protocol import read
from mozaiks_shell.chat.summary import plain
from mozaiks_shell.chat.upstream_frames import Ask, Oversized, Said, Tool
from tests.browser.conftest import NARROW, WIDE, browsing, picture, settled
from tests.browser.puppets import Puppet, puppet
from tests.chat.test_recordings import PROGRAMMERS_WORDS, SESSIONS, Session
from tests.live import Server, Site, until
from tests.people import People

ENDS = {"chat.run_complete", "error", "unknown"}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Puppet]:
    with puppet() as one:
        one.set(asks=False)
        yield one


@pytest.fixture(scope="module")
def shell(live: Server, runtime: Puppet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to the puppet."""
    server = Site.copy("tools").serve(tmp_path_factory.mktemp("recordings"), MOZAIKS_AI_URL=runtime.url)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


def frames_of(session: Session, chat: str) -> list[dict[str, Any]]:
    """What the recorded server sent, as if to our chat."""
    sent = [one["frame"] for one in session.events if one["dir"] == "s2c" and one["frame"]["type"] != "chat_meta"]
    ours = json.loads(json.dumps(sent).replace(session.chat_id, chat))
    return [one for one in ours if isinstance(one, dict)]


def words(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip()


@pytest.mark.skipif(not SESSIONS, reason="the recordings are not part of this repository")
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_every_recording_is_drawn(browser, shell, crowd, runtime, size, scheme):
    person = crowd.sign_up("rex", "Rex Recording")
    with browsing(browser, shell.base, person, size, scheme) as (context, watch):
        page = context.new_page()
        page.goto("/")
        settled(page)
        others = set(runtime.chats())  # the shell keeps those of whoever was here before
        page.locator("#mzc-bubble").click()
        until(lambda: page.evaluate("1") and set(runtime.chats()) - others, 60, "the first chat")
        for session in SESSIONS:
            before = set(runtime.chats())
            page.get_by_role("button", name="New chat").first.click()
            chat = until(lambda: page.evaluate("1") and set(runtime.chats()) - before, 60, f"a chat for {session.name}").pop()  # noqa: B023
            sent = frames_of(session, chat)
            runtime.play(*sent, chat=chat)
            drawn(page, session.name, [read(json.dumps(one)) for one in sent])
            assert watch.verdict() == [], session.name
        picture(page, f"recording-{scheme}")
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert watch.verdict() == []


def drawn(page: Page, name: str, values: list[Any]) -> None:
    """Texts of agents, questions with words of their own, and tools are in the log, and nothing meant for programmers."""
    log = page.get_by_role("log", name="Messages")
    texts = [words(plain(one.content))[:40] for one in values if isinstance(one, Said) and not one.by_user]
    for text in [*texts, *(words(one.prompt)[:40] for one in values if isinstance(one, Ask) and one.prompt)]:
        until(lambda: text in words(log.inner_text()), 60, f"{name}: {text!r}")  # noqa: B023
    for one in values:
        if isinstance(one, Ask) and one.prompt:
            expect(page.locator(".mzc-question", has_text=one.prompt[:30])).not_to_have_count(0)
    tools = {one.id for one in values if isinstance(one, Tool)}
    until(lambda: page.locator(".mzc-event, .mzc-inline").count() >= len(tools), 60, f"{name}: {len(tools)} tools")
    assert not any(isinstance(one, Oversized) for one in values)
    shown = log.inner_text()
    assert not [word for word in PROGRAMMERS_WORDS if word in shown], name
