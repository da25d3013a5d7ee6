"""The start page: sections in the operator's order, for whom they are, with this person's numbers, each on its own (F-028)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import reflex as rx

from mozaiks_shell.appconfig.ui_config import DashboardSection
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import Conflict
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.manifest import Manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState, being_loaded
from mozaiks_shell.shell import home_sections, section_state, slots
from mozaiks_shell.shell.dashboard import arranged
from mozaiks_shell.shell.home_facts import DAYS, available, first_steps, plan_for, spent_by
from mozaiks_shell.shell.home_state import arrangement_for
from mozaiks_shell.shell.section_state import Sections, fallen, reported
from mozaiks_shell.shell.slots import Piece, Slot, dashboard, plain
from mozaiks_shell.ui.state import ShellState, event
from mozaiks_shell.usage.service import record

assert home_sections  # declares the shell's own


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slot]:
    """The dashboard as it is, to add to."""
    monkeypatch.setattr(dashboard, "_pieces", dict(dashboard._pieces))
    yield dashboard


def plugin(name: str, tmp_path: Any, **manifest: Any) -> Plugin:
    made = Plugin(name, tmp_path, Manifest.model_validate({"name": name, **manifest}))
    registry.add(made)
    return made


def asked(*entries: Any) -> list[DashboardSection]:
    return [DashboardSection.model_validate(entry) for entry in entries]


def names(wanted: list[DashboardSection] | None, pieces: list[Piece] | None = None) -> list[str]:
    return [piece.name for piece in arranged(wanted, pieces or dashboard.pieces()).pieces]


def test_f028_the_shell_registers_its_sections():
    main = [piece.name for piece in dashboard.pieces() if piece.place == "main"]
    side = [piece.name for piece in dashboard.pieces() if piece.place == "side"]
    assert main == ["recent_chats", "agents", "quick_actions"]
    assert side == ["profile", "usage", "budget", "admin_overview", "getting_started"]


def test_f028_the_file_gives_the_order_and_leaves_out():
    assert names(asked("usage", "recent_chats")) == ["usage", "recent_chats"]
    assert names(asked()) == []
    rest = names(asked("usage", "others", "profile"))
    assert rest[0] == "usage" and rest[-1] == "profile" and len(rest) == len(dashboard.pieces())


@pytest.mark.parametrize("word", ["quick_actions", "quickActions", "quick-actions", "actions", "QuickActions"])
def test_f028_names_in_any_notation(word: str):
    assert names(asked(word)) == ["quick_actions"]
    assert plain("Quick  actions!") == "quick_actions"


def test_f028_a_file_that_only_hides_leaves_the_rest():
    shown = names(asked({"id": "usage", "visible": False}))
    assert "usage" not in shown and "profile" in shown
    assert names(asked("profile", {"id": "usage", "visible": False}, "others"))[0] == "profile"


def test_f028_other_headings_and_unknown_names():
    found = arranged(asked({"id": "usage", "title": "Tokens"}, "budgte", "nonsense", "nonsense2"), dashboard.pieces())
    assert found.titles == {"dashboard:usage": "Tokens"} and found.unknown == ("budgte", "nonsense", "nonsense2")


def test_f028_a_section_of_a_plugin_stands_where_the_file_says(own: Slot, tmp_path: Any):
    crm = plugin("crm", tmp_path)
    with being_loaded(crm):
        own.section("Open deals")(rx.fragment)
        own.section("Calls", name="calls", place="side")(rx.fragment)
    assert names(asked("usage", "crm.open_deals", "profile")) == ["usage", "crm.open_deals", "profile"]
    assert names(asked("crm", "usage")) == ["crm.calls", "crm.open_deals", "usage"]
    registry.discard("crm")


def test_f028_a_plugins_section_demands_what_its_manifest_does(own: Slot, tmp_path: Any):
    with being_loaded(plugin("crm", tmp_path, access="plan:pro")):
        own.section("Open deals")(rx.fragment)
    assert next(piece for piece in own.pieces() if piece.owner == "crm").access == Access.plan("pro")
    registry.discard("crm")


def test_f028_sections_of_a_plugin_in_quarantine_vanish(own: Slot, tmp_path: Any):
    crm = plugin("crm", tmp_path)
    with being_loaded(crm):
        own.section("Open deals")(rx.fragment)
    crm.state = PluginState.LOADED
    assert "crm.open_deals" in names(None)
    crm.state = PluginState.QUARANTINED
    assert "crm.open_deals" not in names(None) and "dashboard:crm.open_deals" not in {one.key for one in slots.all_pieces()}
    crm.state = PluginState.LOADED
    assert "crm.open_deals" in names(None)
    slots.withdraw("crm")
    assert "crm.open_deals" not in names(None)
    registry.discard("crm")


async def test_f028_each_sees_what_is_for_them_and_an_edit_counts_at_once(
    database: Settings, ada: Principal, root: Principal, write: Callable[..., None], no_pages: None
):
    """``no_pages``: the menu, which decides, needs none."""
    mine = [piece.name for piece in (await arrangement_for(ada)).pieces]
    theirs = [piece.name for piece in (await arrangement_for(root)).pieces]
    assert "admin_overview" not in mine and "getting_started" not in mine and "usage" in mine
    assert {"admin_overview", "getting_started"} <= set(theirs)
    write("ui.json", {"dashboard": {"sections": ["budget", "admin_overview", "nonsense"]}})
    assert [piece.name for piece in (await arrangement_for(ada)).pieces] == ["budget"]
    assert (await arrangement_for(ada)).unknown == () and (await arrangement_for(root)).unknown == ("nonsense",)


def test_f028_nothing_is_said_of_what_is_turned_off(settings: Settings, ada: Principal, monkeypatch: pytest.MonkeyPatch):
    pieces = {piece.name: piece for piece in dashboard.pieces()}
    assert available(pieces["usage"], ada) and available(pieces["budget"], ada)
    monkeypatch.setenv("MOZAIKS_AI_ENABLED", "false")
    monkeypatch.setenv("MOZAIKS_BILLING_PROVIDER", "none")
    get_settings.cache_clear()
    off = [name for name, piece in pieces.items() if not available(piece, ada)]
    assert sorted(off) == ["agents", "budget", "recent_chats", "usage"]


async def spend(person: str, tokens: int, at: datetime, number: int) -> None:
    data = {"event_id": f"e{number}", "prompt_tokens": tokens, "completion_tokens": 0}
    await record(Event("chat.usage", "dev-app", person, data, at=at))


async def test_f028_usage_is_this_persons_by_day_and_month(database: Settings, ada: Principal, root: Principal):
    at = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
    for number, (back, tokens) in enumerate([(0, 100), (0, 20), (1, 60), (13, 30), (14, 500), (20, 7)]):
        await spend(ada.user_id, tokens, at - timedelta(days=back), number)
    await spend(root.user_id, 9_000, at, 99)
    spent = await spent_by(ada, at)
    days = spent["days"]
    assert len(days) == DAYS and days[-1]["tokens"] == 120 and days[-2]["tokens"] == 60 and days[0]["tokens"] == 30
    assert days[-1]["share"] == 100 and days[-2]["share"] == 50 and days[5] == {"date": days[5]["date"], "tokens": 0, "share": 0}
    assert days[-1]["date"].startswith("2026-03-14") and days[0]["date"].startswith("2026-03-01")
    assert spent["month"] == 120 + 60 + 30 and spent["total"] == 717 and spent["calls"] == 6


async def test_f028_a_day_begins_where_the_person_lives(database: Settings):
    tokyo = Principal("usr_ada", "dev-app", "Ada", timezone="Asia/Tokyo")
    await spend("usr_ada", 50, datetime(2026, 3, 13, 16, 0, tzinfo=UTC), 1)  # the 14th, one in the morning
    assert (await spent_by(tokyo, datetime(2026, 3, 14, 2, 0, tzinfo=UTC)))["days"][-1]["tokens"] == 50


async def test_f028_nothing_used_yet(database: Settings, ada: Principal):
    spent = await spent_by(ada)
    assert spent["total"] == spent["month"] == 0 and all(day["share"] == 0 for day in spent["days"])


async def test_f028_the_plan_says_what_it_includes(database: Settings, ada: Principal):
    card = await plan_for(ada)
    assert card["title"] == "Free" and card["features"] and card["state"] == ""


async def test_getting_started_goes_when_all_is_done(database: Settings, root: Principal, write: Callable[..., None]):
    steps = await first_steps(root)
    assert steps and not all(step["done"] for step in steps)
    write("brand.json", {"name": "Mine"})
    assert next(step for step in await first_steps(root) if step["title"] == "Make it yours")["done"]


class Loads(ShellState):
    """Loads a section."""

    access: ClassVar[Access | None] = Access.signed_in()

    @event
    async def load(self) -> None:
        """Fails."""
        raise Conflict("The list is being rebuilt.")

    @event
    async def other(self) -> None:
        """Fails too, but loads nothing."""
        raise Conflict("No.")


async def caught(call: Any) -> Exception:
    try:
        await call(SimpleNamespace())
    except Conflict as error:
        return error
    raise AssertionError("did not fail")


async def test_f028_a_failure_is_told_in_the_section_it_happened_in(own: Slot):
    own.section("List", name="list", on_load=(Loads.load,))(rx.fragment)
    error = await caught(Loads.event_handlers["load"].fn)
    told = fallen(error, reported(error))
    assert len(told) == 1 and "fail" in str(told[0].handler.fn)
    assert [str(value) for _, value in told[0].args][:2] == ['"dashboard:list"', '"The list is being rebuilt."']
    elsewhere = await caught(Loads.event_handlers["other"].fn)
    assert fallen(elsewhere, reported(elsewhere)) == []


def test_an_expected_failure_has_no_reference_and_any_other_one(monkeypatch: pytest.MonkeyPatch):
    seen: list[Any] = []
    monkeypatch.setattr(section_state.log, "error", lambda *a, **facts: seen.append(facts["reference"]), raising=False)
    assert reported(Conflict("No.")) == {"message": "No.", "reference": ""} and not seen
    other = reported(ValueError("secret detail"))
    assert "secret" not in other["message"] and seen[0].endswith(other["reference"])


def test_nobody_can_mark_a_section_there_is_not():
    state = Sections(_reflex_internal_init=True)
    fail, forget = Sections.event_handlers["fail"].fn, Sections.event_handlers["forget"].fn
    fail(state, "dashboard:usage", "No.", "r")
    fail(state, "dashboard:nonsense", "No.", "r")
    fail(state, "dashboard:usage", 7, "r")
    fail(state, ["dashboard:usage"], "No.", "r")
    assert state.failed == {"dashboard:usage": {"message": "No.", "reference": "r"}}
    forget(state, "dashboard:usage")
    assert state.failed == {}
