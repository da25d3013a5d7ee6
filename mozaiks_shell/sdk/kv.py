"""``kv``: small state under a key, with or without an end (F-265). In the database, so every worker sees it.

    from mozaiks_shell.sdk import kv

    await kv.set("draft", {"title": "Milk"})                 # this person's, for good
    await kv.set("seen", True, ttl=3600)                     # an hour
    await kv.get("draft", default={})
    await kv.incr("downloads", shared=True)                  # one counter for everybody of the app
    if await kv.add("import-running", True, ttl=600, shared=True): ...   # only the first one gets in

Keys belong to the plugin: two plugins may use the same one. Without ``shared`` they also belong to the person on whose behalf
the code runs. In ``async`` code every function is awaited, in plain functions it is not, as with ``db``.
"""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, or_, select, update

from mozaiks_shell.foundation import db as _wall
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.plugin_host.service import calling, either_way
from mozaiks_shell.sdk.models import KeyValue, SharedKeyValue

MAX_VALUE = 64_000  # bytes of JSON
MAX_KEY = 200  # characters
Seconds = float | timedelta


def get(key: str, default: Any = None, *, shared: bool = False) -> Any:
    """The value under this key, or ``default`` when there is none or its time is over.

    Raises:
        NotSignedIn: nobody is signed in, and not ``shared``.

    Example:
        >>> await kv.get("draft", default={})
    """
    return either_way(_get(_Place(shared), key, default))


def set(key: str, value: Any, *, ttl: Seconds | None = None, shared: bool = False) -> Any:
    """Keep a JSON value under this key, in place of what was there.

    Args:
        ttl: Seconds, or a ``timedelta``, until it is gone; None: for good.
        shared: For everybody of the app instead of the current person.

    Raises:
        Invalid: no JSON, more than 64 kB of it, a key longer than 200 characters, or a ``ttl`` that is not above 0.

    Example:
        >>> await kv.set("seen", True, ttl=3600)
    """
    return either_way(_set_value(_Place(shared), key, value, ttl))


def add(key: str, value: Any = True, *, ttl: Seconds | None = None, shared: bool = False) -> Any:
    """As :func:`set`, but only when there is nothing under this key. Of several at once exactly one gets ``True``.

    Returns:
        Whether it was this call that set it.

    Example:
        >>> if await kv.add("import-running", ttl=600, shared=True):
        ...     ...
    """
    return either_way(_add(_Place(shared), key, value, ttl))


def incr(key: str, by: int = 1, *, ttl: Seconds | None = None, shared: bool = False) -> Any:
    """Add to a whole number, which starts at 0, and return the new one. None are lost when many do it at once.

    Args:
        ttl: Life of the counter, from its first count on.

    Raises:
        Invalid: what is there is no whole number.

    Example:
        >>> await kv.incr("downloads")
        1
    """
    return either_way(_incr(_Place(shared), key, by, ttl))


def delete(key: str, *, shared: bool = False) -> Any:
    """Forget a key; harmless when there is none. Returns whether there was one.

    Example:
        >>> await kv.delete("draft")
        True
    """
    return either_way(_delete(_Place(shared), key))


def keys(prefix: str = "", *, shared: bool = False) -> Any:
    """The keys that begin with ``prefix``, in order, as a list of at most 1000.

    Example:
        >>> await kv.keys("draft:")
        ['draft:1', 'draft:2']
    """
    return either_way(_keys(_Place(shared), prefix))


async def sweep() -> int:
    """Delete what has expired, of everybody. The shell does so at its start; returns how many."""
    gone = 0
    async with _wall.system_session() as session:
        for table in (KeyValue, SharedKeyValue):
            gone += (await session.execute(sql_delete(table).where(col(table.expires_at) <= now()))).rowcount
    return gone


class _Place:
    """Whose keys: found while the plugin's own code is still on the stack."""

    def __init__(self, shared: bool) -> None:
        plugin = calling()
        self.plugin, self.shared = plugin.name if plugin else "", shared
        self.table: Any = SharedKeyValue if shared else KeyValue

    def session(self) -> Any:
        return _wall.system_session() if self.shared else _wall.session()

    def where(self, key: str) -> tuple[Any, ...]:
        return (col(self.table.plugin) == self.plugin, col(self.table.key) == _key(key))

    def alive(self) -> Any:
        return or_(col(self.table.expires_at).is_(None), col(self.table.expires_at) > now())

    def insert(self, session: Any, key: str, value: Any, ttl: Seconds | None) -> Any:
        dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        scope = session.info["scope"]
        owner = {"app_id": scope.app_id} | ({} if self.shared else {"user_id": scope.user_id})
        row = {**owner, "plugin": self.plugin, "key": _key(key), "value": value, "expires_at": _end(ttl), "updated_at": now()}
        return dialect.insert(self.table).values(**row), list(self.table.__table__.primary_key), row


async def _get(place: _Place, key: str, default: Any) -> Any:
    async with place.session() as session:
        found = (await session.execute(select(place.table).where(*place.where(key), place.alive()))).scalars().first()
        return default if found is None else found.value


async def _set_value(place: _Place, key: str, value: Any, ttl: Seconds | None) -> None:
    async with place.session() as session:
        statement, same, row = place.insert(session, key, _json(value), ttl)
        changed = {name: row[name] for name in ("value", "expires_at", "updated_at")}
        await session.execute(statement.on_conflict_do_update(index_elements=same, set_=changed))


async def _add(place: _Place, key: str, value: Any, ttl: Seconds | None) -> bool:
    async with place.session() as session:
        return await _insert_if_gone(session, place, key, _json(value), ttl)


async def _insert_if_gone(session: Any, place: _Place, key: str, value: Any, ttl: Seconds | None) -> bool:
    await session.execute(sql_delete(place.table).where(*place.where(key), ~place.alive()))
    statement, same, _ = place.insert(session, key, value, ttl)
    added = await session.execute(statement.on_conflict_do_nothing(index_elements=same).returning(place.table.key))
    return added.first() is not None


async def _incr(place: _Place, key: str, by: int, ttl: Seconds | None) -> int:
    async with place.session() as session:
        await _insert_if_gone(session, place, key, 0, ttl)
        await session.execute(update(place.table).where(*place.where(key)).values(updated_at=now()))  # hold the row till the end
        present = (await session.execute(select(place.table.value).where(*place.where(key)))).scalar_one()
        if isinstance(present, bool) or not isinstance(present, int):
            raise Invalid(f"{key} holds no whole number.")
        await session.execute(update(place.table).where(*place.where(key)).values(value=present + by))
        return present + by


async def _delete(place: _Place, key: str) -> bool:
    async with place.session() as session:
        return bool((await session.execute(sql_delete(place.table).where(*place.where(key)))).rowcount)


async def _keys(place: _Place, prefix: str) -> list[str]:
    table = place.table
    query = select(table.key).where(
        table.plugin == place.plugin, col(table.key).startswith(prefix, autoescape=True), place.alive()
    )
    async with place.session() as session:
        return list((await session.execute(query.order_by(table.key).limit(1000))).scalars())


def _key(key: str) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise Invalid(f"A key is a text of 1 to {MAX_KEY} characters.")
    return str(checked(key))


def _json(value: Any) -> Any:
    try:
        written = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"Only JSON can be kept: {error}") from error
    if len(written.encode()) > MAX_VALUE:
        raise Invalid(f"The value is larger than {MAX_VALUE} bytes.")
    return checked(json.loads(written))


def _end(ttl: Seconds | None) -> Any:
    if ttl is None:
        return None
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
    if not 0 < seconds < 10 * 366 * 86_400:
        raise Invalid("The time to live is a number of seconds above 0, at most ten years.")
    return now() + timedelta(seconds=seconds)


__all__ = ["add", "delete", "get", "incr", "keys", "set"]
