"""Writes an audit row for every security-relevant event, and reads them back for admins (F-309)."""

from sqlmodel import col, select

from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.events import Event, subscribe

AUDITED = (
    "user.signed_up",
    "user.signed_in",
    "user.sign_in_failed",
    "user.signed_out",
    "subscription.updated",
    "chat.started",
    "plugin.failed",
)


@subscribe(*AUDITED)
async def record(event: Event) -> None:
    """Keep one row per event. The bus tries again when the database is busy."""
    async with system_session(event.app_id) as db:
        db.add(AuditEntry(app_id=event.app_id, act=event.name, actor_id=event.user_id, facts=event.data, at=event.at))


async def latest(limit: int = 50) -> list[AuditEntry]:
    """The newest rows of this app, newest first; at most 500."""
    async with system_session() as db:
        query = select(AuditEntry).order_by(col(AuditEntry.at).desc(), col(AuditEntry.id).desc()).limit(min(limit, 500))
        return list((await db.execute(query)).scalars())
