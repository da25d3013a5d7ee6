"""Changes of the schema: all or nothing, on both databases; and what they would be, without making them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, pool
from sqlalchemy.engine import make_url

from mozaiks_shell.foundation.db import make_private, tune_sqlite
from mozaiks_shell.foundation.settings import Settings

_READING = re.compile(r"\s*(SELECT|PRAGMA|SHOW|SAVEPOINT|RELEASE|ROLLBACK TO)\b", re.IGNORECASE)
_NAME = r'(?:"?(?:public|main)"?\.)?(?:"([^"]+)"|`([^`]+)`|(\w+))'
_WRITES = re.compile(
    rf"(?:CREATE\s+(?:TEMP\w*\s+)?TABLE(?:\s+IF\s+NOT\s+EXISTS)?|DROP\s+TABLE(?:\s+IF\s+EXISTS)?"
    rf"|ALTER\s+TABLE(?:\s+IF\s+EXISTS)?(?:\s+ONLY)?|INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?(?:\s+ONLY)?"
    rf"|DELETE\s+FROM(?:\s+ONLY)?|TRUNCATE(?:\s+TABLE)?(?:\s+ONLY)?"
    rf"|CREATE\s+(?:UNIQUE\s+)?INDEX(?:\s+CONCURRENTLY)?(?:\s+IF\s+NOT\s+EXISTS)?\s+\S+\s+ON(?:\s+ONLY)?)\s+{_NAME}",
    re.IGNORECASE,
)
_RENAMES = re.compile(rf"ALTER\s+TABLE\s+.*\bRENAME\s+TO\s+{_NAME}", re.IGNORECASE | re.DOTALL)
_TRIGGERS = re.compile(rf"CREATE\s+(?:\w+\s+){{0,3}}TRIGGER\b.*?\bON\s+{_NAME}", re.IGNORECASE | re.DOTALL)
_BODIED = re.compile(r"CREATE\s+(?:\w+\s+){0,3}(?:TRIGGER|FUNCTION|PROCEDURE)\b", re.IGNORECASE)  # with statements inside


@contextmanager
def transaction(settings: Settings, *, keep: bool = True) -> Iterator[Connection]:
    """One transaction that covers DDL as well. The SQLite driver would end it at the first CREATE, so we begin it ourselves.

    Nothing inside can commit: whatever tries to raises, and all is as it was.

    Args:
        keep: False takes everything back at the end. A SQLite file that is not there is then not made either.
    """
    url = settings.sql_url_sync
    sqlite = url.startswith("sqlite")
    if sqlite:
        if keep:
            make_private(url)
        elif (path := make_url(url).database) and not Path(path).exists():
            url = "sqlite://"
    engine = create_engine(url, poolclass=pool.StaticPool if url == "sqlite://" else pool.NullPool)
    done = False
    if sqlite:

        @event.listens_for(engine, "connect")
        def manual(connection: Any, record: Any) -> None:
            tune_sqlite(connection, record)
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys=OFF")  # batch mode moves rows into a new table

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "commit")
    def only_ours(_: Connection) -> None:
        if not done:
            raise EndsTransaction("a migration may not commit: its transaction is all or nothing")

    try:
        with engine.connect() as connection, connection.begin() as whole:
            yield connection
            done = True
            if not keep:
                whole.rollback()
    finally:
        engine.dispose()


class EndsTransaction(Exception):
    """A script tried to end the transaction it runs in."""


@contextmanager
def watched(connection: Connection, look: Callable[[str], None]) -> Iterator[None]:
    """Show every statement to ``look`` before it runs; what that raises stops it."""

    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        look(statement)

    event.listen(connection, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", before)


def changes(statement: str) -> bool:
    """Whether a statement does more than read."""
    return _READING.match(statement) is None


def touched(statement: str) -> list[str]:
    """Names of the tables that SQL text creates, changes, drops or writes to.

    Raises:
        EndsTransaction: it would commit, roll back, or leave this database.
    """
    found: list[str] = []
    for part in [statement] if _BODIED.match(_bare(statement)) else statement.split(";"):
        text = _bare(part)
        if re.match(r"(COMMIT|BEGIN|END|ABORT|START|ROLLBACK(?!\s+TO\b)|VACUUM|ATTACH|DETACH|COPY|DO)\b", text, re.IGNORECASE):
            raise EndsTransaction(f"a migration may not execute {text.split()[0].upper()}")
        if re.match(r"WITH\b", text, re.IGNORECASE):
            found += [_named(match) for match in _WRITES.finditer(text)]
        found += [_named(match) for pattern in (_WRITES, _RENAMES, _TRIGGERS) if (match := pattern.match(text))]
    return found


def _named(match: re.Match[str]) -> str:
    return next(filter(None, match.groups()))


def _bare(text: str) -> str:
    """Without the comments and blanks it begins with."""
    return re.sub(r"^(\s|--[^\n]*\n|/\*.*?\*/)+", "", text, flags=re.DOTALL)
