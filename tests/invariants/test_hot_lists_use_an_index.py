"""F-261: what people wait for does not read whole tables: the plan of each hot list uses an index that picks their rows."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, text
from sqlmodel import col, select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.billing import service as billing
from mozaiks_shell.broker import builds, jobs
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.identity import service as identity
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.sdk import files, kv
from mozaiks_shell.sdk.collections import Collection
from mozaiks_shell.usage import service as usage

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
NOTES = Collection("notes", "notes")
HOT: dict[str, Callable[[], Awaitable[object]]] = {
    "notifications": lambda: notifications.listing(db.Scope("dev-app", "usr_ada")),
    "chats": lambda: chats.list_chats(ADA),
    "transcript": lambda: _events(),
    "sessions of a person": lambda: identity.list_sessions(ADA),
    "the session of a request": lambda: identity.resolve("no-such-secret"),
    "audit, newest": lambda: audit.latest(),
    "audit of a person": lambda: audit.of_person("dev-app", "usr_ada"),
    "usage of a person": lambda: usage.between("dev-app", "usr_ada", [now() - timedelta(days=1), now()]),
    "subscription": lambda: billing.plan_of(ADA),
    "documents": lambda: NOTES.list(),
    "a document by key": lambda: NOTES.find(id="doc_1"),
    "count of documents": lambda: NOTES.count(),
    "files": lambda: files.list(),
    "builds": lambda: builds.listing("dev-app"),
    "the newest build": lambda: builds.latest("dev-app"),
    "long work": lambda: jobs.listing(ADA),
    "a key": lambda: kv.get("k"),
    "a shared key": lambda: kv.get("k", shared=True),
}


async def _events() -> object:
    async with db.session(db.Scope("dev-app", "usr_ada")) as session:
        query = select(ChatEvent).where(col(ChatEvent.chat_id) == "c").order_by(col(ChatEvent.offset)).limit(50)
        return (await session.execute(query)).all()


@pytest.fixture(params=["sqlite", "postgresql"])
async def prepared(request, settings, monkeypatch, as_person):
    if request.param == "postgresql":
        monkeypatch.setattr(settings, "database_url", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    as_person(ADA)
    yield request.param
    await db.dispose()


async def test_f261_hot_lists_use_an_index(prepared):
    asked: list[tuple[str, object]] = []

    def note(_: Connection, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    slow: dict[str, list[str]] = {}
    for name, call in HOT.items():
        asked.clear()
        event.listen(db.engine().sync_engine, "before_cursor_execute", note)
        try:
            await call()
        finally:
            event.remove(db.engine().sync_engine, "before_cursor_execute", note)
        assert asked, name
        async with db.engine().connect() as connection:
            if prepared == "postgresql":
                await connection.execute(text("SET enable_seqscan = off"))  # tables are empty: it must be able to, not choose to
            for statement, parameters in list(asked):
                explain = "EXPLAIN QUERY PLAN " if prepared == "sqlite" else "EXPLAIN "
                plan = [str(row[-1]) for row in (await connection.exec_driver_sql(explain + statement, parameters)).all()]
                if whole := [line for line in plan if line.startswith("SCAN ") and "USING" not in line or "Seq Scan" in line]:
                    slow.setdefault(name, []).extend(whole)
                if unpicky := [line for line in plan if "_app_id (app_id=?)" in line]:
                    slow.setdefault(name, []).extend(unpicky)
    assert slow == {}
