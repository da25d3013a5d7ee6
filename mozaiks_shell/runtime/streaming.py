"""Writing one answer: prints as they come, then the final text, then what it cost.

Used by runs and by ask mode; ``user.cancel`` stops the writing wherever it waits.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from . import frames
from .chat import MAX_ANSWER_CHARS, Chat, Draft
from .frames import Frame

OFFLINE_MODEL = "offline"


class AnswerError(Exception):
    """The answer could not be written; ``code`` goes into ``chat.error``, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Meter:
    """What an answer cost. Counts a server reported win; the rest is estimated from the text."""

    model: str = OFFLINE_MODEL
    prompt_text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def totals(self, written: str) -> tuple[int, int]:
        """(prompt tokens, completion tokens)."""
        prompt = estimate_tokens(self.prompt_text) if self.prompt_tokens is None else self.prompt_tokens
        reported = self.completion_tokens
        return prompt, estimate_tokens(written) if reported is None else reported


@dataclass(frozen=True)
class Answer:
    """A written answer."""

    text: str
    cancelled: bool = False
    error: AnswerError | None = None


def estimate_tokens(text: str) -> int:
    """One token per four characters, rounded up: an estimate, used where nobody reports a count."""
    return math.ceil(len(text) / 4)


async def words(text: str, delay_ms: float) -> AsyncIterator[str]:
    """A finished text word by word, at reading pace."""
    for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", text):
        yield word
        await asyncio.sleep(delay_ms / 1000)


async def write(
    chat: Chat,
    agent: str,
    source: AsyncIterator[str],
    meter: Meter,
    finish: Callable[[str, Frame], None],
    *,
    held: bool = False,
    lazy: bool = False,
    announce: bool = True,
) -> Answer:
    """Stream ``source`` into the chat as ``agent``.

    ``finish(text, metadata)`` stores and sends the final ``chat.text``; it is called exactly once unless the
    source failed before its first word. A failure is returned, not raised; cancelling the surrounding task
    cancels the writing.

    Args:
        held: Send no prints; the text appears when it is complete.
        lazy: The speaker is announced with the first word; an answer without words (tool calls alone) shows nothing.
        announce: False for agents nobody sees.
    """
    if lazy:
        draft = Draft(agent)
        chat.drafts.append(draft)
    else:
        draft = chat.open_draft(agent)
    started = time.monotonic()
    kept: list[str] = []
    room = MAX_ANSWER_CHARS

    async def pump() -> None:
        nonlocal lazy, room
        async for chunk in source:
            if lazy and chunk:
                lazy = False
                if announce:
                    chat.emit(frames.select_speaker(agent), keep=False)
            if held:
                kept.append(chunk[:room])
                room -= len(kept[-1])
            else:
                chat.append(draft, chunk)

    error: AnswerError | None = None
    draft.task = asyncio.create_task(pump())
    try:
        await draft.task
    except asyncio.CancelledError:
        if not draft.cancelled:
            raise
    except AnswerError as failure:
        error = failure
    finally:
        chat.close_draft(draft)
    text = "".join(kept) if held else draft.text
    if text or (error is None and not lazy) or draft.cancelled:
        extra: Frame = {"cancelled": True} if draft.cancelled else {"interrupted": True} if error else {}
        finish(text, extra)
    if error is None or text:
        chat.emit(usage_delta(chat, agent, meter, text, time.monotonic() - started))
    if error is not None:
        chat.emit(frames.failure(error.message, error.code))
    return Answer(text, draft.cancelled, error)


def usage_delta(chat: Chat, agent: str, meter: Meter, text: str, seconds: float) -> Frame:
    """The accounting frame of one answer (protocol §5)."""
    prompt, completion = meter.totals(text)
    data = {
        "kind": "usage_delta",
        "event_id": uuid.uuid4().hex[:12],
        "event_ts": frames.now(),
        "chat_id": chat.chat_id,
        "app_id": chat.app_id,
        "user_id": chat.user_id,
        "workflow_name": chat.workflow,
        "agent_name": agent,
        "model_name": meter.model,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cached": False,
        "duration_sec": round(seconds, 3),
        "invocation_id": str(uuid.uuid4()),
    }
    return frames.queued("chat.usage_delta", data)
