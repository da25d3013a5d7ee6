"""Everything kept about one person, found by looking at the database itself (F-234).

A table belongs to people when it has the columns ``app_id`` and ``user_id``. So a new room or plugin is covered without
anybody remembering, and so are the tables of a plugin that is disabled, in quarantine or gone.
"""

import base64
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, Final, Protocol

from sqlalchemy import Connection, MetaData, Select, Table, and_, delete, inspect, select, tuple_
from sqlmodel import SQLModel

from mozaiks_shell.foundation.db import ScopedSession, system_session

PAGE: Final = 200  # rows read at once
SECRET: Final = frozenset({"password", "secret", "hash", "digest", "token", "credential", "verifier", "nonce", "salt"})
_SECRET_ENDS: Final = ("api_key", "private_key", "access_key", "signing_key")

Row = dict[str, Any]


class Keeper(Protocol):
    """Something that keeps personal data outside the database, such as files. Registered with :func:`keep`."""

    name: str

    def export(self, app_id: str, user_id: str) -> AsyncIterator[str]:
        """The elements of a JSON list, commas included, in parts of a bounded size."""

    async def erase(self, app_id: str, user_id: str) -> None:
        """Remove everything of this person; called after their rows are gone, and again when it was not finished."""

    async def people(self, app_id: str) -> list[str]:
        """Ids of everybody it has something of."""


_keepers: dict[str, Keeper] = {}


def keep(keeper: Keeper) -> None:
    """From now on exports hold what this keeper keeps, under ``kept.<name>``, and deletion removes it."""
    _keepers[keeper.name] = keeper


def keepers() -> list[Keeper]:
    """All of them, by name."""
    return [_keepers[name] for name in sorted(_keepers)]


def personal_tables(connection: Connection) -> list[Table]:
    """Every table with rows of people, those that others refer to first."""
    seen = inspect(connection)
    names = [
        name for name in seen.get_table_names() if {"app_id", "user_id"} <= {column["name"] for column in seen.get_columns(name)}
    ]
    found = MetaData()
    found.reflect(connection, only=names)
    return [table for table in found.sorted_tables if table.name in names]


async def tables() -> list[Table]:
    """:func:`personal_tables` of this installation."""
    async with system_session() as db:
        return await (await db.connection()).run_sync(personal_tables)


async def rows(table: Table, app_id: str, user_id: str) -> AsyncIterator[list[Row]]:
    """This person's rows, a page at a time and each page in a transaction of its own, without secrets, as JSON values."""
    shown = [column for column in table.columns if not is_secret(table.name, column.name)]
    key = list(table.primary_key.columns) or list(table.columns)
    mine = and_(table.c.app_id == app_id, table.c.user_id == user_id)
    after: tuple[Any, ...] | None = None
    while True:
        query = select(*shown, *key).where(mine).order_by(*key).limit(PAGE)
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        async with system_session(app_id) as db:
            page: Sequence[Any] = (await (await db.connection()).execute(query)).all()
        if page:
            yield [{column.name: as_json(value) for column, value in zip(shown, row, strict=False)} for row in page]
        if len(page) < PAGE:
            return
        after = tuple(page[-1][len(shown) :])


async def erase(db: ScopedSession, app_id: str, who: str | Select[Any]) -> int:
    """Delete every row of a person, inside the caller's transaction; returns how many.

    Args:
        who: Their id, or a query for the ids of several.
    """
    connection, gone = await db.connection(), 0
    for table in reversed(await connection.run_sync(personal_tables)):
        theirs = table.c.user_id == who if isinstance(who, str) else table.c.user_id.in_(who)
        result = await connection.execute(delete(table).where(table.c.app_id == app_id, theirs))
        gone += result.rowcount
    return gone


def area_of(table: str) -> str:
    """The room or plugin a table belongs to: ``identity``, ``chat``, ``plugin notes``."""
    for mapper in SQLModel._sa_registry.mappers:
        if getattr(mapper.local_table, "name", "") == table:
            parts = mapper.class_.__module__.split(".")
            if parts[0] == "mozaiks_plugins":
                return f"plugin {parts[1]}"
            return parts[1] if parts[0] == "mozaiks_shell" and len(parts) > 1 else parts[0]
    return "other"


def is_secret(table: str, column: str) -> bool:
    """Whether a column holds a credential or its digest. ``Field(sa_column_kwargs={"info": {"secret": True}})`` says so, too."""
    known = SQLModel.metadata.tables.get(table)
    if known is not None and column in known.columns and "secret" in known.columns[column].info:
        return bool(known.columns[column].info["secret"])
    return bool(SECRET & set(column.lower().split("_"))) or column.lower().endswith(_SECRET_ENDS)


def as_json(value: Any) -> Any:
    """A column's value as JSON: times in ISO 8601 (UTC), bytes in base64."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)
