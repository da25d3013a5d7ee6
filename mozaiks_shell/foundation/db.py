"""The database: engine, sessions and the tenancy wall (D8, F-259).

Every table is :class:`AppRow` (belongs to an app) or :class:`UserRow` (belongs to a person
in an app). The wall adds the scope to every ORM statement and stamps every new row, so
the code above it cannot forget. ``tests/invariants`` refuses a table that is neither.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlmodel import Field, SQLModel, col

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import Forbidden, NotSignedIn
from mozaiks_shell.foundation.settings import get_settings

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class AppRow(SQLModel):
    """Mixin: a row that belongs to an app. ``app_id`` is stamped by the wall."""

    app_id: str = Field(default="", index=True, max_length=64)


class UserRow(AppRow):
    """Mixin: a row that belongs to one person in one app. Both columns are stamped by the wall."""

    user_id: str = Field(default="", index=True, max_length=64)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a session may see. ``user_id`` None means every person of the app (system work)."""

    app_id: str
    user_id: str | None


class ScopedSession(AsyncSession):
    """An async session behind the wall. Get one from :func:`session` or :func:`system_session`."""


_engines: dict[str, AsyncEngine] = {}


def engine() -> AsyncEngine:
    """The engine of this process, made on first use so that a forked worker gets its own."""
    url = get_settings().sql_url
    if url not in _engines:
        kwargs: dict[str, Any] = {"pool_pre_ping": True}
        if url.startswith("sqlite"):
            path = make_url(url).database
            if path and path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            kwargs = {"connect_args": {"timeout": 15}}
        created = create_async_engine(url, **kwargs)
        if url.startswith("sqlite"):
            event.listen(created.sync_engine, "connect", tune_sqlite)
        _engines[url] = created
    return _engines[url]


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
async def session(scope: Scope | None = None) -> AsyncIterator[ScopedSession]:
    """A session that sees only the current person's rows; commits on success, rolls back on error.

    Raises:
        NotSignedIn: nobody is signed in and no scope was given.
    """
    if scope is None:
        principal = current_principal()
        if principal is None:
            raise NotSignedIn("Sign in to continue.")
        scope = Scope(principal.app_id, principal.user_id)
    async with ScopedSession(engine(), expire_on_commit=False, info={"scope": scope}) as opened, opened.begin():
        yield opened


def system_session(app_id: str | None = None) -> Any:
    """A session over all people of the app, for work on nobody's behalf (sign-in, webhooks, admin).

    Callers check authority themselves. Not exported to plugins.
    """
    return session(Scope(app_id or get_settings().app_id, None))


def scoped_tables(base: type[AppRow] = AppRow) -> list[type[AppRow]]:
    """Every mapped table below ``base``, however deep."""
    found: list[type[AppRow]] = []
    for child in base.__subclasses__():
        if "__table__" in vars(child):
            found.append(child)
        found += scoped_tables(child)
    return found


@event.listens_for(Mapper, "after_mapper_constructed")
def _forget_criteria(_: Any, __: Any) -> None:
    _criteria.cache_clear()


@lru_cache(maxsize=2048)
def _criteria(scope: Scope) -> tuple[ExecutableOption, ...]:
    wall: list[ExecutableOption] = []
    for table in scoped_tables():
        condition = col(table.app_id) == scope.app_id
        if issubclass(table, UserRow) and scope.user_id is not None:
            condition = condition & (col(table.user_id) == scope.user_id)
        wall.append(with_loader_criteria(table, condition, include_aliases=True))
    return tuple(wall)


@event.listens_for(Session, "do_orm_execute")
def _scope_statements(state: ORMExecuteState) -> None:
    scope: Scope | None = state.session.info.get("scope")
    if scope is not None and not (state.is_column_load or state.is_relationship_load):
        state.statement = state.statement.options(*_criteria(scope))


@event.listens_for(Session, "before_flush")
def _scope_rows(opened: Session, _: Any, __: Any) -> None:
    scope: Scope | None = opened.info.get("scope")
    if scope is None:
        return
    for row in opened.new:
        if isinstance(row, AppRow):
            row.app_id = row.app_id or scope.app_id
        if isinstance(row, UserRow) and scope.user_id is not None:
            row.user_id = row.user_id or scope.user_id
    for row in [*opened.new, *opened.dirty, *opened.deleted]:
        if isinstance(row, AppRow) and row.app_id != scope.app_id:
            raise Forbidden("This row belongs to another app.", code="TENANT_MISMATCH")
        if isinstance(row, UserRow) and scope.user_id is not None and row.user_id != scope.user_id:
            raise Forbidden("This row belongs to another person.", code="TENANT_MISMATCH")


def is_busy(error: BaseException) -> bool:
    """True when SQLite gave up waiting for its write lock: worth one more try."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
