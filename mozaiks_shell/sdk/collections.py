"""Documents by name: what ``db.<collection>`` is (F-256)."""

import builtins
import json
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import cast, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, or_, select, update

from mozaiks_shell.foundation import db as _wall
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.plugin_host.service import either_way
from mozaiks_shell.sdk.documents import by_key
from mozaiks_shell.sdk.models import Document

MAX_DOCUMENT = 256_000  # bytes of JSON
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
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

    Each call is a transaction of its own. Where several must stand or fall together, use ``db.session()`` and a table.
    All methods raise :class:`~mozaiks_shell.sdk.errors.NotSignedIn` when nobody is signed in.
    """

    def __init__(self, plugin: str, name: str, model: type[BaseModel] | None = None) -> None:
        if not NAME.fullmatch(name):
            raise Invalid(f"{name!r} is not a collection name: lower-case letters, digits and _, at most 64.")
        self._plugin, self._name, self._model = plugin, name, model

    def create(self, **fields: Any) -> Any:
        """Store a document and return it as a :class:`Record`.

        Raises:
            Invalid: a value is not JSON or nested too deep, the document is larger than 256 kB, or a field is named
                ``id``, ``created_at`` or ``updated_at``.
        """
        return either_way(self._create(fields))

    def put(self, key: str, **fields: Any) -> Any:
        """Store a document under a key of your own, in place of the one that was there, and return it.

        Args:
            key: Up to 200 characters; :meth:`get` and :meth:`delete` take it as ``key=``.

        Raises:
            Invalid: as :meth:`create`.

        Example:
            >>> await db.days.put("2026-11-21", mood="good")
        """
        return either_way(self._put(key, fields))

    def get(self, id: str = "", *, key: str = "") -> Any:
        """The document with this id, or with this key.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return either_way(self._get(id, key))

    def find(self, **equal: Any) -> Any:
        """The newest document whose fields have these values (see :meth:`list`), or None."""
        return either_way(self._first(equal))

    def list(self, *, limit: int = 100, offset: int = 0, order: str = "-created_at", **equal: Any) -> Any:
        """Documents whose fields equal the given values, newest first, as a list of :class:`Record`.

        Args:
            limit: At most this many, up to 1000.
            offset: Skip so many first.
            order: Field to sort by, ``-`` before it for descending. Documents without the field come together at one end.
            **equal: Field names and the text, number or truth value they must have; a list means any of these, None means
                absent or null. ``id`` is one of them: ``list(id=[...])`` finds several.

        Raises:
            Invalid: something else is asked for.
        """
        return either_way(self._list(limit, offset, order, equal))

    def count(self, **equal: Any) -> Any:
        """How many documents have these values (see :meth:`list`)."""
        return either_way(self._count(equal))

    def update(self, id: str, **changes: Any) -> Any:
        """Change the given fields, keep the others, return the whole :class:`Record`. Two updates at once both count.

        Raises:
            NotFound, Invalid: as :meth:`get` and :meth:`create`.
        """
        return either_way(self._update(id, changes))

    def delete(self, id: str = "", *, key: str = "") -> Any:
        """Remove the document with this id, or with this key.

        Raises:
            NotFound: as :meth:`get`.
        """
        return either_way(self._delete(id, key))

    async def _create(self, fields: dict[str, Any]) -> Any:
        document = Document(plugin=self._plugin, collection=self._name, data=self._clean(fields))
        async with _wall.session() as session:
            session.add(document)
        return self._record(document)

    async def _put(self, key: str, fields: dict[str, Any]) -> Any:
        if not isinstance(key, str) or not 0 < len(key) <= 200:
            raise Invalid("A key is a text of 1 to 200 characters.")
        data = self._clean(fields)
        async with _wall.session() as session:
            await session.execute(by_key(session, self._plugin, self._name, str(checked(key)), data))
            return self._record(await self._one(session, "", key))

    async def _get(self, identity: str, key: str) -> Any:
        async with _wall.session() as session:
            return self._record(await self._one(session, identity, key))

    async def _first(self, equal: dict[str, Any]) -> Any:
        found = await self._list(1, 0, "-created_at", equal)
        return found[0] if found else None

    async def _list(self, limit: int, offset: int, order: str, equal: dict[str, Any]) -> "builtins.list[Any]":
        query = self._matching(equal)
        async with _wall.session() as session:
            down, name = order.startswith("-"), order.removeprefix("-")
            by = self._sortable(session, name)
            query = query.order_by(by.desc() if down else by.asc(), *([col(Document.id).desc() if down else col(Document.id)]))
            found = await session.execute(query.limit(max(0, min(limit, 1000))).offset(max(0, offset)))
            return [self._record(one) for one in found.scalars()]

    async def _count(self, equal: dict[str, Any]) -> int:
        async with _wall.session() as session:
            counted = self._matching(equal, select(func.count()).select_from(Document))
            return int((await session.execute(counted)).scalar_one())

    async def _update(self, identity: str, changes: dict[str, Any]) -> Any:
        async with _wall.session() as session:
            mine = self._mine(update(Document)).where(col(Document.id) == str(identity))
            touched: Any = await session.execute(mine.values(updated_at=now()))  # first of all: it holds the row till the end
            if not touched.rowcount:
                raise self._missing()
            document = await self._one(session, identity, "")
            document.data = self._clean({**document.data, **changes})
        return self._record(document)

    async def _delete(self, identity: str, key: str) -> None:
        async with _wall.session() as session:
            await session.delete(await self._one(session, identity, key))

    async def _one(self, session: _wall.ScopedSession, identity: str, key: str) -> Document:
        wanted = col(Document.key) == key if key else col(Document.id) == str(identity)
        found: Document | None = (await session.execute(self._mine().where(wanted))).scalars().first()
        if found is None:
            raise self._missing()
        return found

    def _missing(self) -> NotFound:
        return NotFound(f"There is no {self._name} with this id.")

    def _mine(self, statement: Any = None) -> Any:
        statement = select(Document) if statement is None else statement
        return statement.where(col(Document.plugin) == self._plugin, col(Document.collection) == self._name)

    def _matching(self, equal: dict[str, Any], statement: Any = None) -> Any:
        query = self._mine(statement)
        for name, value in equal.items():
            values = [value] if not isinstance(value, builtins.list | tuple | set | frozenset) else builtins.list(value)
            if len(values) > 1000:
                raise Invalid(f"{name}: at most 1000 values.")
            query = query.where(or_(False, *(_equals(name, one) for one in values)))
        return query

    def _sortable(self, session: _wall.ScopedSession, name: str) -> Any:
        if name in _OURS:
            return col(getattr(Document, name))
        if session.get_bind().dialect.name == "postgresql":
            return cast(col(Document.data)[name], JSONB)
        if '"' in name:
            raise Invalid(f"Documents cannot be sorted by {name!r}.")
        return func.json_extract(Document.data, f'$."{name}"')  # with its own type: as_string() would sort 10 before 9

    def _clean(self, fields: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & fields.keys()):
            raise Invalid(f"{', '.join(taken)}: set by the shell.")
        if self._model is not None:
            try:
                fields = self._model.model_validate(fields).model_dump(mode="json", exclude=set(_OURS))
            except ValidationError as error:
                said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
                raise Invalid(said, fields=[str(one["loc"][0]) for one in error.errors() if one["loc"]]) from error
        try:
            written = json.dumps(fields, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise Invalid(f"Only JSON can be stored: {error}") from error
        if len(written.encode()) > MAX_DOCUMENT:
            raise Invalid(f"The document is larger than {MAX_DOCUMENT} bytes.")
        return dict(checked(json.loads(written)))

    def _record(self, document: Document) -> Any:
        ours = {"id": document.id, "created_at": _iso(document.created_at), "updated_at": _iso(document.updated_at)}
        found = Record({**document.data, **ours})
        if self._model is None:
            return found
        try:
            return self._model.model_validate(found)
        except ValidationError as error:
            raise Conflict(f"{document.id} does not fit {self._model.__name__}: {error.errors()[0]['msg']}") from error


def _equals(name: str, value: Any) -> Any:
    if name in _OURS:
        if name != "id" or not isinstance(value, str):
            raise Invalid(f"{name}: documents can be found by their id and by their own fields.")
        return col(Document.id) == value
    field = col(Document.data)[name]
    if value is None:
        return field.as_string().is_(None)
    if isinstance(value, bool):
        return field.as_boolean() == value
    if isinstance(value, int | float):
        return field.as_float() == value
    if isinstance(value, str):
        return field.as_string() == value
    raise Invalid(f"{name}: documents can be found by text, number or truth value.")


def _iso(moment: datetime) -> str:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


__all__ = ["Collection", "Record"]
