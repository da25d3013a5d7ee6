"""The notifications API (F-205, F-206)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.notifications.models import Notification
from mozaiks_shell.notifications.service import KEPT, listing, mark_read

router = APIRouter(prefix="/api/notifications")
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]


def _body(note: Notification) -> dict[str, Any]:
    return {
        "id": note.id,
        "user_id": note.user_id,
        "type": note.type,
        "title": note.title,
        "message": note.message,
        "created_at": note.created_at.isoformat(),
        "read": note.read_at is not None,
        "metadata": {"link": note.link} if note.link else {},
    }


@router.get("")
async def notifications(
    person: Person,
    unread_only: bool = False,
    limit: Annotated[int, Query(ge=1, le=KEPT)] = 20,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> dict[str, Any]:
    """A page of the caller's notifications."""
    rows, unread = await listing(Scope(person.app_id, person.user_id), unread_only=unread_only, limit=limit, offset=offset)
    return {
        "notifications": [_body(row) for row in rows],
        "count": len(rows),
        "unread_count": unread,
        "unread_only": unread_only,
        "timestamp": now().isoformat(),
    }


@router.post("/mark-all-read")
async def mark_all(person: Person) -> dict[str, int]:
    """Mark everything of the caller as read."""
    return {"count": await mark_read(Scope(person.app_id, person.user_id))}


@router.post("/{notification_id}/read")
async def mark_one(person: Person, notification_id: str) -> dict[str, int]:
    """Mark one as read; 404 for another person's."""
    return {"count": await mark_read(Scope(person.app_id, person.user_id), notification_id)}
