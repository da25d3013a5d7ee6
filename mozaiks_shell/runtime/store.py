"""All chats and ask threads in memory, with a bound on each (least recently used go first)."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import frames
from .chat import IN_PROGRESS, Chat, Question, UiTool
from .config import RuntimeConfig
from .frames import Frame

IDEMPOTENCY_SECONDS = 15.0  # protocol §1.3
_THREADS_PER_USER = 50
_THREAD_MESSAGES = 400


class ChatStore:
    """Chats by (app, chat id); every access makes a chat the most recently used."""

    def __init__(self, config: RuntimeConfig) -> None:
        self._config = config
        self._chats: OrderedDict[tuple[str, str], Chat] = OrderedDict()
        self._born: dict[tuple[str, str], float] = {}

    def __iter__(self) -> Iterator[Chat]:
        """Newest first."""
        return iter(sorted(self._chats.values(), key=lambda c: self._born[c.app_id, c.chat_id], reverse=True))

    def get(self, app_id: str, chat_id: str) -> Chat | None:
        """The chat, whoever owns it."""
        chat = self._chats.get((app_id, chat_id))
        if chat is not None:
            self._chats.move_to_end((app_id, chat_id))
        return chat

    def create(self, app_id: str, user_id: str, workflow: str, chat_id: str | None = None) -> Chat:
        """A new chat in progress; may push out the least recently used one nobody listens to."""
        chat = Chat(
            app_id,
            user_id,
            workflow,
            chat_id or str(uuid.uuid4()),
            keep=self._config.max_messages_per_chat,
            keep_missed=self._config.max_missed_frames,
        )
        key = app_id, chat.chat_id
        self._chats[key] = chat
        self._born[key] = time.monotonic()
        self._evict()
        return chat

    def reusable(self, app_id: str, user_id: str, workflow: str) -> Chat | None:
        """The chat a repeated start within the idempotency window gets."""
        chat = self.newest(app_id, user_id, workflow)
        if chat is None or chat.status != IN_PROGRESS:
            return None
        age = time.monotonic() - self._born[app_id, chat.chat_id]
        return chat if age <= IDEMPOTENCY_SECONDS else None

    def owned(self, app_id: str, user_id: str, workflow: str | None = None) -> list[Chat]:
        """The user's chats, newest first."""
        return [c for c in self if (c.app_id, c.user_id) == (app_id, user_id) and workflow in (None, c.workflow)]

    def newest(self, app_id: str, user_id: str, workflow: str) -> Chat | None:
        """The user's newest chat of a workflow."""
        return next(iter(self.owned(app_id, user_id, workflow)), None)

    def question(self, request_id: str) -> tuple[Chat, Question] | None:
        """Where a question is pending."""
        for chat in self._chats.values():
            if request_id in chat.questions:
                return chat, chat.questions[request_id]
        return None

    def tool(self, event_id: str) -> tuple[Chat, UiTool] | None:
        """Where a UI tool waits."""
        for chat in self._chats.values():
            if event_id in chat.tools:
                return chat, chat.tools[event_id]
        return None

    def _evict(self) -> None:
        surplus = len(self._chats) - self._config.max_chats
        for key, chat in list(self._chats.items())[:-1]:
            if surplus <= 0:
                return
            if chat.listeners:
                continue
            if chat.run is not None:
                chat.run.cancel()
            del self._chats[key], self._born[key]
            surplus -= 1

    def close(self) -> None:
        """Stop all runs."""
        for chat in self._chats.values():
            if chat.run is not None:
                chat.run.cancel()


@dataclass
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
        self.messages.append(row | {"timestamp": self.updated_at})

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

    def __init__(self, config: RuntimeConfig) -> None:
        self._limit = config.max_chats
        self._threads: OrderedDict[tuple[str, str], deque[Thread]] = OrderedDict()

    def create(self, app_id: str, user_id: str) -> Thread:
        """The user's next thread."""
        key = app_id, user_id
        threads = self._threads.setdefault(key, deque(maxlen=_THREADS_PER_USER))
        self._threads.move_to_end(key)
        thread = Thread(app_id, user_id, threads[-1].number + 1 if threads else 1)
        threads.append(thread)
        while len(self._threads) > self._limit:
            self._threads.popitem(last=False)
        return thread

    def owned(self, app_id: str, user_id: str) -> list[Thread]:
        """The user's threads, newest first."""
        return list(self._threads.get((app_id, user_id), ()))[::-1]
