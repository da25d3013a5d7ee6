"""The person's chats over HTTP (F-153, F-188). A chat of somebody else or of another app is 404, like one that never was."""

import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.chat import pictures, service, uploads
from mozaiks_shell.chat import retention as retention  # defines its job
from mozaiks_shell.chat import search as found
from mozaiks_shell.chat.export import Format, export
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.search import Found
from mozaiks_shell.chat.service import ChatSummary
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Invalid, NotFound, ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings

router = APIRouter(prefix="/api")
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
EXPORTS_PER_MINUTE: Final = 30
_PART: Final = 32_000  # characters sent at once
Status = Literal["connecting", "running", "waiting", "completed", "interrupted", "stopped", "failed"]


class Rename(BaseModel):
    """Body of PATCH."""

    title: str = Field(min_length=1, max_length=120)


@router.get("/chats")
async def chats(
    person: Person,
    limit: Annotated[int, Query(ge=1, le=found.LARGEST_PAGE)] = 50,
    cursor: Annotated[str, Query(max_length=300)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    workflow: Annotated[str, Query(max_length=128)] = "",
    status: Status | None = None,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """The caller's chats, the last used first, a page at a time; ``q`` finds words in names and texts."""
    page = await found.history(person, limit=limit, cursor=cursor, search=q, workflow=workflow, status=status or "")
    rows = [_row(one) | _place(one) for one in page.chats]
    return _unless_known({"sessions": rows, "count": len(rows), "next_cursor": page.cursor or None}, if_none_match)


@router.get("/sessions/list/{app_id}/{user_id}")
async def sessions(app_id: str, user_id: str, person: Person) -> dict[str, Any]:
    """The same in the published runtime's shape: the newest 100 of the caller, whatever their status."""
    if (app_id, user_id) != (person.app_id, person.user_id):
        raise NotFound(tr("There is no such list."), code="NOT_FOUND")
    page = await found.history(person, limit=100)
    return {"sessions": [_row(one) for one in page.chats], "count": len(page.chats)}


@router.get("/chats/{chat_id}")
async def chat(
    chat_id: str,
    person: Person,
    after: Annotated[int, Query(ge=-1, lt=2**31)] = -1,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> dict[str, Any]:
    """A chat with its transcript after an offset. ``next``: ask again with it as ``after``; null at the end."""
    summary = await service.find_chat(person, chat_id)
    items: list[dict[str, Any]] = []
    async with contextlib.aclosing(_items(person, chat_id, after)) as shown:
        async for offset, item in shown:
            if len(items) == limit:
                return {**_row(summary), "items": items, "next": after}
            items.append(item)
            after = offset
    return {**_row(summary), "items": items, "next": None}


@router.get("/chats/{chat_id}/export")
async def download(chat_id: str, person: Person, format: Format = "markdown") -> StreamingResponse:
    """A chat as a file: ``markdown``, ``json`` or ``agui`` (AG-UI events, one per line)."""
    await hit("chat.export", person.user_id, EXPORTS_PER_MINUTE)
    summary = await service.find_chat(person, chat_id)
    async with session(Scope(person.app_id, person.user_id)) as db:
        row = await db.get(Chat, chat_id)
    if row is None:
        raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
    file = export(row, summary.title, format)
    headers = {
        "content-disposition": f'attachment; filename="{file.name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_encoded(file.parts), media_type=file.media_type, headers=headers)


@router.get("/chats/{chat_id}/picture", response_class=Response)
async def picture(chat_id: str, person: Person, url: Annotated[str, Query(min_length=8, max_length=4000)]) -> Response:
    """An image of another server that a message of this chat names; asked for when the person wants to see it."""
    body, kind = await pictures.picture(person, chat_id, url)
    headers = {
        "cache-control": "private, max-age=3600",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
    }
    return Response(body, media_type=kind, headers=headers)


@router.patch("/chats/{chat_id}", status_code=204)
async def rename(chat_id: str, body: Rename, person: Person) -> Response:
    """Give a chat another name."""
    await service.rename_chat(person, chat_id, body.title)
    return Response(status_code=204)


@router.delete("/chats/{chat_id}", status_code=204)
async def remove(chat_id: str, person: Person) -> Response:
    """Delete a chat with everything in it; a run that is open is let go of."""
    await service.delete_chat(person, chat_id)
    return Response(status_code=204)


@router.post("/chat/upload")
async def upload(request: Request, person: Person) -> dict[str, Any]:
    """A file for a chat: multipart with ``file``, ``chatId``, ``intent``; perhaps ``bundle_path``, ``appId``, ``userId``."""
    return await _upload(request, person, person.app_id, person.user_id)


@router.post("/chat/upload/{app_id}/{user_id}")
async def upload_as(app_id: str, user_id: str, request: Request, person: Person) -> dict[str, Any]:
    """The same, with app and person in the address."""
    return await _upload(request, person, app_id, user_id)


async def _upload(request: Request, person: Principal, app_id: str, user_id: str) -> dict[str, Any]:
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=10_000) as form:
            given = (_field(form, "appId") or app_id, _field(form, "userId") or user_id, app_id, user_id)
            if given != (person.app_id, person.user_id, person.app_id, person.user_id):
                raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
            chat = await uploads.admit(person, _field(form, "chatId"))
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Invalid(tr("Send one file."), code="NO_FILE")
            if file.size is not None and file.size > get_settings().upload_max_bytes:
                raise uploads.too_large()
            intent, place = _field(form, "intent") or "context", _field(form, "bundle_path")
            line = await uploads.take(person, chat, file.filename or "", await file.read(), intent, place)
    except HTTPException as error:  # what Starlette makes of a malformed form
        raise Invalid(tr("Send one file."), code="NO_FILE") from error
    try:
        await service.attach(person, chat.id, line)
    except ShellError:  # its run ended meanwhile: no line would lead to the file
        await uploads.remove_files(person.app_id, [line["id"]])
        raise
    attachment = {
        "attachment_id": line["id"],
        "filename": line["name"],
        "size_bytes": line["size"],
        "content_type": line["type"],
        "intent": line["intent"],
        "bundle_path": line["bundle_path"],
        "uploaded_at_utc": line["at"],
        "user_id": person.user_id,
        "url": f"/api/files/{line['id']}",
    }
    owner = {"chat_id": chat.id, "app_id": person.app_id, "user_id": person.user_id}
    return {"success": True, **owner, "attachment": attachment}


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _row(one: ChatSummary) -> dict[str, Any]:
    created = {"created_at": one.created_at.isoformat()} if isinstance(one, Found) else {}
    return {
        "chat_id": one.id,
        "workflow_name": one.workflow,
        "title": one.title,
        "status": one.status,
        **created,
        "last_updated_at": one.updated_at.isoformat(),
        "last_text": one.last_text,
    }


def _place(one: Found) -> dict[str, Any]:
    return {"found": {"text": one.snippet, "offset": one.offset}} if one.offset >= 0 else {}


def _unless_known(answer: dict[str, Any], known: str) -> Response:
    """The answer, or 304 when the caller has this very one."""
    body = json.dumps(answer, ensure_ascii=False).encode()
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "cookie, authorization"}
    if tag in (one.strip() for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def _items(person: Principal, chat_id: str, after: int) -> AsyncGenerator[tuple[int, dict[str, Any]]]:
    channel = await service.runs().transcript.hold(person.app_id, person.user_id, chat_id)
    try:
        async for offset, text in channel.replay(after):
            item = json.loads(text)
            yield offset, item if isinstance(item, dict) else {"o": item[0], "k": "text", "text": item[1]}
    finally:
        service.unwatch(channel)


async def _encoded(parts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Neighbouring parts as one, so that a long chat is not sent word by word."""
    held: list[str] = []
    size = 0
    async for part in parts:
        held.append(part)
        size += len(part)
        if size >= _PART:
            yield "".join(held).encode("utf-8", "replace")
            held, size = [], 0
    yield "".join(held).encode("utf-8", "replace")
