"""``mozaiks-shell plugin-host``, also ``python -m mozaiks_shell.plugin_host``: plugins without the shell (F-094)."""

from typing import Annotated

import typer
import uvicorn

from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import load_or_exit
from mozaiks_shell.hosting.plugin_service import plugin_service


def plugin_host(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8090,
) -> None:
    """Serve the plugins alone: GET /health, GET /api/plugins, POST /api/plugins/NAME/execute, with bearer tokens."""
    settings = load_or_exit()
    configure(settings)
    uvicorn.run(plugin_service(settings), host=host, port=port, log_level="warning", workers=1)  # WEB_CONCURRENCY is the shell's


def register(app: typer.Typer) -> None:
    """Add ``plugin-host``."""
    app.command(name="plugin-host")(plugin_host)


def main() -> None:
    """As a program of its own."""
    typer.run(plugin_host)
