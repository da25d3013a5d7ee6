"""All chats: the ones in use in memory, with a bound (least recently used go first); all are in the database if there is one."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .chat import IN_PROGRESS, Chat
from .config import RuntimeConfig
from .frames import Frame
from .threads import Thread, ThreadStore

if TYPE_CHECKING:
    from .archive import Archive
    from .models import RuntimeChat

__all__ = ["IDEMPOTENCY_SECONDS", "ChatStore", "Thread", "ThreadStore"]

IDEMPOTENCY_SECONDS = 15.0  # protocol §1.3
_MAILBOXES = 1000


class ChatStore:
    """Chats by (app, chat id); every access makes a chat the most recently used."""

    def __init__(self, config: RuntimeConfig, archive: Archive | None = None) -> None:
        self._config = config
        self._archive = archive
        self._chats: OrderedDict[tuple[str, str], Chat] = OrderedDict()
        self._loading: dict[tuple[str, str], asyncio.Lock] = {}
        self._mail: OrderedDict[tuple[str, str], deque[tuple[str, Frame]]] = OrderedDict()
        self.counts: Counter[str] = Counter()
        self.runs = 0

    def __iter__(self) -> Iterator[Chat]:
        """The chats in memory, newest first."""
        return iter(sorted(self._chats.values(), key=lambda chat: chat.born, reverse=True))

    def get(self, app_id: str, chat_id: str) -> Chat | None:
        """The chat if it is in memory, whoever owns it."""
        chat = self._chats.get((app_id, chat_id))
        if chat is not None and chat.lost:
            del self._chats[app_id, chat_id]
            return None
        if chat is not None:
            self._chats.move_to_end((app_id, chat_id))
        return chat

    async def find(self, app_id: str, chat_id: str) -> Chat | None:
        """The chat, whoever owns it."""
        chat = self.get(app_id, chat_id)
        if chat is not None or self._archive is None:
            return chat
        row = await self._archive.load(app_id, chat_id)
        return None if row is None else await self._revive(row)

    def create(self, app_id: str, user_id: str, workflow: str, chat_id: str | None = None) -> Chat:
        """A new chat in progress; may push out the least recently used one nobody listens to."""
        chat = self._empty(app_id, user_id, workflow, chat_id or str(uuid.uuid4()), time.time_ns())
        self._chats[app_id, chat.chat_id] = chat
        chat.touch()
        self._evict()
        return chat

    async def reusable(self, app_id: str, user_id: str, workflow: str) -> Chat | None:
        """The chat a repeated start within the idempotency window gets."""
        chat = await self.newest(app_id, user_id, workflow)
        if chat is None or chat.status != IN_PROGRESS:
            return None
        return chat if time.time_ns() - chat.born <= IDEMPOTENCY_SECONDS * 1e9 else None

    async def owned(
        self, app_id: str, user_id: str, workflow: str | None = None, *, status: int | None = None, limit: int = 100
    ) -> list[Chat]:
        """The user's chats, newest first."""
        if self._archive is not None:
            await self._archive.settle()
            rows = await self._archive.rows(app_id, user_id, workflow, status, limit)
            return [self.get(app_id, row.chat_id) or await self._revive(row) for row in rows]
        fits = [c for c in self if (c.app_id, c.user_id) == (app_id, user_id) and workflow in (None, c.workflow)]
        return [chat for chat in fits if status in (None, chat.status)][:limit]

    async def newest(self, app_id: str, user_id: str, workflow: str) -> Chat | None:
        """The user's newest chat of a workflow."""
        return next(iter(await self.owned(app_id, user_id, workflow, limit=1)), None)

    async def completed(self, app_id: str, user_id: str) -> set[str]:
        """The workflows this user has completed at least once in this app."""
        if self._archive is not None:
            await self._archive.settle()
            return await self._archive.completed(app_id, user_id)
        mine = [c for c in self._chats.values() if (c.app_id, c.user_id) == (app_id, user_id)]
        return {chat.workflow for chat in mine if chat.status != IN_PROGRESS and not chat.failed}

    async def waiting_for(self, id_: str) -> Chat | None:
        """The chat in which this question or UI tool waits, whoever owns it."""
        for chat in self._chats.values():
            if id_ in chat.questions or id_ in chat.tools:
                return chat
        found = await self._archive.pending(id_) if self._archive is not None else None
        return await self.find(*found) if found is not None else None

    async def saved(self, chat: Chat, version: int | None = None) -> None:
        """Wait until a chat is stored; at once without a database."""
        if self._archive is not None:
            await self._archive.saved(chat, version)

    # -- frames for chats that are not there yet ------------------------------------------------------------

    def leave(self, app_id: str, chat_id: str, user_id: str, frame: Frame) -> None:
        """Keep a frame for a chat until its user opens it (protocol §2.9: before connect)."""
        box = self._mail.setdefault((app_id, chat_id), deque(maxlen=self._config.max_missed_frames))
        box.append((user_id, frame))
        self._mail.move_to_end((app_id, chat_id))
        while len(self._mail) > _MAILBOXES:
            self._mail.popitem(last=False)

    def collect(self, chat: Chat) -> list[Frame]:
        """What was left for a chat."""
        box = self._mail.pop((chat.app_id, chat.chat_id), ())
        return [frame for user_id, frame in box if user_id == chat.user_id]

    # -- memory ------------------------------------------------------------------------------------------

    def idle(self, app_id: str, chat_id: str) -> bool:
        """Whether nobody listens to the chat, it does nothing, and all of it is stored."""
        chat = self._chats.get((app_id, chat_id))
        return chat is None or not (chat.listeners or chat.running or chat.saved != chat.version)

    def drop(self, app_id: str, chat_id: str) -> None:
        """Forget a chat that was deleted."""
        self._chats.pop((app_id, chat_id), None)

    def _empty(self, app_id: str, user_id: str, workflow: str, chat_id: str, born: int) -> Chat:
        return Chat(
            app_id,
            user_id,
            workflow,
            chat_id,
            keep=self._config.max_messages_per_chat,
            keep_missed=self._config.max_missed_frames,
            born=born,
            on_change=self._archive.mark if self._archive is not None else None,
            counts=self.counts,
        )

    async def _revive(self, row: RuntimeChat) -> Chat:
        assert self._archive is not None
        key = row.app_id, row.chat_id
        async with self._loading.setdefault(key, asyncio.Lock()):
            chat = self._chats.get(key)
            if chat is None:
                chat = self._empty(row.app_id, row.user_id, row.workflow, row.chat_id, row.born)
                await self._archive.fill(chat, row)
                self._chats[key] = chat
                self._evict()
        self._loading.pop(key, None)
        return chat

    def _evict(self) -> None:
        surplus = len(self._chats) - self._config.max_chats
        for key, chat in list(self._chats.items())[:-1]:
            if surplus <= 0:
                return
            if chat.listeners or (self._archive is not None and (chat.drafts or chat.saved != chat.version)):
                continue
            if chat.run is not None:
                chat.run.cancel()
            del self._chats[key]
            surplus -= 1

    def close(self) -> None:
        """Stop all runs."""
        for chat in self._chats.values():
            if chat.run is not None:
                chat.run.cancel()
