"""Events that must not be lost: written down in the transaction of what they tell of, and told until somebody saw to them.

Who reports puts :func:`kept` into its own transaction and publishes the event afterwards as usual. A listener calls :func:`done`
in the transaction of its effect. What is left over (the process died, the database was away) is published again by
:func:`redeliver`. So an event comes at least once, and listeners have to bear a repetition.

:func:`along` does both in one call. It keeps the events that one listener must not miss, the one named with :func:`keep_if`;
:func:`retell` tells what is left over to that listener alone.

:func:`for_all` and :func:`lasting` keep an event for every listener until all of them were told; :func:`deliver` tells what is
left over. One that was told before its process died is told again, with the same ``row``.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Executable, insert
from sqlmodel import col, delete, select, update

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope, ScopedSession, SystemRow, system_session
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import OutboxEvent

log = get_logger("events")

KEY: Final = "outbox_id"  # in the data of an event that is kept
_YOUNG: Final = timedelta(seconds=3)  # whoever reported it is about to tell it himself
_PAGE: Final = 200
_TRIES: Final = 100
_ALONG: Final = "along"  # name of the rows that `along` writes
_MOMENT, _AT = "outbox_moment", "outbox_at"  # beside an event's data in a row that `lasting` makes
_SOON: Final = 0.25  # seconds until it is noted that an event was told
_SLOW: Final = timedelta(seconds=30)  # so long whoever published an event may take to tell all of its listeners

Facts = dict[str, Any]
_told: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, list[str]]] = WeakKeyDictionary()
_noting: set[asyncio.Task[None]] = set()
_wanted: list[Callable[[Event], Facts | None]] = []
_records: dict[str, Callable[[Event], SystemRow]] = {}


def keep_if(wanted: Callable[[Event], Facts | None]) -> None:
    """Name who must not miss events: it answers None for an event it does not care for, else what it needs to know of the
    moment it happened in (JSON-able), for the case that the event has to be told again.
    """
    _wanted[:] = [wanted]


def record_with(names: Collection[str], record: Callable[[Event], SystemRow]) -> None:
    """Have these events written down as such a row, within the transaction of what they tell of where that is a system
    session's (:func:`along`). Otherwise the event is not ``recorded``, and a listener has to see to it.
    """
    _records.update(dict.fromkeys(names, record))


async def along(db: ScopedSession, event: Event, then: Callable[[], Awaitable[None]] | None = None) -> None:
    """Publish an event as soon as this session's transaction is committed, then do ``then``; neither if it is not.

    An event that somebody must not miss (:func:`keep_if`) is written down in the same transaction, so that a process that dies
    between the two loses nothing.
    """
    if (record := _records.get(event.name)) is not None and db.info["scope"].user_id is None:
        db.add(record(event))
        event = replace(event, recorded=True)
    facts = _wanted[0](event) if _wanted else None
    if facts is not None:
        row_id = new_id("obx")
        data = json.loads(json.dumps({"name": event.name, "data": event.data, "facts": facts}, default=str))
        row = OutboxEvent(id=row_id, app_id=event.app_id, user_id=event.user_id, name=_ALONG, data=data, at=event.at)
        await db.flush()
        theirs, raw = db.info["scope"], db.info.get("raw")
        db.info["scope"], db.info["raw"] = Scope(event.app_id, None), False
        try:
            db.add(row)
            await db.flush()
            db.expunge(row)
        finally:
            db.info["scope"], db.info["raw"] = theirs, raw
        event = replace(event, kept=row_id)
    after = db.info.setdefault("after", [])
    after.append(partial(events.publish, event))
    if then is not None:
        after.append(then)


async def for_all(db: ScopedSession, event: Event) -> None:
    """Publish an event as soon as this session's transaction is committed, to every listener, whatever dies in between."""
    event, keep = lasting(event)
    if (record := _records.get(event.name)) is not None and db.info["scope"].user_id is None:
        db.add(record(event))
        event = replace(event, recorded=True)
    await db.execute(keep)
    db.info.setdefault("after", []).append(partial(tell, event))


def lasting(event: Event) -> tuple[Event, Executable]:
    """The event to :func:`tell` after the commit, and the statement that keeps it until then; for any engine, scoped or not."""
    moment = _wanted[0](event) if _wanted else None
    event = replace(event, row=new_id("obx"), moment=moment)
    data = {**event.data, _AT: event.at.isoformat()} | ({} if moment is None else {_MOMENT: moment})
    return event, _insert(event, event.row, json.loads(json.dumps(data, default=str)))


async def tell(event: Event) -> None:
    """Publish an event that is kept for every listener; it is over then. That is noted a moment later, for many at once."""
    await events.publish(event)
    told = _told.setdefault(asyncio.get_running_loop(), {})
    told.setdefault(event.app_id, []).append(event.row)
    if len(told[event.app_id]) == 1:
        task = asyncio.create_task(_note_soon())
        _noting.add(task)
        task.add_done_callback(_noting.discard)


async def noted() -> None:
    """Note what was told, now: the process ends."""
    told = _told.pop(asyncio.get_running_loop(), {})
    for app_id, rows in told.items():
        gone = delete(OutboxEvent).where(col(OutboxEvent.id).in_(rows))
        async with system_session(app_id) as db:
            await db.execute(gone.execution_options(synchronize_session=False))


async def _note_soon() -> None:
    await asyncio.sleep(_SOON)
    try:
        await noted()
    except Exception as error:  # noqa: BLE001 - they are told again then, which listeners bear
        log.warning("told events could not be noted", error=repr(error)[:200])


async def deliver(app_id: str, *names: str) -> int:
    """Tell the events of these names that nobody told, oldest first; returns how many. Of several processes one does it."""
    rows = await _left_over(app_id, *names, age=_SLOW, taken=True)
    for row in rows:
        data = dict(row.data)
        moment, at = data.pop(_MOMENT, None), datetime.fromisoformat(data.pop(_AT))
        await tell(Event(row.name, row.app_id, row.user_id, data, at, row=row.id, moment=moment))
    await noted()
    return len(rows)


async def forget(app_id: str, before: datetime) -> None:
    """Drop what :func:`along` kept longer ago than this: it was given up."""
    old = delete(OutboxEvent).where(col(OutboxEvent.name) == _ALONG, col(OutboxEvent.at) < before)
    async with system_session(app_id) as db:
        await db.execute(old.execution_options(synchronize_session=False))


async def retell(app_id: str, hear: Callable[[Event, Facts], Awaitable[None]]) -> None:
    """Tell ``hear`` the events :func:`along` kept and nobody saw to, oldest first. It may hear one twice, and calls
    :func:`done` when it saw to it.
    """
    for row in await _left_over(app_id, _ALONG):
        data = row.data
        event = Event(data["name"], row.app_id, row.user_id, data["data"], aware(row.at), row.id)
        try:
            await hear(event, data["facts"])
        except Exception:
            log.exception("an event could not be told again", event_name=event.name, outbox=row.id)


def kept(event: Event) -> tuple[Event, Executable]:
    """The event to publish, and the statement that keeps it; for any engine, scoped or not."""
    row_id = new_id("obx")
    told = Event(event.name, event.app_id, event.user_id, {**event.data, KEY: row_id}, event.at)
    return told, _insert(event, row_id, event.data)


def _insert(event: Event, row_id: str, data: Facts) -> Executable:
    row = {
        "id": row_id, "app_id": event.app_id, "user_id": event.user_id, "name": event.name, "data": data, "at": event.at,
        "tries": 0,
    }  # fmt: skip
    return insert(OutboxEvent).values(row)


async def done(db: ScopedSession, event: Event) -> None:
    """The event had its effect in this transaction (of a system session); does nothing for events that are not kept."""
    if row_id := event.kept or event.data.get(KEY):
        gone = delete(OutboxEvent).where(col(OutboxEvent.id) == str(row_id))
        await db.execute(gone.execution_options(synchronize_session=False))


async def redeliver(app_id: str, *names: str) -> int:
    """Publish again what nobody saw to yet, oldest first; returns how many are still left over."""
    rows = await _left_over(app_id, *names)
    for row in rows:
        await events.publish(Event(row.name, row.app_id, row.user_id, {**row.data, KEY: row.id}, aware(row.at)))
    if not rows:
        return 0
    async with system_session(app_id) as db:
        ids = [row.id for row in rows]
        return len((await db.execute(select(OutboxEvent.id).where(col(OutboxEvent.id).in_(ids)))).all())


async def _left_over(app_id: str, *names: str, age: timedelta = _YOUNG, taken: bool = False) -> list[OutboxEvent]:
    """Rows that nobody saw to for so long, oldest first; each is counted as tried, and given to one process of several.

    ``taken``: nobody else is given it before as much time has passed again.
    """
    old = clock.now() - age
    query = select(OutboxEvent).where(col(OutboxEvent.name).in_(names), col(OutboxEvent.at) < old)
    query = query.where(col(OutboxEvent.tries) < _TRIES).order_by(col(OutboxEvent.at)).limit(_PAGE)
    async with system_session(app_id) as db:
        found = list((await db.execute(query)).scalars())
    rows = []
    for row in found:
        async with system_session(app_id) as db:
            mine = (col(OutboxEvent.id) == row.id, col(OutboxEvent.tries) == row.tries)
            told = {"tries": row.tries + 1} | ({"at": clock.now()} if taken else {})
            tried: Any = update(OutboxEvent).where(*mine).values(**told)
            won: Any = await db.execute(tried.execution_options(synchronize_session=False))
        if won.rowcount:
            rows.append(row)
        if row.tries + 1 == _TRIES:
            log.error("event given up", event_name=row.data.get("name", row.name), outbox=row.id)
    return rows
