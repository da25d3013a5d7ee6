"""Events that must not be lost: written down in the transaction of what they tell of, and told until somebody saw to them.

Who reports puts :func:`kept` into its own transaction and publishes the event afterwards as usual. A listener calls :func:`done`
in the transaction of its effect. What is left over (the process died, the database was away) is published again by
:func:`redeliver`. So an event comes at least once, and listeners have to bear a repetition.

:func:`along` does both in one call. It keeps the events that one listener must not miss, the one named with :func:`keep_if`;
:func:`retell` tells what is left over to that listener alone.
"""

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

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

Facts = dict[str, Any]
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
    row = {
        "id": row_id, "app_id": event.app_id, "user_id": event.user_id, "name": event.name, "data": event.data, "at": event.at,
        "tries": 0,
    }  # fmt: skip
    return told, insert(OutboxEvent).values(row)


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


async def _left_over(app_id: str, *names: str) -> list[OutboxEvent]:
    """Rows that nobody saw to yet, oldest first; each is counted as tried."""
    old = clock.now() - _YOUNG
    query = select(OutboxEvent).where(col(OutboxEvent.name).in_(names), col(OutboxEvent.at) < old)
    query = query.where(col(OutboxEvent.tries) < _TRIES).order_by(col(OutboxEvent.at)).limit(_PAGE)
    async with system_session(app_id) as db:
        rows = list((await db.execute(query)).scalars())
    for row in rows:
        async with system_session(app_id) as db:
            tried: Any = update(OutboxEvent).where(col(OutboxEvent.id) == row.id).values(tries=row.tries + 1)
            await db.execute(tried.execution_options(synchronize_session=False))
        if row.tries + 1 == _TRIES:
            log.error("event given up", event_name=row.data.get("name", row.name), outbox=row.id)
    return rows
