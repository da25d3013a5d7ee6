"""Documents, key-value state, files and raw SQL, from plugin code (F-089, F-256, F-259, F-264, F-265)."""

import asyncio
import base64
import json
import multiprocessing
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from starlette.testclient import TestClient

from mozaiks_shell import sdk
from mozaiks_shell.foundation import clock, db
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import loader, service
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.sdk import file_routes, kv
from mozaiks_shell.sdk.collections import Collection
from mozaiks_shell.sdk.file_store import folder
from mozaiks_shell.shell import account, personal_data

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
EVE = Principal("usr_eve", "dev-app", "Eve", "eve@example.com", frozenset({"user"}), "ses_eve")
FILES = '{"permissions": ["files"]}'


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request, settings, monkeypatch, as_person):
    """A migrated database of either kind; Ada is here."""
    if request.param == "postgresql":
        monkeypatch.setattr(settings, "database_url", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    as_person(ADA)
    yield settings
    await db.dispose()


# -- documents ---------------------------------------------------------------------------------------------------------


async def test_f256_everything_an_author_asks_of_a_collection(either):
    notes = Collection("shop", "notes")
    made = [await notes.create(title=title, n=n, done=n > 2) for n, title in enumerate(["b", "a", "d", "c"])]
    assert [one.title for one in await notes.list(order="title")] == ["a", "b", "c", "d"]
    assert [one.n for one in await notes.list(order="-n", limit=2)] == [3, 2]
    assert await notes.count() == 4 and await notes.count(done=True) == 1
    assert {one.title for one in await notes.list(id=[made[0].id, made[2].id])} == {"b", "d"}
    assert {one.title for one in await notes.list(title=["a", "c", "x"])} == {"a", "c"}
    assert (await notes.find(title="d")).n == 2 and await notes.find(title="x") is None
    assert await notes.count(colour=None) == 4 and await notes.list(title=[]) == []
    first = await notes.put("today", mood="good")
    again = await notes.put("today", mood="bad")
    assert first.id == again.id and (await notes.get(key="today")).mood == "bad"
    await notes.delete(key="today")
    with pytest.raises(sdk.errors.NotFound):
        await notes.get(key="today")
    with pytest.raises(sdk.errors.Invalid):
        await notes.list(created_at="2026")


async def test_f256_numbers_sort_as_numbers(either):
    sizes = Collection("shop", "sizes")
    for n in (10, 9, 100, 1):
        await sizes.create(n=n)
    assert [one.n for one in await sizes.list(order="n")] == [1, 9, 10, 100]


async def test_f256_no_update_is_lost(either):
    """Two changes of different fields at once both stay: the update holds its row before it reads."""
    notes = Collection("shop", "notes")
    made = await notes.create(title="x")
    await asyncio.gather(*[notes.update(made.id, **{f"f{n}": n}) for n in range(12)])
    assert {f"f{n}" for n in range(12)} <= set(await notes.get(made.id))


async def test_f256_typed_documents(either):
    class Note(BaseModel):
        id: str = ""
        title: str
        n: int = 0

    notes = Collection("shop", "typed", Note)
    made = await notes.create(title="Milk", n="3")
    assert isinstance(made, Note) and made.n == 3 and made.id.startswith("doc_")
    with pytest.raises(sdk.errors.Invalid, match="title"):
        await notes.create(n=1)
    await Collection("shop", "typed").create(other=1)
    with pytest.raises(sdk.errors.Conflict, match="does not fit"):
        await notes.list()


NAMED = """
from mozaiks_shell.sdk import get_collection, get_db
things = get_collection("things")

async def execute(data):
    assert get_db().collection("things")._plugin == things._plugin
    await things.create(title=data["title"])
    return {"titles": sorted(one.title for one in await get_db().things.list())}
"""


async def test_f089_two_plugins_with_one_name_do_not_meet(plugin, tmp_path):
    async with plugin("one", {"logic.py": NAMED}) as one:
        (tmp_path / "plugins" / "two").mkdir()
        (tmp_path / "plugins" / "two" / "logic.py").write_text(NAMED)
        loader.load(next(found for found in discover(get_settings()) if found.name == "two"))
        one.as_user("ada")
        try:
            assert await one.execute(title="of one") == {"titles": ["of one"]}
            assert await service.execute("two", {"title": "of two"}, ADA) == {"titles": ["of two"]}
            assert await one.execute(title="more") == {"titles": ["more", "of one"]}
        finally:
            loader.unload("two")


# -- the wall between plugins, and raw SQL -----------------------------------------------------------------------------

MODELS = """
from mozaiks_shell import sdk

class Item(sdk.Model, table=True):
    __tablename__ = "NAME_item"
    id: str = sdk.Field(default_factory=sdk.new_id, primary_key=True)
    title: str = ""
"""
REACH = """
from sqlalchemy import inspect, text
from mozaiks_shell import sdk
from .models import Item

def theirs(name):
    return next(one for one in inspect(Item).registry.mappers if one.class_.__tablename__ == name).class_

async def execute(data):
    if data.get("raw"):
        async with sdk.db.raw() as session:
            return {"n": (await session.execute(text("SELECT count(*) FROM " + data["raw"]))).scalar_one()}
    table = theirs(data["table"])
    async with sdk.db.session() as session:
        if "add" in data:
            session.add(table(title="planted", **data["add"]))
        return {"n": len((await session.exec(sdk.select(table))).all())}
"""


def migration(name: str) -> str:
    return f'''
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "1", None, None, None

def upgrade():
    op.create_table("{name}_item", *[sa.Column(c, sa.String(64), primary_key=c == "id", nullable=False)
                                     for c in ("id", "app_id", "user_id", "title")])

def downgrade():
    op.drop_table("{name}_item")
'''


def reaching(name: str, **manifest: object) -> dict[str, str]:
    return {
        "models.py": MODELS.replace("NAME", name), "logic.py": REACH, "migrations/1.py": migration(name),
        "manifest.json": json.dumps(manifest),
    }  # fmt: skip


async def test_abuse45_a_session_of_a_plugin_holds_its_own_tables_alone(plugin):
    async with plugin("mine", reaching("mine")) as mine:
        mine.as_user("ada")
        async with db.session(db.Scope("dev-app", "usr_ada")) as session:
            session.add(personal_note())
        assert await mine.execute(table="mine_item", add={}) == {"n": 1}
        for theirs in ("notifications_notification", "sdk_document", "sdk_kv", "identity_user", "plugin_choice"):
            assert await mine.execute(table=theirs) == {"n": 0}, theirs
        with pytest.raises(sdk.errors.Forbidden):
            await mine.execute(table="notifications_notification", add={"type": "t", "app_id": "dev-app", "user_id": "usr_ada"})


FORM = """
from pydantic import BaseModel
from mozaiks_shell import sdk

@sdk.settings.form
class Settings(BaseModel):
    secret_word: str = ""
"""
PEEK = """
import sys
from mozaiks_shell import sdk

async def execute(data):
    theirs = sys.modules["mozaiks_plugins.kept.settings"].Settings
    return {"word": (await sdk.settings.read(theirs)).secret_word}
"""


async def test_abuse45_settings_of_another_plugin_are_out_of_reach(plugin, tmp_path):
    async with plugin(
        "kept", {"settings.py": FORM, "logic.py": "from .settings import Settings\nasync def execute(data): return {}"}
    ) as kept:
        (tmp_path / "plugins" / "peek").mkdir()
        (tmp_path / "plugins" / "peek" / "logic.py").write_text(PEEK)
        loader.load(next(found for found in discover(get_settings()) if found.name == "peek"))
        kept.as_user("ada")
        try:
            assert await kept.execute() == {}
            with pytest.raises(sdk.errors.ShellError) as refused:
                await service.execute("peek", {}, ADA)
            assert refused.value.code == "PLUGIN_FAILED"
        finally:
            loader.unload("peek")


def personal_note():
    from mozaiks_shell.notifications.models import Notification

    return Notification(type="t", title="of the shell")


async def test_f259_raw_sql_needs_the_declared_permission(plugin):
    async with plugin("plain", reaching("plain")) as plain:
        plain.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden) as refused:
            await plain.execute(raw="plain_item")
        assert refused.value.code == "PERMISSION_MISSING" and '"permissions": ["raw_sql"]' in refused.value.message
    async with plugin("open", reaching("open", permissions=["raw_sql"])) as opened:
        opened.as_user("ada")
        await opened.execute(table="open_item", add={})
        assert await opened.execute(raw="open_item") == {"n": 1}
        assert await opened.execute(table="identity_user") == {"n": 0}


async def test_f259_mapped_classes_stay_scoped_in_a_raw_session(either, as_person):
    from mozaiks_shell.notifications.models import Notification

    for person in (ADA, EVE):
        as_person(person)
        async with db.session() as session:
            session.add(personal_note())
    async with db.session(raw=True) as session:
        assert (await session.execute(text("SELECT count(*) FROM notifications_notification"))).scalar_one() == 2
        assert [one.user_id for one in (await session.exec(sdk.select(Notification))).all()] == ["usr_eve"]


# -- key-value state ---------------------------------------------------------------------------------------------------


async def test_f265_values_have_an_end(either, monkeypatch):
    await kv.set("short", 1, ttl=60)
    await kv.set("long", {"a": [1, None, "ü"]})
    assert await kv.get("short") == 1
    at = clock.now()
    monkeypatch.setattr(kv, "now", lambda: at + timedelta(minutes=2))
    assert await kv.get("short", default="gone") == "gone" and await kv.keys() == ["long"]
    assert await kv.get("long") == {"a": [1, None, "ü"]}
    assert await kv.add("short", 2) and await kv.get("short") == 2
    await kv.set("short", 3, ttl=60)
    monkeypatch.setattr(kv, "now", lambda: at + timedelta(minutes=10))
    assert await kv.sweep() == 1


async def test_f265_belongs_to_the_person_unless_shared(either, as_person):
    await kv.set("k", "ada's")
    await kv.set("k", "everybody's", shared=True)
    as_person(EVE)
    assert await kv.get("k") is None and await kv.get("k", shared=True) == "everybody's"
    assert await kv.delete("k") is False and await kv.keys("k") == []
    as_person(None)
    assert await kv.get("k", shared=True) == "everybody's"
    with pytest.raises(sdk.errors.NotSignedIn):
        await kv.get("k")
    as_person(ADA)
    assert await kv.get("k") == "ada's" and await kv.delete("k") is True


async def test_f265_nothing_is_counted_twice_or_lost(either):
    assert sorted(await asyncio.gather(*[kv.incr("n", shared=True) for _ in range(10)])) == list(range(1, 11))
    assert sum(await asyncio.gather(*[kv.add("lock", shared=True) for _ in range(10)])) == 1
    await kv.set("text", "x")
    with pytest.raises(sdk.errors.Invalid):
        await kv.incr("text")


@pytest.mark.parametrize(
    "call",
    [
        lambda: kv.set("", 1), lambda: kv.set("k" * 201, 1), lambda: kv.set("k", object()), lambda: kv.set("k", "x" * 70_000),
        lambda: kv.set("k", 1, ttl=0), lambda: kv.set("k", float("nan")), lambda: kv.set("k\x00", 1), lambda: kv.get(7),  # type: ignore[arg-type]
    ],
)  # fmt: skip
async def test_f265_refuses_what_cannot_be_kept(call, database, as_person):
    as_person(ADA)
    with pytest.raises(sdk.errors.Invalid):
        await call()


def _other_worker(folder: str) -> None:
    import os

    os.environ["MOZAIKS_DATA_DIR"] = folder
    get_settings.cache_clear()
    set_principal(ADA)
    assert kv.get("k") == "kept"
    kv.set("k", "by the other worker")


async def test_f265_survives_workers(database, as_person):
    as_person(ADA)
    await kv.set("k", "kept")
    worker = multiprocessing.get_context("spawn").Process(target=_other_worker, args=(str(database.data_dir),))
    worker.start()
    await asyncio.to_thread(worker.join, 300)
    assert worker.exitcode == 0
    assert await kv.get("k") == "by the other worker"


# -- files -------------------------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
KEEPER = """
from mozaiks_shell.sdk import files

def shown(one): return {"id": one.id, "name": one.name, "type": one.content_type, "size": one.size, "url": one.url}

async def execute(data):
    match data["do"]:
        case "save": return shown(await files.save(data["name"], data["content"].encode("latin-1"), types=data.get("types", ())))
        case "read": return {"content": (await files.read(data["id"])).decode("latin-1")}
        case "list": return {"files": [shown(one) for one in await files.list()]}
        case "delete":
            await files.delete(data["id"])
            return {}
"""


async def test_f264_a_file_is_its_owners(plugin):
    async with plugin("album", {"logic.py": KEEPER, "manifest.json": FILES}) as album:
        album.as_user("ada")
        kept = await album.execute(do="save", name="cat.png", content=PNG.decode("latin-1"), types=["image/*"])
        assert (kept["type"], kept["size"], kept["url"]) == ("image/png", len(PNG), f"/api/files/{kept['id']}")
        assert (await album.execute(do="read", id=kept["id"]))["content"].encode("latin-1") == PNG
        on_disk = [one for one in folder("dev-app").rglob("*") if one.is_file()]
        assert [one.name for one in on_disk] == [kept["id"]] and on_disk[0].stat().st_mode & 0o077 == 0
        album.as_user("eve")
        assert await album.execute(do="list") == {"files": []}
        for do in ("read", "delete"):
            with pytest.raises(sdk.errors.NotFound):
                await album.execute(do=do, id=kept["id"])
        album.as_user("ada")
        assert [one["id"] for one in (await album.execute(do="list"))["files"]] == [kept["id"]]
        await album.execute(do="delete", id=kept["id"])
        assert not on_disk[0].exists()


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "a/b", "a\\b", "/etc/passwd", "", "  ", "x\x00y", "x\ny", "x" * 201, "evil\u202egnp.exe", "..\\..\\x"],
)  # fmt: skip
async def test_f264_path_traversal_names_are_refused(name, plugin):
    async with plugin("album", {"logic.py": KEEPER, "manifest.json": FILES}) as album:
        album.as_user("ada")
        with pytest.raises(sdk.errors.Invalid) as refused:
            await album.execute(do="save", name=name, content="x")
        assert refused.value.code == "FILE_NAME"
        assert not folder("dev-app").exists()


async def test_f264_size_type_quota_and_permission(plugin, monkeypatch):
    async with plugin("album", {"logic.py": KEEPER, "manifest.json": FILES}) as album:
        album.as_user("ada")
        monkeypatch.setattr(get_settings(), "max_file_bytes", 100)
        monkeypatch.setattr(get_settings(), "file_quota_bytes", 150)
        for wrong, error, code in (
            ({"content": "x" * 101}, sdk.errors.TooLarge, "FILE_TOO_LARGE"),
            ({"content": "<script>", "name": "cat.png", "types": ["image/*"]}, sdk.errors.Invalid, "FILE_TYPE"),
            ({"content": "x", "types": ["application/pdf"]}, sdk.errors.Invalid, "FILE_TYPE"),
        ):
            with pytest.raises(error) as refused:
                await album.execute(do="save", **{"name": "x.txt"} | wrong)
            assert refused.value.code == code
        await album.execute(do="save", name="one.txt", content="x" * 100)
        with pytest.raises(sdk.errors.TooLarge) as refused:
            await album.execute(do="save", name="two.txt", content="x" * 100)
        assert refused.value.code == "FILE_QUOTA"
        assert len([one for one in folder("dev-app").rglob("*") if one.is_file()]) == 1
    async with plugin("nosy", {"logic.py": KEEPER}) as nosy:
        nosy.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden, match="files"):
            await nosy.execute(do="list")


async def test_f264_download_has_safe_headers_and_checks_the_owner(plugin, api_of):
    async with plugin("album", {"logic.py": KEEPER, "manifest.json": FILES}) as album:
        album.as_user("ada")
        page = await album.execute(do="save", name='ü "x".html', content="<script>alert(1)</script>")
        picture = await album.execute(do="save", name="cat.png", content=PNG.decode("latin-1"))
        with api_of(ADA) as ada:
            answer = ada.get(page["url"], params={"inline": "true"})
            assert answer.status_code == 200 and answer.content == b"<script>alert(1)</script>"
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment; ")
            assert "filename*=UTF-8''%C3%BC" in answer.headers["content-disposition"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
            shown = ada.get(picture["url"], params={"inline": "true"})
            assert shown.headers["content-type"] == "image/png" and shown.headers["content-disposition"].startswith("inline")
            assert ada.get(picture["url"], headers={"if-none-match": shown.headers["etag"]}).status_code == 304
            assert ada.get("/api/files/..%2F..%2Fmozaiks.db").status_code == 404
        with api_of(EVE) as eve:
            assert eve.get(page["url"]).status_code == 404


@pytest.fixture
def api_of(monkeypatch):
    """A client of the download route, signed in as somebody."""
    from fastapi import FastAPI

    from mozaiks_shell.hosting.problems import install

    def make(person):
        api = FastAPI()
        install(api)
        api.include_router(file_routes.router)

        for route in file_routes.router.routes:
            for dependency in route.dependant.dependencies:
                api.dependency_overrides[dependency.call] = lambda: person
        api.middleware("http")(as_person_middleware(person))
        return TestClient(api)

    return make


def as_person_middleware(person):
    async def run(request, call_next):
        set_principal(person)
        return await call_next(request)

    return run


async def test_f264_files_go_along_and_go_away(plugin):
    async with plugin("album", {"logic.py": KEEPER, "manifest.json": FILES}) as album:
        for name in ("ada", "eve"):
            album.as_user(name)
            await album.execute(do="save", name=f"{name}.png", content=PNG.decode("latin-1"))
        keeper = next(one for one in personal_data.keepers() if one.name == "files")
        parts = [part async for part in keeper.export("dev-app", "usr_ada")]
        told = json.loads("[" + "".join(parts) + "]")
        assert [one["name"] for one in told] == ["ada.png"]
        assert base64.b64decode(told[0]["content"]) == PNG
        async with db.system_session() as session:
            await personal_data.erase(session, "dev-app", "usr_ada")
            session.add(account.DeletedUser(id="usr_ada"))
        await account.sweep()
        assert [one.name for one in folder("dev-app").iterdir()] == ["usr_eve"]
