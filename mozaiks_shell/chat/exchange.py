"""What a person does in a chat reaches the process that owns the chat, through the database, and is answered from there.

A command is a row. It is taken once: a command that was taken by a process which then died is not tried again, because nobody
knows how far it came. Its content is wiped when it is taken, since it may be a password.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

from sqlalchemy import CursorResult, delete, update
from sqlmodel import col, select

from mozaiks_shell.chat.bridge import Bridge, RunEnded
from mozaiks_shell.chat.models import ChatCommand
from mozaiks_shell.chat.ownership import lease_of
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.bus import ANYTHING, Bus
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ShellError,
    TimedOut,
    TooLarge,
    Unavailable,
    Upstream,
)
from mozaiks_shell.foundation.i18n import current_locale, speak, tr
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

Verb = Callable[[Bridge, Mapping[str, Any]], Awaitable[None]]
Find = Callable[[str, str], Bridge | None]

_TAKEN_WITHIN = 10.0  # seconds until a command nobody took is withdrawn
_ANSWERED_WITHIN = 30.0  # seconds until the answer to one that was taken is no longer waited for
_LOOK = 0.5  # seconds between two looks without a hint
_AT_ONCE = 100  # commands taken at a time
_KEPT = timedelta(minutes=10)
_KINDS: Final[tuple[type[ShellError], ...]] = (
    Invalid, Forbidden, NotFound, Conflict, TooLarge, Upstream, Unavailable, TimedOut,
)  # fmt: skip


class Exchange:
    """Commands to and from other processes.

    Args:
        find: The open run of a chat in this process, by chat and person.
    """

    def __init__(self, leases: Leases, bus: Bus, find: Find) -> None:
        self._leases = leases
        self._bus = bus
        self._find = find
        self._verbs: dict[str, Verb] = {}
        self._news = asyncio.Event()
        self._waiting: dict[str, asyncio.Event] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._task: asyncio.Task[None] | None = None

    def start(self, verbs: Mapping[str, Verb]) -> None:
        """Take commands from now on; each verb is done by its function, one after another for a chat."""
        self._verbs = dict(verbs)
        self._task = asyncio.create_task(self._serve(), name="chat commands")

    async def stop(self) -> None:
        """Take no more, and finish what was taken."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)

    def heard(self, topics: frozenset[str]) -> None:
        """The bus rang."""
        if ANYTHING in topics or self._leases.id in topics:
            self._news.set()
        for number, event in self._waiting.items():
            if ANYTHING in topics or number in topics:
                event.set()

    # -- asking ------------------------------------------------------------------------------------------

    async def perform(self, principal: Principal, chat_id: str, verb: str, body: dict[str, Any]) -> None:
        """Have the owner of the chat do something, wherever it is. The caller checked that the chat is this person's.

        Raises:
            RunEnded: the chat has no open run.
            Unavailable: the owner did not take it in time, so it was not done; or it took it and died or did not answer.
            ShellError: whatever the owner answered.
        """
        bridge = self._find(chat_id, principal.user_id)
        if bridge is not None:
            await self._verbs[verb](bridge, body)
            return
        holder = await self._leases.holder(lease_of(chat_id))
        if not holder or holder == self._leases.id:
            raise _ended()
        row = ChatCommand(
            app_id=principal.app_id, user_id=principal.user_id, chat_id=chat_id, holder=holder, verb=verb,
            body=json.dumps({**body, "locale": current_locale()}),
        )  # fmt: skip
        async with system_session(principal.app_id) as db:
            db.add(row)
        number = f"r{row.id}"
        event = self._waiting[number] = asyncio.Event()
        try:
            self._bus.ring(holder)
            answer = await self._answer(row, event)
        finally:
            del self._waiting[number]
        if "code" in answer:
            raise _error(answer)

    async def _answer(self, row: ChatCommand, event: asyncio.Event) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        mine = col(ChatCommand.id) == row.id
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await event.wait()
            event.clear()
            async with system_session(row.app_id) as db:
                found = (await db.execute(select(ChatCommand).where(mine))).scalars().first()
            if found is not None and found.state == "done":
                async with system_session(row.app_id) as db:
                    await db.execute(delete(ChatCommand).where(mine))
                answer: dict[str, Any] = json.loads(found.answer)
                return answer
            late = loop.time() - began
            dead = await self._leases.holder(lease_of(row.chat_id)) != row.holder
            if found is None or found.state == "waiting" and (dead or late > _TAKEN_WITHIN):
                if found is None or await _withdraw(row):
                    if dead:
                        raise _ended()
                    raise Unavailable(
                        tr("The chat does not answer at the moment. Nothing was sent; please try again."), code="CHAT_BUSY"
                    )
            elif found.state == "taken" and (dead or late > _ANSWERED_WITHIN):
                raise Unavailable(
                    tr("The connection to the run was lost; it is not known whether this was delivered."), code="CHAT_LOST"
                )

    # -- doing -------------------------------------------------------------------------------------------

    def _turn(self, chat_id: str) -> asyncio.Lock:
        return self._turns.setdefault(chat_id, asyncio.Lock())

    async def _serve(self) -> None:
        swept = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._news.wait()
            hinted = self._news.is_set()
            self._news.clear()
            if self._leases.alone and not hinted:
                continue
            try:
                await self._take()
                if asyncio.get_running_loop().time() - swept > _KEPT.total_seconds():
                    swept = asyncio.get_running_loop().time()
                    async with system_session() as db:
                        await db.execute(delete(ChatCommand).where(col(ChatCommand.created_at) < now() - _KEPT))
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                log.warning("chat commands not read", error=str(error)[:200])
                await asyncio.sleep(_LOOK)

    async def _take(self) -> None:
        mine = (col(ChatCommand.holder) == self._leases.id, col(ChatCommand.state) == "waiting")
        async with system_session() as db:
            query = select(ChatCommand).where(*mine).order_by(col(ChatCommand.id)).limit(_AT_ONCE)
            rows = (await db.execute(query)).scalars().all()
        for row in rows:
            async with system_session() as db:
                change = update(ChatCommand).where(col(ChatCommand.id) == row.id, *mine).values(state="taken", body="")
                taken: CursorResult[Any] = await db.execute(change.execution_options(synchronize_session=False))
            if taken.rowcount == 1:
                task = asyncio.create_task(self._do(row))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        if len(rows) == _AT_ONCE:
            self._news.set()

    async def _do(self, row: ChatCommand) -> None:
        body = json.loads(row.body)
        speak(body.pop("locale", ""))
        answer: dict[str, Any] = {}
        try:
            async with self._turn(row.chat_id):
                bridge = self._find(row.chat_id, row.user_id)
                if bridge is None:
                    raise _ended()
                set_principal(bridge.principal)
                await self._verbs[row.verb](bridge, body)
        except ShellError as error:
            answer = {"code": error.code, "status": error.status, "message": error.message, "details": error.details}
        except Exception:
            log.exception("chat command failed", verb=row.verb, chat=row.chat_id)
            failed = ShellError()
            answer = {"code": failed.code, "status": failed.status, "message": failed.message, "details": {}}
        async with system_session() as db:
            mine = update(ChatCommand).where(col(ChatCommand.id) == row.id)
            await db.execute(mine.values(state="done", answer=json.dumps(answer)).execution_options(synchronize_session=False))
        self._bus.ring(f"r{row.id}")


async def _withdraw(row: ChatCommand) -> bool:
    async with system_session(row.app_id) as db:
        mine = delete(ChatCommand).where(col(ChatCommand.id) == row.id, col(ChatCommand.state) == "waiting")
        gone: CursorResult[Any] = await db.execute(mine.execution_options(synchronize_session=False))
    return bool(gone.rowcount == 1)


def _ended() -> RunEnded:
    return RunEnded(tr("This run has ended. Start a new chat to go on."))


def _error(answer: dict[str, Any]) -> ShellError:
    kind = next((kind for kind in _KINDS if kind.status == answer["status"]), ShellError)
    return kind(answer["message"], code=answer["code"], **answer["details"])
