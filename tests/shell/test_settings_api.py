"""F-022, F-222 to F-227 over HTTP: what the settings page consists of, whose values count, who may write what."""

import json
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel, Field

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.manifest import Manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.shell.settings_models import forget_settings, register_settings
from tests.identity.conftest import configure, heard  # noqa: F401 - fixtures
from tests.shell.web import ADA, EVE, ROOT, browser, visitor  # noqa: F401 - fixtures
from tests.shell.web import signed_in as enter

FIELDS = [
    {"id": "full_name", "label": "Name", "type": "text", "required": True},
    {"id": "email", "label": "E-mail", "type": "email"},
    {"id": "bio", "label": "About you", "type": "textarea"},
    {"id": "city", "label": "City", "type": "text", "required": True},
    {"id": "reply_to", "label": "Reply to", "type": "email"},
    {"id": "customer", "label": "Customer number", "type": "text", "editable": False},
    {"id": "hidden", "label": "Hidden", "type": "text", "visible": False},
    {"id": "news", "label": "News", "type": "toggle", "default_enabled": True},
    {
        "id": "size",
        "label": "Size",
        "type": "select",
        "options": [{"value": "s", "label": "Small"}, {"value": "m", "label": "M"}],
    },
    {"id": "look", "label": "Theme", "type": "theme-selector"},
    {"id": "picture", "label": "Picture", "type": "image"},
    {"id": "password", "label": "Password", "type": "password-change"},
    {"id": "open_plugin", "label": "Open", "type": "plugin-settings", "plugin": "open"},
    {"id": "paid_plugin", "label": "Paid", "type": "plugin-settings", "plugin": "paid"},
    {"id": "digest", "label": "Digest", "type": "toggle", "plugin": "open"},
]
NOTES = [
    {"id": "open_done", "plugin": "open", "label": "Done", "type": "toggle", "category": "work", "channels": ["in_app"]},
    {"id": "paid_done", "plugin": "paid", "label": "Done", "type": "toggle", "default_enabled": False},
    {"id": "gone_done", "plugin": "gone", "label": "Done", "type": "toggle"},
]
CONFIG = {
    "settings": {"timezone": "Europe/Berlin"},
    "profile_sections": [
        {"id": "second", "title": "Second", "order": 2, "fields": FIELDS, "plugin_notification_fields": NOTES},
        {"id": "first", "title": "First", "order": 1, "editable": False, "fields": [{"id": "motto", "label": "Motto"}]},
        {"id": "never", "title": "Never", "order": 0, "visible": False, "fields": [{"id": "unseen", "label": "Unseen"}]},
    ],
}


class Goals(BaseModel):
    daily: int = Field(5, ge=1, le=50)
    mood: Literal["calm", "eager"] = "calm"
    loud: bool = False


@pytest.fixture
def config(configure, tmp_path: Path) -> Path:  # noqa: F811
    """The operator's file, and two plugins: one for everybody, one for a paid plan."""
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "settings_config.json").write_text(json.dumps(CONFIG))
    configure(MOZAIKS_CONFIGS_PATH=str(folder))
    return folder


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path):
    for name, access in (("open", "signed_in"), ("paid", "plan:pro")):
        registry.add(Plugin(name, tmp_path, Manifest(name=name, access=access), state=PluginState.LOADED))
    register_settings("open", Goals)
    yield
    forget_settings("open")
    for name in ("open", "paid"):
        registry.discard(name)


@pytest.fixture
async def ada(config, visitor) -> httpx.AsyncClient:  # noqa: F811
    await enter(visitor(), ROOT)
    return await enter(visitor(), ADA)


async def settings_of(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get("/api/settings")).json()["settings"]


async def test_f222_f225_the_page_is_what_the_file_says_and_this_person_may_use(ada):
    told = (await ada.get("/api/settings-config")).json()
    assert [one["id"] for one in told["profile_sections"]] == ["first", "second"]
    fields = {one["id"]: one for one in told["profile_sections"][1]["fields"]}
    assert {"hidden", "paid_plugin"} & set(fields) == set() and {"open_plugin", "digest", "bio"} <= set(fields)
    assert fields["email"]["editable"] is False and fields["customer"]["editable"] is False and fields["city"]["required"]
    assert fields["size"]["options"] == [{"value": "s", "label": "Small"}, {"value": "m", "label": "M"}]
    assert {"value": "dark", "label": "Dark"} in fields["look"]["options"]
    assert fields["news"]["default_enabled"] is True
    assert [one["id"] for one in told["plugin_notification_fields"]] == ["open_done"]
    assert told["profile_sections"][0]["fields"][0]["editable"] is False


async def test_f222_adding_a_field_to_the_file_shows_it_without_a_restart(ada, config):
    more = {"profile_sections": [{"id": "s", "title": "S", "fields": [{"id": "fresh", "label": "Fresh", "type": "text"}]}]}
    (config / "settings_config.json").write_text(json.dumps(more))
    get_settings.cache_clear()  # another process: nothing remembered
    told = (await ada.get("/api/settings-config")).json()
    assert [one["id"] for one in told["profile_sections"][0]["fields"]] == ["fresh"]
    assert (await ada.post("/api/settings", json={"fresh": "new"})).json()["settings"]["fresh"] == "new"


async def test_f222_without_a_file_there_are_sections(configure, visitor):  # noqa: F811
    client = await enter(visitor(), ADA)
    told = (await client.get("/api/settings-config")).json()
    types = {field["type"] for one in told["profile_sections"] for field in one["fields"]}
    assert {"image", "text", "theme-selector", "locale-selector", "password-change"} <= types


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"city": ""}, "REQUIRED"), ({"city": None}, "REQUIRED"), ({"city": "   "}, "REQUIRED"), ({"full_name": ""}, "REQUIRED"),
        ({"customer": "c-1"}, "READ_ONLY"), ({"hidden": "x"}, "READ_ONLY"), ({"motto": "x"}, "READ_ONLY"),
        ({"unseen": "x"}, "READ_ONLY"), ({"picture": "x"}, "READ_ONLY"),
        ({"bio": 7}, "NO_TEXT"), ({"bio": "a\u202eb"}, "NO_TEXT"), ({"city": "two\nlines"}, "NO_TEXT"),
        ({"city": ["x"]}, "NO_TEXT"),
        ({"city": "x" * 501}, "TOO_LONG"), ({"reply_to": "nobody"}, "NO_EMAIL"),
        ({"news": "perhaps"}, "NO_TOGGLE"), ({"news": 1}, "NO_TOGGLE"), ({"size": "xl"}, "NO_OPTION"),
        ({"size": {"s": 1}}, "NO_OPTION"),
        ({"theme": "neon"}, "NO_OPTION"),
    ],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/api/settings", "/api/update-profile"])
async def test_f224_rules_hold_on_the_server_whichever_way_one_takes(ada, address, change, code):
    before = await settings_of(ada)
    answer = await ada.post(address, json={"reply_to": "ada@example.com", **change})
    assert answer.status_code == 422, answer.text
    if code != "NO_OPTION" or "theme" not in change:
        assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(next(iter(change)), code)]
    assert await settings_of(ada) == before


async def test_f224_every_wrong_field_is_named_at_once(ada):
    answer = await ada.post("/api/settings", json={"city": "", "size": "xl", "bio": 7, "news": False})
    assert [one["field"] for one in answer.json()["errors"]] == ["bio", "city", "size"]
    assert all(one["message"] and one["label"] for one in answer.json()["errors"])


async def test_f226_every_endpoint_reads_the_same(ada):
    await ada.post("/api/settings", json={"city": "London", "news": "off", "theme": "dark", "full_name": "Ada King"})
    await ada.post("/api/update-profile", json={"bio": "line one\nline two 👩‍💻"})
    told = await settings_of(ada)
    profile = (await ada.get("/api/user-profile")).json()
    for key in ("city", "news", "theme", "bio"):
        assert told[key] == profile[key]
    assert (told["news"], profile["full_name"], (await ada.get("/api/current-theme")).json()["theme"]) == (
        False,
        "Ada King",
        "dark",
    )
    await ada.post("/api/change-theme", json={"theme_name": "light"})
    assert (await settings_of(ada))["theme"] == (await ada.get("/api/user-profile")).json()["theme"] == "light"


async def test_f224_a_read_only_field_is_the_operators_to_set(ada, visitor):  # noqa: F811
    root = visitor()
    await root.post("/auth/sign-in", data={"username": "root", "password": ROOT["password"]})
    assert (await root.post("/api/admin/app-settings", json={"customer": "c-1"})).status_code == 200
    assert (await settings_of(ada))["customer"] == "c-1"
    wrong = await root.post("/api/admin/app-settings", json={"customer": ["x"]})
    assert wrong.status_code == 422


async def test_f227_administrators_set_for_all_and_people_for_themselves(ada, visitor, heard):  # noqa: F811
    root, eve = visitor(), await enter(visitor(), EVE)
    await root.post("/auth/sign-in", data={"username": "root", "password": ROOT["password"]})
    assert (await settings_of(ada))["timezone"] == "Europe/Berlin", "the first value of the file"
    for client in (ada, eve):
        assert (await client.get("/api/admin/app-settings")).status_code == 403
        assert (await client.post("/api/admin/app-settings", json={"theme": "dark"})).status_code == 403
    await root.post("/api/admin/app-settings", json={"theme": "dark", "timezone": "Asia/Tokyo", "city": "Everywhere"})
    await ada.post("/api/settings", json={"theme": "light"})
    mine, hers = await settings_of(ada), await settings_of(eve)
    assert (mine["theme"], hers["theme"]) == ("light", "dark") and mine["timezone"] == hers["timezone"] == "Asia/Tokyo"
    assert (await eve.get("/api/current-theme")).json() == {"theme": "dark"}
    assert (await visitor().get("/api/current-theme")).json() == {"theme": "dark"}
    assert [one.data for one in heard if one.name == "app_settings.changed"] == [{"keys": ["city", "theme", "timezone"]}]


# -- plugins -------------------------------------------------------------------------------------------------


async def test_f226_settings_of_a_plugin_have_its_models_defaults_and_rules(ada):
    first = (await ada.get("/api/plugin-settings/open")).json()
    assert first == {"daily": 5, "mood": "calm", "loud": False, "digest": False, "open_done": True}
    saved = await ada.post("/api/plugin-settings/open", json={"daily": "7", "loud": "on", "open_done": False})
    assert saved.json()["settings"] == {"daily": 7, "mood": "calm", "loud": True, "digest": False, "open_done": False}
    assert (await ada.get("/api/plugin-settings/open")).json() == saved.json()["settings"]
    for wrong, field in (
        ({"daily": 99}, "daily"),
        ({"mood": "angry"}, "mood"),
        ({"loud": "perhaps"}, "loud"),
        ({"daily": 1.5}, "daily"),
    ):
        answer = await ada.post("/api/plugin-settings/open", json=wrong)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field
    assert (await ada.post("/api/plugin-settings/open", json={"unknown": 1})).status_code == 422
    assert (await ada.post("/api/plugin-settings/open", json={"daily": None})).json()["settings"]["daily"] == 5
    assert "daily" not in await settings_of(ada)


async def test_f225_settings_of_a_plugin_one_may_not_use_are_closed(ada):
    for name, status in (("paid", 403), ("gone", 404), ("..%2fopen", 404), ("", 404)):
        assert (await ada.get(f"/api/plugin-settings/{name}")).status_code == status
        assert (await ada.post(f"/api/plugin-settings/{name}", json={"paid_done": True})).status_code in {status, 405}
    me = (await ada.get("/api/user-profile")).json()["user_id"]
    scopes = await identity.all_preferences(identity.principal_of(await identity.find_user(me)))
    assert "paid" not in scopes


async def test_f226_settings_of_one_person_are_not_anothers(ada, visitor):  # noqa: F811
    await ada.post("/api/plugin-settings/open", json={"daily": 9})
    await ada.post("/api/settings", json={"city": "London"})
    eve = await enter(visitor(), EVE)
    assert (await eve.get("/api/plugin-settings/open")).json()["daily"] == 5 and "city" not in await settings_of(eve)


# -- the theme -----------------------------------------------------------------------------------------------


async def test_f022_a_theme_set_through_the_api_survives_a_restart(ada, visitor):  # noqa: F811
    answer = await ada.post("/api/change-theme", json={"theme_name": "dark"})
    assert answer.status_code == 200 and answer.json()["theme"] == "dark" and answer.json()["message"]
    await db.dispose()
    get_settings.cache_clear()
    again = visitor()
    await again.post("/auth/sign-in", data={"username": "ada", "password": ADA["password"]})
    assert (await again.get("/api/current-theme")).json() == {"theme": "dark"}


async def test_f022_a_visitors_theme_is_kept_by_the_browser(ada, visitor):  # noqa: F811
    stranger = visitor()
    assert (await stranger.get("/api/current-theme")).json() == {"theme": "light"}
    assert (await stranger.post("/api/change-theme", json={"theme_name": "dark"})).json()["theme"] == "dark"
    assert (await stranger.get("/api/current-theme")).json() == {"theme": "dark"}
    assert (await ada.get("/api/current-theme")).json() == {"theme": "light"}


@pytest.mark.parametrize("name", ["neon", "", "x" * 5000, "dark;}", None, ["dark"]])
async def test_f022_an_unknown_theme_is_refused(ada, name):
    assert (await ada.post("/api/change-theme", json={"theme_name": name})).status_code == 422
    assert (await ada.get("/api/current-theme")).json() == {"theme": "light"}


async def test_f022_the_whole_theme_file_is_told_and_its_themes_may_be_chosen(ada, config):
    (config / "theme_config.json").write_text(
        json.dumps({"default_theme": "ocean", "themes": {"ocean": {"colors": {"primary": {"main": "#0a4f8f"}}}}})
    )
    get_settings.cache_clear()
    told = (await ada.get("/api/theme-config")).json()
    assert told["default_theme"] == "ocean" and "ocean" in json.dumps(told)
    assert (await ada.get("/api/current-theme")).json() == {"theme": "ocean"}
    assert (await ada.post("/api/change-theme", json={"theme_name": "ocean"})).json()["theme"] == "ocean"
    (config / "theme_config.json").unlink()
    get_settings.cache_clear()
    assert (await ada.get("/api/current-theme")).json() == {"theme": "light"}, "a theme that is gone is nobody's"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"])
@pytest.mark.parametrize("address", ["/api/settings", "/api/plugin-settings/open"])
async def test_bodies_that_are_no_object_are_refused(ada, address, body):
    answer = await ada.post(address, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
