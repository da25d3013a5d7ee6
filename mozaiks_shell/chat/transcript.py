"""The durable transcript (D4): an append-only log per chat, and its fan-out to the browsers that watch.

Every item of a chat has an offset that only grows. Written before shown: a watcher gets an item after the
transaction that holds it was committed, so nothing that was seen can be lost.
"""

import asyncio
import contextvars
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sqlalchemy import Executable, func, select
from sqlmodel import col

from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.chat.writer import DELTA, PATIENCE, Entry, Guard, Writer
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("chat")

MAX_BACKLOG = 4000  # entries; beyond that readers of upstream sockets wait
STALLED_AFTER = 1.5  # seconds without a commit, while something waits for one, after which people are told
_TAIL_ITEMS = 1000
_TAIL_CHARS = 1_000_000
_PAGE = 500
_LATE = msg("Saving takes longer than usual. What comes next appears as soon as it is saved.")


def dumps(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def wire(offset: int, kind: str, body: str) -> str:
    """An item as the browser gets it: ``[o,"text"]`` for a piece of text, else ``{"o":..,"k":..,...}``."""
    if kind == DELTA:
        return f"[{offset},{dumps(body)}]"
    return f'{{"o":{offset},"k":"{kind}",{body[1:]}'


class Tail:
    """What one watcher has yet to see. Bounded: a watcher that falls behind is told so (``lost``) and reads the log."""

    __slots__ = ("_chars", "_items", "_news", "_waiter", "lost")

    def __init__(self) -> None:
        self.lost = False
        self._items: list[Entry] = []
        self._chars = 0
        self._news = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, entry: Entry) -> None:
        """Add a committed entry."""
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.lost:
            return
        self._items.append(entry)
        self._chars += len(entry.body)
        if len(self._items) > _TAIL_ITEMS or self._chars > _TAIL_CHARS:
            self._items.clear()
            self.lost = True

    async def take(self) -> list[Entry]:
        """Wait for news and take all of it; empty with ``lost`` set when the log must be read instead. For one reader."""
        if not self._news:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        return self.rest()

    def rest(self) -> list[Entry]:
        """What is there, without waiting."""
        self._news = False
        items, self._items = self._items, []
        self._chars = 0
        return items


class Channel:
    """A chat in this process: gives out offsets, passes committed entries on.

    ``live`` is the (id, offset) of the message that is being written, ``frame`` the newest committed status frame.
    """

    def __init__(self, transcript: "Transcript", app_id: str, user_id: str, chat_id: str, next_offset: int) -> None:
        self.app_id, self.user_id, self.chat_id = app_id, user_id, chat_id
        self.next_offset = next_offset
        self.live: tuple[str, int] | None = None
        self.frame = ""
        self.holders = 0
        self.reading = 0  # replays under way; what they read must not be compacted under their eyes
        self.broken: BaseException | None = None
        self.fence = 0  # of this process's lease on the chat; 0 when another process writes it, or nobody
        self.moved = False  # another process took the chat over; who watches here starts again
        self._transcript = transcript
        self._tails: set[Tail] = set()
        self._language = contextvars.copy_context()

    @property
    def scope(self) -> Scope:
        """The wall around this chat's rows."""
        return Scope(self.app_id, self.user_id)

    def append(self, kind: str, body: dict[str, Any] | str, *statements: Executable) -> int:
        """Give an item the next offset and queue it, with statements for the same transaction. Returns the offset."""
        offset, self.next_offset = self.next_offset, self.next_offset + 1
        text = body if isinstance(body, str) else dumps(body)
        self._transcript.put(Entry(self, offset, kind, text, statements))
        return offset

    def tell(self, frame: dict[str, Any], *statements: Executable) -> None:
        """Queue a frame without offset, in order with the items."""
        self._transcript.put(Entry(self, -1, "", dumps(frame), statements))

    def write(self, *statements: Executable) -> None:
        """Queue statements that show nothing."""
        self._transcript.put(Entry(self, -1, "", "", statements))

    def later(self, statement: Executable) -> None:
        """Queue a statement nobody waits for; it runs some time after everything queued before it is committed."""
        self._transcript.put(Entry(self, -1, "", "", later=statement))

    async def settled(self) -> None:
        """Wait until everything queued so far is committed and passed on.

        Raises:
            Unavailable: it could not be written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transcript.put(Entry(self, -1, "", "", (), written))
        await written
        if self.broken is not None:
            raise Unavailable(tr("The conversation could not be saved."), code="TRANSCRIPT_FAILED")

    def watch(self) -> Tail:
        """Start collecting committed entries for a watcher."""
        tail = Tail()
        self._tails.add(tail)
        return tail

    def unwatch(self, tail: Tail) -> None:
        """Stop collecting."""
        self._tails.discard(tail)

    def publish(self, entry: Entry) -> None:
        """Pass a committed entry to every watcher."""
        if entry.offset < 0:
            self.frame = entry.body
        for tail in self._tails:
            tail.put(entry)

    def delayed(self, now: bool) -> None:
        """Tell every watcher that nothing can be saved at the moment, or that this is over. Not durable: it could not be."""
        if not self.frame or not self._tails:
            return
        body = self.frame
        if now:
            told = self._language.run(tr, _LATE)
            body = dumps({**json.loads(body), "detail": told, "delayed": True})
        for tail in self._tails:
            tail.put(Entry(self, -1, "", body))

    def rows(self, after: int, until: int) -> AsyncIterator[tuple[int, str, str]]:
        """Committed (offset, kind, body) with ``after`` < offset < ``until``, in order, a page at a time."""
        return rows(self.scope, self.chat_id, after, until)

    async def replay(self, after: int, holding: str = "") -> AsyncIterator[tuple[int, str]]:
        """Wire items after an offset: finished messages whole, the one being written as ``live`` and one piece.

        A watcher that already saw the ``live`` (its offset is not after ``after``) gets the missing piece only; if the message
        was finished meanwhile and the watcher says that it is ``holding`` it, ``text`` is what it lacks, and ``rest`` says so.
        """
        self.reading += 1  # before the look at ``live``: what is written now is then compacted after us
        try:
            async for item in self._replay(after, holding):
                yield item
        finally:
            self.reading -= 1

    async def _replay(self, after: int, holding: str) -> AsyncIterator[tuple[int, str]]:
        live, until = self.live, self.next_offset  # what comes later reaches the watcher through its tail
        writing = live is not None and live[1] <= after
        text: list[str] = []
        last = after
        async for offset, kind, body in self.rows(after, until):
            if kind == DELTA:
                if writing:
                    text.append(body)
                    last = offset
                continue
            if text:
                yield last, wire(last, DELTA, "".join(text))
                text = []
            if kind == "live":
                writing = live is not None and live[1] == offset
                if not writing:
                    continue
            if kind == "message" and holding:
                body = await self.lacking(body, after, holding)
            yield offset, wire(offset, kind, body)
        if text:
            yield last, wire(last, DELTA, "".join(text))

    async def lacking(self, body: str, after: int, holding: str) -> str:
        """A message without what its watcher, who saw everything up to ``after``, holds of it. Only of ``holding``, and only
        while the log has its pieces; else whole.
        """
        message = json.loads(body)
        if message["id"] != holding:
            return body
        offset, kind, mine = col(ChatEvent.offset), col(ChatEvent.kind), col(ChatEvent.chat_id) == self.chat_id
        began = select(func.max(offset)).where(mine, kind == "live", offset <= after).scalar_subquery()
        pieces = select(kind, col(ChatEvent.body)).where(mine, kind.in_(("live", DELTA)), offset >= began, offset <= after)
        async with session(self.scope) as db:  # in one statement: its rows are compacted all at once
            rows = (await db.execute(pieces.order_by(offset))).all()
        if not rows or json.loads(rows[0][1]).get("id") != holding:
            return body
        seen = "".join(row[1] for row in rows[1:])
        if not message["text"].startswith(seen):
            return body
        return dumps({**message, "text": message["text"][len(seen) :], "rest": True})


Row = tuple[int, str, str]


async def rows(scope: Scope, chat_id: str, after: int, until: int, page_size: int = _PAGE) -> AsyncIterator[Row]:
    """Committed (offset, kind, body) of a chat with ``after`` < offset < ``until``, in order, a page at a time."""
    offset = col(ChatEvent.offset)
    query = select(offset, col(ChatEvent.kind), col(ChatEvent.body)).where(col(ChatEvent.chat_id) == chat_id)
    query = query.where(offset < until).order_by(offset).limit(page_size)
    while True:
        async with session(scope) as db:
            page = (await db.execute(query.where(offset > after))).all()
        for row in page:
            yield row[0], row[1], row[2]
        if len(page) < page_size:
            return
        after = page[-1][0]


class Transcript:
    """All channels of this process and the writer behind them."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._channels: dict[str, Channel] = {}
        self._writer = Writer(get_settings().sql_url_sync, self._done, patience)
        self.prepare: Callable[[Entry], None] = lambda _: None  # before an entry is queued
        self.observe: Callable[[Sequence[Entry], BaseException | None], None] = lambda _, __: (
            None
        )  # after it is committed or lost
        self._loop = asyncio.get_running_loop()
        self._waiting = 0  # entries given to the writer and not yet answered for
        self._committed_at = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._stalled = False

    @property
    def backlog(self) -> int:
        """Entries that wait for the writer, roughly."""
        return self._writer.backlog

    def put(self, entry: Entry) -> None:
        """Queue an entry."""
        self.prepare(entry)
        if not self._waiting:
            self._committed_at = self._loop.time()
        self._waiting += 1
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(STALLED_AFTER, self._look)
        self._writer.put(entry)

    async def breathe(self) -> None:
        """Wait while the writer is far behind, so that memory stays bounded."""
        while self._writer.backlog > MAX_BACKLOG:  # noqa: ASYNC110 - rare, and the thread has better to do than to tell
            await asyncio.sleep(0.01)

    async def hold(self, app_id: str, user_id: str, chat_id: str) -> Channel:
        """The channel of a chat; give it back with :meth:`release`."""
        channel = self._channels.get(chat_id)
        if channel is None:
            query = select(func.max(col(ChatEvent.offset))).where(col(ChatEvent.chat_id) == chat_id)
            async with session(Scope(app_id, user_id)) as db:
                last = (await db.execute(query)).scalar_one()
            # Another task may have made it while we asked.
            channel = self._channels.setdefault(chat_id, Channel(self, app_id, user_id, chat_id, 0 if last is None else last + 1))
        channel.holders += 1
        return channel

    def release(self, channel: Channel) -> None:
        """Forget the channel when nobody holds it any more."""
        channel.holders -= 1
        if channel.holders <= 0 and self._channels.get(channel.chat_id) is channel:
            del self._channels[channel.chat_id]

    def guard(self, guard: Guard) -> None:
        """Let this run inside every transaction of the log; a ValueError of it refuses the entries."""
        self._writer.guard = guard

    def held(self) -> list[Channel]:
        """The channels somebody holds."""
        return list(self._channels.values())

    def forget(self, channel: Channel) -> None:
        """Whoever asks for this chat next gets a new channel."""
        if self._channels.get(channel.chat_id) is channel:
            del self._channels[channel.chat_id]

    async def close(self) -> None:
        """Write what is queued and stop."""
        await self._writer.stop()
        if self._watchdog is not None:
            self._watchdog.cancel()

    def _look(self) -> None:
        """Whether the writer gets on. From here and not from its thread, which a frozen database holds fast."""
        self._watchdog = self._loop.call_later(STALLED_AFTER, self._look) if self._waiting else None
        if self._waiting and not self._stalled and self._loop.time() - self._committed_at >= STALLED_AFTER:
            self._stalled = True
            log.error("transcript stalled", waiting=self._waiting)
            self._delayed()

    def _delayed(self) -> None:
        for channel in list(self._channels.values()):
            channel.delayed(self._stalled)

    def _done(self, batch: Sequence[Entry], error: BaseException | None) -> None:
        self._waiting -= len(batch)
        self._committed_at = self._loop.time()
        if self._stalled:
            self._stalled = False
            log.info("transcript goes on", waiting=self._waiting)
            self._delayed()
        for entry in batch:
            if error is not None:
                entry.channel.broken = error
            elif entry.body:
                entry.channel.publish(entry)
            if entry.written is not None and not entry.written.done():
                entry.written.set_result(None)
        self.observe(batch, error)
