"""``openapi``: the HTTP API of the shell as an OpenAPI document (F-289). Plugins' own routes are not in it."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

import mozaiks_shell
from mozaiks_shell.cli.apart import apart
from mozaiks_shell.cli.papers import write
from mozaiks_shell.foundation.settings import ROOT

FILE = ROOT / "docs" / "api" / "openapi.json"
_DESCRIBE = "import json; from mozaiks_shell.mozaiks_shell import api; print('\\n' + json.dumps(api.openapi()))"


def register(app: typer.Typer) -> None:
    """Add ``openapi``."""
    app.command()(openapi)


def openapi(
    output: Annotated[Path, typer.Option(help="File to write; - for the terminal.")] = FILE,
    check: Annotated[bool, typer.Option(help="Change nothing; exit 1 when the file is stale.")] = False,
) -> None:
    """Write the OpenAPI document of the HTTP API to docs/api/openapi.json."""
    text = document()
    if str(output) == "-":
        typer.echo(text)
        return
    raise typer.Exit(write({output: text}, check))


def document() -> str:
    """The document as it is stored. Made with default settings and without plugins, so that it is the same everywhere.

    Raises:
        RuntimeError: the app does not start; the message has its last words.
    """
    with TemporaryDirectory(prefix="mozaiks-openapi-") as temporary:
        folder = Path(temporary)
        env = apart(folder, MOZAIKS_SAFE_MODE="true", LOG_LEVEL="error", REFLEX_WEB_WORKDIR=str(folder / "web"))
        child = subprocess.run(
            [sys.executable, "-c", _DESCRIBE], cwd=folder, env=env, capture_output=True, text=True, check=False
        )
    if child.returncode:
        raise RuntimeError(f"The app does not start: {child.stderr.strip().rpartition(chr(10))[2]}")
    told: dict[str, Any] = json.loads(child.stdout.strip().rpartition("\n")[2])
    told["info"] = {"title": "Mozaiks Shell", "version": mozaiks_shell.__version__, "license": {"name": "MIT"}}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
