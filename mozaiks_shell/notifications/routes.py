"""The notifications API (F-205, F-206)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import Forbidden, Invalid, NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.identity.service import current_app_caller, person_now
from mozaiks_shell.notifications.service import KEPT, create, described, listing, mark_read

router = APIRouter(prefix="/api/notifications")
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]


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
        "notifications": [described(row) for row in rows],
        "count": len(rows),
        "unread_count": unread,
        "unread_only": unread_only,
        "timestamp": now().isoformat(),
    }


class Message(BaseModel):
    """What a program tells a person. ``user_id`` is whom, for a token of the app itself."""

    message: str = Field(min_length=1, max_length=2000)
    title: str = Field("", max_length=200)
    user_id: str = Field("", max_length=64)
    link: str = Field("", max_length=500, pattern=r"^(|/|/[^/\\\x00-\x1f][^\x00-\x1f]*)$")


@router.post("", status_code=201)
async def notify(person: Person, wish: Message) -> dict[str, Any]:
    """Raise a notification as a program with an app token that has the scope ``notifications`` (F-158).

    A token that acts for a person tells that person; one of the app names somebody in ``user_id``.
    """
    caller = current_app_caller()
    if caller is None:
        raise Forbidden(tr("This is for programs with an app token."), code="APP_TOKEN_NEEDED")
    user_id = caller.acts_for or wish.user_id
    if caller.acts_for and wish.user_id not in {"", caller.acts_for}:
        raise Forbidden(tr("This token speaks to one person only."), code="SCOPE_MISSING")
    if not user_id:
        message = tr("Say who should be told.")
        raise Invalid(message, errors=[{"field": "user_id", "message": message}])
    if await person_now(person.app_id, user_id) is None:
        raise NotFound(tr("There is no such person."), code="PERSON_NOT_FOUND")
    note = await create(person.app_id, user_id, "app", wish.title or caller.name, wish.message, wish.link)
    return {"notification": described(note)}


@router.post("/mark-all-read")
async def mark_all(person: Person) -> dict[str, int]:
    """Mark everything of the caller as read."""
    return {"count": await mark_read(Scope(person.app_id, person.user_id))}


@router.post("/{notification_id}/read")
async def mark_one(person: Person, notification_id: str) -> dict[str, int]:
    """Mark one as read; 404 for another person's."""
    return {"count": await mark_read(Scope(person.app_id, person.user_id), notification_id)}
