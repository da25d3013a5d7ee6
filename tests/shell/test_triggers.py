"""Entries that start workflows: who may, how often, in which layout (F-007, F-009, F-010)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import runs as chat_runs
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.triggers import LOOKS, ONE_PRESS, Triggers, launch
from tests.chat.conftest import listening
from tests.chat.upstream import Line, Upstream

EVE = Principal("usr_eve", "dev-app", "Eve Moreau", "eve@example.com", frozenset({"user"}), "ses_eve")


def entry(id: str, workflow: str = "ProjectBrief", **more: Any) -> dict[str, Any]:
    """A line of navigation.json."""
    return {"id": id, "label": id.title(), "trigger": {"type": "workflow", "workflow": workflow, **more}}


MENU = {
    "version": "1.0",
    "pages": [
        entry("brief", cache_ttl=60, input={"topic": "launch", "parts": [1, 2]}),
        entry("same", cache_ttl=60, input={"parts": [1, 2], "topic": "launch"}),
        entry("other", cache_ttl=60, input={"topic": "closing"}),
        entry("plain"),
        entry("seen", mode="view"),
        entry("asked", mode="ask"),
        entry("foreign", app_id="another-app"),
        entry("secret", workflow="NobodyNamedThis"),
    ],
}


async def waits(line: Line) -> None:
    """A run that asks something and waits."""
    await line.meta()
    await line.ask("q1")
    await line.idle()


@pytest.fixture
async def upstream(database: Any, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """A double of the runtime, the menu above, chats that run."""
    double = Upstream()
    double.plays = [waits] * 20
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        write("navigation.json", MENU)
        stop_runtime = await broker.start_runtime()
        stop_chats = await chats.start_chats()
        try:
            yield double
        finally:
            await stop_chats()
            await stop_runtime()
    set_principal(None)
    get_settings.cache_clear()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock by so many seconds."""

    def move(seconds: float) -> None:
        monkeypatch.setattr(chat_runs, "now", lambda: now() + timedelta(seconds=seconds))

    return move


async def test_f009_an_entry_starts_its_workflow_once_for_one_press(upstream: Upstream, ada: Principal) -> None:
    """A double click, a retry and the same press in another tab, all at once."""
    set_principal(ada)
    started = await asyncio.gather(*(launch(ada, "plain") for _ in range(5)))
    assert len({chat.id for chat, _ in started}) == 1
    assert upstream.count("start") == 1


async def test_f009_another_press_later_starts_another_run(upstream: Upstream, ada: Principal, later) -> None:
    set_principal(ada)
    first, _ = await launch(ada, "plain")
    later(ONE_PRESS + 0.1)
    second, _ = await launch(ada, "plain")
    assert first.id != second.id
    assert upstream.count("start") == 2


async def test_f010_within_the_ttl_the_run_is_used_again_and_after_it_another_one_starts(
    upstream: Upstream, ada: Principal, later
) -> None:
    set_principal(ada)
    first, _ = await launch(ada, "brief")
    later(59)
    again, _ = await launch(ada, "brief")
    assert (again.id, upstream.count("start")) == (first.id, 1)
    later(61)
    after, _ = await launch(ada, "brief")
    assert after.id != first.id
    assert upstream.count("start") == 2


async def test_f010_the_key_is_workflow_and_input_whatever_the_order_of_its_keys(upstream: Upstream, ada: Principal) -> None:
    set_principal(ada)
    brief, same, other = [(await launch(ada, name))[0].id for name in ("brief", "same", "other")]
    assert brief == same != other
    assert upstream.count("start") == 2


async def test_f010_nobody_gets_another_persons_run(upstream: Upstream, ada: Principal) -> None:
    set_principal(ada)
    hers, _ = await launch(ada, "brief")
    set_principal(EVE)
    mine, _ = await launch(EVE, "brief")
    assert hers.id != mine.id
    with pytest.raises(NotFound):
        await chats.find_chat(EVE, hers.id)


async def test_f010_a_deleted_run_is_not_used_again(upstream: Upstream, ada: Principal) -> None:
    set_principal(ada)
    first, _ = await launch(ada, "brief")
    await chats.delete_chat(ada, first.id)
    second, _ = await launch(ada, "brief")
    assert second.id != first.id
    assert (await chats.find_chat(ada, second.id)).workflow == "ProjectBrief"


async def test_f009_the_input_goes_with_what_the_person_says(upstream: Upstream, ada: Principal) -> None:
    heard: list[dict[str, Any]] = []
    over = asyncio.Event()

    async def listens(line: Line) -> None:
        await line.meta()
        await line.ask("q1")
        heard.append(await line.receive())
        over.set()
        await line.idle()

    upstream.plays[:0] = [listens]
    set_principal(ada)
    chat, _ = await launch(ada, "brief")
    bridge = chats.runs().bridge(ada, chat.id)
    assert bridge is not None
    async with asyncio.timeout(60):
        while bridge.conversation.ask is None:  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0.01)
        await chats.say(ada, chat.id, "hello", "m1")
        await over.wait()
    assert heard[0]["context"]["input"] == {"topic": "launch", "parts": [1, 2]}


@pytest.mark.parametrize("entry_id", ["foreign", "secret", "no-such-entry", "home"])
async def test_f009_what_is_not_in_this_persons_menu_starts_nothing(upstream: Upstream, ada: Principal, entry_id: str) -> None:
    set_principal(ada)
    with pytest.raises(NotFound):
        await launch(ada, entry_id)
    assert upstream.count("start") == 0


@pytest.mark.parametrize("given", [["a", "list"], {"n": float("nan")}, {"text": "x" * 20_000}, {"half": "\ud800"}])
async def test_f009_an_unfit_input_is_refused(upstream: Upstream, ada: Principal, given: Any) -> None:
    set_principal(ada)
    with pytest.raises(Invalid):
        await chats.launch(ada, "ProjectBrief", given)
    assert upstream.count("start") == 0


class Tab:
    """The States of one tab, as far as handlers reach each other."""

    def __init__(self) -> None:
        self.pane = ChatState(_reflex_internal_init=True)
        self.triggers = Triggers(_reflex_internal_init=True)
        object.__setattr__(self.triggers, "get_state", self._get)

    async def _get(self, _: type) -> ChatState:
        return self.pane

    async def press(self, entry_id: Any) -> list[Any]:
        """What the handler yields."""
        return [one async for one in Triggers.event_handlers["run"].fn(self.triggers, entry_id) if one is not None]


@pytest.mark.parametrize(("entry_id", "mode"), [("plain", "workflow"), ("seen", "view"), ("asked", "ask")])
async def test_f009_the_pane_opens_in_the_layout_of_the_mode(
    upstream: Upstream, ada: Principal, entry_id: str, mode: str
) -> None:
    """``view``: artifact alone, ``workflow``: beside the conversation, ``ask``: conversation only."""
    set_principal(ada)
    tab = Tab()
    await tab.press(entry_id)
    assert (tab.pane.surface, tab.pane.mode, tab.pane.layout) == LOOKS[mode]
    assert (await chats.find_chat(ada, tab.pane.chat_id)).workflow == "ProjectBrief"
    assert (tab.pane.opened, tab.triggers.starting) == (True, "")


@pytest.mark.parametrize("entry_id", ["secret", "", 7, None, {"id": "plain"}, "x" * 300])
async def test_f009_a_forged_press_opens_nothing(upstream: Upstream, ada: Principal, entry_id: Any) -> None:
    set_principal(ada)
    tab = Tab()
    await tab.press(entry_id)
    assert (tab.pane.surface, tab.pane.chat_id, tab.triggers.starting) == ("closed", "", "")
    assert upstream.count("start") == 0


@pytest.mark.parametrize(("start_mode", "shown"), [("ask", ("widget", "")), ("workflow", ("overlay", "ProjectBrief"))])
async def test_f007_the_start_mode_decides_what_opens_first(
    database: Any, write: Callable[..., None], ada: Principal, start_mode: str, shown: tuple[str, str]
) -> None:
    write("navigation.json", {**MENU, "startup_mode": start_mode})
    set_principal(ada)
    pane = ChatState(_reflex_internal_init=True)
    await ChatState.event_handlers["open_widget"].fn(pane)
    assert (pane.surface, pane.workflow) == shown
    pane.chat_id, pane.surface = "cht_1", "closed"
    await ChatState.event_handlers["open_widget"].fn(pane)
    assert pane.surface == "widget", "later on the pane opens as it was"
    set_principal(None)
