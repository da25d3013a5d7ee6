"""In-app notifications: create, list, read (F-205…F-207). The newest 100 per person are kept."""

from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select, update

from mozaiks_shell.foundation import live
from mozaiks_shell.foundation.clock import aware, now
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.events import Event, subscribe
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.notifications.models import Notification

KEPT = 100


async def create(app_id: str, user_id: str, type: str, title: str, message: str = "", link: str = "") -> Notification:
    """Keep a notification for one person."""
    note = Notification(type=type[:64], title=title[:200], message=message[:2000], link=link[:500])
    async with session(Scope(app_id, user_id)) as db:
        db.add(note)
        await db.flush()
        keep = select(Notification.id).order_by(col(Notification.created_at).desc(), col(Notification.id).desc()).limit(KEPT)
        kept = list((await db.execute(keep)).scalars())
        await db.execute(delete(Notification).where(col(Notification.id).not_in(kept)))
    await live.push(app_id, user_id, {"type": "notification", "subtype": "new", "data": described(note)})
    return note


def described(note: Notification) -> dict[str, Any]:
    """A notification as the API and the live frame tell it (F-205, F-208)."""
    return {
        "id": note.id,
        "user_id": note.user_id,
        "type": note.type,
        "title": note.title,
        "message": note.message,
        "created_at": aware(note.created_at).isoformat(),
        "read": note.read_at is not None,
        "metadata": {"link": note.link} if note.link else {},
    }


async def listing(scope: Scope, *, unread_only: bool = False, limit: int = 20, offset: int = 0) -> tuple[list[Notification], int]:
    """A page of one person's notifications, newest first, and the number unread."""
    query = select(Notification).order_by(col(Notification.created_at).desc(), col(Notification.id).desc())
    unread = select(func.count(col(Notification.id))).where(col(Notification.read_at).is_(None))
    if unread_only:
        query = query.where(col(Notification.read_at).is_(None))
    async with session(scope) as db:
        rows = (await db.execute(query.limit(max(1, min(limit, KEPT))).offset(max(0, offset)))).scalars()
        return list(rows), int((await db.execute(unread)).scalar_one())


async def mark_read(scope: Scope, notification_id: str | None = None) -> int:
    """Mark one notification, or all of them, as read; returns how many changed.

    Raises:
        NotFound: this person has no such notification.
    """
    change = update(Notification).where(col(Notification.read_at).is_(None)).values(read_at=now())
    async with session(scope) as db:
        if notification_id is not None:
            if await db.get(Notification, notification_id) is None:
                raise NotFound(tr("There is no such notification."))
            change = change.where(col(Notification.id) == notification_id)
        return int((await db.execute(change)).rowcount)  # type: ignore[attr-defined]


@subscribe("subscription.updated")
async def tell_plan_change(event: Event) -> None:
    """The person learns of a plan change without asking (F-139)."""
    title = tr("Your plan is now {plan}", plan=tr(str(event.data.get("title") or event.data.get("plan", ""))))
    await create(event.app_id, event.user_id, "subscription_updates", title, link="/plans")
