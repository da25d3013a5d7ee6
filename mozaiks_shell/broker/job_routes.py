"""Long work over HTTP (F-155): start, poll, fetch what was made."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, Field

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.broker import jobs
from mozaiks_shell.foundation.access import Access, Principal

router = APIRouter(prefix="/api/ai/jobs", tags=["workflow jobs"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


class Wish(BaseModel):
    """Work for a workflow."""

    workflow_name: str = Field(min_length=1, max_length=128)
    message: str
    timeout_seconds: float = 3600.0
    client_request_id: str = Field("", max_length=100)


@router.post("", status_code=202)
async def start(person: Person, wish: Wish, key: Key = "") -> dict[str, Any]:
    """Start it. ``state`` is ``pending``; ask again at ``/api/ai/jobs/{id}``."""
    return await jobs.start(
        person, wish.workflow_name, wish.message, seconds=wish.timeout_seconds, key=key or wish.client_request_id
    )  # fmt: skip


@router.get("")
async def listing(person: Person, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
    """One's own, newest first."""
    return {"jobs": await jobs.listing(person, limit)}


@router.get("/{job_id}")
async def find(person: Person, job_id: str) -> dict[str, Any]:
    """How it stands: ``pending``, ``running``, ``waiting_for_input`` (answer it in the chat ``chat_id``), ``done``, ``failed``,
    ``timed_out`` or ``cancelled``, why (``error``), and what it made.
    """
    return await jobs.find(person, job_id)


@router.post("/{job_id}/cancel")
async def cancel(person: Person, job_id: str) -> dict[str, Any]:
    """Wait for it no longer; 409 when it has ended."""
    return await jobs.cancel(person, job_id)


@router.get("/{job_id}/artifacts/{name}")
async def artifact(person: Person, job_id: str, name: str) -> Response:
    """What it made, as a download."""
    file = await jobs.artifact(person, job_id, name)
    headers = {"content-disposition": f'attachment; filename="{file.name}"', "cache-control": "private, no-store"}
    return Response(file.content, media_type=file.content_type, headers=headers)
