"""What a plugin's page is told about its plugin, and what a browser may say against one (abuse 40 and 42)."""

from types import SimpleNamespace
from typing import Any

import pytest

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import faults, registry
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.state import NO_TROUBLE, PluginCrash, PluginHealth, plugin_failed, plugin_gone
from mozaiks_shell.shell.event_gate import _out_of_service
from mozaiks_shell.shell.failures import handler_failed

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ROOT = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"admin"}), "ses_root")
PAGE = """
from mozaiks_shell import sdk

class Board(sdk.State):
    @sdk.event
    def load(self):
        raise RuntimeError("cannot read")
    @sdk.event
    def press(self):
        raise RuntimeError("cannot press")
    @sdk.event
    def refuse(self):
        raise sdk.errors.Invalid("Not that.")

@sdk.page(on_load=Board.load)
def front(): return sdk.ui.button("Press", on_click=Board.press)
"""
EVENT = "reflex___state____state.mozaiks_shell___ui___state____shell_state.mozaiks_plugins___{slug}___page____board.press"


@pytest.fixture
def board(write, settings, load):
    """A loaded plugin whose handlers fail; its faults are forgotten afterwards."""
    write("my-board", {"page.py": PAGE})
    yield load()["my-board"]
    faults.forget("my-board")


def state(path: str = "/plugins/my-board", **more: Any) -> Any:
    """Enough of a State for a handler to run on."""
    router = SimpleNamespace(url=SimpleNamespace(path=path), session=SimpleNamespace(client_ip="203.0.113.9"))
    return SimpleNamespace(router=router, standing="?", why="?", trouble=None, reference="", _reports=0, **more)


def raised(handler: str) -> Exception:
    """What a handler of the plugin raises, as Reflex catches it."""
    from reflex_base.registry import RegistrationContext

    known = RegistrationContext.ensure_context().event_handlers
    (name,) = [one for one in known if "my_board" in one and one.endswith(f".{handler}")]
    with pytest.raises(Exception) as caught:
        known[name].handler.fn(SimpleNamespace())
    return caught.value


@pytest.mark.parametrize(
    ("plugin_state", "standing"),
    [
        (PluginState.LOADED, ""),
        (PluginState.DEGRADED, ""),
        (PluginState.DISABLED, "off"),
        (PluginState.DISCOVERED, "off"),
        (PluginState.QUARANTINED, "broken"),
        (PluginState.INCOMPATIBLE, "broken"),
        (PluginState.BLOCKED, "broken"),
    ],
)
def test_a_page_knows_how_its_plugin_stands_and_operators_where_to_read_why(board, as_person, plugin_state, standing):
    board.state = plugin_state
    for person, sees in ((ADA, False), (None, False), (ROOT, True)):
        as_person(person)
        told = state("/plugins/my-board/cards/7")
        PluginHealth.check.fn(told)
        assert (told.standing, told.trouble) == (standing, NO_TROUBLE)
        assert told.why == ("/admin/plugins/my-board" if sees and standing else "")


def test_a_plugin_that_was_removed_is_gone_and_other_pages_have_none(board, as_person):
    as_person(ROOT)
    for path, standing in (("/plugins/never-here", "gone"), ("/settings", ""), ("/", "")):
        told = state(path)
        PluginHealth.check.fn(told)
        assert (told.standing, told.why) == (standing, "")


def test_an_event_for_a_plugin_that_went_away_makes_its_page_say_so(board):
    assert not plugin_gone(EVENT.format(slug="my_board"))
    assert _out_of_service(EVENT.format(slug="my_board")).events == []
    board.state = PluginState.DISABLED
    assert plugin_gone(EVENT.format(slug="my_board"))
    (event,) = _out_of_service(EVENT.format(slug="my_board")).events
    assert event.name.endswith("plugin_health.check")
    assert plugin_gone(EVENT.format(slug="never_here"))
    for other in ("reflex___state____state.mozaiks_shell___shell___state____frame.enter", "", "mozaiks_plugins"):
        assert not plugin_gone(other) and _out_of_service(other).events == []


def test_what_fails_while_the_page_loads_is_told_on_the_page(board):
    (told,) = handler_failed(raised("load"))
    assert told.handler.fn.__name__ == "fail"
    arguments = {str(name): str(value) for name, value in told.args}
    assert "went wrong" in str(arguments) or "on our side" in str(arguments)
    (told,) = handler_failed(raised("press"))
    assert told.handler.fn.__name__ == "push"
    (told,) = handler_failed(raised("refuse"))
    assert told.handler.fn.__name__ == "push"


def test_a_plugin_that_fails_too_often_is_told_to_be_out_of_service(board, monkeypatch):
    monkeypatch.setattr(get_settings(), "plugin_fault_limit", 2)
    handler_failed(raised("press"))
    (told,) = handler_failed(raised("press"))
    assert board.state is PluginState.QUARANTINED
    assert told.handler.fn.__name__ == "check"


def test_only_faults_of_plugins_are_told_in_their_place(board):
    assert plugin_failed(RuntimeError("the shell's own"), "m", "r") == []
    assert plugin_failed(Invalid("a refusal"), "m", "r") == []


async def report(told: Any, name: Any = "my-board", error: Any = "Error: drawn wrong\n at x.js", stack: Any = "in front") -> None:
    await PluginCrash.report.fn(told, name, error, stack)


async def test_a_crash_in_the_browser_is_counted_and_gets_a_reference(write, database, board, as_person):
    as_person(ADA)
    told = state()
    await report(told)
    assert len(told.reference) == 8
    (fault,) = faults.recent("my-board")
    assert (fault.kind, fault.message) == ("render", "Error: drawn wrong")


@pytest.mark.parametrize(
    ("path", "name", "error"),
    [
        ("/plugins/other", "my-board", "x"),
        ("/settings", "my-board", "x"),
        ("/settings/plugins", "my-board", "x"),
        ("/", "my-board", "x"),
        ("/plugins/my-board", "nobody", "x"),
        ("/plugins/my-board", 7, "x"),
        ("/plugins/my-board", "my-board", {"a": 1}),
    ],
)
async def test_a_browser_is_heard_only_about_the_page_it_shows(write, database, board, as_person, path, name, error):
    as_person(ADA)
    told = state(path)
    await report(told, name, error)
    assert told.reference == "" and faults.recent("my-board") == [] and faults.recent("nobody") == []


async def test_nobody_takes_a_plugin_out_of_service_alone(write, database, board, as_person, monkeypatch):
    monkeypatch.setattr(get_settings(), "plugin_fault_limit", 3)
    for person in (ADA, None):
        as_person(person)
        for _ in range(4):
            told = state()
            for _ in range(7):
                await report(told)
            assert told._reports == 5, "one tab is heard a few times"
    assert board.live
    as_person(ROOT)
    await report(state())
    assert registry.find("my-board").state is PluginState.QUARANTINED, "three of them agree"
