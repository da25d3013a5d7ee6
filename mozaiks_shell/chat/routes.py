"""The person's chats over HTTP (F-153, F-188)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.chat import service
from mozaiks_shell.chat.service import ChatSummary
from mozaiks_shell.foundation.access import Access, Principal

router = APIRouter(prefix="/api/chats")
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]


class Rename(BaseModel):
    """Body of PATCH."""

    title: str = Field(min_length=1, max_length=120)


@router.get("")
async def chats(person: Person, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
    """The caller's chats, the last used first."""
    found = [_row(one) for one in await service.list_chats(person, limit)]
    return {"sessions": found, "count": len(found)}


@router.get("/{chat_id}")
async def chat(chat_id: str, person: Person) -> dict[str, Any]:
    """A chat with its transcript."""
    summary, items = await service.transcript(person, chat_id)
    return {**_row(summary), "items": items}


@router.patch("/{chat_id}", status_code=204)
async def rename(chat_id: str, body: Rename, person: Person) -> Response:
    """Give a chat another name."""
    await service.rename_chat(person, chat_id, body.title)
    return Response(status_code=204)


@router.delete("/{chat_id}", status_code=204)
async def remove(chat_id: str, person: Person) -> Response:
    """Delete a chat."""
    await service.delete_chat(person, chat_id)
    return Response(status_code=204)


def _row(one: ChatSummary) -> dict[str, Any]:
    return {
        "chat_id": one.id,
        "workflow_name": one.workflow,
        "title": one.title,
        "status": one.status,
        "last_updated_at": one.updated_at.isoformat(),
        "last_text": one.last_text,
    }
