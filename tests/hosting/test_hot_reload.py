"""Parts of development's hot reload that need no browser: tabs keep what can be kept, pages hear what is wrong (F-091)."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from reflex.state import BaseState, State
from reflex_base.registry import RegistrationContext
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.hot.socket import Line, Notices, router, shown
from mozaiks_shell.hosting.hot.tabs import carry_over, state_names
from mozaiks_shell.plugin_host import loader, registry
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.withdraw import withdraw

MODULE = "mozaiks_plugins.kept"
BEFORE = """from typing import ClassVar
from mozaiks_shell import sdk


class Kept(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
    typed: str = ""
    rows: list[str] = []
    number: int = 0
    _secret: str = ""


class Gone(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
"""
AFTER = """from typing import ClassVar
from mozaiks_shell import sdk


class Kept(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
    typed: str = "new default"
    rows: list[str] = []
    number: str = "seven"
    fresh: int = 3
    _secret: str = ""


class Came(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
"""
PAGE = "from mozaiks_shell import sdk\nfrom . import state\n\n\n@sdk.page()\ndef kept():\n    return sdk.rx.el.p('x')\n"


@pytest.fixture
def plugin(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str], None]:
    """Call it with a ``state.py``: the plugin ``kept`` is loaded with it, in the place of what was there."""
    monkeypatch.setattr(type(settings), "plugin_roots", property(lambda _: [tmp_path / "plugins"]))
    folder = tmp_path / "plugins" / "kept"
    folder.mkdir(parents=True)
    (folder / "page.py").write_text(PAGE)

    def put(state: str) -> None:
        if (old := registry.find("kept")) is not None:
            withdraw(old)
        (folder / "state.py").unlink(missing_ok=True)
        (folder / "state.py").write_text(state)
        (found,) = [one for one in discover(settings) if one.name == "kept"]
        assert loader.load(found).problem is None

    request.addfinalizer(lambda: loader.unload("kept"))
    return put


def tree_of(root: BaseState) -> dict[str, BaseState]:
    """The instances of the plugin's States in a tab's tree, by class name."""
    found, nodes = {}, [root]
    while nodes:
        node = nodes.pop()
        nodes += node.substates.values()
        if type(node).__module__.startswith(MODULE):
            found[type(node).__name__] = node
    return found


def test_f091_a_tab_keeps_what_both_versions_know(plugin: Callable[[str], None]) -> None:
    plugin(BEFORE)
    root = State(_reflex_internal_init=True)
    before: Any = tree_of(root)["Kept"]
    before.typed, before.number, before._secret = "hello", 7, "quiet"
    before.rows.append("one")
    assert {name.rpartition(".")[2] for name in state_names(MODULE)} == {
        "mozaiks_plugins___kept___state____kept",
        "mozaiks_plugins___kept___state____gone",
    }
    plugin(AFTER)
    app: Any = SimpleNamespace(set_contexts=nullcontext, state_manager=SimpleNamespace(states={"token": root}))
    carry_over(app, MODULE)
    now = tree_of(root)
    kept: Any = now["Kept"]
    assert set(now) == {"Kept", "Came"}
    assert type(kept) in RegistrationContext.ensure_context().base_states.values() and type(kept) is not type(before)
    assert (kept.typed, kept.number, kept.fresh, kept._secret, list(kept.rows)) == ("hello", "seven", 3, "quiet", ["one"])
    kept.rows.append("two")
    assert kept.get_delta()


def test_f091_open_pages_hear_of_a_problem_and_of_its_end(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "hello"
    folder.mkdir(parents=True)
    (folder / "page.py").write_text("one\ntwo\nthree(\nfour\nfive\nsix\n")
    notices, api = Notices(), FastAPI()
    api.include_router(router(notices))
    client = TestClient(api)
    with client.websocket_connect("/ws/hot", headers={"origin": settings.origin}) as page:
        assert page.receive_json() == {"problems": []}
        problem = PluginProblem(Cause.SYNTAX, "'(' was never closed", "page.py", 3)
        notices.put("hello", shown(folder, problem, kept=True))
        (told,) = page.receive_json()["problems"]
        assert (told["place"], told["message"], told["kept"]) == ("plugins/hello/page.py:3", "syntax: '(' was never closed", True)
        assert [(line["number"], line["at_fault"]) for line in told["lines"]] == [
            (1, False),
            (2, False),
            (3, True),
            (4, False),
            (5, False),
        ]
        notices.put("hello", shown(folder, problem, kept=True))  # no news
        notices.put("hello", None)
        assert page.receive_json() == {"problems": []}
        notices.changed("/plugins/hello", 7)
        assert page.receive_json() == {"changed": "/plugins/hello", "version": "7"}


def test_f091_no_other_site_may_listen(settings: Settings) -> None:
    api = FastAPI()
    api.include_router(router(Notices()))
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        TestClient(api).websocket_connect("/ws/hot", headers={"origin": "https://evil.example"}),
    ):
        pass
    assert refused.value.code == 4003


def test_f091_the_notice_is_text_only_and_its_files_are_served(settings: Settings) -> None:
    api = FastAPI()
    api.include_router(router(Notices()))
    client = TestClient(api)
    script = client.get("/__mozaiks/hot/notice.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert not [
        word for word in ("innerHTML", "eval(", "Function(", "insertAdjacentHTML", "document.write") if word in script.text
    ]
    assert client.get("/__mozaiks/hot/notice.css").headers["content-type"].startswith("text/css")
    assert client.get("/__mozaiks/hot/reloading.py").status_code == 404


def test_f091_a_place_without_a_line_shows_no_source(tmp_path: Path) -> None:
    told = shown(tmp_path / "plugins" / "hello", PluginProblem(Cause.MANIFEST, "no", "manifest.json"), kept=False)
    assert told.lines == [] and told.place == "plugins/hello/manifest.json"
    assert Line(1, "x", True).at_fault
