"""Plugins notify people, who switch off what they do not want (F-087); events reach subscribers and tabs (F-088)."""

import asyncio
import json

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation import live
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.accounts import register
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.notifications.kinds import kinds
from mozaiks_shell.plugin_host import loader, service
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.sdk.testing import installed
from mozaiks_shell.shell.settings_values import read_settings, sections, write_settings

SOURCE = """
from mozaiks_shell.sdk import notifications
async def execute(data):
    return {"id": await notifications.send(data.get("title", "A task is due"), "Milk", **data.get("with", {}))}
"""
MANIFEST = {
    "name": "chores",
    "permissions": ["notifications"],
    "notifications": [
        {"id": "due", "label": "A chore is due", "description": "On its day."},
        {"id": "digest", "label": "Weekly digest", "default_enabled": False},
    ],
}
FILE = {
    "categories": [{"id": "work", "name": "Work"}],
    "settings": {"default_enabled": True},
    "plugins": {
        "chores": {
            "display_name": "House work",
            "notifications": [
                {"id": "due", "label": "Something is due", "category": "work", "channels": ["in_app", "email"]},
                {"id": "done", "label": "Somebody did it", "default_enabled": False},
            ],
        },
        "nowhere": {"notifications": [{"id": "x"}]},
    },
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The plugin's folder, and a folder for the operator's files."""
    place = tmp_path / "plugins" / "chores"
    place.mkdir(parents=True)
    (place / "logic.py").write_text(SOURCE)
    (place / "manifest.json").write_text(json.dumps(MANIFEST))
    configs = tmp_path / "configs"
    configs.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    return place


async def titles(user_id: str) -> list[str]:
    rows, _ = await notifications.listing(Scope("dev-app", user_id))
    return [row.title for row in rows]


async def test_f087_a_plugin_notifies_the_person(folder):
    async with installed(folder) as chores:
        chores.as_user("ada")
        note = (await chores.execute(**{"with": {"type": "due", "link": "/plugins/chores"}}))["id"]
        rows, unread = await notifications.listing(Scope("dev-app", "usr_ada"))
        assert [(row.id, row.type, row.title, row.message, row.link) for row in rows] == [
            (note, "chores.due", "A task is due", "Milk", "/plugins/chores")
        ]
        assert unread == 1 and await titles("usr_eve") == []


async def test_f087_another_person_must_be_there(folder):
    async with installed(folder) as chores:
        chores.as_user("ada")
        eve = await register("eve", "a long enough password", "eve@example.com")
        await chores.execute(**{"with": {"user_id": eve.id}})
        assert await titles(eve.id) == ["A task is due"] and await titles("usr_ada") == []
        with pytest.raises(sdk.errors.NotFound):
            await chores.execute(**{"with": {"user_id": "usr_nobody"}})


@pytest.mark.parametrize(
    "data", [{"title": " "}, {"with": {"link": "https://evil.example"}}, {"with": {"link": "//evil.example"}}]
)
async def test_f087_what_leads_elsewhere_is_refused(folder, data):
    async with installed(folder) as chores:
        chores.as_user("ada")
        with pytest.raises(sdk.errors.Invalid):
            await chores.execute(**data)
        assert await titles("usr_ada") == []


async def test_f087_it_needs_the_permission(folder):
    (folder / "manifest.json").write_text('{"name": "chores"}')
    async with installed(folder) as chores:
        chores.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden, match="notifications"):
            await chores.execute()


def toggles(shown):
    return {
        one.key if hasattr(one, "key") else one.id: (one.label, one.category, one.default, one.channels)
        for section in shown
        for one in section.notifications
    }


async def test_f087_its_kinds_stand_in_the_preferences_and_can_be_switched_off(folder):
    async with installed(folder) as chores:
        chores.as_user("ada")
        ada = Principal("usr_ada", "dev-app", roles=frozenset({"user"}))
        assert toggles(await sections(ada)) == {
            "notify.due": ("A chore is due", "Chores", True, ("in_app",)),
            "notify.digest": ("Weekly digest", "Chores", False, ("in_app",)),
        }
        assert await chores.execute(**{"with": {"type": "digest"}}) == {"id": ""}  # off until somebody wants it
        await write_settings(ada, {"notify.due": False, "notify.digest": True}, "chores")
        assert (await read_settings(ada, "chores"))["notify.due"] is False
        assert await chores.execute(**{"with": {"type": "due"}}) == {"id": ""}
        await chores.execute(title="Your week", **{"with": {"type": "digest"}})
        assert await titles("usr_ada") == ["Your week"]
        chores.as_user("eve")
        await chores.execute(**{"with": {"type": "due"}})  # what Ada chose is hers
        assert await titles("usr_eve") == ["A task is due"]
    assert kinds() == []  # gone with the plugin


async def test_f087_the_operators_file_has_the_last_word(folder):
    (folder.parents[1] / "configs" / "notifications_config.json").write_text(json.dumps(FILE))
    async with installed(folder) as chores:
        chores.as_user("ada")
        ada = Principal("usr_ada", "dev-app", roles=frozenset({"user"}))
        assert toggles(await sections(ada)) == {
            "notify.due": ("Something is due", "Work", True, ("in_app", "email")),
            "notify.digest": ("Weekly digest", "House work", False, ("in_app",)),
            "notify.done": ("Somebody did it", "House work", False, ("in_app",)),
        }
        assert await chores.execute(**{"with": {"type": "done"}}) == {"id": ""}


async def test_f087_the_operator_can_silence_all_of_it(folder):
    (folder.parents[1] / "configs" / "notifications_config.json").write_text('{"enabled": false}')
    async with installed(folder) as chores:
        chores.as_user("ada")
        assert await chores.execute(**{"with": {"type": "due"}}) == {"id": ""}
        assert [one for one in await sections(Principal("usr_ada", "dev-app")) if one.notifications] == []


PUBLISHER = """
from mozaiks_shell.sdk import events
async def execute(data):
    if data.get("progress"):
        await events.push("progress", percent=data["progress"])
    else:
        await events.publish("bought", item=data["item"], name="x")
    return {}
"""
SUBSCRIBER = """
from mozaiks_shell.sdk import db, events
@events.subscribe("shop:bought")
async def keep(event): await db.sales.create(item=event.data["item"])
async def execute(data): return {"sales": [one.item for one in await db.sales.list()]}
"""


async def test_f088_an_event_reaches_another_plugin_and_the_persons_open_tab(tmp_path):
    for name, source in {"ledger": SUBSCRIBER, "shop": PUBLISHER}.items():
        (tmp_path / "plugins" / name).mkdir(parents=True)
        (tmp_path / "plugins" / name / "logic.py").write_text(source)
    async with installed(tmp_path / "plugins" / "ledger") as ledger:
        loader.load(next(found for found in discover(get_settings()) if found.name == "shop"))
        ledger.as_user("ada")
        hers, other = live.open_tab("dev-app", "usr_ada"), live.open_tab("dev-app", "usr_eve")
        ada = Principal("usr_ada", "dev-app")
        try:
            await service.execute("shop", {"item": "Tea"}, ada)
            await service.execute("shop", {"progress": 40}, ada)
            assert await ledger.execute() == {"sales": ["Tea"]}
            frames: list[str] = []
            async with asyncio.timeout(60):
                while len(frames) < 2:
                    frames += await hers.take()
            assert [json.loads(one) for one in frames] == [
                {"type": "shop_update", "action": "bought", "data": {"item": "Tea", "name": "x"}},
                {"type": "shop_update", "action": "progress", "data": {"percent": 40}},
            ]
            assert other._frames == []
        finally:
            live.close_tab(hers)
            live.close_tab(other)
            loader.unload("shop")


async def test_f088_what_no_tab_can_take_still_reaches_subscribers(tmp_path):
    for name, source in {"ledger": SUBSCRIBER, "shop": PUBLISHER}.items():
        (tmp_path / "plugins" / name).mkdir(parents=True)
        (tmp_path / "plugins" / name / "logic.py").write_text(source)
    async with installed(tmp_path / "plugins" / "ledger") as ledger:
        loader.load(next(found for found in discover(get_settings()) if found.name == "shop"))
        ledger.as_user("ada")
        large = "x" * 20_000
        await service.execute("shop", {"item": large}, Principal("usr_ada", "dev-app"))
        assert (await ledger.execute())["sales"] == [large]
        loader.unload("shop")


def test_f088_a_page_listens_with_one_line():
    class Shown(sdk.State):
        @sdk.event
        def load(self, action: str, data: dict):
            """Look again."""

        @sdk.event
        def again(self):
            """Look again."""

    for handler in (Shown.load, Shown.again):
        drawn = str(sdk.events.on_update(handler, plugin="shop").render())
        assert "shop_update" in drawn and "MzLive" in drawn
