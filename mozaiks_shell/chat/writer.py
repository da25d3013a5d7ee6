"""The transcript's writer: one thread, one connection, group commit. What it was given is shown only after the commit.

A thread of its own because a commit may wait for the disk; one statement per batch because every step of a
statement gives up the interpreter lock and has to win it back from a busy event loop.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from mozaiks_shell.foundation.db import tune_sqlite
from mozaiks_shell.foundation.logging import get_logger

if TYPE_CHECKING:
    from mozaiks_shell.chat.transcript import Channel

log = get_logger("chat")

DELTA: Final = "d"
_BATCH = 1000  # entries per transaction
_COLUMNS = ("app_id", "user_id", "chat_id", '"offset"', "kind", "body")
_LINGER = 0.001  # seconds a busy writer waits for company
_BUSY = 0.004  # a batch this soon after the last one means that we are busy
_IDLE = 0.2
_RETRIES = 8
_LATER_AT_MOST = 500


@dataclass(slots=True, eq=False)
class Entry:
    """Something to write, and to show once it is written.

    ``offset`` -1 means not durable: ``body`` is then a whole frame (or empty for nothing to show). ``later`` is run some
    time after this entry was committed, when there is nothing else to do (compaction).
    """

    channel: "Channel"
    offset: int
    kind: str
    body: str
    statements: Sequence[Executable] = ()
    written: asyncio.Future[None] | None = None
    later: Executable | None = None


Done = Callable[[list[Entry], BaseException | None], None]


class Writer:
    """Owns the thread. ``done`` is called on the event loop, once per entry, in the order of :meth:`put`."""

    def __init__(self, url: str, done: Done) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = done
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._later: list[Executable] = []
        self._engine = _engine(url)
        mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
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
        """Write what is queued and end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()

    def _run(self) -> None:
        last = 0.0
        while True:
            try:
                first = self._queue.get(timeout=_IDLE)
            except Empty:
                self._tidy()
                continue
            if time.monotonic() - last < _BUSY:
                time.sleep(_LINGER)
            batch = [first]
            while len(batch) < _BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            stopping = None in batch
            entries = [entry for entry in batch if entry is not None]
            self._commit(entries)
            last = time.monotonic()
            self._later += [entry.later for entry in entries if entry.later is not None]
            if len(self._later) > _LATER_AT_MOST or stopping:
                self._tidy()
            if stopping:
                return

    def _commit(self, batch: list[Entry]) -> None:
        """One transaction. A batch that cannot be written is tried entry by entry, so that one cannot spoil the rest."""
        error = self._try(batch) if batch else None
        if error is None:
            self._tell(batch, None)
            return
        if len(batch) == 1:
            log.error("transcript entry lost", chat=batch[0].channel.chat_id, error=repr(error))
            self._tell(batch, error)
            return
        for entry in batch:
            self._commit([entry])

    def _try(self, batch: list[Entry]) -> BaseException | None:
        for attempt in range(_RETRIES):
            try:
                with self._engine.begin() as connection:
                    self._write(connection, batch)
                return None
            except OperationalError as error:  # locked, or the server went away: worth waiting for
                failure: BaseException = error
                log.warning("transcript write failed, trying again", attempt=attempt, error=str(error.orig))
                time.sleep(min(0.05 * 2**attempt, 2.0))
            except (DBAPIError, ValueError, TypeError) as error:
                return error
        return failure

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

    def _tidy(self) -> None:
        statements, self._later = self._later, []
        try:
            if statements:
                with self._engine.begin() as connection:
                    for statement in statements:
                        connection.execute(statement)
        except DBAPIError as error:
            log.warning("transcript compaction put off", error=str(error.orig))
            self._later += statements

    def _tell(self, batch: list[Entry], error: BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._done, batch, error)
        except RuntimeError:
            log.warning("event loop closed before the transcript was shown")


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        Path(make_url(url).database or "mozaiks.db").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": 15, "check_same_thread": False}, pool_size=1, max_overflow=0)
        event.listen(engine, "connect", tune_sqlite)
        return engine
    return create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True)
