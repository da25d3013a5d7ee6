"""Old chats go by themselves: all of them, nothing else, never an open one; the record of acts says so."""

from datetime import timedelta

import pytest
from sqlmodel import col, func, select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.chat import retention
from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.chat.ownership import lease_of
from mozaiks_shell.foundation import db, file_store, jobs
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.file_models import StoredFile
from mozaiks_shell.foundation.models import Lease
from mozaiks_shell.foundation.settings import get_settings


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request, settings, monkeypatch):
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    monkeypatch.setenv("MOZAIKS_CHAT_RETENTION_DAYS", "30")
    monkeypatch.setattr(retention, "BATCH", 3)
    get_settings.cache_clear()
    yield
    await db.dispose()
    get_settings.cache_clear()


async def chat(name: str, days: float, status: str = "completed", app: str = "dev-app", person: str = "usr_ada") -> None:
    at, owner = now() - timedelta(days=days), {"app_id": app, "user_id": person}
    async with system_session(app) as opened:
        opened.add(Chat(id=name, runtime_chat_id=name, workflow="W", status=status, created_at=at, updated_at=at, **owner))
        opened.add(ChatEvent(chat_id=name, offset=0, kind="message", body='{"id":"m","text":"x"}', **owner))
        opened.add(ChatTool(chat_id=name, id="t", component="c", display="inline", title="", payload="{}", **owner))
        opened.add(Lease(name=lease_of(name), **owner))


async def left() -> set[str]:
    found: set[str] = set()
    for app in ("dev-app", "other-app"):
        async with system_session(app) as opened:
            chats = set((await opened.execute(select(Chat.id))).scalars())
            for column in (ChatEvent.chat_id, ChatTool.chat_id):
                assert set((await opened.execute(select(column))).scalars()) == chats, "half a chat"
            leases = set((await opened.execute(select(Lease.name))).scalars())
            assert leases == {lease_of(one) for one in chats}
        found |= chats
    return found


async def test_old_closed_chats_go_with_all_that_belongs_to_them(kept):
    for number in range(7):
        await chat(f"old{number}", 31 + number, ("completed", "failed", "interrupted")[number % 3], person=f"usr_{number % 2}")
    await chat("recent", 29)
    await chat("running", 99, "running")
    await chat("waiting", 99, "waiting")
    await chat("elsewhere", 99, app="other-app")
    row = StoredFile(app_id="dev-app", user_id="usr_0", plugin="", name="a.txt", content_type="text/plain", size=1, sha256="x")
    plugins = StoredFile(
        app_id="dev-app", user_id="usr_0", plugin="p", name="b.txt", content_type="text/plain", size=1, sha256="x"
    )
    for one in (row, plugins):
        await file_store.write(one, b"x")
    async with system_session() as opened:
        opened.add_all([row, plugins])
        for offset, one in enumerate((row, plugins)):
            line = f'{{"id":"{one.id}","name":"a.txt"}}'
            opened.add(
                ChatEvent(chat_id="old0", user_id="usr_0", app_id="dev-app", offset=offset + 1, kind="attachment", body=line)
            )
    definition = jobs.known(retention.JOB)
    assert definition is not None and definition.ready() and definition.timing.text == "cron 17 3 * * * UTC"
    assert await definition.run({}) == {"chats": 7}
    assert await left() == {"recent", "running", "waiting", "elsewhere"}
    assert not file_store.place(row).exists() and file_store.place(plugins).exists()
    async with system_session() as opened:
        assert (await opened.execute(select(func.count(col(StoredFile.id))))).scalar_one() == 1
    told = [(one.act, one.facts) for one in await audit.latest() if one.act == "chats.retired"]
    assert told == [("chats.retired", {"chats": 7, "days": 30.0})]
    assert await definition.run({}) == {"chats": 0}
    assert len([one for one in await audit.latest() if one.act == "chats.retired"]) == 1


async def test_a_chat_that_is_opened_meanwhile_stays(kept):
    await chat("old", 99)
    async with system_session() as opened:
        (await opened.get(Chat, "old")).status = "running"
    async with system_session() as opened:
        old = col(Chat.status).not_in(("running",))
        assert await retention._remove(opened, ["old"], old) == ([], 0)
    assert await left() == {"old"}


async def test_zero_keeps_all(kept, monkeypatch):
    await chat("old", 9999)
    monkeypatch.setenv("MOZAIKS_CHAT_RETENTION_DAYS", "0")
    get_settings.cache_clear()
    assert not jobs.known(retention.JOB).ready()
    assert await retention.retire("dev-app", 0) == 0
    assert await left() == {"old"}
