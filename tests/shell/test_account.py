"""F-234: export holds everything, deletion leaves nothing, and neither forgets a table that nobody thought of."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, inspect, text
from sqlalchemy.types import JSON, Boolean, Date, DateTime, Integer, LargeBinary
from sqlmodel import SQLModel, col, select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.billing import service as billing
from mozaiks_shell.billing.errors import PaymentUpstream
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import AppRow, SystemRow, UserRow, scoped_tables, system_session
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.accounts import find_login
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.ports import IssuerIdentity
from mozaiks_shell.shell import account, personal_data
from tests.identity.conftest import configure, either_database, heard  # noqa: F401 - fixtures
from tests.invariants.product import import_models
from tests.live import ROOT as REPOSITORY

PASSWORD = "correct horse battery"
MARK = "Lovelace-7f3a"  # in everything that is kept about Ada

# Columns that name a person in tables that are not people's rows, and why that is right.
NUMBERS = itertools.count(7)
NAMED = {
    "identity_app_token.acts_for": "a program's token; it opens nothing once the person is gone",
    "identity_app_token.created_by": "which administrator gave a program its token: leads nowhere once the account is gone",
    "broker_build_event.sent_by": "which program or administrator reported a build: leads nowhere once the account is gone",
    "audit_entry.actor_id": "the record of acts stays, without facts; exported as `acts`",
    "identity_founder.founder_id": "only that there was a first one",
    "identity_deleted_user.id": "who left",
    "identity_user.id": "the person",
    "plugin_choice.actor": "which administrator switched a plugin: an id that leads nowhere once the account is gone",
}

import_models()


async def enter(login: str) -> Principal:
    found = await identity.resolve(
        await identity.open_session(await find_login(login), ip="203.0.113.99", user_agent=f"Browser {MARK * (login == 'ada')}")
    )
    assert found is not None
    return found


@pytest.fixture
async def people(either_database) -> dict[str, Principal]:  # noqa: F811
    """Root, an administrator; Ada, with rows in every table; Eve, with as many."""
    await identity.register("root", PASSWORD, "root@example.com")
    for name in ("ada", "eve"):
        full = f"Ada {MARK}" if name == "ada" else "Eve"
        await identity.register(name, PASSWORD, f"{name}@example.com", full)
    found = {name: await enter(name) for name in ("root", "ada", "eve")}
    for name in ("ada", "eve"):
        await fill(found[name], MARK if name == "ada" else "eve-row")
    return found


async def fill(person: Principal, mark: str) -> None:
    """One more row in every table of people, whatever its columns."""
    async with system_session() as opened:
        connection = await opened.connection()
        for table in people_tables():
            row = {column.name: value_for(column, person, mark) for column in table.columns}
            await connection.execute(insert(table).values(row))


def people_tables() -> list[Table]:
    """Tables of the shell's own UserRow models."""
    names = {str(one.__tablename__) for one in scoped_tables(UserRow) if one.__module__.startswith("mozaiks_shell.")}
    return [table for table in SQLModel.metadata.sorted_tables if table.name in names]


def value_for(column: Any, person: Principal, mark: str) -> Any:
    fixed = {
        "app_id": person.app_id,
        "user_id": person.user_id,
        "scope": "notes",
        "plan": "free",
        "status": "active",
        "kind": "browser",
    }
    if column.name in fixed and not isinstance(column.type, Integer):
        return fixed[column.name][: column.type.length or 99]
    kinds: list[tuple[type, Any]] = [
        (JSON, {"note": mark}), (Boolean, False), (DateTime, datetime.now(UTC) + timedelta(hours=1)), (Date, date(2026, 1, 1)),
        (Integer, next(NUMBERS) if column.primary_key else 7), (LargeBinary, mark.encode()),
    ]  # fmt: skip
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    return f"{mark}-{column.name}"[: column.type.length or 99]


async def rows_of(person: Principal) -> dict[str, int]:
    counted = {}
    async with system_session() as opened:
        connection = await opened.connection()
        for table in await connection.run_sync(personal_data.personal_tables):
            found = (await connection.execute(table.select().where(table.c.user_id == person.user_id))).all()
            counted[table.name] = len(found)
    return counted


async def everything() -> str:
    """The whole database as text."""
    async with system_session() as opened:
        connection = await opened.connection()
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        return "\n".join([str((await connection.execute(text(f'SELECT * FROM "{name}"'))).all()) for name in names])


async def code_of(awaitable) -> str:
    with pytest.raises(ShellError) as refused:
        await awaitable
    return refused.value.code


# -- no table is forgotten -----------------------------------------------------------------------------------


async def test_f234_every_table_of_people_is_found_by_itself(people):
    found = {table.name for table in await personal_data.tables()}
    assert found >= {table.name for table in people_tables()}
    assert min((await rows_of(people["ada"])).values()) >= 1, "the test fills every table"


def test_f234_no_other_table_names_people_without_a_reason():
    hints = ("user", "actor", "owner", "founder", "author", "person", "creator", "member", "email", "created_by", "acts_for")
    named = {
        f"{table.__tablename__}.{column.name}"
        for base in (AppRow, SystemRow)
        for table in scoped_tables(base)
        if table.__module__.startswith("mozaiks_shell.") and not issubclass(table, UserRow)
        for column in SQLModel.metadata.tables[str(table.__tablename__)].columns
        if any(hint in column.name for hint in hints)
    }
    assert {one for one in named if one not in NAMED and not one.startswith("identity_user.")} == set()


async def test_f234_tables_of_a_plugin_that_is_not_loaded_are_covered_children_first(people):
    ada = people["ada"]
    async with system_session() as opened:
        connection = await opened.connection()
        parent = "CREATE TABLE plg_gone_list (app_id VARCHAR(64), user_id VARCHAR(64), id VARCHAR(64) PRIMARY KEY, name TEXT)"
        child = (
            "CREATE TABLE plg_gone_item (app_id VARCHAR(64), user_id VARCHAR(64), id VARCHAR(64) PRIMARY KEY,"
            " list_id VARCHAR(64) REFERENCES plg_gone_list (id), api_key TEXT)"
        )
        for statement in (parent, child):
            await connection.execute(text(statement))
        row = {"app": ada.app_id, "user": ada.user_id, "mark": MARK}
        await connection.execute(text("INSERT INTO plg_gone_list VALUES (:app, :user, 'l1', :mark)"), row)
        await connection.execute(text("INSERT INTO plg_gone_item VALUES (:app, :user, 'i1', 'l1', 'KEY-SECRET')"), row)
    exported = await account.export_account(ada)
    assert exported["data"]["other"]["plg_gone_list"][0]["name"] == MARK and "KEY-SECRET" not in str(exported)
    await account.delete_account(ada, PASSWORD)
    assert MARK not in await everything()


# -- export --------------------------------------------------------------------------------------------------


async def test_f234_the_export_contains_all_areas_and_nobody_elses(people):
    exported = await account.export_account(people["ada"])
    tables = {name: rows for area in exported["data"].values() for name, rows in area.items()}
    assert {name: len(rows) for name, rows in tables.items()} == await rows_of(people["ada"])
    assert {"identity", "billing", "chat", "usage", "insights", "notifications", "sdk"} <= set(exported["data"])
    assert exported["profile"]["full_name"] == f"Ada {MARK}" and exported["format"] == 1
    assert "eve-row" not in str(exported) and people["eve"].user_id not in str(exported)
    assert exported["data"]["identity"]["identity_preferences"][0]["data"] == {"note": MARK}


async def test_f234_the_export_has_no_credentials(people):
    secret = await identity.open_session(await find_login("ada"))
    exported = str(await account.export_account(people["ada"]))
    for word in ("argon2", "password_hash", "secret_digest", f"{MARK}-secret_digest", secret):
        assert word not in exported


async def test_f234_the_export_reads_page_by_page(people, monkeypatch):
    monkeypatch.setattr(personal_data, "PAGE", 3)
    ada = people["ada"]
    async with db.session(db.Scope(ada.app_id, ada.user_id)) as opened:
        from mozaiks_shell.chat.models import ChatEvent

        opened.add_all([ChatEvent(chat_id=f"c{n % 3}", offset=n, kind="d", body=f"{n}") for n in range(20)])
    exported = await account.export_account(ada)
    written = [row["body"] for row in exported["data"]["chat"]["chat_event"] if row["chat_id"].startswith("c")]
    assert sorted(written, key=int) == [str(n) for n in range(20)]


@pytest.mark.parametrize(
    ("column", "secret"),
    [
        ("secret_digest", True), ("password_hash", True), ("api_key", True), ("refresh_token", True), ("prompt_tokens", False),
        ("start_key", False), ("body", False), ("hashtag", False), ("Access_Key", True),
    ],
)  # fmt: skip
def test_f234_credentials_are_told_by_their_name(column, secret):
    assert personal_data.is_secret("some_table", column) is secret


# -- deletion ------------------------------------------------------------------------------------------------


async def test_f234_deletion_removes_everything_and_logs_the_act(people, heard):  # noqa: F811
    audit_row = AuditEntry(act="user.signed_in", actor_id=people["ada"].user_id, facts={"ip": "203.0.113.99", "who": MARK})
    async with system_session() as opened:
        opened.add(audit_row)
    before = await rows_of(people["eve"])
    await account.delete_account(people["ada"], PASSWORD)
    assert set((await rows_of(people["ada"])).values()) == {0}
    assert await rows_of(people["eve"]) == before
    left = await everything()
    assert MARK not in left and "ada@example.com" not in left
    act = next(one for one in await audit.latest() if one.act == "user.deleted")
    assert (act.actor_id, act.facts) == (people["ada"].user_id, {"sign_in": "local"})
    told = [event for event in heard if event.name == "user.deleted"]
    assert len(told) == 1 and MARK not in str([told, [one for one in heard if one.name == "user.signed_out"]])
    assert await find_login("ada") is None
    await identity.register("ada", PASSWORD, "ada@example.com")  # the name is free again


async def test_f234_without_the_password_nothing_happens(people):
    before = await rows_of(people["ada"])
    for password in ("", "not it at all"):
        assert await code_of(account.delete_account(people["ada"], password)) == "WRONG_PASSWORD"
    assert await rows_of(people["ada"]) == before and await find_login("ada")


async def test_f234_guesses_are_limited(people):
    for _ in range(10):
        await code_of(account.delete_account(people["ada"], "not it at all"))
    assert await code_of(account.delete_account(people["ada"], PASSWORD)) == "LIMIT_EXCEEDED"


async def test_f234_people_of_the_issuer_sign_in_again_instead(either_database, monkeypatch):  # noqa: F811
    await identity.register("root", PASSWORD, "root@example.com")
    user = await identity.user_of(IssuerIdentity("https://issuer.example", "s", "jane", "jane@example.com", "Jane"))
    jane = await identity.resolve(await identity.open_session(user))
    from mozaiks_shell.foundation import clock

    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=11))
    assert await code_of(account.delete_account(jane)) == "SIGN_IN_AGAIN"
    monkeypatch.setattr(clock, "now", real)
    await account.delete_account(jane)
    again = await identity.user_of(IssuerIdentity("https://issuer.example", "s", "jane", "jane@example.com", "Jane"))
    assert again.id != jane.user_id, "who comes back is somebody new"


async def test_f234_the_last_administrator_stays(people):
    assert await code_of(account.delete_account(people["root"], PASSWORD)) == "LAST_ADMINISTRATOR"
    async with system_session() as opened:
        eve = (await opened.execute(select(User).where(col(User.username) == "eve"))).scalars().one()
        eve.roles = "admin,user"
        eve.disabled = True
    assert await code_of(account.delete_account(people["root"], PASSWORD)) == "LAST_ADMINISTRATOR", (
        "a disabled one does not count"
    )
    async with system_session() as opened:
        eve = (await opened.execute(select(User).where(col(User.username) == "eve"))).scalars().one()
        eve.disabled = False
    await account.delete_account(people["root"], PASSWORD)


async def test_f234_of_two_administrators_who_leave_at_once_one_stays(either_database):  # noqa: F811
    for name in ("root", "ada"):
        await identity.register(name, PASSWORD, f"{name}@example.com")
    async with system_session() as opened:
        for user in (await opened.execute(select(User))).scalars():
            user.roles = "admin"
    both = [await enter("root"), await enter("ada")]
    results = await asyncio.gather(*[account.delete_account(one, PASSWORD) for one in both], return_exceptions=True)
    assert sorted(getattr(one, "code", "gone") for one in results) == ["LAST_ADMINISTRATOR", "gone"]


async def test_f234_two_tabs_that_delete_at_once_delete_once(people, heard):  # noqa: F811
    results = await asyncio.gather(*[account.delete_account(people["ada"], PASSWORD) for _ in range(4)], return_exceptions=True)
    assert all(one is None or getattr(one, "status", 500) in {403, 404} for one in results), results
    assert [event.name for event in heard].count("user.deleted") == 1
    assert [one.act for one in await audit.latest()].count("user.deleted") == 1


async def test_f234_a_paid_plan_is_cancelled_first(people, heard, monkeypatch):  # noqa: F811
    asked = []
    real = billing.cancel

    async def cancel(principal: Principal) -> None:
        asked.append(await find_login("ada") is not None)
        await real(principal)

    monkeypatch.setattr(billing, "cancel", cancel)
    await billing.set_plan(people["root"], people["ada"].user_id, "pro")
    await account.delete_account(people["ada"], PASSWORD)
    changes = [event.data for event in heard if event.name == "subscription.updated"]
    assert asked == [True] and changes[-1]["cancel_at_period_end"] is True and MARK not in await everything()


async def test_f234_a_payment_service_that_fails_stops_the_deletion(people, monkeypatch):
    async def down(_: Principal) -> None:
        raise PaymentUpstream("The payment service does not answer.")

    monkeypatch.setattr(billing, "cancel", down)
    before = await rows_of(people["ada"])
    assert await code_of(account.delete_account(people["ada"], PASSWORD)) == "PAYMENT_SERVICE"
    assert await rows_of(people["ada"]) == before


async def test_f234_what_is_written_late_is_swept(people):
    await account.delete_account(people["ada"], PASSWORD)
    await fill(people["ada"], MARK)  # a run in another process, a webhook under way
    assert MARK in await everything()
    before = await rows_of(people["eve"])
    assert await account.sweep() == len(people_tables())
    assert MARK not in await everything() and await rows_of(people["eve"]) == before and await account.sweep() == 0


_KILLED = """
    import asyncio, os, signal, sys
    from sqlalchemy import event
    from mozaiks_shell.foundation import db
    from mozaiks_shell.identity import service as identity
    from mozaiks_shell.shell import account

    left, secret = int(sys.argv[1]), sys.argv[2]

    def count(connection, cursor, statement, *rest):
        global left
        left -= statement.lstrip().upper().startswith("DELETE") and "RETURNING" not in statement
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        ada = await identity.resolve(secret)
        event.listen(db.engine().sync_engine, "before_cursor_execute", count)
        await account.delete_account(ada, "correct horse battery")

    asyncio.run(main())
"""


@pytest.mark.parametrize("after", [0, 1, 9])
async def test_f234_killed_in_the_middle_leaves_the_account_as_it_was(people, after):
    ada = people["ada"]
    secret = await identity.open_session(await find_login("ada"))
    before = await rows_of(ada)
    await db.dispose()
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", textwrap.dedent(_KILLED), str(after), secret],
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr[-2000:]
    assert await rows_of(ada) == before and await find_login("ada")
    again = await identity.resolve(secret)
    assert again is not None
    await account.delete_account(again, PASSWORD)
    assert MARK not in await everything()
