"""Settings of plugins: the manifest's fields, ``settings.py``, a panel of the plugin's own (F-083, F-084)."""

import json
from typing import Any

import httpx
import pytest

import mozaiks_shell.shell.pages.settings_plugins  # noqa: F401 - declares the page
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.identity import models as _identity  # noqa: F401 - the tables of preferences
from mozaiks_shell.plugin_host import faults, loader, own_settings
from mozaiks_shell.shell.settings_state import _plugin_sections, _view
from mozaiks_shell.shell.slots import plugin_settings
from mozaiks_shell.ui.page import page_at
from tests.identity.conftest import configure, heard  # noqa: F401 - fixtures
from tests.shell.web import ADA, EVE, ROOT, signed_in, visitor  # noqa: F401 - fixtures

FIELDS = {
    "daily_goal": {"type": "number", "label": "Daily goal", "default": 5, "minimum": 1, "maximum": 50},
    "mood": {"type": "select", "options": [{"value": "calm", "label": "Calm"}, {"value": "eager"}], "default": "calm"},
    "loud": {"type": "toggle", "default": True},
    "motto": {"type": "text", "max_length": 20, "description": "Shown above the list."},
}  # fmt: skip
OWN = """
from mozaiks_shell.sdk import errors
kept = {}

KEYWORD get_settings(user_id, settings):
    return {"motto": "none yet", **kept.get(user_id, {})}

KEYWORD save_settings(user_id, settings):
    if settings.get("motto") == "forbidden":
        raise errors.Invalid("Not this motto.")
    kept[user_id] = {"motto": settings["motto"]}
    return {}
"""
PANEL = """
from mozaiks_shell import sdk

@sdk.settings.panel("A calendar")
def calendar():
    return sdk.ui.button("Connect")

@sdk.page()
def front():
    return sdk.ui.page_header("Front")
"""


def manifest(name: str, **more: Any) -> str:
    return json.dumps({"name": name, "version": "1.0.0", **more})


@pytest.fixture
async def browser(write, database, load, visitor):  # noqa: F811
    """Call for a signed-in browser; the first account of all is the administrator's."""
    await signed_in(visitor(), ROOT)

    async def enter(person: dict[str, str]) -> httpx.AsyncClient:
        return await signed_in(visitor(), person)

    return enter


async def test_f084_fields_in_the_manifest_become_a_form_without_code(write, database, load):
    write("goals", {"logic.py": "def execute(data): return {}\n", "manifest.json": manifest("goals", settings=FIELDS)})
    load()
    ada = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
    (section,) = [one for one in await _plugin_sections(ada) if one.fields[0].plugin == "goals"]
    view = await _view(ada, section)
    assert [(one["kind"], one["label"], one["value"], one["on"]) for one in view["fields"]] == [
        ("number", "Daily goal", "5", False),
        ("select", "Mood", "calm", False),
        ("toggle", "Loud", "", True),
        ("text", "Motto", "", False),
    ]
    assert view["writable"] and view["fields"][0]["minimum"] == "1" and view["fields"][0]["maximum"] == "50"
    assert own_settings.has_form("goals")


async def test_f083_values_are_each_persons_own_and_judged(write, browser, load):
    write("goals", {"logic.py": "def execute(data): return {}\n", "manifest.json": manifest("goals", settings=FIELDS)})
    load()
    ada, eve = await browser(ADA), await browser(EVE)
    start = (await ada.get("/api/plugin-settings/goals")).json()
    assert start == {"daily_goal": 5, "mood": "calm", "loud": True}
    saved = await ada.post("/api/plugin-settings/goals", json={"daily_goal": "7", "mood": "eager", "motto": "Onwards"})
    assert saved.status_code == 200, saved.text
    assert (await ada.get("/api/plugin-settings/goals")).json() == {
        "daily_goal": 7,
        "mood": "eager",
        "loud": True,
        "motto": "Onwards",
    }
    assert (await eve.get("/api/plugin-settings/goals")).json() == start
    for wrong in (
        {"daily_goal": 51},
        {"daily_goal": "many"},
        {"mood": "bored"},
        {"loud": "perhaps"},
        {"motto": "x" * 21},
        {"other": 1},
    ):
        answer = await ada.post("/api/plugin-settings/goals", json=wrong)
        assert answer.status_code == 422, wrong
    assert (await ada.get("/api/plugin-settings/goals")).json()["daily_goal"] == 7
    assert (await ada.post("/api/plugin-settings/goals", json={"daily_goal": None})).json()["settings"]["daily_goal"] == 5


@pytest.mark.parametrize("keyword", ["def", "async def"])
async def test_f083_settings_py_reads_judges_and_keeps(keyword, write, browser, load):
    write("own", {"settings.py": OWN.replace("KEYWORD", keyword), "manifest.json": manifest("own")})
    load()
    ada, eve = await browser(ADA), await browser(EVE)
    assert (await ada.get("/api/plugin-settings/own")).json() == {"motto": "none yet"}
    assert (await ada.post("/api/plugin-settings/own", json={"motto": "Onwards"})).json()["settings"] == {"motto": "Onwards"}
    assert (await eve.get("/api/plugin-settings/own")).json() == {"motto": "none yet"}
    refused = await ada.post("/api/plugin-settings/own", json={"motto": "forbidden"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "Not this motto.")
    assert (await ada.get("/api/plugin-settings/own")).json() == {"motto": "Onwards"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("raise ValueError('on purpose')", "PLUGIN_FAILED"),
        ("raise SystemExit(1)", "PLUGIN_FAILED"),
        ("return object()", "PLUGIN_BAD_ANSWER"),
        ("return {'x': float('nan')}", "PLUGIN_BAD_ANSWER"),
        ("return {'x': '\\ud800'}", "BAD_TEXT"),
    ],
)
async def test_a_broken_settings_py_breaks_that_answer_only(body, code, write, browser, load):
    write("wreck", {"settings.py": f"def get_settings(user_id):\n    {body}\n"})
    write("fine", {"logic.py": "def execute(data): return {}\n"})
    load()
    ada = await browser(ADA)
    answer = await ada.get("/api/plugin-settings/wreck")
    assert answer.status_code in {422, 500} and answer.json()["code"] == code
    assert (await ada.get("/api/plugin-settings/fine")).status_code == 200
    assert len(faults.recent("wreck")) == (code == "PLUGIN_FAILED")


async def test_settings_of_a_plugin_that_is_gone_are_closed(write, browser, load):
    write("own", {"settings.py": OWN.replace("KEYWORD", "def")})
    load()
    ada = await browser(ADA)
    loader.unload("own")
    assert (await ada.get("/api/plugin-settings/own")).status_code == 404
    assert not own_settings.has_own("own")


async def test_f084_a_panel_of_the_plugins_own_stands_on_the_settings_page(write, database, load):
    write("agenda", {"page.py": PANEL})
    load()
    (piece,) = plugin_settings.pieces()
    assert (piece.owner, piece.title, piece.access.kind) == ("agenda", "A calendar", "signed_in")
    page = page_at("/settings/plugins")
    assert page is not None
    drawn = str(page.render().render())
    assert "A calendar" in drawn
    assert own_settings.has_form("agenda")
    loader.unload("agenda")
    assert plugin_settings.pieces() == [] and not own_settings.has_form("agenda")
