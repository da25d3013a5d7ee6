"""``version``: what is installed, and which contracts it speaks (F-287)."""

import json
import platform
from importlib.metadata import version as installed
from typing import Annotated, Any

import typer

import mozaiks_shell
from mozaiks_shell.cli.project import ProjectError, read_project
from mozaiks_shell.foundation.settings import HOME, ROOT
from mozaiks_shell.plugin_host.compat import CONTRACT, SDK_VERSION


def register(app: typer.Typer) -> None:
    """Add ``version``."""
    app.command()(version)


def version(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Print the versions: of the shell, of the plugin contract, of what it runs on, and of the app in this folder."""
    try:
        told = versions()
    except ProjectError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(told["mozaiks_shell"])
    for name, value in list(told.items())[1:]:
        typer.echo(f"{name.replace('_', ' '):16} {value}")


def versions() -> dict[str, Any]:
    """Every version that a report of a problem should name.

    Raises:
        ProjectError: ``mozaiks.toml`` cannot be used.
    """
    project = read_project(HOME)
    told: dict[str, Any] = {
        "mozaiks_shell": mozaiks_shell.__version__,
        "plugin_contract": CONTRACT,
        "sdk": SDK_VERSION,
        "reflex": installed("reflex"),
        "python": platform.python_version(),
        "package": str(ROOT / "mozaiks_shell"),
    }
    if project is not None:
        told |= {
            "app": project.name,
            "app_folder": str(project.folder),
            "app_requires": project.requires or "any",
            "app_contract": project.contract or "any",
        }
    return told
