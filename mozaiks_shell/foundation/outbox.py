"""Events that must not be lost: written down in the transaction of what they tell of, and told until somebody saw to them.

Who reports puts :func:`kept` into its own transaction and publishes the event afterwards as usual. A listener calls :func:`done`
in the transaction of its effect. What is left over (the process died, the database was away) is published again by
:func:`redeliver`. So an event comes at least once, and listeners have to bear a repetition.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Executable, insert
from sqlmodel import col, delete, select, update

from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import OutboxEvent

log = get_logger("events")

KEY: Final = "outbox_id"  # in the data of an event that is kept
_YOUNG: Final = timedelta(seconds=3)  # whoever reported it is about to tell it himself
_PAGE: Final = 200
_TRIES: Final = 100


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
    if row_id := event.data.get(KEY):
        gone = delete(OutboxEvent).where(col(OutboxEvent.id) == str(row_id))
        await db.execute(gone.execution_options(synchronize_session=False))


async def redeliver(app_id: str, *names: str) -> int:
    """Publish again what nobody saw to yet, oldest first; returns how many are still left over."""
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
            log.error("event given up", event_name=row.name, outbox=row.id)
        await publish(Event(row.name, row.app_id, row.user_id, {**row.data, KEY: row.id}, aware(row.at)))
    if not rows:
        return 0
    async with system_session(app_id) as db:
        ids = [row.id for row in rows]
        return len((await db.execute(select(OutboxEvent.id).where(col(OutboxEvent.id).in_(ids)))).all())
