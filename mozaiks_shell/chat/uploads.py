"""Files a person puts into a chat (F-190): checked, kept privately for that person, handed to the run, told in the transcript.

The content is kept like every file of a person, so it is downloaded from ``/api/files/<id>`` by its owner alone, counts
against their quota, is in the export of their data and goes with the account. It also goes with its chat.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
from sqlmodel import col, delete, func, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat.bridge import Bridge, RunEnded
from mozaiks_shell.chat.keeper import known
from mozaiks_shell.chat.models import LIVE_STATUSES, Chat, ChatEvent
from mozaiks_shell.foundation import file_store, http
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, ScopedSession, session, system_session
from mozaiks_shell.foundation.errors import Forbidden, Invalid, NotFound, ShellError, TooLarge, Unavailable, Upstream
from mozaiks_shell.foundation.file_kinds import kind_of, safe_name
from mozaiks_shell.foundation.file_models import StoredFile
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("chat")

KIND: Final = "attachment"  # of the line in the log
INTENTS: Final = ("context", "bundle", "deliverable")
PER_MINUTE: Final = 30
_WITHIN: Final = 60.0  # seconds the runtime may take
_PATH: Final = re.compile(r"[^\x00-\x1f\x7f\\:]{1,300}")
_places = asyncio.Semaphore(4)  # uploads held in memory at once


class UploadRefused(Forbidden):
    code = "UPLOADS_NOT_ALLOWED"


def welcome(workflow: str) -> bool:
    """Whether this workflow takes files (``CHAT_ATTACHMENTS_ALLOWED_WORKFLOWS``)."""
    allowed = get_settings().upload_workflows
    return "*" in allowed or workflow in allowed


def takes(name: str) -> bool:
    """Whether files with this name's ending are taken (``CHAT_ATTACHMENTS_ALLOWED_TYPES``)."""
    types = get_settings().upload_types
    return not types or name.lower().endswith(tuple(types))


async def admit(principal: Principal, chat_id: str) -> Chat:
    """The chat a file may be put into; asked before the file is read.

    Raises:
        NotFound: not a chat of this person.
        UploadRefused: its workflow takes no files.
        RunEnded: its run has ended, so nobody would look at the file.
        TooMany: more than 30 in a minute.
    """
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        chat = await db.get(Chat, chat_id)
    if chat is None:
        raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
    if not welcome(chat.workflow):
        raise UploadRefused(tr("This assistant takes no files."))
    if chat.status not in LIVE_STATUSES:
        raise RunEnded(tr("This run has ended. Start a new chat to go on."))
    await hit("chat.upload", principal.user_id, PER_MINUTE)
    return chat


async def take(principal: Principal, chat: Chat, name: str, content: bytes, intent: str, bundle_path: str) -> dict[str, Any]:
    """Keep a file and hand it to the run; returns its line for the transcript. What the runtime refuses is not kept.

    Args:
        chat: From :func:`admit`.
        intent: ``context``, ``bundle`` or ``deliverable``.
        bundle_path: Where in the bundle; empty without one.

    Raises:
        Invalid: ``FILE_NAME``, ``EMPTY_FILE``, ``BAD_INTENT`` or ``BAD_BUNDLE_PATH``.
        TooLarge: ``FILE_TOO_LARGE``, or more than the person's quota (``FILE_QUOTA``).
        UploadRefused: ``FILE_TYPE``, or the runtime would not have it.
        Unavailable, Upstream: the runtime could not be asked.
    """
    settings = get_settings()
    if len(content) > settings.upload_max_bytes:
        raise too_large()
    if not content:
        raise Invalid(tr("The file is empty."), code="EMPTY_FILE")
    if intent not in INTENTS:
        raise Invalid(tr("A file is for context, for a bundle, or a deliverable."), code="BAD_INTENT")
    if bundle_path and not _inside(bundle_path):
        raise Invalid(tr("This is not a place in a bundle."), code="BAD_BUNDLE_PATH")
    shown = safe_name(name)
    if not takes(shown):
        raise UploadRefused(tr("Files of this kind are not taken."), code="FILE_TYPE")
    row = StoredFile(
        app_id=principal.app_id, user_id=principal.user_id, plugin="", name=shown, content_type=kind_of(shown, content),
        size=len(content), sha256=file_store.checksum(content),
    )  # fmt: skip
    async with _places:
        try:
            await _keep(principal, row, content)
            await _forward(principal, chat, row, content, intent, bundle_path)
        except BaseException:
            await remove_files(principal.app_id, [row.id])
            await file_store.remove(row)
            raise
    return {
        "id": row.id,
        "name": row.name,
        "type": row.content_type,
        "size": row.size,
        "intent": intent,
        "bundle_path": bundle_path or None,
        "at": now().isoformat(),
    }


async def attached(bridge: Bridge, line: Mapping[str, Any]) -> None:
    """Tell in the transcript, in the process that owns the run, that a file was put into the chat."""
    bridge.channel.append(KIND, dict(line))
    await bridge.channel.settled()


async def files_of(db: ScopedSession, chats: Sequence[str]) -> list[str]:
    """Ids of the files in these chats."""
    lines = select(ChatEvent.body).where(col(ChatEvent.chat_id).in_(chats), col(ChatEvent.kind) == KIND)
    return [str(json.loads(body).get("id")) for body in (await db.execute(lines)).scalars()]


async def remove_files(app_id: str, ids: Sequence[str]) -> None:
    """Remove these files of chats, rows and contents; harmless where they are gone."""
    if not ids:
        return
    async with system_session(app_id) as db:
        mine = (col(StoredFile.id).in_(ids), col(StoredFile.plugin) == "")
        rows = (await db.execute(select(StoredFile).where(*mine))).scalars().all()
        await db.execute(delete(StoredFile).where(*mine).execution_options(synchronize_session=False))
    for row in rows:
        await file_store.remove(row)


def too_large() -> TooLarge:
    """The file is over the limit."""
    most = get_settings().upload_max_bytes
    return TooLarge(tr("The file may have at most {size} bytes.", size=most), code="FILE_TOO_LARGE")


def _inside(path: str) -> bool:
    """Whether it is a relative path that stays where it begins."""
    parts = path.split("/")
    return bool(_PATH.fullmatch(path)) and all(part and part.strip(".") and part == part.strip() for part in parts)


async def _keep(principal: Principal, row: StoredFile, content: bytes) -> None:
    quota = get_settings().file_quota_bytes
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        db.add(row)
        await db.flush()
        used = int((await db.execute(select(func.coalesce(func.sum(StoredFile.size), 0)))).scalar_one())
        if used > quota:
            raise TooLarge(tr("You may keep at most {size} bytes of files.", size=quota), code="FILE_QUOTA")
        await file_store.write(row, content)  # content before row: what is listed can be read


async def _forward(principal: Principal, chat: Chat, row: StoredFile, content: bytes, intent: str, bundle_path: str) -> None:
    """POST /api/chat/upload of the published runtime (protocol §1.2). Not repeated: it would be there twice."""
    found = known(chat)
    assert found is not None
    opened = await broker.connect(principal, found)
    form = {"appId": principal.app_id, "userId": principal.user_id, "chatId": chat.runtime_chat_id, "intent": intent}
    form |= {"bundle_path": bundle_path} if bundle_path else {}
    headers = {"authorization": f"Bearer {opened.token}"}
    try:
        async with http.client(opened.api_url, timeout=_WITHIN) as client:
            sent = {"file": (row.name, content, row.content_type)}
            answer = await client.post("/api/chat/upload", data=form, files=sent, headers=headers)
    except httpx.HTTPError as error:
        log.warning("upload not forwarded", chat=chat.id, error=type(error).__name__)
        raise Unavailable(tr("The assistant is not reachable right now. Please try again in a moment.")) from None
    if answer.status_code >= 300:
        raise _refusal(answer, chat.id)


def _refusal(answer: httpx.Response, chat_id: str) -> ShellError:
    told = answer.text[:2000]
    log.warning("upload refused by the runtime", chat=chat_id, status=answer.status_code, answer=told[:300])
    if answer.status_code == 413 or "413" in told[:60]:
        return TooLarge(tr("The file is too large for the assistant."), code="FILE_TOO_LARGE")
    if answer.status_code in {400, 403, 404, 405, 415}:  # also what a runtime answers that has no such route
        return UploadRefused(tr("The assistant does not take this file."))
    return Upstream(tr("The assistant's server reported an error."), code="RUNTIME_ERROR")
