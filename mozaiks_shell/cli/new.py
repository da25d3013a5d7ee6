"""``new plugin`` (F-283) and ``new workflow`` (F-284)."""

from pathlib import Path
from typing import Annotated

import typer

from mozaiks_shell.appconfig.capabilities import SPECS
from mozaiks_shell.cli.scaffold import Parts, scaffold
from mozaiks_shell.cli.workflows import scaffold_workflow
from mozaiks_shell.foundation.settings import load_or_exit

new = typer.Typer(no_args_is_help=True, help="Make a plugin or a workflow.")

Choice = bool | None


def register(app: typer.Typer) -> None:
    """Add ``new``."""
    app.add_typer(new, name="new")


@new.callback()
def _group() -> None:
    """Make a plugin or a workflow."""


@new.command()
def plugin(
    name: Annotated[str, typer.Argument(help="2 to 40 lower-case letters, digits, - and _; the folder's name.")],
    frontend: Annotated[Choice, typer.Option("--with-frontend/--without-frontend", help="A page with its State.")] = None,
    model: Annotated[Choice, typer.Option("--with-model/--without-model", help="A table of its own, with migration.")] = None,
    settings: Annotated[Choice, typer.Option("--with-settings/--without-settings", help="Settings of people.")] = None,
    entitlements: Annotated[
        Choice, typer.Option("--with-entitlements/--without-entitlements", help="A limit that differs by plan.")
    ] = None,
    minimal: Annotated[bool, typer.Option(help="Only what is asked for: an API, its tests and the manifest.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where to put it. Default: the app's plugins folder.")] = None,
) -> None:
    """Make a plugin folder that runs as it is: page, table, settings, API, tests, manifest."""
    standard = Parts(False, False, False, False) if minimal else Parts()
    chosen = {"frontend": frontend, "model": model, "settings": settings, "entitlements": entitlements}
    parts = Parts(**{one: getattr(standard, one) if asked is None else asked for one, asked in chosen.items()})
    try:
        files = scaffold(folder or load_or_exit().plugins_path, name, parts)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for file in files:
        typer.echo(f"written  {file}")
    where = f"open /plugins/{name}" if parts.frontend else f"POST to /api/execute/{name}"
    typer.echo(f"\nStart the app and {where}.\nmozaiks-shell check {name} says how good it is, and what is missing.")


@new.command()
def workflow(
    name: Annotated[str, typer.Argument(help="Such as trip-planner; the folder is then TripPlanner.")],
) -> None:
    """Make a stub of a MozaiksAI workflow, register it in the graph and list it for people."""
    settings = load_or_exit()
    specs = settings.configs_path / SPECS if settings.configs_path is not None else None
    try:
        files = scaffold_workflow(settings.workflows_path, name, specs)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for file in files:
        typer.echo(f"written  {file}")
    where = settings.ai_url or "The embedded runtime"
    typer.echo(f"\n{where} runs it. mozaiks-shell doctor names every mistake in the folder, with its line.")
