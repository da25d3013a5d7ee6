"""Watching a chat that another process writes: its log is read from the database as it grows (F-197 across processes).

The owner hints on the bus; without a hint the log is looked at every second. Offsets only grow and one process writes them,
so what is read after the last offset is everything, in order.
"""

import asyncio
import contextlib
import json
from weakref import WeakKeyDictionary

from sqlalchemy import func
from sqlmodel import col, select

from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.chat.ownership import lease_of
from mozaiks_shell.chat.transcript import Channel, Transcript
from mozaiks_shell.chat.writer import Entry
from mozaiks_shell.foundation.bus import ANYTHING
from mozaiks_shell.foundation.db import session, system_session
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Lease

log = get_logger("chat")

_LOOK = 1.0  # seconds between two looks without a hint
_AT_ONCE = 200  # chats per query
_END = 2**31 - 1


class Followers:
    """Keeps the channels of this process that another process writes up to date."""

    def __init__(self, transcript: Transcript, leases: Leases) -> None:
        self._transcript = transcript
        self._leases = leases
        self._locks: WeakKeyDictionary[Channel, asyncio.Lock] = WeakKeyDictionary()
        self._notes: WeakKeyDictionary[Channel, str] = WeakKeyDictionary()  # of channels that are followed: the last status seen
        self._grown: set[str] = set()
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._follow(), name="followed chats")

    async def stop(self) -> None:
        """Follow nothing any more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def grown(self, topics: frozenset[str]) -> None:
        """These chats have news, or any of them."""
        self._grown |= topics
        self._news.set()

    async def attach(self, channel: Channel) -> None:
        """Begin to follow a chat, unless this process writes it."""
        async with self._lock(channel):
            if not channel.fence and channel not in self._notes:
                name = lease_of(channel.chat_id)
                note = await self._leases.note(name)
                if note and not channel.frame and await self._leases.holder(name):
                    channel.frame = note
                if channel.live is None:
                    channel.live = await _written(channel)
                self._notes[channel] = note
        self.grown(frozenset({channel.chat_id}))

    async def adopt(self, channel: Channel, fence: int) -> None:
        """This process writes the chat from now on; everything that was written before is known first."""
        async with self._lock(channel):
            if channel.live is None and channel not in self._notes:
                channel.live = await _written(channel)
            await _read_on(channel)
            channel.broken = None
            channel.fence = fence
            self._notes.setdefault(channel, "")

    def _lock(self, channel: Channel) -> asyncio.Lock:
        return self._locks.setdefault(channel, asyncio.Lock())

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._news.wait()
            hinted = self._news.is_set()
            self._news.clear()
            grown, self._grown = self._grown, set()
            if not hinted and self._leases.alone:
                continue
            everything = not hinted or ANYTHING in grown
            followed = [
                channel for channel in self._transcript.held() if not channel.fence and (everything or channel.chat_id in grown)
            ]
            try:
                for at in range(0, len(followed), _AT_ONCE):
                    await self._look({channel.chat_id: channel for channel in followed[at : at + _AT_ONCE]})
            except Exception as error:  # noqa: BLE001 - a database that is away comes back; whoever watches must not be left behind
                log.warning("followed chats not read", error=str(error)[:200])
                self._grown |= grown
                await asyncio.sleep(_LOOK)

    async def _look(self, followed: dict[str, Channel]) -> None:
        chat, name = col(ChatEvent.chat_id), col(Lease.name)
        names = [lease_of(chat_id) for chat_id in followed]
        async with system_session() as db:  # the status first: what was written before it is then there as well
            notes = dict((await db.execute(select(name, col(Lease.note)).where(name.in_(names)))).all())
            ends = select(chat, func.max(col(ChatEvent.offset))).where(chat.in_(list(followed))).group_by(chat)
            last = dict((await db.execute(ends)).all())
        for chat_id, channel in followed.items():
            note = notes.get(lease_of(chat_id), "")
            known = self._notes.get(channel)
            if last.get(chat_id, -1) >= channel.next_offset or (note and note != known):
                async with self._lock(channel):
                    if channel.fence:
                        continue
                    await _read_on(channel)
                    if known is not None and note and note != known:
                        self._notes[channel] = note
                        channel.publish(Entry(channel, -1, "", note))


async def _read_on(channel: Channel) -> None:
    """Pass on what was committed since the channel's last offset."""
    async for offset, kind, body in channel.rows(channel.next_offset - 1, _END):
        if kind == "live":
            channel.live = (json.loads(body)["id"], offset)
        elif kind == "message" and channel.live is not None and json.loads(body)["id"] == channel.live[0]:
            channel.live = None
        channel.next_offset = offset + 1
        channel.publish(Entry(channel, offset, kind, body))


async def _written(channel: Channel) -> tuple[str, int] | None:
    """The (id, offset) of the message that is being written, as of the channel's last offset."""
    offset, kind, body = col(ChatEvent.offset), col(ChatEvent.kind), col(ChatEvent.body)
    rows = select(offset, body).where(col(ChatEvent.chat_id) == channel.chat_id, offset < channel.next_offset)
    async with session(channel.scope) as db:
        begun = (await db.execute(rows.where(kind == "live").order_by(offset.desc()).limit(1))).first()
        if begun is None:
            return None
        message_id = json.loads(begun[1])["id"]
        after = (await db.execute(rows.where(kind == "message", offset > begun[0]))).all()
    return None if any(json.loads(row[1])["id"] == message_id for row in after) else (message_id, begun[0])
