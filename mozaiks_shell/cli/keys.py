"""``mozaiks-shell keys``: the keys that sign the runtime's tokens (F-149)."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

import mozaiks_shell.audit.service  # noqa: F401 - a rotation is put on record
from mozaiks_shell.broker import service
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.settings import load_or_exit

keys = typer.Typer(no_args_is_help=True, help="The keys that sign the tokens of the runtime.")
Value = TypeVar("Value")


def register(app: typer.Typer) -> None:
    """Add ``keys``."""
    app.add_typer(keys, name="keys")


@keys.command(name="list")
def list_keys() -> None:
    """State, id and dates of every key that is published."""
    for one in _run(service.signing_keys()):
        dates = [f"made {one.created_at:%Y-%m-%d %H:%M}"]
        dates += [f"signs since {one.activated_at:%Y-%m-%d %H:%M}"] if one.activated_at and not one.retired_at else []
        dates += [f"retired {one.retired_at:%Y-%m-%d %H:%M}"] if one.retired_at else []
        typer.echo(f"{one.state.ljust(8)} {one.kid}  {', '.join(dates)}")


@keys.command()
def rotate(
    now: Annotated[bool, typer.Option("--now", help="Although runtimes may not know the next key yet.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="A key became known: stop accepting tokens of all old ones.")] = False,
) -> None:
    """Sign with the next key from now on. Running servers notice; tokens that are out stay valid until they expire."""
    kid = _run(service.rotate_signing_key(at_once=now, revoke=revoke))
    typer.echo(f"{kid} signs from now on.")


def _run(work: Coroutine[Any, Any, Value]) -> Value:
    """Do it with a database, or say why not and exit 1."""
    load_or_exit()

    async def through() -> Value:
        try:
            return await work
        finally:
            await db.dispose()

    try:
        return asyncio.run(through())
    except ShellError as error:
        typer.echo(error.message, err=True)
    except SQLAlchemyError as error:
        typer.echo(f"The database cannot be used: {error.__class__.__name__}. Try mozaiks-shell doctor.", err=True)
    raise typer.Exit(1)
