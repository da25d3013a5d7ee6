"""F-021, F-022, F-226, F-227: one store of settings; merges lose nothing; what is set for everybody gives way to one's own."""

import asyncio

import pytest

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Invalid, RoleNeeded, ShellError
from mozaiks_shell.identity import preferences as store
from mozaiks_shell.identity import service
from tests.conftest import ADA, EVE, ROOT
from tests.identity.test_accounts_api import signed_up


@pytest.fixture(autouse=True)
def no_rules(monkeypatch):
    """Without the rules of the rooms above; ``tests/shell`` has them."""
    monkeypatch.setattr(store, "_rules", [])


async def test_f226_tabs_that_change_different_keys_at_once_both_win(either_database):
    await asyncio.gather(*[service.set_preferences(ADA, {f"key{n}": n}) for n in range(12)])
    assert await service.preferences(ADA) == {f"key{n}": n for n in range(12)}
    await asyncio.gather(*[service.set_preferences(ADA, {f"key{n}": None if n % 2 else "x"}) for n in range(12)])
    assert await service.preferences(ADA) == {f"key{n}": "x" for n in range(0, 12, 2)}


async def test_f227_administrators_who_set_different_things_at_once_both_win(either_database):
    await asyncio.gather(*[service.set_app_settings(ROOT, {f"key{n}": n}) for n in range(8)])
    assert await service.app_settings() == {f"key{n}": n for n in range(8)}


async def test_f226_scopes_and_people_do_not_meet(either_database):
    await service.set_preferences(ADA, {"theme": "dark"})
    await service.set_preferences(ADA, {"theme": "of the plugin"}, "notes")
    await service.set_preferences(EVE, {"theme": "light"})
    assert await service.preferences(ADA) == {"theme": "dark"}
    assert await service.preferences(ADA, "notes") == {"theme": "of the plugin"}
    assert await service.preferences(EVE) == {"theme": "light"} and await service.preferences(EVE, "notes") == {}
    assert await service.all_preferences(ADA) == {"": {"theme": "dark"}, "notes": {"theme": "of the plugin"}}
    elsewhere = Principal(ADA.user_id, "other-app")
    assert await service.preferences(elsewhere) == {}
    await service.set_preferences(elsewhere, {"theme": "system"})
    assert (await service.preferences(ADA))["theme"] == "dark"


async def test_f226_a_change_is_told_by_its_keys_and_only_when_there_is_one(database, heard):
    await service.set_preferences(ADA, {"theme": "dark", "city": "London"}, "")
    await service.set_preferences(ADA, {"theme": "dark", "city": None})
    await service.set_preferences(ADA, {"theme": "dark", "gone": None})
    told = [(event.user_id, event.data) for event in heard if event.name == "settings.changed"]
    assert told == [("usr_ada", {"scope": "", "keys": ["city", "theme"]}), ("usr_ada", {"scope": "", "keys": ["city"]})]


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": "neon"}, {"theme": 3}, {"theme": ["dark"]}, {"theme": ""}, {"theme": {"$ne": 1}},
        {"locale": "xx"}, {"locale": "../../etc"}, {"timezone": "Mars/Olympus"}, {"timezone": "../../../etc/passwd"},
        {"timezone": "posixrules\x00"}, {"bad key": 1}, {"": 1}, {"__proto__": 1}, {"ü": 1}, {"a" * 65: 1}, {"a": float("nan")},
        {"a": "\ud800"}, {"a": "nul\x00"}, {"a": "x" * 17_000}, {"full": [[[]]] * 9000},
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
async def test_f226_what_cannot_be_kept_is_refused_and_changes_nothing(either_database, changes):
    await service.set_preferences(ADA, {"city": "London"})
    with pytest.raises(Invalid):
        await service.set_preferences(ADA, {"good": 1, **changes})
    assert await service.preferences(ADA) == {"city": "London"}


async def test_f226_sixteen_kilobytes_is_the_limit_of_the_whole_scope_not_of_one_change(database):
    for n in range(3):
        await service.set_preferences(ADA, {f"k{n}": "x" * 5000})
    with pytest.raises(Invalid) as refused:
        await service.set_preferences(ADA, {"k4": "x" * 5000})
    assert refused.value.code == "SETTINGS_FULL"
    await service.set_preferences(ADA, {"k0": None, "k4": "x" * 5000})


@pytest.mark.parametrize("key", ["roles", "email", "Is_Admin", "user_id", "password_hash", "plan", "avatar"])
async def test_f230_protected_names_are_nobodys_preferences(database, key):
    with pytest.raises(ShellError) as refused:
        await service.set_preferences(ADA, {key: "admin"})
    assert refused.value.code == "PROTECTED_FIELD" and refused.value.details["fields"] == [key]


@pytest.mark.parametrize("scope", ["../x", "a b", "x" * 65, "ü", "a\x00"])
async def test_f226_a_scope_is_a_plugins_name(database, scope):
    with pytest.raises(Invalid):
        await service.set_preferences(ADA, {"a": 1}, scope)


async def test_f227_an_administrators_change_affects_all_and_ones_own_only_oneself(either_database):
    await service.set_app_settings(ROOT, {"theme": "dark", "timezone": "Europe/Berlin"})
    await service.set_preferences(ADA, {"theme": "light"})
    assert await service.effective(ADA) == {"theme": "light", "timezone": "Europe/Berlin"}
    assert await service.effective(EVE) == {"theme": "dark", "timezone": "Europe/Berlin"}
    assert await service.preferences(EVE) == {}
    await service.set_preferences(ADA, {"theme": None})
    assert (await service.effective(ADA))["theme"] == "dark"


async def test_f227_only_administrators_set_for_all_and_it_is_on_record(database, heard):
    with pytest.raises(RoleNeeded):
        await service.set_app_settings(ADA, {"theme": "dark"})
    with pytest.raises(Invalid):
        await service.set_app_settings(ROOT, {"theme": "neon"})
    assert await service.app_settings() == {} and not heard
    await service.set_app_settings(ROOT, {"theme": "dark"})
    assert [(one.name, one.user_id, one.data) for one in heard] == [("app_settings.changed", "usr_root", {"keys": ["theme"]})]


async def test_a_session_knows_what_its_person_chose(either_database):
    ada = await service.register("ada", "correct horse battery", "ada@example.com")
    secret = await service.open_session(ada)
    first = await service.resolve(secret)
    assert (first.locale, first.timezone, first.theme, first.avatar) == ("", "", "", "")
    await service.set_app_settings(first, {"theme": "dark", "timezone": "Asia/Tokyo"})
    await service.set_preferences(first, {"theme": "light", "locale": "de"})
    await service.set_preferences(first, {"theme": "dark"}, "notes")
    then = await service.resolve(secret)
    assert (then.locale, then.timezone, then.theme) == ("de", "Asia/Tokyo", "light")
    assert (first.user_id, first.roles, first.session_id) == (then.user_id, then.roles, then.session_id)


async def test_what_an_older_version_stored_does_no_harm(database):
    user = await service.register("ada", "correct horse battery", "ada@example.com")
    odd = {"theme": "neon", "locale": 7, "timezone": "Nowhere/Land"}
    assert service.principal_of(user, chosen=odd).timezone == ""
    assert service.principal_of(user, chosen=odd).theme == "" and service.principal_of(user, chosen=odd).locale == ""


async def test_f226_profile_and_preferences_are_one_store(browser):
    header = await signed_up(browser)
    await browser.post("/api/update-profile", headers=header, json={"city": "London", "theme": "dark"})
    me = await service.resolve(header["authorization"].removeprefix("Bearer "), "token")
    assert await service.preferences(me) == {"city": "London", "theme": "dark"} and me.theme == "dark"
    await service.set_preferences(me, {"city": "Paris"})
    assert (await browser.get("/api/user-profile", headers=header)).json()["city"] == "Paris"
    wrong = await browser.post("/api/update-profile", headers=header, json={"theme": "neon", "full_name": "Changed"})
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "theme"
    profile = (await browser.get("/api/user-profile", headers=header)).json()
    assert profile["full_name"] == "Ada Lovelace" and profile["theme"] == "dark"
