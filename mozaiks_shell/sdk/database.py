"""``db``: the plugin's rows. ``db.session()`` for own tables, ``db.<collection>`` for simple documents (F-256, F-293)."""

from contextlib import AbstractAsyncContextManager

from pydantic import BaseModel

from mozaiks_shell.foundation import db as _wall
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host import permissions as _permissions
from mozaiks_shell.plugin_host.service import calling
from mozaiks_shell.sdk.collections import NAME, Collection, Record

log = get_logger("plugin_host")


class Database:
    """``db.session()`` opens a session on the plugin's own tables; any other name is a :class:`Collection`.

    Example:
        >>> async with db.session() as session:
        ...     rows = (await session.exec(select(Task))).all()   # only the current person's
        >>> await db.notes.create(title="Milk")
    """

    def session(self) -> AbstractAsyncContextManager[_wall.ScopedSession]:
        """A session on the plugin's own tables: the current person's rows of ``Model`` tables and the app's rows of
        ``SharedModel`` tables. Tables of other plugins and of the shell look empty and cannot be written. It commits at the
        end and rolls back on an error.

        Raises (when entered):
            NotSignedIn: nobody is signed in.

        Raises (on use):
            Forbidden: a statement that cannot be scoped (raw SQL, bare tables), or a row of somebody else.
        """
        plugin = calling()
        return _wall.session(owner=plugin.module if plugin else "")

    def raw(self) -> AbstractAsyncContextManager[_wall.ScopedSession]:
        """A session that also takes SQL as text: ``await session.execute(text("SELECT …"))``.

        **Nothing scopes such text.** It reaches every row of every person, app and plugin in the database, and a mistake in it is
        a leak. Name ``app_id`` and ``user_id`` in every statement, and give values as parameters, never inside the text. Mapped
        classes stay scoped as in :meth:`session`. The plugin needs ``"permissions": ["raw_sql"]`` in its manifest.

        Raises:
            Forbidden: code ``PERMISSION_MISSING``; it names the line to add to the manifest.

        Example:
            >>> async with db.raw() as session:
            ...     found = await session.execute(text("SELECT count(*) FROM tasks_task WHERE user_id = :me"), {"me": user.id})
        """
        _permissions.demand(_permissions.Permission.RAW_SQL)
        plugin = calling()
        log.info("raw SQL session", plugin=plugin.name if plugin else "")
        return _wall.session(owner=plugin.module if plugin else "", raw=True)

    def collection(self, name: str, model: type[BaseModel] | None = None) -> Collection:
        """The collection of this name, as ``db.<name>`` gives it; with a pydantic model, a typed one.

        Args:
            name: Lower-case letters, digits and ``_``, at most 64. Two plugins may use the same one: they are two collections.
            model: What is stored is checked against it, and what comes back is an instance of it. Fields named ``id``,
                ``created_at`` and ``updated_at`` are filled by the shell.

        Raises:
            Invalid: not such a name.

        Example:
            >>> class Note(BaseModel):
            ...     id: str = ""
            ...     title: str
            >>> notes = db.collection("notes", Note)
            >>> (await notes.create(title="Milk")).title
            'Milk'
        """
        plugin = calling()
        return Collection(plugin.name if plugin else "", name, model)

    def __getattr__(self, name: str) -> Collection:
        if not NAME.fullmatch(name):
            raise AttributeError(f"{name!r} is not a collection name: lower-case letters, digits and _")
        plugin = calling()
        return Collection(plugin.name if plugin else "", name)


db = Database()


def get_db() -> Database:
    """``db`` itself, under the name MozaiksCore's documents use (F-089)."""
    return db


def get_collection(name: str, model: type[BaseModel] | None = None) -> Collection:
    """As :meth:`Database.collection`, under the name MozaiksCore's documents use (F-089).

    Example:
        >>> tasks = get_collection("tasks")
    """
    plugin = calling()
    return Collection(plugin.name if plugin else "", name, model)


__all__ = ["Collection", "Database", "Record", "db", "get_collection", "get_db"]
