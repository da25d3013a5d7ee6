"""Ask-mode conversations, with a bound on how many are in memory (least recently used go first)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import frames
from .chat import IN_PROGRESS
from .config import RuntimeConfig
from .frames import Frame

if TYPE_CHECKING:
    from .archive import Archive

_THREADS_PER_USER = 50
_THREAD_MESSAGES = 400


@dataclass(eq=False)
class Thread:
    """One ask-mode conversation."""

    app_id: str
    user_id: str
    number: int
    created_at: str = field(default_factory=frames.stored_now)
    updated_at: str = field(default_factory=frames.stored_now)
    messages: deque[Frame] = field(default_factory=lambda: deque(maxlen=_THREAD_MESSAGES))
    count: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one answer at a time
    on_change: Callable[[Thread], None] | None = None
    version: int = 0
    saved: int = 0
    unsaved: list[Frame] = field(default_factory=list)

    @property
    def id(self) -> str:
        """``generalchat-{app}-{user}-{NNNN}`` (protocol §2.7)."""
        return f"generalchat-{self.app_id}-{self.user_id}-{self.number:04d}"

    @property
    def label(self) -> str:
        """What people see."""
        return f"General Chat #{self.number}"

    def add(self, role: str, agent: str, content: str) -> None:
        """Store one message."""
        self.count += 1
        self.updated_at = frames.stored_now()
        row = {"sequence": self.count, "role": role, "agent": agent, "content": content}
        row |= {"timestamp": self.updated_at}
        self.messages.append(row)
        if self.on_change is not None:
            self.unsaved.append(row)
        self.touch()

    def touch(self) -> None:
        """Something changed that has to be stored."""
        self.version += 1
        if self.on_change is not None:
            self.on_change(self)

    def announcement(self) -> Frame:
        """The three fields of mode and session frames."""
        return {
            "general_chat_id": self.id,
            "general_chat_label": self.label,
            "general_chat_sequence": self.number,
        }

    def row(self) -> Frame:
        """One row of the list, and the head of the transcript (protocol §1.2)."""
        return {
            "chat_id": self.id,
            "label": self.label,
            "sequence": self.number,
            "status": IN_PROGRESS,
            "created_at": self.created_at,
            "last_updated_at": self.updated_at,
            "last_sequence": self.count,
        }


class ThreadStore:
    """Ask threads per user."""

    def __init__(self, config: RuntimeConfig, archive: Archive | None = None) -> None:
        self._limit = config.max_chats
        self._archive = archive
        self._threads: OrderedDict[tuple[str, str], deque[Thread]] = OrderedDict()

    def create(self, app_id: str, user_id: str) -> Thread:
        """The user's next thread."""
        key = app_id, user_id
        threads = self._threads.setdefault(key, deque(maxlen=_THREADS_PER_USER))
        self._threads.move_to_end(key)
        thread = Thread(app_id, user_id, threads[-1].number + 1 if threads else 1, on_change=self._mark)
        threads.append(thread)
        thread.touch()
        self._evict()
        return thread

    async def recall(self, app_id: str, user_id: str) -> None:
        """Have the user's threads at hand; once they are, the other methods need no database."""
        key = app_id, user_id
        if self._archive is None or key in self._threads:
            return
        found: deque[Thread] = deque(maxlen=_THREADS_PER_USER)
        for number, head in await self._archive.threads(app_id, user_id, _THREADS_PER_USER):
            thread = Thread(app_id, user_id, number, head["created_at"], head["updated_at"], on_change=self._mark)
            thread.count = head["count"]
            thread.messages.extend(await self._archive.thread_messages(app_id, user_id, thread.id, _THREAD_MESSAGES))
            found.append(thread)
        self._threads.setdefault(key, found)  # another socket may have been quicker
        self._evict()

    async def saved(self, thread: Thread) -> None:
        """Wait until a thread is stored."""
        if self._archive is not None:
            await self._archive.saved(thread)

    @property
    def _mark(self) -> Callable[[Thread], None] | None:
        return self._archive.mark if self._archive is not None else None

    def _evict(self) -> None:
        for key in list(self._threads):
            if len(self._threads) <= self._limit:
                return
            if all(thread.saved == thread.version and not thread.turn.locked() for thread in self._threads[key]) or (
                self._archive is None
            ):
                del self._threads[key]

    def owned(self, app_id: str, user_id: str) -> list[Thread]:
        """The user's threads, newest first."""
        return list(self._threads.get((app_id, user_id), ()))[::-1]
