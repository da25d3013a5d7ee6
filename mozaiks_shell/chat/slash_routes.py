"""Commands of the chat over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.chat import slash
from mozaiks_shell.foundation.access import Access, Principal

router = APIRouter(prefix="/api/chats")


class Words(BaseModel):
    """Body of POST: what was typed after the command's name."""

    words: str = Field("", max_length=slash.WORDS)


@router.post("/{chat_id}/commands/{name}")
async def perform(
    chat_id: str, name: str, body: Words, person: Annotated[Principal, Depends(needs(Access.signed_in()))]
) -> dict[str, str]:
    """Run a plugin's command for the caller; ``text`` is what it tells them, perhaps nothing."""
    return {"text": await slash.perform(person, chat_id, name, body.words)}
