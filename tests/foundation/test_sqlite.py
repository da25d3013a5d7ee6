"""SQLite under the sessions: writers take turns, a statement is one step, and nothing is left open."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.foundation import db, sqlite, turns
from mozaiks_shell.foundation.settings import get_settings


@pytest.fixture(autouse=True)
def only_sqlite(database):
    return database


def _entry(number: int) -> AuditEntry:
    return AuditEntry(act="test.turn", actor_id=f"usr_{number}")


async def _count() -> int:
    async with db.system_session() as opened:
        return len((await opened.execute(select(AuditEntry.id).where(col(AuditEntry.act) == "test.turn"))).all())


async def test_writers_go_in_the_order_they_came(monkeypatch):
    order: list[int] = []
    first_wrote, go_on, asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    take = turns.take_turn

    async def noted(url: str) -> turns.Turn:
        asked.set()
        return await take(url)

    monkeypatch.setattr(turns, "take_turn", noted)

    async def first() -> None:
        async with db.system_session() as opened:
            opened.add(_entry(0))
            await opened.flush()
            first_wrote.set()
            await go_on.wait()
            order.append(0)

    async def later(number: int) -> None:
        async with db.system_session() as opened:
            opened.add(_entry(number))
            await opened.flush()
            order.append(number)

    holds = asyncio.create_task(first())
    await first_wrote.wait()
    line = []
    for number in range(1, 6):
        asked.clear()
        line.append(asyncio.create_task(later(number)))
        await asked.wait()
    assert await _count() == 0, "readers wait for nobody"
    go_on.set()
    await asyncio.gather(holds, *line)
    assert order == [0, 1, 2, 3, 4, 5]
    assert await _count() == 6


async def test_a_failed_or_cancelled_writer_lets_the_next_one_in():
    with pytest.raises(ZeroDivisionError):
        async with db.system_session() as opened:
            opened.add(_entry(1))
            await opened.flush()
            raise ZeroDivisionError
    wrote = asyncio.Event()

    async def cut() -> None:
        async with db.system_session() as opened:
            opened.add(_entry(2))
            await opened.flush()
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(cut())
    await wrote.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with db.system_session() as opened:
        opened.add(_entry(3))
    assert await _count() == 1


async def test_a_writer_inside_a_writer_is_told_so():
    async with db.system_session() as outer:
        outer.add(_entry(1))
        await outer.flush()
        with pytest.raises(OperationalError, match="does not end"):
            async with db.system_session() as inner:
                inner.add(_entry(2))
    assert await _count() == 1


async def test_many_rows_come_whole_and_a_read_leaves_nothing_open():
    async with db.system_session() as opened:
        opened.add_all([_entry(number) for number in range(sqlite._AHEAD * 2 + 1)])
    assert await _count() == sqlite._AHEAD * 2 + 1
    async with db.engine().connect() as connection:
        rows = await connection.execute(text("SELECT actor_id FROM audit_entry WHERE act = 'test.turn'"))
        assert len({row[0] for row in rows}) == sqlite._AHEAD * 2 + 1
        streamed = await connection.stream(text("SELECT actor_id FROM audit_entry WHERE act = 'test.turn'"))
        assert len([row async for row in streamed]) == sqlite._AHEAD * 2 + 1
        raw = await connection.get_raw_connection()
        assert not raw.driver_connection.in_transaction
        with pytest.raises(OperationalError):
            await connection.execute(text("SELECT nonsense FROM nowhere"))
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_thread_waits_in_the_same_line_and_goes_next():
    url, order = get_settings().sql_url_sync, []
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def session_of(number: int, *, waits: bool = False) -> None:
        async with db.system_session() as opened:
            opened.add(_entry(number))
            await opened.flush()
            wrote.set()
            if waits:
                await go_on.wait()
            order.append(number)

    def thread() -> None:
        with turns.thread_turn(url):
            order.append(100)

    line = turns.line_of(url)
    assert line is turns.line_of(get_settings().sql_url), "one line, whatever the driver"
    tasks = [asyncio.create_task(session_of(0, waits=True))]
    await wrote.wait()
    for number in (1, 2):
        tasks.append(asyncio.create_task(session_of(number)))
        while len(line._waiting) < number:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
    tasks.append(asyncio.create_task(asyncio.to_thread(thread)))
    while len(line._waiting) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    tasks[2].cancel()
    go_on.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 100, 1]
    assert not line._taken and not line._waiting


async def test_a_turn_that_never_comes_is_an_error_of_the_database(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    turn = await turns.take_turn(get_settings().sql_url)

    def thread() -> None:
        with turns.thread_turn(get_settings().sql_url_sync):
            pass

    with pytest.raises(OperationalError, match="does not end"):
        await asyncio.to_thread(thread)
    with pytest.raises(OperationalError, match="does not end"):
        await asyncio.create_task(turns.take_turn(get_settings().sql_url))
    turn.release()
    await asyncio.to_thread(thread)
