"""What people think of answers: thumbs up or down and perhaps words, one of each message and person, changeable (F-192).

The person sees theirs in the chat and in its export; it goes with the chat and the account. Owners of the app see verdict,
words, workflow and agent of everybody, and neither the conversation nor who it was.
"""

import json
import re
from datetime import datetime
from typing import Any, Final, Literal

from sqlmodel import col, delete, func, select

from mozaiks_shell.chat.models import Chat, ChatEvent, ChatFeedback
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import aware, now
from mozaiks_shell.foundation.db import Scope, ScopedSession, session, system_session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit

Verdict = Literal["up", "down"]
LONGEST: Final = 2_000  # characters of words
PER_MINUTE: Final = 60
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def rate(principal: Principal, chat_id: str, message_id: str, verdict: Verdict, words: str = "") -> None:
    """Keep what a person thinks of an answer; what they thought of it before is replaced.

    Args:
        words: At most 2,000 characters.

    Raises:
        NotFound: not a chat of this person, or no message of an agent in it.
        TooMany: more than 60 in a minute.
    """
    await hit("chat.feedback", principal.user_id, PER_MINUTE)
    async with session(_scope(principal)) as db:
        chat, agent = await _rated(db, chat_id, message_id)
        row = await db.get(ChatFeedback, (chat_id, message_id), with_for_update=True)
        if row is None:
            row = ChatFeedback(chat_id=chat_id, message_id=message_id, verdict=verdict, workflow=chat.workflow, agent=agent)
            db.add(row)
        row.verdict, row.words, row.updated_at = verdict, clean(words, LONGEST).strip(), now()


async def withdraw(principal: Principal, chat_id: str, message_id: str) -> None:
    """Forget what a person thinks of an answer; harmless where they said nothing.

    Raises:
        NotFound: not a chat of this person.
    """
    await hit("chat.feedback", principal.user_id, PER_MINUTE)
    async with session(_scope(principal)) as db:
        await _chat(db, chat_id)
        mine = (col(ChatFeedback.chat_id) == chat_id, col(ChatFeedback.message_id) == message_id)
        await db.execute(delete(ChatFeedback).where(*mine).execution_options(synchronize_session=False))


async def given(principal: Principal, chat_id: str) -> dict[str, dict[str, str]]:
    """What this person thinks of messages of a chat, by their ids: ``verdict`` and ``words``."""
    async with session(_scope(principal)) as db:
        rows = (await db.execute(select(ChatFeedback).where(col(ChatFeedback.chat_id) == chat_id))).scalars()
        return {one.message_id: {"verdict": one.verdict, "words": one.words} for one in rows}


async def of_app(app_id: str, *, verdict: str = "", workflow: str = "", before: datetime | None = None, limit: int = 100) -> Any:
    """For owners: how often what was thought of each workflow, and the newest, without who and in which conversation.

    Args:
        verdict: ``up`` or ``down``; empty for both.
        before: Only what is older, for the next page.
        limit: At most this many, up to 500.
    """
    counts = select(col(ChatFeedback.workflow), col(ChatFeedback.verdict), func.count())
    query = select(ChatFeedback).order_by(col(ChatFeedback.updated_at).desc(), col(ChatFeedback.message_id))
    if verdict:
        query = query.where(col(ChatFeedback.verdict) == verdict)
    if workflow:
        query = query.where(col(ChatFeedback.workflow) == workflow)
    if before is not None:
        query = query.where(col(ChatFeedback.updated_at) < before)
    async with system_session(app_id) as db:
        counted = (await db.execute(counts.group_by(col(ChatFeedback.workflow), col(ChatFeedback.verdict)))).all()
        rows = (await db.execute(query.limit(max(1, min(limit, 500))))).scalars().all()
    totals: dict[str, dict[str, int]] = {}
    for name, kind, count in counted:
        totals.setdefault(name, {"up": 0, "down": 0})[kind] = count
    return {
        "workflows": [{"workflow_name": name, **totals[name]} for name in sorted(totals)],
        "feedback": [
            {
                "workflow_name": one.workflow,
                "agent": one.agent,
                "verdict": one.verdict,
                "words": one.words,
                "at": aware(one.updated_at).isoformat(),
            }
            for one in rows
        ],
    }


async def verdicts(app_id: str) -> dict[str, int]:
    """How many answers of this app were found helpful (``up``) and how many not (``down``)."""
    query = select(col(ChatFeedback.verdict), func.count()).group_by(col(ChatFeedback.verdict))
    async with system_session(app_id) as db:
        rows = (await db.execute(query)).all()
    return {"up": 0, "down": 0} | {str(row[0]): int(row[1]) for row in rows}


async def _chat(db: ScopedSession, chat_id: str) -> Chat:
    chat = await db.get(Chat, chat_id)
    if chat is None:
        raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
    return chat


async def _rated(db: ScopedSession, chat_id: str, message_id: str) -> tuple[Chat, str]:
    """The chat and who wrote the message."""
    chat = await _chat(db, chat_id)
    if _ID.fullmatch(message_id):
        here = (col(ChatEvent.chat_id) == chat_id, col(ChatEvent.kind) == "message")
        begins = col(ChatEvent.body).startswith(f'{{"id":"{message_id}",', autoescape=True)
        body = (await db.execute(select(ChatEvent.body).where(*here, begins).limit(1))).scalars().first()
        message = json.loads(body) if body is not None else {}
        if message.get("role") == "agent":
            return chat, clean(message.get("who"), 80)
    raise NotFound(tr("There is no such message."), code="MESSAGE_NOT_FOUND")


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)
