"""Chats and ask threads in the database: written behind the back of the run, before anybody is shown anything.

What changes is marked; one task writes all that is marked, a transaction per chat, and wakes whoever waits for it. A socket
sends a frame only when what the frame tells is stored (:meth:`Archive.saved`), so a killed process takes back nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col

from .chat import IN_PROGRESS, Chat, Message, Question, UiTool
from .config import RuntimeConfig
from .database import Database
from .journal import Step
from .models import RuntimeChat, RuntimeLine, RuntimePending, RuntimeThread

if TYPE_CHECKING:
    from .threads import Thread

log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_AT_ONCE = 4
_HEAD = (
    "created_at", "updated_at", "message_count", "last_artifact", "variables", "attachments", "has_children", "usage", "failed",
    "family", "result",
)  # fmt: skip


class Taken(Exception):
    """Another process has written this chat since we read it."""


class Archive:
    """The durable side of the stores. ``failing`` holds the last problem of the database, empty when it is well."""

    def __init__(self, database: Database, config: RuntimeConfig) -> None:
        self.database = database
        self.failing = ""
        self._config = config
        self._process = uuid.uuid4().hex
        self._dirty: dict[Chat | Thread, None] = {}
        self._wake = asyncio.Event()
        self._round: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._in_hand: list[Chat | Thread] = []

    # -- writing -----------------------------------------------------------------------------------------

    def mark(self, changed: Chat | Thread) -> None:
        """Write this soon."""
        self._dirty[changed] = None
        self._wake.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="runtime archive")

    @property
    def waiting(self) -> int:
        """How many chats and threads are not stored yet."""
        return len(self._dirty)

    async def saved(self, one: Chat | Thread, version: int | None = None) -> None:
        """Wait until this version (default: the present one) is stored."""
        wanted = one.version if version is None else version
        while one.saved < wanted:
            if self._round is None or self._round.done():
                self._round = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._round)

    async def settle(self) -> None:
        """Wait until all that is marked now is stored."""
        for one in [*self._dirty, *self._in_hand]:
            await self.saved(one)

    async def close(self) -> None:
        """Write what is marked, if the database lets us, and close."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await self.settle()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.database.close()

    async def _write_all(self) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(changed: Chat | Thread) -> None:
            async with gate:
                await self._write(changed)

        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._dirty = list(self._dirty), {}
            self._in_hand = batch
            outcomes = await asyncio.gather(*(one(changed) for changed in batch), return_exceptions=True)
            failed = [(c, o) for c, o in zip(batch, outcomes, strict=True) if isinstance(o, BaseException)]
            for changed, problem in failed:
                self._dirty.setdefault(changed)
                log.error("chat %s could not be stored: %s", changed.id, problem)
            self.failing = f"{type(failed[0][1]).__name__}" if failed else ""
            if self._round is not None and not self._round.done():
                self._round.set_result(None)
            if failed:
                await asyncio.sleep(_RETRY_SECONDS)
                self._wake.set()

    async def _write(self, one: Chat | Thread) -> None:
        if not isinstance(one, Chat):
            await self._write_thread(one)
            return
        try:
            await self._write_chat(one)
        except (Taken, IntegrityError):
            log.warning("chat %s was taken over by another process", one.chat_id)
            one.lose()
            one.saved = one.version

    async def _write_chat(self, chat: Chat) -> None:
        version, messages, steps = chat.version, list(chat.unsaved), list(chat.journal.steps)
        clears = chat.journal.clears
        cleared = clears != chat.saved_clears
        first_step = 0 if cleared else chat.saved_steps
        pending: list[Question | UiTool] = [*chat.questions.values(), *chat.tools.values()]
        body = _dump(_head(chat))
        head: dict[str, Any] = {"workflow": chat.workflow, "status": chat.status, "body": body, "owner": self._process}
        key = (col(RuntimeChat.app_id) == chat.app_id, col(RuntimeChat.chat_id) == chat.chat_id)
        mine: dict[str, Any] = {"app_id": chat.app_id, "user_id": chat.user_id, "chat_id": chat.chat_id}
        async with self.database.session(chat.app_id, chat.user_id) as session:
            if chat.base is None:
                session.add(RuntimeChat(**mine, **head, born=chat.born))
            else:
                guard = (*key, col(RuntimeChat.owner) == chat.base[0], col(RuntimeChat.body) == chat.base[1])
                written: Any = await session.execute(update(RuntimeChat).where(*guard).values(**head))
                if not written.rowcount:
                    raise Taken
            lines = [("m", m.index, _message(m)) for m in messages]
            lines += [("s", n, [s.kind, s.ref, s.body]) for n, s in enumerate(steps[first_step:], first_step)]
            if cleared:
                await session.execute(delete(RuntimeLine).where(*_line(chat.app_id, chat.chat_id, "s")))
            session.add_all(RuntimeLine(**mine, kind=kind, number=n, body=_dump(body)) for kind, n, body in lines)
            await session.execute(delete(RuntimePending).where(*_of(RuntimePending, chat.app_id, chat.chat_id)))
            session.add_all(RuntimePending(**mine, id=p.id, kind=_kind(p), body=_dump(_pending(p))) for p in pending)
        chat.base = self._process, body
        chat.saved_clears, chat.saved_steps = clears, len(steps)
        del chat.unsaved[: len(messages)]
        chat.saved = version

    async def _write_thread(self, thread: Thread) -> None:
        version, messages = thread.version, list(thread.unsaved)
        head = _dump({"created_at": thread.created_at, "updated_at": thread.updated_at, "count": thread.count})
        key = {"app_id": thread.app_id, "user_id": thread.user_id}
        async with self.database.session(thread.app_id, thread.user_id) as session:
            await session.merge(RuntimeThread(**key, number=thread.number, body=head))
            session.add_all(
                RuntimeLine(**key, chat_id=thread.id, kind="t", number=m["sequence"], body=_dump(m)) for m in messages
            )
        del thread.unsaved[: len(messages)]
        thread.saved = version

    # -- reading -----------------------------------------------------------------------------------------

    async def load(self, app_id: str, chat_id: str) -> RuntimeChat | None:
        """The row of a chat, whoever owns it."""
        async with self.database.session(app_id) as session:
            row: RuntimeChat | None = (
                await session.execute(select(RuntimeChat).where(*_of(RuntimeChat, app_id, chat_id)))
            ).scalar_one_or_none()
        return row

    async def rows(self, app_id: str, user_id: str, workflow: str | None, status: int | None, limit: int) -> list[RuntimeChat]:
        """A user's chats, newest first."""
        query = select(RuntimeChat).where(col(RuntimeChat.app_id) == app_id, col(RuntimeChat.user_id) == user_id)
        if workflow is not None:
            query = query.where(col(RuntimeChat.workflow) == workflow)
        if status is not None:
            query = query.where(col(RuntimeChat.status) == status)
        async with self.database.session(app_id, user_id) as session:
            found = await session.execute(query.order_by(col(RuntimeChat.born).desc()).limit(limit))
            return list(found.scalars())

    async def completed(self, app_id: str, user_id: str) -> set[str]:
        """The workflows the user has completed at least once."""
        query = select(col(RuntimeChat.body), col(RuntimeChat.workflow)).where(
            col(RuntimeChat.app_id) == app_id, col(RuntimeChat.user_id) == user_id, col(RuntimeChat.status) != IN_PROGRESS
        )
        async with self.database.session(app_id, user_id) as session:
            return {workflow for body, workflow in (await session.execute(query)).all() if not json.loads(body).get("failed")}

    async def pending(self, id_: str) -> tuple[str, str] | None:
        """(app, chat) where this question or tool waits; the caller checks whether the asker may know."""
        query = select(col(RuntimePending.app_id), col(RuntimePending.chat_id)).where(col(RuntimePending.id) == id_).limit(2)
        async with self.database.session(None) as session:
            found = (await session.execute(query)).all()
        return (found[0][0], found[0][1]) if len(found) == 1 else None

    async def figures(self) -> dict[str, int]:
        """How many chats and waiting things there are, over all apps."""
        async with self.database.session(None) as session:
            chats = (await session.execute(select(func.count()).select_from(RuntimeChat))).scalar_one()
            waiting = (await session.execute(select(func.count()).select_from(RuntimePending))).scalar_one()
        return {"chats": chats, "pending": waiting}

    async def ended(self, born_before: int, after: tuple[str, str], limit: int) -> list[RuntimeChat]:
        """Chats of all apps whose run has ended and that were made before this time (nanoseconds), in the order of their keys."""
        key = tuple_(col(RuntimeChat.app_id), col(RuntimeChat.chat_id))
        old = (col(RuntimeChat.status) != IN_PROGRESS, col(RuntimeChat.born) < born_before, key > tuple_(*after))
        async with self.database.session(None) as session:
            found = await session.execute(select(RuntimeChat).where(*old).order_by(*key.clauses).limit(limit))
            return list(found.scalars())

    async def remove(self, row: RuntimeChat) -> bool:
        """Delete a chat with all that belongs to it, unless it changed since ``row`` was read."""
        key = (col(RuntimeChat.app_id) == row.app_id, col(RuntimeChat.chat_id) == row.chat_id)
        async with self.database.session(row.app_id, row.user_id) as session:
            gone: Any = await session.execute(delete(RuntimeChat).where(*key, col(RuntimeChat.body) == row.body))
            if not gone.rowcount:
                return False
            for table in (RuntimeLine, RuntimePending):
                await session.execute(delete(table).where(*_of(table, row.app_id, row.chat_id)))
        return True

    async def fill(self, chat: Chat, row: RuntimeChat) -> None:
        """Give a new chat object its past."""
        keep = self._config.max_messages_per_chat
        async with self.database.session(chat.app_id, chat.user_id) as session:
            key = (col(RuntimeLine.app_id) == chat.app_id, col(RuntimeLine.chat_id) == chat.chat_id)
            newest = col(RuntimeLine.number).desc()
            told = select(RuntimeLine).where(*key, col(RuntimeLine.kind) == "m").order_by(newest).limit(keep)
            lines = list((await session.execute(told)).scalars())[::-1]
            done = select(RuntimeLine).where(*key, col(RuntimeLine.kind) == "s").order_by(col(RuntimeLine.number))
            steps = list((await session.execute(done)).scalars())
            waits = select(RuntimePending).where(*_of(RuntimePending, chat.app_id, chat.chat_id))
            pending = list((await session.execute(waits)).scalars())
        head = json.loads(row.body)
        chat.base = row.owner, row.body
        for name in _HEAD:
            if name in head:  # rows of before have fewer
                setattr(chat, name, head[name])
        chat.status, chat.sequence, chat.reserved = row.status, head["reserved"], head["reserved"]
        chat.messages.extend(Message(**json.loads(line.body)) for line in lines)
        chat.journal.steps = [Step(*json.loads(line.body)) for line in steps]
        chat.journal.full = bool(head["full"])
        chat.saved_steps = len(steps)
        chat.give_back(head["missed"])
        loop = asyncio.get_running_loop()
        for one in pending:
            told_ = json.loads(one.body)
            if one.kind == "question":
                chat.questions[one.id] = Question(told_["frame"], loop.create_future(), told_["password"])
            else:
                chat.tools[one.id] = UiTool(told_["frame"], loop.create_future())

    async def threads(self, app_id: str, user_id: str, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """A user's ask threads, oldest first: number and head."""
        query = select(RuntimeThread).where(col(RuntimeThread.app_id) == app_id, col(RuntimeThread.user_id) == user_id)
        async with self.database.session(app_id, user_id) as session:
            newest = query.order_by(col(RuntimeThread.number).desc()).limit(limit)
            rows = list((await session.execute(newest)).scalars())
        return [(row.number, json.loads(row.body)) for row in rows[::-1]]

    async def thread_messages(self, app_id: str, user_id: str, thread_id: str, limit: int) -> list[dict[str, Any]]:
        """The last messages of a thread, oldest first."""
        query = select(col(RuntimeLine.body)).where(*_line(app_id, thread_id, "t"))
        async with self.database.session(app_id, user_id) as session:
            newest = query.order_by(col(RuntimeLine.number).desc()).limit(limit)
            rows = list((await session.execute(newest)).scalars())
        return [json.loads(body) for body in rows[::-1]]


def is_trouble(error: BaseException) -> bool:
    """Whether the database is the reason."""
    return isinstance(error, SQLAlchemyError | OSError)


def _of(table: Any, app_id: str, chat_id: str) -> tuple[Any, ...]:
    return table.app_id == app_id, table.chat_id == chat_id


def _line(app_id: str, chat_id: str, kind: str) -> tuple[Any, ...]:
    return col(RuntimeLine.app_id) == app_id, col(RuntimeLine.chat_id) == chat_id, col(RuntimeLine.kind) == kind


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)


def _head(chat: Chat) -> dict[str, Any]:
    head = {name: getattr(chat, name) for name in _HEAD}
    return head | {"reserved": chat.reserved, "missed": chat.missed, "full": chat.journal.full}


def _message(message: Message) -> dict[str, Any]:
    return dict(vars(message))


def _kind(one: Question | UiTool) -> str:
    return "question" if isinstance(one, Question) else "tool"


def _pending(one: Question | UiTool) -> dict[str, Any]:
    return {"frame": one.frame, "password": isinstance(one, Question) and one.password}
