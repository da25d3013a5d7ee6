"""What plugin code may rely on, from plugin code."""

import asyncio

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import loader, service
from mozaiks_shell.plugin_host.discovery import discover

SEED = """
from mozaiks_core_runtime import auth, db, payments

@auth.require_user
def create_task(request):
    user = auth.current_user()
    task = db.tasks.create(
        title=request.data['title'],
        owner=user.id
    )
    return {"id": task.id, "title": task.title}

execute = create_task
"""

COLLECTION = """
from mozaiks_shell.sdk import db

async def execute(data):
    match data["do"]:
        case "create": return dict(await db.things.create(**data["with"]))
        case "get": return dict(await db.things.get(data["id"]))
        case "list": return {"things": await db.things.list(**data.get("with", {}))}
        case "update": return dict(await db.things.update(data["id"], **data["with"]))
        case "delete":
            await db.things.delete(data["id"])
            return {}
"""


@pytest.mark.parametrize("value", ["\ud800", "a\x00b", float("nan"), {"deep": None}])
async def test_what_no_database_takes_is_refused(plugin, value):
    if isinstance(value, dict):
        for _ in range(100):
            value = [value]
    async with plugin("shelf", {"logic.py": COLLECTION}) as shelf:
        shelf.as_user("ada")
        with pytest.raises(sdk.errors.Invalid):
            await shelf.execute(do="create", **{"with": {"title": value}})


async def test_the_founding_sample_runs_as_printed(plugin):
    async with plugin("seed", {"logic.py": SEED}) as seed:
        with pytest.raises(sdk.errors.NotSignedIn):
            await seed.execute(title="Milk")
        seed.as_user("ada")
        answer = await seed.execute(title="Milk")
        assert answer["title"] == "Milk" and answer["id"].startswith("doc_")


async def test_collection(plugin):
    async with plugin("shelf", {"logic.py": COLLECTION}) as shelf:
        shelf.as_user("ada")
        made = await shelf.execute(do="create", **{"with": {"title": "Milk", "n": 3, "price": 1.5, "ok": True, "tags": ["a"]}})
        await shelf.execute(do="create", **{"with": {"title": "Tea", "n": 4, "ok": False}})
        assert await shelf.execute(do="get", id=made["id"]) == made
        listed = (await shelf.execute(do="list"))["things"]
        assert [one["title"] for one in listed] == ["Tea", "Milk"]
        for wanted in ({"title": "Milk"}, {"n": 3}, {"price": 1.5}, {"ok": True}, {"n": 3, "title": "Milk"}):
            assert [one["id"] for one in (await shelf.execute(do="list", **{"with": wanted}))["things"]] == [made["id"]], wanted
        assert (await shelf.execute(do="list", **{"with": {"limit": 1, "offset": 1}}))["things"] == [made]
        changed = await shelf.execute(do="update", id=made["id"], **{"with": {"n": 5}})
        assert (changed["n"], changed["title"]) == (5, "Milk") and changed["updated_at"] > made["updated_at"]
        shelf.as_user("eve")
        assert (await shelf.execute(do="list"))["things"] == []
        for do in ("get", "update", "delete"):
            with pytest.raises(sdk.errors.NotFound):
                await shelf.execute(do=do, id=made["id"], **{"with": {"n": 1}})
        shelf.as_user("ada")
        await shelf.execute(do="delete", id=made["id"])
        with pytest.raises(sdk.errors.NotFound):
            await shelf.execute(do="get", id=made["id"])


@pytest.mark.parametrize("fields", [{"id": "x"}, {"x": float("nan")}, {"x": "y" * 300_000}])
async def test_collection_refuses(plugin, fields):
    async with plugin("shelf", {"logic.py": COLLECTION}) as shelf:
        shelf.as_user("ada")
        with pytest.raises(sdk.errors.Invalid):
            await shelf.execute(do="create", **{"with": fields})


async def test_collections_of_two_plugins_are_two(plugin, tmp_path):
    async with plugin("one", {"logic.py": COLLECTION}) as one:
        (tmp_path / "plugins" / "two").mkdir()
        (tmp_path / "plugins" / "two" / "logic.py").write_text(COLLECTION)
        loader.load(next(found for found in discover(get_settings()) if found.name == "two"))
        one.as_user("ada")
        await one.execute(do="create", **{"with": {"title": "Milk"}})
        assert await service.execute("two", {"do": "list"}, Principal("usr_ada", "dev-app")) == {"things": []}
        loader.unload("two")


async def test_current_user_is_right_under_concurrency(plugin):
    source = """
import asyncio, time
from mozaiks_shell.sdk import auth, db

async def execute(data):
    before = auth.current_user().id
    await asyncio.sleep(0)
    await db.seen.create(who=before)
    return {"before": before, "after": auth.current_user().id, "mine": [one.who for one in await db.seen.list()]}
"""
    async with plugin("who", {"logic.py": source, "plain.py": ""}):

        async def call(name: str) -> dict:
            person = Principal(f"usr_{name}", "dev-app", name, f"{name}@example.com", frozenset({"user"}), f"ses_{name}")
            set_principal(person)
            return await service.execute("who", {}, person)

        names = ["ada", "eve", "bob", "joe"]
        for name, answer in zip(names, await asyncio.gather(*[call(name) for name in names]), strict=True):
            assert answer == {"before": f"usr_{name}", "after": f"usr_{name}", "mine": [f"usr_{name}"]}


async def test_require_user(as_person):
    @sdk.auth.require_user
    def plain() -> str:
        return sdk.current_user().email

    @sdk.auth.require_user
    async def later() -> str:
        return sdk.current_user().email

    for call in (plain, later):
        with pytest.raises(sdk.errors.NotSignedIn):
            await call() if call is later else call()
    as_person(Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"editor"})))
    assert plain() == await later() == "ada@example.com"
    assert sdk.current_user().has_role("editor") and not sdk.current_user().has_role("admin")


async def test_events_reach_another_plugin(plugin, tmp_path):
    listener = """
from mozaiks_shell.sdk import db, events
@events.subscribe("shop:sold")
async def keep(event): await db.sales.create(item=event.data["item"])
async def execute(data): return {"sales": [one.item for one in await db.sales.list()]}
"""
    seller = """
from mozaiks_shell.sdk import events
async def execute(data):
    await events.publish("sold", item=data["item"])
    return {}
"""
    async with plugin("ledger", {"logic.py": listener}) as ledger:
        (tmp_path / "plugins" / "shop").mkdir()
        (tmp_path / "plugins" / "shop" / "logic.py").write_text(seller)
        loader.load(next(found for found in discover(get_settings()) if found.name == "shop"))
        ledger.as_user("ada")
        await service.execute("shop", {"item": "Tea"}, Principal("usr_ada", "dev-app"))
        assert await ledger.execute() == {"sales": ["Tea"]}
        ledger.as_user("eve")
        assert await ledger.execute() == {"sales": []}
        loader.unload("shop")


async def test_f294_payments_speak_for_the_current_person(plugin):
    source = """
from mozaiks_shell.sdk import payments
def execute(data): return payments.checkout("pro") if data.get("buy") else payments.status()
"""
    manifest = '{"name": "till", "permissions": ["payments"]}'
    async with plugin("purse", {"logic.py": source}) as purse:
        purse.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden, match="payments"):
            await purse.execute()
    async with plugin("till", {"logic.py": source, "manifest.json": manifest}) as till:
        with pytest.raises(sdk.errors.NotSignedIn):
            await till.execute()
        till.as_user("ada")
        assert (await till.execute())["plan"] == "free"
        with pytest.raises(sdk.errors.ShellError):
            await till.execute(buy=True)


def test_a_page_outside_a_plugin_is_refused():
    with pytest.raises(RuntimeError, match="page.py"):
        sdk.page()
