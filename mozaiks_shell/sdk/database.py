"""``db``: the plugin's rows. ``db.session()`` for own tables, ``db.<collection>`` for simple documents (F-256, F-293)."""

import builtins
import json
import re
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from mozaiks_shell.foundation import db as _wall
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.plugin_host.service import calling, either_way
from mozaiks_shell.sdk.models import Document

MAX_DOCUMENT = 256_000  # bytes of JSON
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OURS = frozenset({"id", "created_at", "updated_at"})


class Record(dict[str, Any]):
    """A stored document: a dict whose keys are also attributes.

    Besides its own fields it has ``id``, ``created_at`` and ``updated_at`` (ISO 8601, UTC).

    Example:
        >>> record = await db.notes.create(title="Milk")
        >>> record.title, record["title"]
        ('Milk', 'Milk')
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this record has no field {name!r}") from None


class Collection:
    """Documents of the current person under one name. Other people and other plugins never see them.

    In ``async`` code every method is awaited; in plain functions (a ``def execute``) it is not:

        note = await db.notes.create(title="Milk")     # in async def
        note = db.notes.create(title="Milk")           # in def

    All methods raise :class:`~mozaiks_shell.sdk.errors.NotSignedIn` when nobody is signed in.
    """

    def __init__(self, plugin: str, name: str) -> None:
        self._plugin, self._name = plugin, name

    def create(self, **fields: Any) -> Any:
        """Store a document and return it as a :class:`Record`.

        Raises:
            Invalid: a value is not JSON or nested too deep, the document is larger than 256 kB, or a field is named
                ``id``, ``created_at`` or ``updated_at``.
        """
        return either_way(self._create(fields))

    def get(self, id: str) -> Any:
        """The document with this id.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return either_way(self._get(id))

    def list(self, *, limit: int = 100, offset: int = 0, **equal: Any) -> Any:
        """Documents whose fields equal the given values, newest first, as a list of :class:`Record`.

        Args:
            limit: At most this many, up to 1000.
            offset: Skip so many first.
            **equal: Field names and the text, number or truth value they must have.
        """
        return either_way(self._list(limit, offset, equal))

    def update(self, id: str, **changes: Any) -> Any:
        """Change the given fields, keep the others, return the whole :class:`Record`.

        Raises:
            NotFound, Invalid: as :meth:`get` and :meth:`create`.
        """
        return either_way(self._update(id, changes))

    def delete(self, id: str) -> Any:
        """Remove the document.

        Raises:
            NotFound: as :meth:`get`.
        """
        return either_way(self._delete(id))

    async def _create(self, fields: dict[str, Any]) -> Record:
        async with _wall.session() as session:
            document = Document(plugin=self._plugin, collection=self._name, data=_clean(fields))
            session.add(document)
        return _record(document)

    async def _get(self, identity: str) -> Record:
        async with _wall.session() as session:
            return _record(await self._find(session, identity))

    async def _list(self, limit: int, offset: int, equal: dict[str, Any]) -> "builtins.list[Record]":
        query = self._mine()
        for name, value in equal.items():
            field = col(Document.data)[name]
            if isinstance(value, bool):
                query = query.where(field.as_boolean() == value)
            elif isinstance(value, int | float):
                query = query.where(field.as_float() == value)
            elif isinstance(value, str):
                query = query.where(field.as_string() == value)
            else:
                raise Invalid(f"{name}: documents can be found by text, number or truth value.")
        query = query.order_by(col(Document.created_at).desc(), col(Document.id).desc())
        async with _wall.session() as session:
            found = await session.execute(query.limit(max(0, min(limit, 1000))).offset(max(0, offset)))
            return [_record(one) for one in found.scalars()]

    async def _update(self, identity: str, changes: dict[str, Any]) -> Record:
        async with _wall.session() as session:
            document = await self._find(session, identity)
            document.data = _clean({**document.data, **changes})
            document.updated_at = now()
        return _record(document)

    async def _delete(self, identity: str) -> None:
        async with _wall.session() as session:
            await session.delete(await self._find(session, identity))

    async def _find(self, session: _wall.ScopedSession, identity: str) -> Document:
        found = (await session.execute(self._mine().where(col(Document.id) == str(identity)))).scalars().first()
        if found is None:
            raise NotFound(f"There is no {self._name} with this id.")
        return found

    def _mine(self) -> Any:
        return select(Document).where(col(Document.plugin) == self._plugin, col(Document.collection) == self._name)


class Database:
    """``db.session()`` opens a session on the plugin's own tables; any other name is a :class:`Collection`.

    Example:
        >>> async with db.session() as session:
        ...     rows = (await session.execute(select(Task))).scalars().all()   # only the current person's
        >>> await db.notes.create(title="Milk")
    """

    def session(self) -> AbstractAsyncContextManager[_wall.ScopedSession]:
        """A session that sees only the current person's rows of ``Model`` tables and the app's rows of
        ``SharedModel`` tables; commits at the end, rolls back on an error.

        Raises (when entered):
            NotSignedIn: nobody is signed in.
        """
        return _wall.session()

    def __getattr__(self, name: str) -> Collection:
        if not _NAME.fullmatch(name):
            raise AttributeError(f"{name!r} is not a collection name: lower-case letters, digits and _")
        plugin = calling()
        return Collection(plugin.name if plugin else "", name)


db = Database()


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    if taken := sorted(_OURS & fields.keys()):
        raise Invalid(f"{', '.join(taken)}: set by the shell.")
    try:
        written = json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(f"Only JSON can be stored: {error}") from error
    if len(written.encode()) > MAX_DOCUMENT:
        raise Invalid(f"The document is larger than {MAX_DOCUMENT} bytes.")
    return dict(checked(json.loads(written)))


def _record(document: Document) -> Record:
    return Record(
        {**document.data, "id": document.id, "created_at": _iso(document.created_at), "updated_at": _iso(document.updated_at)}
    )


def _iso(moment: datetime) -> str:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


__all__ = ["Collection", "Database", "Record", "db"]
