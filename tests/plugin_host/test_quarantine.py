"""Every way a plugin can be broken ends in quarantine with a reason, and its neighbour still works (D10, F-092)."""

import sys

import pytest
from reflex_base.registry import RegistrationContext
from sqlmodel import SQLModel

from mozaiks_shell.foundation.db import scoped_tables
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.page import pages

GOOD = {"logic.py": "def execute(data): return {'ok': True}\n"}
STATE = (
    "from mozaiks_shell import sdk\n"
    "class Broken(sdk.State):\n"
    "    n: int = 0\n"
    "    @sdk.event\n"
    "    def add(self): self.n += 1\n"
    "class Row(sdk.Model, table=True):\n"
    "    __tablename__ = 'broken_row'\n"
    "    id: int = sdk.Field(primary_key=True)\n"
    "@sdk.page()\n"
    "def front(): return sdk.ui.notice('x')\n"
)

BROKEN = {
    "syntax": (Cause.SYNTAX, {"logic.py": "x = 1\ndef execute(:\n"}, "logic.py:2"),
    "missing package": (Cause.IMPORT, {"logic.py": "import no_such_package_here\n"}, "logic.py:1"),
    "system exit": (Cause.IMPORT, {"page.py": STATE + "raise SystemExit(3)\n"}, "page.py:11"),
    "base exception": (Cause.IMPORT, {"page.py": STATE + "raise BaseException('no')\n"}, "page.py:11"),
    "page raises": (Cause.PAGE, {"page.py": STATE.replace("sdk.ui.notice('x')", "1 / 0")}, "page.py:10"),
    "page returns no component": (Cause.PAGE, {"page.py": STATE.replace("sdk.ui.notice('x')", "object()")}, "page.py"),
    "two pages, one route": (
        Cause.ROUTE_CLASH,
        {"page.py": STATE, "pages/more.py": "from mozaiks_shell import sdk\n@sdk.page()\ndef more(): return sdk.ui.row()\n"},
        "pages/more.py:2",
    ),
    "not json": (Cause.MANIFEST, {"manifest.json": "{"}, "manifest.json:1"),
    "bad version": (Cause.MANIFEST, {"manifest.json": '{"version": "new"}'}, "manifest.json:1"),
    "no contract": (Cause.MANIFEST, {"manifest.json": '{"contract_version": "new"}'}, "manifest.json:1"),
    "other name": (Cause.MANIFEST, {"manifest.json": '{"name": "someone"}'}, "manifest.json:1"),
    "no such entry": (Cause.MANIFEST, {"manifest.json": '{"entry_point": "gone.py"}'}, "manifest.json"),
    "no such function": (Cause.MANIFEST, {**GOOD, "manifest.json": '{"entry_point": "logic.py:start"}'}, "manifest.json"),
    "bad access": (Cause.MANIFEST, {"manifest.json": '{"access": "everyone"}'}, "manifest.json:1"),
    "forbidden import": (Cause.FORBIDDEN_IMPORT, {"logic.py": "\nfrom mozaiks_shell.foundation import db"}, "logic.py:2"),
    "forbidden deep": (Cause.FORBIDDEN_IMPORT, {"a/b.py": "def f():\n    import mozaiks_shell.billing.service\n"}, "a/b.py:2"),
    "second copy of itself": (Cause.FORBIDDEN_IMPORT, {"logic.py": "from plugins.broken import x\n"}, "logic.py:1"),
    "foreign table name": (Cause.TABLE, {"models.py": STATE.replace("broken_row", "identity_row")}, "models.py"),
    "unscoped table": (Cause.TABLE, {"models.py": STATE.replace("sdk.Model", "__import__('sqlmodel').SQLModel")}, ""),
    "relation to nothing": (
        Cause.IMPORT,
        {"models.py": STATE.replace("key=True)\n", "key=True)\n    gone: 'Gone' = __import__('sqlmodel').Relationship()\n")},
        "",
    ),
    "ungated state": (Cause.STATE, {"page.py": "import reflex as rx\nclass Free(rx.State):\n    n: int = 0\n"}, "page.py"),
    "ungated page": (
        Cause.STATE,
        {"page.py": "import reflex as rx\n@rx.page(route='/free')\ndef free(): return rx.el.div()\n"},
        "",
    ),
    "no router": (Cause.IMPORT, {"routes.py": "x = 1\n"}, "routes.py"),
    "waiting register": (
        Cause.IMPORT,
        {"routes.py": "import asyncio\nasync def register_routes(app): await asyncio.sleep(0)\n"},
        "routes.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_plugin_is_quarantined_alone(case, probed, write, load, monkeypatch):
    """With a probe it never gets into this process; without one all it brought is taken out again."""
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE", str(probed).lower())
    get_settings.cache_clear()
    cause, files, where = BROKEN[case]
    write("abel", GOOD)
    write("broken", files)
    write("cain", GOOD)
    tables, states = set(SQLModel.metadata.tables), set(RegistrationContext.get().base_states)
    handlers, known = set(RegistrationContext.get().event_handlers), set(scoped_tables())
    decorated = list(RegistrationContext.get().decorated_pages)
    mapped = set(SQLModel._sa_registry.mappers)

    loaded = load()

    assert (loaded["abel"].state, loaded["cain"].state) == (PluginState.LOADED, PluginState.LOADED)
    broken = loaded["broken"]
    assert broken.state is PluginState.QUARANTINED
    assert (broken.problem.cause, broken.problem.where) == (cause, where), broken.problem.message
    report = next(one for one in plugin_reports() if one.name == "broken")
    assert report.reason and report.remedy and not report.recoverable
    assert not [page for page in pages() if page.owner == "broken"]
    assert set(SQLModel.metadata.tables) == tables
    assert set(scoped_tables()) == known
    assert set(SQLModel._sa_registry.mappers) == mapped
    assert set(RegistrationContext.get().base_states) == states
    assert set(RegistrationContext.get().event_handlers) == handlers
    assert RegistrationContext.get().decorated_pages == decorated
    assert not [name for name in sys.modules if name.startswith("mozaiks_plugins.broken")]


def test_hanging_import_is_interrupted(write, load, monkeypatch):
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE_SECONDS", "2")
    get_settings.cache_clear()
    write("slow", {"logic.py": "import time\ntry:\n    time.sleep(60)\nexcept Exception:\n    pass\n"})
    write("quick", GOOD)
    loaded = load()
    assert loaded["slow"].problem.cause is Cause.HANG
    assert loaded["slow"].problem.where == "logic.py:3"
    assert loaded["quick"].live


def test_route_of_the_core_cannot_be_taken(write, load, api):
    from mozaiks_shell.plugin_host.routes import mount_plugins

    @api.get("/api/plugins/greedy/status")
    async def core() -> dict:
        return {}

    write(
        "greedy",
        {"routes.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/status')\ndef s(): return 1\n"},
    )
    write(
        "modest",
        {"routes.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/status')\ndef s(): return 1\n"},
    )
    loaded = load()
    mount_plugins(api)
    assert loaded["greedy"].problem.cause is Cause.ROUTE_CLASH
    assert "shell" in loaded["greedy"].problem.message and "greedy" in loaded["greedy"].problem.message
    assert loaded["modest"].live


def test_page_of_the_core_cannot_be_taken(write, load):
    from mozaiks_shell.foundation.access import Access
    from mozaiks_shell.ui.page import owned_by, page, withdraw

    with owned_by("test", ""):
        page("/plugins/squatter", title="Core page", access=Access.public())(lambda: None)
    try:
        write("squatter", {"page.py": STATE.replace("broken_row", "squatter_row")})
        squatter = load()["squatter"]
        assert squatter.problem.cause is Cause.ROUTE_CLASH
        assert "test" in squatter.problem.message and "squatter" in squatter.problem.message
        assert [one.owner for one in pages() if one.route == "/plugins/squatter"] == ["test"]
    finally:
        withdraw("test")


def test_names_that_are_no_plugins(write, load):
    for name in ("_template", ".git", "auth", "payments"):
        write(name, GOOD)
    for name in ("Upper", "with space", "double--dash"):
        write(name, GOOD)
    write("my-plugin", GOOD)
    write("my_plugin", GOOD)
    loaded = load()
    assert set(loaded) == {"Upper", "with space", "double--dash", "my-plugin", "my_plugin"}
    assert {name for name, one in loaded.items() if one.live} == {"my-plugin"}
    assert {one.problem.cause for one in loaded.values() if not one.live} == {Cause.NAME}


def test_keyboard_interrupt_is_the_operators(write, load, monkeypatch):
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE", "false")
    get_settings.cache_clear()
    write("stopper", {"logic.py": "raise KeyboardInterrupt\n"})
    with pytest.raises(KeyboardInterrupt):
        load()
