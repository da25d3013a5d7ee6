"""What people think of answers, over HTTP (F-192). A chat of somebody else is 404, like one that never was."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.chat import feedback
from mozaiks_shell.chat.feedback import LONGEST, Verdict
from mozaiks_shell.foundation.access import Access, Principal

router = APIRouter()
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Owner = Annotated[Principal, Depends(needs(Access.role("admin")))]


class Feedback(BaseModel):
    """Body of PUT."""

    verdict: Verdict
    words: str = Field("", max_length=LONGEST)


@router.put("/api/chats/{chat_id}/messages/{message_id}/feedback", status_code=204)
async def rate(chat_id: str, message_id: str, body: Feedback, person: Person) -> Response:
    """Say what the caller thinks of an answer; replaces what they said of it before."""
    await feedback.rate(person, chat_id, message_id, body.verdict, body.words)
    return Response(status_code=204)


@router.delete("/api/chats/{chat_id}/messages/{message_id}/feedback", status_code=204)
async def withdraw(chat_id: str, message_id: str, person: Person) -> Response:
    """Take it back."""
    await feedback.withdraw(person, chat_id, message_id)
    return Response(status_code=204)


@router.get("/__mozaiks/admin/chats/feedback")
async def of_everybody(
    owner: Owner,
    verdict: Verdict | None = None,
    workflow: Annotated[str, Query(max_length=128)] = "",
    before: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """For administrators: totals by workflow and the newest, without names and conversations. ``before``: the next page."""
    found = await feedback.of_app(owner.app_id, verdict=verdict or "", workflow=workflow, before=before, limit=limit)
    return {"app_id": owner.app_id, **found}
