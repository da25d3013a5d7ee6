"""A long log a page at a time: the newest items first, older ones when somebody scrolls to them.

Offsets stay what they are: a page is everything between two of them, so that resuming and reading back meet exactly.
"""

import json
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import col

from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.chat.transcript import Channel, wire
from mozaiks_shell.chat.writer import DELTA
from mozaiks_shell.foundation.db import session

SMALLEST: Final = 10
LARGEST: Final = 200
_CHARACTERS: Final = 400_000  # of a page; one item may be longer
_UNSEEN: Final = (DELTA, "live", "progress", "navigate")  # not lines of the log


async def begin_of_page(channel: Channel, before: int, count: int) -> tuple[int, bool]:
    """Where a page of at most ``count`` lines ends that comes before an offset: its first offset, and whether more is older."""
    offset = col(ChatEvent.offset)
    lines = select(offset, func.length(col(ChatEvent.body))).where(
        col(ChatEvent.chat_id) == channel.chat_id, offset < before, col(ChatEvent.kind).not_in(_UNSEEN)
    )
    async with session(channel.scope) as db:
        found = (await db.execute(lines.order_by(offset.desc()).limit(count + 1))).all()
    size, first = 0, 0
    for number, (at, length) in enumerate(found):
        size += length
        if number == count or (number and size > _CHARACTERS):
            return first, True
        first = at
    return 0, False


async def newest(channel: Channel, count: int) -> tuple[int, dict[str, Any]]:
    """From which offset on the newest page is read, and the frame that tells the browser so."""
    first, more = await begin_of_page(channel, channel.next_offset, count)
    if channel.live is not None:
        first = min(first, channel.live[1])
    frame: dict[str, Any] = {"t": "page", "first": first, "more": more}
    if more:
        frame["usage"] = await _usage(channel)
    return first, frame


async def older(channel: Channel, before: int, count: int) -> str:
    """The frame with the page before an offset, its items as they are on the wire."""
    first, more = await begin_of_page(channel, before, count)
    rows = channel.rows(first - 1, before)
    items = [wire(at, kind, body) async for at, kind, body in rows if kind not in _UNSEEN]
    head = f'{{"t":"older","before":{before},"first":{first},"more":{"true" if more else "false"},"items":['
    return head + ",".join(items) + "]}"


async def _usage(channel: Channel) -> dict[str, Any] | None:
    """What was counted last, which may be on an older page."""
    mine = select(col(ChatEvent.body)).where(col(ChatEvent.chat_id) == channel.chat_id, col(ChatEvent.kind) == "usage")
    async with session(channel.scope) as db:
        body = (await db.execute(mine.order_by(col(ChatEvent.offset).desc()).limit(1))).scalars().first()
    return json.loads(body) if body is not None else None
