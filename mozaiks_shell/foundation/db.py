"""The database: engine and sessions. What a session may see is decided by :mod:`.wall` (D8, F-259)."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Insert, Update, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import await_only
from sqlmodel import SQLModel
from sqlmodel.sql.expression import SelectOfScalar

from mozaiks_shell.foundation import sqlite, turns
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import NotSignedIn
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.wall import AppRow, Scope, SystemRow, UserRow, WalledSession, scoped_tables
from mozaiks_shell.foundation.wall_writes import guard_writes

__all__ = [
    "AppRow", "Scope", "ScopedSession", "SystemRow", "UserRow", "dispose", "engine", "make_private", "scoped_tables", "session",
    "system_session", "tune_sqlite",
]  # fmt: skip

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class ScopedSession(AsyncSession):
    """An async session behind the wall. Get one from :func:`session` or :func:`system_session`."""

    sync_session_class = WalledSession

    async def exec(self, statement: Any, **options: Any) -> Any:
        """SQLModel's word for :meth:`execute`: the rows themselves when one thing is selected."""
        result = await self.execute(statement, **options)
        return result.scalars() if isinstance(statement, SelectOfScalar) else result


_engines: dict[str, AsyncEngine] = {}


def engine() -> AsyncEngine:
    """The engine of this process, made on first use so that a forked worker gets its own."""
    url = get_settings().sql_url
    if url not in _engines:
        kwargs: dict[str, Any] = {"pool_pre_ping": True}
        if url.startswith("sqlite"):
            make_private(url)
            in_file = make_url(url).database not in {None, "", ":memory:"}
            kwargs = {"async_creator": partial(sqlite.connect, url)} | ({"pool_use_lifo": True} if in_file else {})
        created = create_async_engine(url, **kwargs)
        if url.startswith("sqlite"):
            event.listen(created.sync_engine, "connect", tune_sqlite)
            event.listen(created.sync_engine, "before_execute", _in_turn)
        guard_writes(created.sync_engine)
        _engines[url] = created
    return _engines[url]


def _in_turn(connection: Any, statement: Any, *_: Any) -> None:
    """The first write of a session waits for those of others; :func:`session` lets the next one in."""
    if isinstance(statement, Insert | Update | Delete):
        info: dict[str, Any] | None = connection.get_execution_options().get("mozaiks_info")
        if info is not None and "turn" not in info:
            info["turn"] = await_only(turns.take_turn(str(connection.engine.url)))


def make_private(url: str) -> None:
    """Create the SQLite file readable by its owner only, and its folder with it; password hashes and transcripts are inside."""
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def tune_sqlite(connection: Any, _: Any) -> None:
    """WAL so that readers never wait for the writer; foreign keys on."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def dispose() -> None:
    """Close every pooled connection (shutdown, tests)."""
    for one in list(_engines.values()):
        await one.dispose()
    _engines.clear()


@asynccontextmanager
async def session(scope: Scope | None = None, *, owner: str = "", raw: bool = False) -> AsyncIterator[ScopedSession]:
    """A session that sees only the current person's rows; commits on success, rolls back on error.

    Args:
        scope: Whose rows; default: the current person's.
        owner: With the current person's: the package whose tables alone may be touched.
        raw: Let raw SQL pass. It is not scoped: whoever asks has checked that it may.

    What stands in ``info["after"]`` (coroutine functions, in order) is called once the transaction is committed.

    Raises:
        NotSignedIn: nobody is signed in and no scope was given.
    """
    if scope is None:
        principal = current_principal()
        if principal is None:
            raise NotSignedIn("Sign in to continue.")
        scope = Scope(principal.app_id, principal.user_id, owner)
    info = {"scope": scope, "raw": raw}
    async with ScopedSession(engine(), expire_on_commit=False, info=info) as opened:
        try:
            async with opened.begin():
                yield opened
        finally:
            if (turn := opened.info.pop("turn", None)) is not None:
                turn.release()
    for tell in opened.info.get("after", ()):
        await tell()


def system_session(app_id: str | None = None) -> Any:
    """A session over all people of the app, for work on nobody's behalf (sign-in, webhooks, admin).

    Callers check authority themselves. Not exported to plugins.
    """
    return session(Scope(app_id or get_settings().app_id, None))
