"""Alembic environment: the models of every room, batch mode so that SQLite can follow."""

import importlib
import pkgutil

from sqlalchemy import Connection, create_engine, pool
from sqlmodel import SQLModel

import mozaiks_shell
from alembic import context
from mozaiks_shell.foundation.settings import get_settings

for _room in pkgutil.iter_modules(mozaiks_shell.__path__):
    if _room.ispkg:
        try:
            importlib.import_module(f"mozaiks_shell.{_room.name}.models")
        except ModuleNotFoundError as error:
            if error.name != f"mozaiks_shell.{_room.name}.models":
                raise


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        include_object=lambda obj, name, kind, reflected, other: not (kind == "table" and reflected and other is None),
    )
    with context.begin_transaction():
        context.run_migrations()


if (_given := context.config.attributes.get("connection")) is not None:
    _run(_given)  # the caller's transaction: all or nothing on SQLite, too
else:
    _url = context.config.get_main_option("sqlalchemy.url") or get_settings().sql_url_sync
    with create_engine(_url, poolclass=pool.NullPool).connect() as _connection:
        _run(_connection)
