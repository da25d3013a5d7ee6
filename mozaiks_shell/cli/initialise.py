"""``init``: an app folder of one's own that depends on the package, and is no fork of it (F-282)."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

import mozaiks_shell
from mozaiks_shell.cli.scaffold import Parts, compatible, filled, scaffold, write
from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host.manifest import CONTRACT

Template = Literal["starter", "minimal"]
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")


def register(app: typer.Typer) -> None:
    """Add ``init``."""
    app.command(name="init")(init)


def init(
    name: Annotated[str, typer.Argument(help="Name of the app and of its folder.")],
    template: Annotated[Template, typer.Option(help="starter: with a plugin to begin with; minimal: without.")] = "starter",
    git: Annotated[bool, typer.Option("--git/--no-git", help="Make it a git repository.")] = True,
) -> None:
    """Make the folder of a new app: rxconfig.py, configs/, plugins/, requirements.txt. Nothing of the shell is copied."""
    try:
        files = initialise(Path.cwd(), name, template)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    folder = Path.cwd() / name
    for file in files:
        typer.echo(f"written  {file.relative_to(folder.parent)}")
    if git:
        typer.echo(_repository(folder))
    typer.echo(f"\ncd {name}\npip install -r requirements.txt\nreflex run")


def initialise(parent: Path, name: str, template: Template = "starter") -> list[Path]:
    """Write ``parent/name/`` and return its files.

    Raises:
        ValueError: the name cannot be an app's, or the folder exists and is not empty.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name an app: use letters, digits, -, _ and ., a letter first, at most 60.")
    title = re.sub(r"[-_.]+", " ", name).strip().capitalize()
    version = mozaiks_shell.__version__
    words = {
        "name": name,
        "title": title,
        "identity": name,
        "requires": compatible(version),
        "contract": str(CONTRACT),
        "requirement": _requirement(version),
    }
    folder = parent / name
    files = write(folder, filled("app", words, [template]))
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "assets").mkdir(exist_ok=True)
    if template == "starter":
        files += scaffold(folder / "plugins", "notebook", Parts())
    else:
        keep = folder / "plugins" / ".gitkeep"
        keep.touch()
        files.append(keep)
    return files


def _requirement(version: str) -> str:
    """What requirements.txt names: the checkout this runs from, or the installed version and what is compatible with it."""
    if (ROOT / "pyproject.toml").is_file():
        return f"mozaiks-shell @ {ROOT.as_uri()}"
    return f"mozaiks-shell{compatible(version)}"


def _repository(folder: Path) -> str:
    if (program := shutil.which("git")) is None:
        return "skipped  git is not installed"
    done = subprocess.run([program, "init", "--quiet"], cwd=folder, capture_output=True, text=True, check=False)
    return "made     a git repository" if done.returncode == 0 else f"skipped  git init: {done.stderr.strip()}"
