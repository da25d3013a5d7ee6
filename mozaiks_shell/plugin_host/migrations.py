"""Database changes of plugins: one Alembic history per plugin, each with a version table of its own (F-090)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import rev_id
from sqlalchemy import Connection, create_engine, event, inspect, pool
from sqlmodel import SQLModel

from mozaiks_shell.foundation.db import tune_sqlite
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.registry import Plugin

_SCRIPT = '''"""{message}"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def version_table(plugin: Plugin) -> str:
    """Where Alembic keeps the plugin's revision."""
    return f"alembic_version_{plugin.slug}"


def migrate(plugin: Plugin, settings: Settings) -> None:
    """Bring the plugin's tables to its newest revision, in one transaction, and check that they fit its models.

    Blocking: call it in a thread, under the migration lock.

    Raises:
        PluginProblem: a script failed (the schema is as it was before), or tables and models differ.
    """
    folder = plugin.folder / "migrations"
    if not folder.is_dir() and not plugin.tables:
        return
    with _transaction(settings) as connection:
        if folder.is_dir():
            _run(plugin, folder, connection, "heads")
        _check_schema(plugin, connection)


def downgrade(plugin: Plugin, settings: Settings, revision: str = "base") -> None:
    """Take the plugin's tables back. Blocking. Its folder may then be removed without a trace."""
    with _transaction(settings) as connection:
        _run(plugin, plugin.folder / "migrations", connection, revision)


def draft(plugin: Plugin, settings: Settings, message: str) -> Path | None:
    """Write the migration that leads from the database to the plugin's models; None when nothing differs."""
    folder = plugin.folder / "migrations"
    folder.mkdir(exist_ok=True)
    with _transaction(settings) as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in plugin.tables, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts={"compare_type": True, **options})
        found = produce_migrations(context, SQLModel.metadata)
        operations = [one for one in found.upgrade_ops.ops if getattr(one, "table_name", "") in plugin.tables]  # type: ignore[union-attr]
        if not operations:
            return None
        found.upgrade_ops.ops = operations  # type: ignore[union-attr]
        found.downgrade_ops = found.upgrade_ops.reverse()  # type: ignore[union-attr]
        head = _scripts(folder).get_current_head()
        revision = rev_id()
        text = _SCRIPT.format(
            message=message,
            revision=revision,
            down=repr(head),
            upgrade=render_python_code(found.upgrade_ops, render_as_batch=True).strip(),  # type: ignore[arg-type]
            downgrade=render_python_code(found.downgrade_ops, render_as_batch=True).strip(),  # type: ignore[arg-type]
        )
    slug = "_".join(word for word in "".join(c if c.isalnum() else " " for c in message.lower()).split())[:40]
    path = folder / f"{revision}_{slug}.py"
    path.write_text(text, encoding="utf-8")
    return path


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


@contextmanager
def _transaction(settings: Settings) -> Iterator[Connection]:
    """One transaction that also covers DDL. pysqlite would end it at the first CREATE, so we begin it ourselves."""
    url = settings.sql_url_sync
    engine = create_engine(url, poolclass=pool.NullPool)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def manual(connection: Any, record: Any) -> None:
            tune_sqlite(connection, record)
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys=OFF")  # batch mode moves rows into a new table

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        yield connection


def _run(plugin: Plugin, folder: Path, connection: Connection, revision: str) -> None:
    scripts = _scripts(folder)

    def steps(current: Any, _: Any) -> Any:
        if revision == "heads":
            return scripts._upgrade_revs(revision, current)
        return scripts._downgrade_revs(revision, current)

    try:
        with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
            environment.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                version_table=version_table(plugin),
                transactional_ddl=True,
                render_as_batch=True,
            )
            environment.run_migrations()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginProblem(Cause.MIGRATION, f"{type(error).__name__}: {error}", *_script_line(folder, error)) from error


def _script_line(folder: Path, error: BaseException) -> tuple[str, int]:
    place = ("migrations", 0)
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(folder):
            place = (f"migrations/{file.name}", trace.tb_lineno)
        trace = trace.tb_next
    return place


def _check_schema(plugin: Plugin, connection: Connection) -> None:
    """Every table and column of the models exists, so that a forgotten migration shows here and not in a page."""
    schema = inspect(connection)
    for name in plugin.tables:
        if not schema.has_table(name):
            raise PluginProblem(Cause.MIGRATION, f"no migration creates the table {name}", "migrations")
        missing = {column.name for column in SQLModel.metadata.tables[name].columns} - {
            one["name"] for one in schema.get_columns(name)
        }
        if missing:
            raise PluginProblem(Cause.MIGRATION, f"no migration adds {', '.join(sorted(missing))} to {name}", "migrations")
