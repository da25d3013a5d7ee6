"""What a person was shown in a chat, line by line, for the files made of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import col, select

from mozaiks_shell.chat.models import Chat, ChatEvent, ChatFeedback, ChatTool
from mozaiks_shell.chat.summary import without_secrets
from mozaiks_shell.chat.transcript import rows
from mozaiks_shell.chat.writer import DELTA
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope, session

_ALL: Final = 2**31 - 1
_PAGE: Final = 50  # lines at once: one can have 200,000 characters
_TRANSIENT: Final = frozenset({"progress", "step", "usage", "navigate", "tool_state"})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a person was shown. ``kind``: message, ask, asked, tool, tool_done, or what another version wrote.

    A message that was replaced stands once, at its first place and with its last text; one that is still being written
    has ``unfinished``, one the person thinks something of ``feedback``. A ``tool`` has its ``payload``, a ``tool_done`` its
    ``response``, both without secrets.
    """

    offset: int
    kind: str
    body: dict[str, Any]


def facts(chat: Chat, title: str) -> dict[str, Any]:
    """What is known of a chat as a whole."""
    return {
        "id": chat.id,
        "workflow": chat.workflow,
        "title": title,
        "status": chat.status,
        "detail": chat.detail,
        "created_at": aware(chat.created_at).isoformat(),
        "updated_at": aware(chat.updated_at).isoformat(),
    }


def moment(body: dict[str, Any]) -> datetime | None:
    """When a message was said, in UTC, if its line tells."""
    try:
        return aware(datetime.fromisoformat(str(body.get("at")))).astimezone(UTC)
    except ValueError:
        return None


async def lines(chat: Chat) -> AsyncIterator[Line]:
    """All that the person was shown, in order."""
    scope = Scope(chat.app_id, chat.user_id)
    replaced = await _replaced(scope, chat.id)
    rated = await _rated(scope, chat.id)
    draft: dict[str, Any] | None = None
    pieces: list[str] = []
    at = 0
    async for offset, kind, body in rows(scope, chat.id, -1, _ALL, _PAGE):
        if kind == DELTA:
            pieces += [body] if draft is not None else []
            continue
        item = json.loads(body)
        if kind == "live":
            draft, pieces, at = item, [], offset
            continue
        if kind == "message":
            if draft is not None and draft.get("id") == item.get("id"):
                draft, pieces = None, []
            last = replaced.get(str(item.get("id")))
            if last is not None:
                if last.told:
                    continue
                last.told = True
                item = await _message(scope, chat.id, last.offset) or item
            if (feedback := rated.get(str(item.get("id")))) is not None:
                item["feedback"] = feedback
        elif kind in _TRANSIENT:
            continue
        elif kind in {"tool", "tool_done"}:
            item |= await _of_tool(scope, chat.id, kind, str(item.get("id")))
        yield Line(offset, kind, item)
    if draft is not None and pieces:
        unfinished = {"id": draft.get("id"), "role": "agent", "who": draft.get("who", ""), "text": "".join(pieces)}
        yield Line(at, "message", unfinished | {"unfinished": True})


@dataclass(slots=True)
class _Last:
    offset: int
    told: bool = False


async def _replaced(scope: Scope, chat_id: str) -> dict[str, _Last]:
    """Of messages that stand in the log more than once, where the last is. Holds ids, no texts."""
    seen: set[str] = set()
    found: dict[str, _Last] = {}
    async for offset, kind, body in rows(scope, chat_id, -1, _ALL, _PAGE):
        if kind == "message":
            name = str(json.loads(body).get("id"))
            if name in seen:
                found[name] = _Last(offset)
            seen.add(name)
    return found


async def _message(scope: Scope, chat_id: str, offset: int) -> dict[str, Any] | None:
    query = select(ChatEvent.body).where(col(ChatEvent.chat_id) == chat_id, col(ChatEvent.offset) == offset)
    async with session(scope) as db:
        body = (await db.execute(query)).scalars().first()
    return json.loads(body) if body is not None else None


async def _rated(scope: Scope, chat_id: str) -> dict[str, dict[str, str]]:
    """What the person thinks of messages, by their ids."""
    async with session(scope) as db:
        rows = (await db.execute(select(ChatFeedback).where(col(ChatFeedback.chat_id) == chat_id))).scalars()
        return {one.message_id: {"verdict": one.verdict, "words": one.words} for one in rows}


async def _of_tool(scope: Scope, chat_id: str, kind: str, tool_id: str) -> dict[str, Any]:
    async with session(scope) as db:
        row = await db.get(ChatTool, (chat_id, tool_id))
    if row is None:
        return {}
    payload = json.loads(row.payload)
    if kind == "tool":
        return {"payload": without_secrets(payload, payload)}
    return {"response": without_secrets(payload, json.loads(row.response))} if row.response else {}
