"""Writes an audit row for every security-relevant event, and reads them back for admins (F-309)."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.foundation import outbox
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.events import Event, subscribe

AUDITED = (
    "user.signed_up",
    "user.signed_in",
    "user.sign_in_failed",
    "user.signed_out",
    "user.password_changed",
    "app_settings.changed",
    "app_token.created",
    "app_token.revoked",
    "subscription.updated",
    "signing_key.replaced",
    "build.status_changed",
    "workflow.registered",
    "workflow.unregistered",
    "chat.started",
    "chats.retired",
    "plugin.failed",
    "plugin.enabled",
    "plugin.disabled",
    "plugin.retried",
    "plugins.rescanned",
)


def _entry(event: Event) -> AuditEntry:
    entry = AuditEntry(app_id=event.app_id, act=event.name, actor_id=event.user_id, facts=event.data, at=event.at)
    if event.row:
        entry.id = f"aud_{event.row}"  # the same each time it is told
    return entry


outbox.record_with(AUDITED, _entry)


@subscribe(*AUDITED)
async def record(event: Event) -> None:
    """Keep one row per event that was not recorded along with what it tells of. The bus tries again when the database is busy."""
    if event.recorded:
        return
    try:
        async with system_session(event.app_id) as db:
            db.add(_entry(event))
    except IntegrityError:
        if not event.row:
            raise


async def latest(limit: int = 50) -> list[AuditEntry]:
    """The newest rows of this app, newest first; at most 500."""
    async with system_session() as db:
        query = select(AuditEntry).order_by(col(AuditEntry.at).desc(), col(AuditEntry.id).desc()).limit(min(limit, 500))
        return list((await db.execute(query)).scalars())


async def of_person(app_id: str, user_id: str) -> list[dict[str, Any]]:
    """What is on record of a person's own acts, oldest first, for the export of their data; the newest 10,000."""
    async with system_session(app_id) as db:
        query = select(AuditEntry).where(col(AuditEntry.actor_id) == user_id).order_by(col(AuditEntry.at).desc())
        rows = list((await db.execute(query.limit(10_000))).scalars())
    return [{"at": row.at.isoformat(), "act": row.act, "facts": row.facts} for row in reversed(rows)]


async def forget_person(db: ScopedSession, user_id: str, act: str, facts: dict[str, Any]) -> None:
    """Record that a person left, inside the caller's transaction, and take the facts out of what they did.

    The acts stay: which, when, and by which id. Names and addresses go.
    """
    theirs = update(AuditEntry).where(col(AuditEntry.actor_id) == user_id)
    await db.execute(theirs.values(facts={}).execution_options(synchronize_session=False))
    db.add(AuditEntry(act=act, actor_id=user_id, facts=facts))
