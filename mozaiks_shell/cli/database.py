"""``migrate``, ``migration``, ``db``, ``backup``, ``restore``: the database."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.cli import database_checks
from mozaiks_shell.foundation import ddl
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import Settings, load_or_exit
from mozaiks_shell.hosting import migrate as core
from mozaiks_shell.hosting.backup import BackupProblem, backup, restore
from mozaiks_shell.plugin_host import drafts, migrations, registry
from mozaiks_shell.plugin_host.errors import PluginProblem
from mozaiks_shell.plugin_host.loader import load_all
from mozaiks_shell.plugin_host.registry import Plugin


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(migration)
    app.command(name="db")(db_command)
    app.command(name="backup")(backup_command)
    app.command(name="restore")(restore_command)


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL, change nothing.")] = False,
    plugin: Annotated[str, typer.Option(help="This plugin alone.")] = "",
    downgrade_to: Annotated[
        str, typer.Option(help="With --plugin: take its tables back to this revision; base: all of them.")
    ] = "",
) -> None:
    """Bring the database to the newest revision: the shell's tables, then each plugin's. The server does the same on start.

    Exit code 1 when a plugin's migration fails; the others are done, and that one is as it was.
    """
    settings = load_or_exit()
    plugins = _plugins(settings, plugin)
    if downgrade_to:
        _downgrade(settings, plugins, plugin, downgrade_to)
    elif dry_run:
        _dry_run(settings, plugins, with_core=not plugin)
    else:
        _migrate(settings, plugins, with_core=not plugin)


def _migrate(settings: Settings, plugins: list[Plugin], with_core: bool) -> None:
    if with_core:
        core.upgrade(settings)
        typer.echo(f"The database is up to date: {address(settings)}")
    failed = False
    for plugin in plugins:
        if not migrations.has_history(plugin):
            continue
        try:
            with core.only_one(settings):
                step = migrations.migrate(plugin, settings)
            typer.echo(_said(step))
        except PluginProblem as problem:
            failed = True
            typer.echo(f"{plugin.name}: failed, its tables are as they were. {problem.where}: {problem.message}", err=True)
    raise typer.Exit(1 if failed else 0)


def _dry_run(settings: Settings, plugins: list[Plugin], with_core: bool) -> None:
    """Everything runs in one transaction that is taken back, so that what is printed is what would happen."""
    with ddl.transaction(settings, keep=False) as connection:
        before = core.revision_of(connection)
        statements = core.plan(settings, connection) if with_core else []
        steps = migrations.plan(plugins, connection)
    if with_core:
        typer.echo(f"-- the shell: {_way(before, core.newest(settings))}")
        _print(statements)
    for step in steps:
        typer.echo(f"-- {_said(step)}")
        _print(step.statements)
    typer.echo("-- Nothing was changed.")
    raise typer.Exit(1 if any(step.problem for step in steps) else 0)


def _downgrade(settings: Settings, plugins: list[Plugin], name: str, revision: str) -> None:
    if not name:
        typer.echo("--downgrade-to needs --plugin: the shell's own tables are taken back by restoring a backup.", err=True)
        raise typer.Exit(2)
    try:
        with core.only_one(settings):
            typer.echo(_said(migrations.downgrade(plugins[0], settings, revision)))
    except PluginProblem as problem:
        typer.echo(f"{name}: failed, its tables are as they were. {problem.where}: {problem.message}", err=True)
        raise typer.Exit(1) from None


def migration(
    plugin: Annotated[str, typer.Argument(help="Name of the plugin.")],
    message: Annotated[str, typer.Option("-m", "--message", help="What it does, in a few words.")],
) -> None:
    """Draft a plugin's next migration from its models. Read it before you keep it."""
    settings = load_or_exit()
    found = _plugins(settings, plugin)[0]
    try:
        path = drafts.draft(found, settings, message)
    except PluginProblem as problem:
        typer.echo(f"{plugin}: {problem.where}: {problem.message}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"written  {path}" if path else "The models say what the migrations make: nothing to write.")


def db_command(
    init_db: Annotated[bool, typer.Option("--init-db", help="Make or update all tables, as migrate does.")] = False,
    check_db: Annotated[bool, typer.Option("--check-db", help="0: well; 1: empty or behind; 2: broken or out of reach.")] = False,
    seed_test_data: Annotated[
        bool, typer.Option("--seed-test-data", help="Two accounts to try things with; not in production.")
    ] = False,
    list_plugins: Annotated[bool, typer.Option("--list-plugins", help="Each plugin, its state and revision.")] = False,
) -> None:
    """Look after the database. Options may be combined; each may be repeated without harm."""
    settings = load_or_exit()
    if not (init_db or check_db or seed_test_data or list_plugins):
        typer.echo("Say what to do: --init-db, --check-db, --seed-test-data, --list-plugins.", err=True)
        raise typer.Exit(2)
    try:
        if init_db:
            try:
                _migrate(settings, _plugins(settings), with_core=True)
            except typer.Exit as done:
                if done.exit_code:
                    raise
        if check_db:
            code, said = database_checks.check(settings)
            typer.echo(said)
            if code:
                raise typer.Exit(code)
        if seed_test_data:
            for line in asyncio.run(database_checks.seed(settings)):
                typer.echo(line)
        if list_plugins:
            for line in database_checks.plugin_lines(_plugins(settings, quarantined=True), settings):
                typer.echo(line)
    except (SQLAlchemyError, OSError) as error:
        typer.echo(f"The database {address(settings)} cannot be used: {database_checks.reason(error)}", err=True)
        raise typer.Exit(2) from None
    except database_checks.NotHere as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def backup_command(folder: Annotated[Path, typer.Argument(help="A folder that is not there yet, or empty.")]) -> None:
    """Save the database and the private files (docs/backup.md). The app may go on meanwhile."""
    _saved(backup, folder, "Saved revision {revision} of the {database} database to {folder}")


def restore_command(folder: Annotated[Path, typer.Argument(help="What backup wrote.")]) -> None:
    """Put a backup back into an empty database (docs/backup.md). Stop the app before."""
    _saved(restore, folder, "Restored what was saved at {at} from {folder}")


def _saved(act, folder: Path, said: str) -> None:  # type: ignore[no-untyped-def]
    try:
        told = act(load_or_exit(), folder)
    except BackupProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    typer.echo(said.format(folder=folder, **told))


def _plugins(settings: Settings, name: str = "", *, quarantined: bool = False) -> list[Plugin]:
    """The loaded plugins, or the one of this name."""
    configure(settings.model_copy(update={"log_level": "error"}))
    found = [plugin for plugin in load_all(settings) if plugin.live or quarantined]
    if not name:
        return found
    if known := [plugin for plugin in found if plugin.name == name]:
        return known
    broken = registry.find(name)
    said = (
        f"{name} is {broken.state.value}: {broken.problem.message if broken.problem else ''}"
        if broken
        else f"There is no plugin {name}."
    )
    typer.echo(said, err=True)
    raise typer.Exit(1)


def _said(step: migrations.Step) -> str:
    if step.problem is not None:
        return f"{step.plugin}: would fail. {step.problem.where}: {step.problem.message}"
    return f"{step.plugin}: {_way(step.before, step.after)}"


def _way(before: str, after: str) -> str:
    return "up to date" if before == after else f"{before or 'nothing'} -> {after or 'nothing'}"


def _print(statements: list[str]) -> None:
    for statement in statements:
        typer.echo(f"{statement.rstrip(';')};\n")


def address(settings: Settings) -> str:
    """The database's URL without its password."""
    return make_url(settings.sql_url_sync).render_as_string(hide_password=True)
