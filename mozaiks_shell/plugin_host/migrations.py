"""Database changes of plugins: one Alembic history per plugin, each with a version table of its own (F-090).

At the start one question to the database tells which plugins have something to do (:func:`pending`): the others cost a look at
their migration files. What is found right is remembered by its fingerprint, in the database it is true of.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, delete, insert, inspect, pool, select
from sqlmodel import SQLModel

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.ddl import EndsTransaction, changes, touched, transaction, watched
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.models import PluginSchema
from mozaiks_shell.plugin_host.registry import Plugin

_SCHEMA = PluginSchema.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class Step:
    """What migrating one plugin does, or would do.

    Attributes:
        before, after: Its revision; empty for none.
        statements: The SQL that changes something, in order.
        problem: Why it cannot be done; then nothing was.
    """

    plugin: str
    before: str = ""
    after: str = ""
    statements: list[str] = field(default_factory=list)
    problem: PluginProblem | None = None


def version_table(plugin: Plugin) -> str:
    """Where Alembic keeps the plugin's revision."""
    return f"alembic_version_{plugin.slug}"


def has_history(plugin: Plugin) -> bool:
    """Whether the plugin keeps anything in the database by scripts or models of its own."""
    return bool(plugin.tables) or (plugin.folder / "migrations").is_dir()


def fingerprint(plugin: Plugin) -> str:
    """Of its migration scripts and the tables of its models."""
    seen = hashlib.sha256()
    for script in sorted((plugin.folder / "migrations").glob("*.py")):
        seen.update(script.name.encode() + b"\0" + script.read_bytes() + b"\0")
    for name in plugin.tables:
        columns = (f"{column.name} {type(column.type).__name__}" for column in SQLModel.metadata.tables[name].columns)
        seen.update(f"{name}({','.join(columns)})".encode())
    return seen.hexdigest()


def pending(plugins: Iterable[Plugin], settings: Settings) -> list[Plugin]:
    """Those of the plugins that :func:`migrate` has something to do for. Blocking; one connection for all of them."""
    candidates = [plugin for plugin in plugins if has_history(plugin)]
    if not candidates:
        return []
    engine = create_engine(settings.sql_url_sync, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            names = set(inspect(connection).get_table_names())
            known = _known(connection, names, settings)
    finally:
        engine.dispose()
    return [plugin for plugin in candidates if not _right(plugin, names, known.get(plugin.name))]


def migrate(plugin: Plugin, settings: Settings) -> Step:
    """Bring the plugin's tables to its newest revision, in one transaction, and check that they fit its models.

    Blocking: call it in a thread, under the migration lock. Harmless when another process has done it meanwhile.

    Raises:
        PluginProblem: a script failed, wrote to a table that is not the plugin's or tried to commit, the database comes from
            a newer version of the plugin, or tables and models differ. The schema is then as it was before.
    """
    if not has_history(plugin):
        return Step(plugin.name)
    with transaction(settings) as connection:
        names = set(inspect(connection).get_table_names())
        if _right(plugin, names, _known(connection, names, settings).get(plugin.name)):
            return Step(plugin.name)
        step = _migrate(plugin, connection)
        if _SCHEMA.name in names:
            _forget(plugin, connection, settings)
            row = {"app_id": settings.app_id, "plugin": plugin.name, "fingerprint": fingerprint(plugin), "checked_at": now()}
            connection.execute(insert(_SCHEMA).values(row))
        return step


def plan(plugins: Iterable[Plugin], connection: Connection) -> list[Step]:
    """What :func:`migrate` would do for each, tried out inside the caller's transaction, which must be taken back."""
    steps: list[Step] = []
    for plugin in plugins:
        if has_history(plugin):
            trial = connection.begin_nested()
            try:
                steps.append(_migrate(plugin, connection))
                trial.commit()
            except PluginProblem as problem:
                trial.rollback()
                steps.append(Step(plugin.name, problem=problem))
    return steps


def downgrade(plugin: Plugin, settings: Settings, revision: str = "base") -> Step:
    """Take the plugin's tables back. Blocking. After ``base`` its folder may be removed without a trace.

    Raises:
        PluginProblem: as :func:`migrate`.
    """
    with transaction(settings) as connection:
        step = _run(plugin, plugin.folder / "migrations", connection, revision)
        if _SCHEMA.name in inspect(connection).get_table_names():
            _forget(plugin, connection, settings)
        return step


def current(plugin: Plugin, connection: Connection) -> str:
    """The plugin's revision in this database; empty for none."""
    context = MigrationContext.configure(connection, opts={"version_table": version_table(plugin)})
    return ", ".join(context.get_current_heads())


def scripts_in(folder: Path) -> ScriptDirectory:
    """Alembic's view of a folder of scripts."""
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def run_scripts(plugin: Plugin, connection: Connection) -> Step:
    """The plugin's scripts to the newest revision, without a look at its models. The transaction is the caller's.

    Raises:
        PluginProblem: as :func:`migrate`.
    """
    folder = plugin.folder / "migrations"
    return _run(plugin, folder, connection, "heads") if folder.is_dir() else Step(plugin.name)


def _migrate(plugin: Plugin, connection: Connection) -> Step:
    step = run_scripts(plugin, connection)
    _check_schema(plugin, connection)
    return step


def _known(connection: Connection, names: set[str], settings: Settings) -> dict[str, str]:
    if _SCHEMA.name not in names:
        return {}
    rows = connection.execute(select(_SCHEMA.c.plugin, _SCHEMA.c.fingerprint).where(_SCHEMA.c.app_id == settings.app_id))
    return {row.plugin: row.fingerprint for row in rows}


def _right(plugin: Plugin, names: set[str], known: str | None) -> bool:
    return known is not None and set(plugin.tables) <= names and known == fingerprint(plugin)


def _forget(plugin: Plugin, connection: Connection, settings: Settings) -> None:
    mine = (_SCHEMA.c.app_id == settings.app_id) & (_SCHEMA.c.plugin == plugin.name)
    connection.execute(delete(_SCHEMA).where(mine))


def _run(plugin: Plugin, folder: Path, connection: Connection, revision: str) -> Step:
    step = Step(plugin.name, before=current(plugin, connection))
    try:
        scripts = scripts_in(folder)
        _refuse_newer(plugin, scripts, step.before)

        def steps(present: Any, _: Any) -> Any:
            if revision == "heads":
                return scripts._upgrade_revs(revision, present)
            return scripts._downgrade_revs(revision, present)

        with (
            _own_tables_only(plugin, connection, step.statements),
            EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment,
        ):
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
        said = error.message if isinstance(error, PluginProblem) else f"{type(error).__name__}: {error}"
        said = str(error) if isinstance(error, EndsTransaction) else said
        raise PluginProblem(Cause.MIGRATION, said, *_script_line(folder, error)) from error
    step.after = current(plugin, connection)
    return step


def _refuse_newer(plugin: Plugin, scripts: ScriptDirectory, before: str) -> None:
    """A database that a newer version of the plugin has migrated is not taken back by an older one."""
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = [one for one in before.split(", ") if one and one not in known]
    if unknown:
        raise PluginProblem(
            Cause.MIGRATION,
            f"the database is at revision {', '.join(unknown)}, which this version of the plugin does not know. "
            f"A newer one made it. Nothing was taken back. Install that version again; to go back on purpose, run with it: "
            f"mozaiks-shell migrate --plugin {plugin.name} --downgrade-to REVISION",
            "migrations",
        )


@contextmanager
def _own_tables_only(plugin: Plugin, connection: Connection, seen: list[str]) -> Iterator[None]:
    """While the scripts run: note what they change, and stop what is not theirs to change."""
    allowed = (f"{plugin.slug}_", f"_alembic_tmp_{plugin.slug}_")

    def look(statement: str) -> None:
        for name in touched(statement):
            if name != version_table(plugin) and not name.startswith(allowed):
                raise PluginProblem(Cause.MIGRATION, f"the table {name} is not this plugin's: its own begin with {plugin.slug}_")
        if changes(statement):
            seen.append(statement.strip())

    with watched(connection, look):
        yield


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
