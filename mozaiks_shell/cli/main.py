"""``mozaiks-shell``: migrate, look after an installation, keep generated papers fresh."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import text
from sqlalchemy.engine import make_url

import mozaiks_shell
from mozaiks_shell.appconfig.loader import path_of
from mozaiks_shell.cli.scaffold import scaffold
from mozaiks_shell.cli.settings_docs import env_example, readme_with_table
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import ROOT, Settings, load_or_exit
from mozaiks_shell.hosting.migrate import upgrade

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Mozaiks Shell installation.")

CONFIG_FILES = ("brand.json", "subscription_config.json", "ai_capabilities.json")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(mozaiks_shell.__version__)


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision. The server does the same on start."""
    settings = load_or_exit()
    upgrade(settings)
    typer.echo(f"The database is up to date: {_shown(settings)}")


@app.command()
def doctor() -> None:
    """Check settings, database and configuration files; exit 1 when something is wrong."""
    settings = load_or_exit()
    typer.echo("ok       settings")
    broken = False
    try:
        asyncio.run(_ping())
        typer.echo(f"ok       database  {_shown(settings)}")
    except Exception as error:  # noqa: BLE001 - the driver's words are what the operator needs
        broken = True
        typer.echo(f"problem  database  {_shown(settings)}: {error}")
    for name in CONFIG_FILES:
        file = path_of(name)
        typer.echo(f"ok       {name}  {'packaged default' if file.is_relative_to(ROOT / 'mozaiks_shell') else file}")
    typer.echo(f"ok       runtime  {settings.ai_url or 'embedded'}")
    typer.echo(f"ok       billing  {settings.billing_provider}")
    raise typer.Exit(1 if broken else 0)


@app.command()
def new(name: str) -> None:
    """Make a plugin folder that runs as it is."""
    try:
        files = scaffold(load_or_exit().plugins_path, name)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for file in files:
        typer.echo(f"written  {file}")
    typer.echo(f"Start the app and open /plugins/{name}.")


@app.command()
def docs(check: Annotated[bool, typer.Option(help="Change nothing; exit 1 when a file is stale.")] = False) -> None:
    """Regenerate the README's configuration table and .env.example from the Settings model."""
    readme = ROOT / "README.md"
    wanted = {readme: readme_with_table(readme.read_text("utf-8")), ROOT / ".env.example": env_example()}
    stale = [file for file, content in wanted.items() if not file.exists() or file.read_text("utf-8") != content]
    for file in stale:
        typer.echo(f"{'stale' if check else 'written'}  {file.name}")
        if not check:
            file.write_text(wanted[file], "utf-8")
    raise typer.Exit(1 if check and stale else 0)


async def _ping() -> None:
    async with db.engine().connect() as connection:
        await connection.execute(text("SELECT 1"))
    await db.dispose()


def _shown(settings: Settings) -> str:
    return make_url(settings.sql_url_sync).render_as_string(hide_password=True)
