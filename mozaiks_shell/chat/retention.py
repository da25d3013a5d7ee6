"""Old chats go by themselves (``MOZAIKS_CHAT_RETENTION_DAYS``): every night, in batches, never one whose run is open."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from mozaiks_shell.chat.models import LIVE_STATUSES, Chat, ChatEvent, ChatFeedback, ChatTool
from mozaiks_shell.chat.ownership import lease_of
from mozaiks_shell.chat.uploads import files_of, remove_files
from mozaiks_shell.foundation import jobs
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Lease
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import cron

log = get_logger("chat")

JOB: Final = "chat.retention"
BATCH: Final = 100  # chats of one transaction


async def retire(app_id: str, days: float) -> int:
    """Delete the app's chats that nothing was said in for so many days, with all that belongs to them.

    Stopped at any moment, it leaves whole chats and goes on where it was.

    Args:
        days: 0 deletes nothing.

    Returns:
        How many there were.
    """
    if days <= 0:
        return 0
    old = (col(Chat.updated_at) < now() - timedelta(days=days)) & col(Chat.status).not_in(LIVE_STATUSES)
    gone = 0
    while True:
        async with system_session(app_id) as db:
            ids = (await db.execute(select(Chat.id).where(old).order_by(col(Chat.updated_at)).limit(BATCH))).scalars().all()
            files, removed = await _remove(db, ids, old) if ids else ([], 0)
        await remove_files(app_id, files)  # after the commit: what is listed can be read
        gone += removed
        if len(ids) < BATCH:
            break
    if gone:
        log.info("old chats deleted", chats=gone, days=days)
        await publish(Event("chats.retired", app_id, "", {"chats": gone, "days": days}))
    return gone


async def _remove(db: ScopedSession, ids: Any, old: ColumnElement[bool]) -> tuple[list[str], int]:
    """Delete those that are still old and still closed; the ids of the files in them, and how many chats they were."""
    taken = delete(Chat).where(col(Chat.id).in_(ids), old).returning(col(Chat.id))
    gone = (await db.execute(taken.execution_options(synchronize_session=False))).scalars().all()
    files = await files_of(db, gone)
    for rows in (
        delete(ChatEvent).where(col(ChatEvent.chat_id).in_(gone)),
        delete(ChatTool).where(col(ChatTool.chat_id).in_(gone)),
        delete(ChatFeedback).where(col(ChatFeedback.chat_id).in_(gone)),
        delete(Lease).where(col(Lease.name).in_([lease_of(one) for one in gone])),
    ):
        await db.execute(rows.execution_options(synchronize_session=False))
    return files, len(gone)


async def _nightly(_: dict[str, Any]) -> dict[str, int]:
    settings = get_settings()
    return {"chats": await retire(settings.app_id, settings.chat_retention_days)}


jobs.define(
    jobs.Definition(JOB, _nightly, seconds=3600, timing=cron("17 3 * * *"), ready=lambda: get_settings().chat_retention_days > 0)
)
