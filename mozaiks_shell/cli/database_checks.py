"""What ``db`` looks at and fills in (F-263, F-286)."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import create_engine, inspect, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.migrate import newest, revision_of
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.models import User
from mozaiks_shell.notifications.models import Notification
from mozaiks_shell.plugin_host import migrations
from mozaiks_shell.plugin_host.registry import Plugin

PASSWORD = "correct horse battery staple"
PEOPLE = (("demo-admin", "demo-admin@example.com", "Demo Admin"), ("demo", "demo@example.com", "Demo Person"))


class NotHere(Exception):
    """It may not be done in this installation."""


def reason(error: BaseException) -> str:
    """A driver's words in one line, without the link to a manual."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def check(settings: Settings) -> tuple[int, str]:
    """How the database is: 0 well, 1 empty or behind, 2 broken or out of reach; and that in words. Changes nothing."""
    url = make_url(settings.sql_url_sync)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and not Path(str(url.database)).exists():
        return 1, "empty    there is no database file yet; run mozaiks-shell migrate"
    engine = create_engine(settings.sql_url_sync, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            if not tables:
                return 1, "empty    there are no tables; run mozaiks-shell migrate"
            if sqlite and (said := str(connection.execute(text("PRAGMA quick_check")).scalar_one())) != "ok":
                return 2, f"broken   {said.splitlines()[0]}"
            revision, wanted = revision_of(connection), newest(settings)
            if not revision:
                return 2, "broken   there are tables, but none of this app's"
            if revision > wanted:
                return 2, f"broken   revision {revision} was made by a newer version than this one, which knows {wanted}"
            if revision != wanted:
                return 1, f"behind   revision {revision} of {wanted}; run mozaiks-shell migrate"
            return 0, f"ok       revision {revision}, {len(tables)} tables"
    except SQLAlchemyError as error:
        return 2, f"broken   {reason(error)}"
    finally:
        engine.dispose()


async def seed(settings: Settings) -> list[str]:
    """Two accounts and a notification each; what is there stays as it is.

    Raises:
        NotHere: in production, where a known password would be a hole.
    """
    if settings.env == "production":
        raise NotHere("Test data has a password that everybody knows: not with ENV=production.")
    said = []
    try:
        for username, email, name in PEOPLE:
            async with db.system_session() as session:
                known = (await session.execute(select(User.id).where(col(User.username) == username))).first()
            if known is not None:
                said.append(f"there    {username}")
                continue
            user = await identity.register(username, PASSWORD, email, name)
            async with db.session(db.Scope(user.app_id, user.id)) as session:
                session.add(Notification(type="welcome", title="This is test data", message="Look around; nothing here is real."))
            said.append(f"written  {username}, password: {PASSWORD}")
    finally:
        await db.dispose()
    return said


def plugin_lines(plugins: Iterable[Plugin], settings: Settings) -> list[str]:
    """One line per plugin: name, state, version, revision in the database."""
    engine = create_engine(settings.sql_url_sync, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            return [
                f"{plugin.name.ljust(24)} {plugin.state.value.ljust(12)} {plugin.manifest.version.ljust(10)} "
                f"{(migrations.current(plugin, connection) or 'no tables') if migrations.has_history(plugin) else '-'}"
                f"{f'  {plugin.problem.message}' if plugin.problem else ''}"
                for plugin in plugins
            ]
    finally:
        engine.dispose()
