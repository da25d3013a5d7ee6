"""SQLite as this process uses it: one step to its thread and back per statement.

A statement of SQLAlchemy over plain ``aiosqlite`` goes to the connection's thread five times (cursor, execute, fetch, close,
and a commit or rollback that has nothing to do); under load every one of them waits for a busy event loop. Here it goes once.

SQLite lets one connection write at a time. Those who wait poll the file, whoever happens to look at the right moment goes
first, and under load some wait until they time out. So the writers of one process take turns (:mod:`.turns`); only other
processes are still waited for at the file.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import aiosqlite
from sqlalchemy.engine import make_url

SECONDS: Final = 15.0  # a writer waits so long at the file, for other processes
_AHEAD: Final = 500  # rows that are fetched together with the statement


def connect(url: str) -> "Connection":
    """A connection to the file of this URL; await it. For ``create_async_engine(async_creator=...)``."""
    made = make_url(url)
    dialect = made.get_dialect()()
    (path, *_), options = dialect.create_connect_args(made)
    connection = Connection(lambda: sqlite3.connect(path, **{**options, "timeout": SECONDS}), 64)
    connection._thread.daemon = True
    return connection


class Connection(aiosqlite.Connection):
    """Goes to its thread once per statement, and not at all to end a transaction that never began."""

    _unsure = False  # a call was cut short: what its thread still does is not known

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._unsure = True
        try:
            result = await super()._execute(fn, *args, **kwargs)
        except Exception:
            self._unsure = False
            raise
        self._unsure = False
        return result

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A cursor, at once."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit, if something was written."""
        if self._unsure or self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if something was written."""
        if self._unsure or self._conn.in_transaction:
            await super().rollback()


class Cursor:
    """What SQLAlchemy needs of a cursor. The first rows come with the statement; the real cursor is closed with the last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._real: sqlite3.Cursor | None = None
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount, self.arraysize = -1, 1

    async def __aenter__(self) -> "Cursor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        """Run a statement and fetch its first rows."""
        await self._connection._execute(self._run, sql, parameters, many=False)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "Cursor":
        """Run a statement for each row of parameters."""
        await self._connection._execute(self._run, sql, parameters, many=True)
        return self

    async def fetchone(self) -> Any:
        """The next row, or None."""
        if not self._rows and self._real is not None:
            self._rows.extend(await self._connection._execute(self._more, _AHEAD))
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """The next rows; fewer when there are no more."""
        wanted = size or self.arraysize
        if len(self._rows) < wanted and self._real is not None:
            self._rows.extend(await self._connection._execute(self._more, wanted - len(self._rows)))
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> Sequence[Any]:
        """All further rows."""
        if self._real is not None:
            self._rows.extend(await self._connection._execute(self._more, None))
        rows, self._rows = self._rows, deque()
        return rows

    async def close(self) -> None:
        """Give the real cursor back, if rows were left."""
        self._rows.clear()
        if self._real is not None:
            real, self._real = self._real, None
            await self._connection._execute(real.close)

    def _run(self, sql: str, parameters: Any, *, many: bool) -> None:
        """In the connection's thread."""
        real = self._real or self._connection._conn.cursor()
        self._real = None
        self._rows.clear()
        (real.executemany if many else real.execute)(sql, parameters)
        self.description = real.description
        if real.description is not None:
            self._rows.extend(real.fetchmany(_AHEAD))
        self.rowcount, self.lastrowid = real.rowcount, real.lastrowid
        if len(self._rows) < _AHEAD:
            real.close()
        else:
            self._real = real

    def _more(self, count: int | None) -> list[Any]:
        """In the connection's thread."""
        assert self._real is not None
        rows = self._real.fetchall() if count is None else self._real.fetchmany(count)
        if count is None or len(rows) < count:
            self._real.close()
            self._real = None
        return rows
