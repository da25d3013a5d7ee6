"""Attachments: taken in bounded pieces, kept below one folder, never under a name a person chose alone (protocol §1.3)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message

from . import frames
from .chat import Chat
from .config import RuntimeConfig
from .frames import Frame

_FIELDS_BYTES = 64 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@asynccontextmanager
async def bounded_form(request: Request, config: RuntimeConfig) -> AsyncIterator[FormData]:
    """The multipart form; a body above the limit is refused while it comes in, whatever it says about its length.

    Raises:
        HTTPException: 413 too large, 400 not a form.
    """
    limit = config.upload_max_bytes + _FIELDS_BYTES
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(config)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        event = await request.receive()
        taken += len(event.get("body", b""))
        if taken > limit:
            raise _too_large(config)
        return event

    try:
        async with Request(request.scope, receive).form(max_files=1, max_fields=12, max_part_size=_FIELDS_BYTES) as form:
            yield form
    except ClientDisconnect:
        raise HTTPException(400, "The upload was broken off") from None


def _too_large(config: RuntimeConfig) -> HTTPException:
    return HTTPException(413, f"File too large: at most {config.upload_max_bytes} bytes")


def check_kind(config: RuntimeConfig, chat: Chat, file: Any, intent: str) -> UploadFile:
    """The file, if its workflow takes files, and such files.

    Raises:
        HTTPException: 400 with the reason.
    """
    if not isinstance(file, UploadFile) or not file.filename:
        raise HTTPException(400, "file is required")
    if intent not in ("context", "bundle"):
        raise HTTPException(400, f"intent must be context or bundle, not {intent[:40]!r}")
    if config.uploads_path is None:
        raise HTTPException(400, "Attachments are switched off: this runtime has no folder for them")
    if config.upload_workflows is not None and chat.workflow not in config.upload_workflows:
        raise HTTPException(400, f"Attachments are not enabled for workflow {chat.workflow}")
    suffix = Path(file.filename).suffix.lower()
    if suffix not in config.upload_suffixes:
        raise HTTPException(400, f"Files of the kind {suffix or 'without suffix'} are not taken")
    return file


async def store(config: RuntimeConfig, chat: Chat, file: UploadFile, intent: str, bundle_path: str | None) -> Frame:
    """Write the file; the attachment as clients and workflows see it. ``stored_path`` is relative to the folder of uploads.

    Raises:
        HTTPException: 413 when the file alone is above the limit.
    """
    assert config.uploads_path is not None
    id_ = f"att_{uuid.uuid4().hex}"
    name = _UNSAFE.sub("_", Path(file.filename or "file").name).strip("._")[-80:] or "file"
    folder = _folder(chat.app_id, chat.chat_id)
    target = Path(config.uploads_path) / folder / f"{id_}_{name}"
    if file.size is not None and file.size > config.upload_max_bytes:
        raise _too_large(config)
    size = await asyncio.to_thread(_write, file, target)
    return {
        "attachment_id": id_,
        "filename": name,
        "stored_path": (Path("uploads") / folder / target.name).as_posix(),
        "size_bytes": size,
        "content_type": (file.content_type or "application/octet-stream")[:100],
        "intent": intent,
        "bundle_path": bundle_path,
        "uploaded_at_utc": frames.now(),
        "user_id": chat.user_id,
    }


def _folder(app_id: str, chat_id: str) -> Path:
    return Path(_UNSAFE.sub("_", app_id), _UNSAFE.sub("_", chat_id))


def forget(config: RuntimeConfig, attachments: list[Frame]) -> None:
    """Delete these files of a chat. Blocking. By their own names: two chats may share a folder."""
    for one in attachments if config.uploads_path is not None else ():
        stored = Path(str(one.get("stored_path", "")))
        target = Path(config.uploads_path or "") / stored.relative_to("uploads")
        target.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            target.parent.rmdir()


def _write(file: UploadFile, target: Path) -> int:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    size = 0
    partial = target.with_suffix(target.suffix + ".part")
    with partial.open("xb") as out:
        while piece := file.file.read(1 << 16):
            size += out.write(piece)
    partial.rename(target)
    return size
