"""The transcript's writer: one thread, one connection, group commit. What it was given is shown only after the commit.

A thread of its own because a commit may wait for the disk; one statement per batch because every step of a
statement gives up the interpreter lock and has to win it back from a busy event loop.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from mozaiks_shell.foundation.db import tune_sqlite
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.turns import thread_turn

if TYPE_CHECKING:
    from mozaiks_shell.chat.transcript import Channel

log = get_logger("chat")

DELTA: Final = "d"
_BATCH = 1000  # entries per transaction
_COLUMNS = ("app_id", "user_id", "chat_id", '"offset"', "kind", "body")
_LINGER, _LINGER_LONGEST = 0.001, 0.02  # seconds a busy writer waits for company; as long as the last commit took, within these
_BUSY = 0.004  # a batch this soon after the last one means that we are busy
_IDLE = 0.2
PATIENCE: Final = 60.0  # seconds a database that is away or full is waited for before what waits is given up
_PAUSE_FIRST, _PAUSE_LONGEST = 0.05, 1.0  # seconds between two tries
_FAREWELL = 5.0  # seconds it is waited for when the process stops
_ALL_ALIKE = 3  # entries in a row that meet a database that is away; the rest of their batch would, too
_LATER_AT_MOST = 500


@dataclass(slots=True, eq=False)
class Entry:
    """Something to write, and to show once it is written.

    ``offset`` -1 means not durable: ``body`` is then a whole frame (or empty for nothing to show). ``later`` is run some
    time after this entry was committed, when there is nothing else to do (compaction). ``fence`` is the lease under which it
    is written; 0 for none.
    """

    channel: "Channel"
    offset: int
    kind: str
    body: str
    statements: Sequence[Executable] = ()
    written: asyncio.Future[None] | None = None
    later: Executable | None = None
    fence: int = 0


Done = Callable[[list[Entry], BaseException | None], None]
Guard = Callable[[Connection, Sequence[Entry]], None]


class Writer:
    """Owns the thread. ``done`` is called on the event loop, once per entry, in the order of :meth:`put`.

    While the database is away or full nothing is shown, and nothing is given up for ``patience`` seconds. After that, or
    when the database refuses an entry, its chat is broken: no further piece of a text is written, so that none has a hole.
    """

    def __init__(self, url: str, done: Done, patience: float = PATIENCE) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = done
        self._patience = patience
        self._given_up = False  # as the last batch was; until something can be written again, nothing is waited for
        self._stopping = False
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._later: list[Entry] = []
        self.guard: Guard = lambda _, __: None  # runs inside each transaction; a ValueError of it refuses the entries
        self._engine = _engine(url)
        one_writes = self._engine.dialect.name == "sqlite"
        self._turn: Callable[[], AbstractContextManager[None]] = partial(thread_turn, url) if one_writes else nullcontext
        mark = "?" if one_writes else "%s"
        self._row = f"({','.join([mark] * len(_COLUMNS))})"
        self._thread = threading.Thread(target=self._run, name="transcript writer", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Entries that wait, roughly."""
        return self._queue.qsize()

    def put(self, entry: Entry) -> None:
        """Queue an entry; returns at once."""
        self._queue.put(entry)

    async def stop(self) -> None:
        """Write what is queued and end the thread. A database that is away is not waited for much longer."""
        self._stopping = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()

    def _run(self) -> None:
        last = took = 0.0
        while True:
            try:
                first = self._queue.get(timeout=_IDLE)
            except Empty:
                self._tidy()
                continue
            if time.monotonic() - last < _BUSY:
                time.sleep(min(max(_LINGER, took), _LINGER_LONGEST))
            batch = [first]
            while len(batch) < _BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            stopping = None in batch
            entries = self._whole([entry for entry in batch if entry is not None])
            began = time.monotonic()
            self._commit(entries)
            last = time.monotonic()
            took = last - began
            self._later += [entry for entry in entries if entry.later is not None and entry.channel.broken is None]
            if len(self._later) > _LATER_AT_MOST or stopping:
                self._tidy()
            if stopping:
                return

    def _whole(self, batch: list[Entry]) -> list[Entry]:
        """The batch without the pieces that would follow a lost one."""
        for entry in batch:
            if entry.kind == DELTA and entry.channel.broken is not None:
                self._call(self._done, [entry], entry.channel.broken)
        return [entry for entry in batch if entry.kind != DELTA or entry.channel.broken is None]

    def _commit(self, batch: list[Entry]) -> None:
        """One transaction. Of a batch that cannot be written each entry is tried by itself: one must not spoil the rest."""
        error = self._try(batch) if batch else None
        if error is None or len(batch) == 1:
            self._tell(batch, None if isinstance(error, IntegrityError) and self._is_ours(batch[0]) else error)
            return
        alike = 0
        for at, entry in enumerate(batch):
            if entry.kind == DELTA and (lost := entry.channel.broken) is not None:
                self._tell([entry], lost)
                continue
            error = self._try([entry])
            if isinstance(error, IntegrityError) and self._is_ours(entry):
                error = None
            self._tell([entry], error)
            alike = alike + 1 if isinstance(error, _AWAY) else 0
            if error is not None and alike == _ALL_ALIKE:
                self._tell(batch[at + 1 :], error)
                return

    def _try(self, batch: list[Entry]) -> BaseException | None:
        """None: committed. A database that is away, locked or full is waited for; a refusal is given back at once."""
        began, pause = time.monotonic(), _PAUSE_FIRST
        while True:
            try:
                with self._turn(), self._engine.begin() as connection:
                    self._write(connection, batch)
            except _AWAY as error:
                waited = time.monotonic() - began
                log.warning("transcript write failed", waited=round(waited, 1), error=str(error.orig)[:200])
                if self._given_up or waited > (min(self._patience, _FAREWELL) if self._stopping else self._patience):
                    self._given_up = True
                    return error
                time.sleep(pause)
                pause = min(pause * 2, _PAUSE_LONGEST)
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the thread must outlive it
                return error
            else:
                self._given_up = False
                return None

    def _is_ours(self, entry: Entry) -> bool:
        """Whether the entry is in the log already, because the connection broke after a commit that had succeeded."""
        if entry.offset < 0:
            return False
        mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
        query = f'SELECT kind, body FROM chat_event WHERE chat_id = {mark} AND "offset" = {mark}'
        try:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql(query, (entry.channel.chat_id, entry.offset)).first()
        except DBAPIError:
            return False
        return found is not None and (found[0], found[1]) == (entry.kind, entry.body)

    def _write(self, connection: Connection, batch: list[Entry]) -> None:
        values: list[Any] = []
        for entry in batch:
            if entry.offset >= 0:
                channel = entry.channel
                values += (channel.app_id, channel.user_id, channel.chat_id, entry.offset, entry.kind, entry.body)
        if values:
            rows = ",".join([self._row] * (len(values) // len(_COLUMNS)))
            connection.exec_driver_sql(f"INSERT INTO chat_event ({','.join(_COLUMNS)}) VALUES {rows}", tuple(values))
        for entry in batch:
            for statement in entry.statements:
                connection.execute(statement)
        self.guard(connection, batch)

    def _tidy(self) -> None:
        """Run what was put off. Not where a log is being read: whoever saw half of a message needs its other half."""
        due, self._later = (
            [one for one in self._later if not one.channel.reading],
            [one for one in self._later if one.channel.reading],
        )
        try:
            if due:
                with self._turn(), self._engine.begin() as connection:
                    for entry in due:
                        if entry.later is not None:
                            connection.execute(entry.later)
        except DBAPIError as error:
            log.warning("transcript compaction put off", error=str(error.orig)[:200])
            self._later += due

    def _tell(self, batch: list[Entry], error: BaseException | None) -> None:
        if error is not None and batch:
            chats = sorted({entry.channel.chat_id for entry in batch})
            log.error("transcript entries lost", entries=len(batch), chats=chats[:20], error=repr(error)[:500])
            for entry in batch:  # here and not on the loop: what comes next must know it
                entry.channel.broken = error
        if batch:
            self._call(self._done, batch, error)

    def _call(self, what: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            log.warning("event loop closed before the transcript was shown")


_AWAY = (OperationalError, InterfaceError)  # locked, full, restarting, gone: worth waiting for


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        Path(make_url(url).database or "mozaiks.db").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": 15, "check_same_thread": False}, pool_size=1, max_overflow=0)
        event.listen(engine, "connect", tune_sqlite)
        return engine
    return create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args={"connect_timeout": 5})
