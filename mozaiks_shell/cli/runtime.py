"""``runtime``: the embedded runtime as a process of its own (D11), for several shells, or to keep its load apart."""

from typing import Annotated

import typer

from mozaiks_shell.broker.runtime_process import shared_config
from mozaiks_shell.foundation.settings import Settings, load_or_exit
from mozaiks_shell.hosting import migrate
from mozaiks_shell.runtime.config import ConfigError, RuntimeConfig, checked_config
from mozaiks_shell.runtime.server import run


def register(app: typer.Typer) -> None:
    """Add ``runtime``."""
    app.command()(runtime)


def runtime(
    host: Annotated[str, typer.Option(help="Address to listen on. Default: MOZAIKS_RUNTIME_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on. Default: MOZAIKS_RUNTIME_PORT.", min=0, max=65535)] = 0,
) -> None:
    """Run the embedded runtime alone, on the database of the settings; point shells at it with MOZAIKS_AI_URL.

    It takes the shell's tokens alone: it reads their keys from the shell (MOZAIKS_RUNTIME_JWKS_URL). Exit codes: 1 it cannot
    listen there, 2 the settings are wrong.
    """
    settings = load_or_exit()
    try:
        config = settings_config(settings, host, port)
        migrate.upgrade(settings)
        code = run(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(code)


def settings_config(settings: Settings, host: str = "", port: int = 0) -> RuntimeConfig:
    """The runtime's configuration from the shell's settings.

    Raises:
        ConfigError: they cannot be used.
    """
    shell = settings.public_url or f"http://localhost:{settings.port}"
    where = {"host": host or settings.runtime_host, "port": port or settings.runtime_port}
    keys = settings.runtime_jwks_url or f"{shell.rstrip('/')}/.well-known/jwks.json"
    return checked_config(where | {"jwks_url": keys} | shared_config(settings))
