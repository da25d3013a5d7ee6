"""The database migrates itself on start, once, whoever is first (Alembic, ``alembic/``)."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from alembic import command
from mozaiks_shell.foundation import ddl
from mozaiks_shell.foundation.db import make_private
from mozaiks_shell.foundation.settings import ALEMBIC, Settings

_LOCK_KEY = 7_203_118  # pg_advisory_lock key of the migration


def alembic_config(settings: Settings) -> Config:
    """Alembic's configuration for this database; works from any working directory."""
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", settings.sql_url_sync.replace("%", "%%"))
    return config


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the migration lock: an advisory lock on PostgreSQL, a lock file beside SQLite."""
    url = make_url(settings.sql_url_sync)
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})
        engine.dispose()
        return
    path = Path(url.database or "mozaiks.db")
    make_private(settings.sql_url_sync)
    with path.with_suffix(".migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def upgrade(settings: Settings, revision: str = "shell@head") -> None:
    """Bring the shell's own tables to the newest revision. Blocking: call it in a thread."""
    with only_one(settings), ddl.transaction(settings) as connection:
        _upgrade(settings, connection, revision)


def plan(settings: Settings, connection: Connection) -> list[str]:
    """The SQL of :func:`upgrade`, tried out inside the caller's transaction, which must be taken back. Blocking."""
    statements: list[str] = []
    with ddl.watched(connection, lambda statement: statements.append(statement.strip()) if ddl.changes(statement) else None):
        _upgrade(settings, connection, "shell@head")
    return statements


def revision_of(connection: Connection) -> str:
    """The shell's revision in this database; empty for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def newest(settings: Settings) -> str:
    """The revision :func:`upgrade` leads to."""
    return ScriptDirectory.from_config(alembic_config(settings)).get_current_head() or ""


def _upgrade(settings: Settings, connection: Connection, revision: str) -> None:
    config = alembic_config(settings)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
