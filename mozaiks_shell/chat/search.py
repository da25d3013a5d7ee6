"""The history: one's own chats page by page, found by words in their names and in what was said in them (F-153, F-188).

The search reads the messages of one person's chats, picked by index, and compares; there is no second copy of the texts that
could disagree with the log or outlive it. 10,000 messages take some tens of milliseconds on SQLite.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, or_, tuple_
from sqlalchemy.dialects.postgresql import JSON as PostgresJson
from sqlmodel import col, select

from mozaiks_shell.chat.labels import label_of
from mozaiks_shell.chat.models import Chat, ChatEvent
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.chat.service import ChatSummary
from mozaiks_shell.chat.summary import plain
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope, engine, session
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit

LARGEST_PAGE: Final = 200
SEARCHES_PER_MINUTE: Final = 120
_WORDS: Final = 8
_AROUND: Final = 60  # characters of a message shown before and after what was found


@dataclass(frozen=True, slots=True)
class Found(ChatSummary):
    """A chat in the history. ``snippet``: where a message holds the words, with its ``offset``; else empty and -1."""

    created_at: datetime
    snippet: str = ""
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Page:
    """``cursor`` asks for what follows; empty at the end."""

    chats: list[Found]
    cursor: str


async def history(
    principal: Principal, *, limit: int = 50, cursor: str = "", search: str = "", workflow: str = "", status: str = ""
) -> Page:
    """This person's chats, the last used first.

    Args:
        limit: At most this many, up to 200.
        cursor: From the page before.
        search: Every word of it occurs in the name of the chat or its workflow, or every word in one message of it.
        workflow: Only of this one.
        status: Only those that stand so.

    Raises:
        Invalid: not a cursor of ours.
        TooMany: more than 120 searches in a minute.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    words = clean(search, 200).split()[:_WORDS]
    if words:
        await hit("chat.search", principal.user_id, SEARCHES_PER_MINUTE)
    query = select(Chat).order_by(col(Chat.updated_at).desc(), col(Chat.id).desc()).limit(limit + 1)
    if cursor:
        query = query.where(tuple_(col(Chat.updated_at), col(Chat.id)) < tuple_(*_read(cursor)))
    if workflow:
        query = query.where(col(Chat.workflow) == workflow)
    if status:
        query = query.where(col(Chat.status) == status)
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        said: dict[str, int] = {}
        if words:
            said = {row[0]: row[1] for row in (await db.execute(_said(words))).all()}
            named = and_(*(or_(*(_holds(place, word) for place in (col(Chat.title), col(Chat.workflow)))) for word in words))
            query = query.where(or_(named, col(Chat.id).in_(said)))
        rows = list((await db.execute(query)).scalars())
        places = [(row.id, said[row.id]) for row in rows[:limit] if row.id in said]
        snippets: dict[str, str] = {}
        if places:
            where = tuple_(col(ChatEvent.chat_id), col(ChatEvent.offset)).in_(places)
            for chat_id, body in (await db.execute(select(ChatEvent.chat_id, ChatEvent.body).where(where))).all():
                snippets[chat_id] = excerpt(json.loads(body)["text"], words[0])
    found = [_found(row, said.get(row.id, -1), snippets.get(row.id, "")) for row in rows[:limit]]
    return Page(found, _write(rows[limit - 1]) if len(rows) > limit else "")


def _said(words: list[str]) -> Any:
    """The chats in which a message holds all these words, and the offset of the last such message."""
    body, kind = col(ChatEvent.body), col(ChatEvent.kind)
    if engine().dialect.name == "postgresql":
        text: Any = cast(body, PostgresJson)["text"].astext
    else:
        text = func.json_extract(body, "$.text")
    text = cast(case((kind == "message", text), else_=""), Text)  # the pieces of a text are no JSON
    query = select(col(ChatEvent.chat_id), func.max(col(ChatEvent.offset))).join(Chat, col(Chat.id) == col(ChatEvent.chat_id))
    query = query.where(kind == "message")
    for word in words:  # first as it stands in the JSON, which is cheap and rules most out
        query = query.where(_holds(body, json.dumps(word, ensure_ascii=False)[1:-1]), _holds(text, word))
    return query.group_by(col(ChatEvent.chat_id))


def _holds(place: Any, word: str) -> ColumnElement[bool]:
    """Whether a text has the word in it; case does not matter, also where the database knows that of ASCII alone."""
    forms = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    return or_(*(place.icontains(form, autoescape=True) for form in sorted(forms)))


def _found(row: Chat, offset: int, snippet: str) -> Found:
    title = row.title or label_of(row.workflow)
    return Found(
        row.id, row.workflow, title, row.status, aware(row.updated_at), row.last_text, aware(row.created_at), snippet, offset
    )  # fmt: skip


def excerpt(text: str, word: str) -> str:
    """One line around the first place of a word."""
    at = max(0, text.casefold().find(word.casefold()))
    start, end = max(0, at - _AROUND), at + len(word) + _AROUND
    line = plain(text[start:end])
    return f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}"


def _write(row: Chat) -> str:
    return base64.urlsafe_b64encode(f"{aware(row.updated_at).isoformat()} {row.id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        told = base64.urlsafe_b64decode(cursor[:300] + "=" * (-len(cursor) % 4)).decode()
        moment, _, chat_id = told.partition(" ")
        return aware(datetime.fromisoformat(moment)), clean(chat_id, 128)
    except (ValueError, binascii.Error):
        raise Invalid(tr("This page of the list does not exist."), code="BAD_CURSOR") from None
