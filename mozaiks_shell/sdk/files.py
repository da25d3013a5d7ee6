"""``files``: files of people, in the private data folder (F-264). Needs ``"permissions": ["files"]`` in the manifest.

    from mozaiks_shell.sdk import files

    kept = await files.save("invoice.pdf", content, types=["application/pdf"])
    kept.url                                   # "/api/files/fil_…": only its owner gets it
    await files.read(kept.id)                  # the bytes
    await files.list()                         # newest first
    await files.delete(kept.id)

A file belongs to the plugin and to the person on whose behalf the code runs; nobody else can read, list or delete it. Its name
is never a path on the server. It is part of what people export, and goes when they delete their account. In ``async`` code
every function is awaited, in plain functions it is not, as with ``db``.
"""

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select

from mozaiks_shell.foundation import db as _wall
from mozaiks_shell.foundation.errors import Invalid, NotFound, TooLarge
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import permissions as _permissions
from mozaiks_shell.plugin_host.service import calling, either_way
from mozaiks_shell.sdk import file_store as _store
from mozaiks_shell.sdk.file_kinds import kind_of, matches, safe_name
from mozaiks_shell.sdk.models import StoredFile


@dataclass(frozen=True, slots=True)
class File:
    """A stored file. ``size`` is in bytes; ``content_type`` comes from the content where that tells, else from the name."""

    id: str
    name: str
    content_type: str
    size: int
    created_at: datetime

    @property
    def url(self) -> str:
        """Where its owner downloads it."""
        return f"/api/files/{self.id}"


def save(name: str, content: bytes, *, types: Iterable[str] = ()) -> Any:
    """Store a file for the current person and return it as a :class:`File`.

    Args:
        name: What it is called when downloaded: 1 to 200 characters, no ``/``, no ``\\``, no control characters.
        types: Content types that are welcome, such as ``"image/*"`` or ``"application/pdf"``; empty: any.

    Raises:
        Invalid: code ``FILE_NAME``, ``FILE_TYPE``, or the content is not bytes.
        TooLarge: larger than ``MAX_FILE_BYTES`` (code ``FILE_TOO_LARGE``), or it would be more than
            ``FILE_QUOTA_BYTES`` of this person (code ``FILE_QUOTA``).
        Forbidden: code ``PERMISSION_MISSING``.
        NotSignedIn: nobody is signed in.

    Example:
        >>> kept = await files.save("photo.png", await upload.read(), types=["image/*"])
    """
    return either_way(_save(_plugin(), name, content, tuple(types)))


def get(id: str) -> Any:
    """The :class:`File` with this id.

    Raises:
        NotFound: there is none, or it is somebody else's or another plugin's.

    Example:
        >>> (await files.get(kept.id)).size
        48213
    """
    return either_way(_get(_plugin(), id))


def read(id: str) -> Any:
    """The content of a file, as bytes.

    Raises:
        NotFound: as :func:`get`.

    Example:
        >>> content = await files.read(kept.id)
    """
    return either_way(_read(_plugin(), id))


def list(*, limit: int = 100, offset: int = 0) -> Any:
    """The current person's files, newest first, as a list of :class:`File`.

    Args:
        limit: At most this many, up to 1000.
        offset: Skip so many first.

    Example:
        >>> [one.name for one in await files.list()]
        ['photo.png']
    """
    return either_way(_list(_plugin(), limit, offset))


def delete(id: str) -> Any:
    """Remove a file for good.

    Raises:
        NotFound: as :func:`get`.

    Example:
        >>> await files.delete(kept.id)
    """
    return either_way(_delete(_plugin(), id))


def _plugin() -> str:
    _permissions.demand(_permissions.Permission.FILES)
    plugin = calling()
    return plugin.name if plugin else ""


async def _save(plugin: str, name: str, content: bytes, types: tuple[str, ...]) -> File:
    settings = get_settings()
    if not isinstance(content, bytes | bytearray | memoryview):
        raise Invalid(tr("The content of a file is bytes."))
    body = bytes(content)
    if len(body) > settings.max_file_bytes:
        raise TooLarge(tr("The file may have at most {size} bytes.", size=settings.max_file_bytes), code="FILE_TOO_LARGE")
    row = StoredFile(
        plugin=plugin, name=safe_name(name), content_type=kind_of(name, body), size=len(body), sha256=_store.checksum(body)
    )
    if types and not matches(row.content_type, types):
        raise Invalid(tr("Files of this kind ({kind}) are not welcome here.", kind=row.content_type), code="FILE_TYPE")
    try:
        await _keep(row, body, settings.file_quota_bytes)
    except BaseException:
        await _store.remove(row)
        raise
    return _file(row)


async def _keep(row: StoredFile, body: bytes, quota: int) -> None:
    async with _wall.session() as session:
        session.add(row)
        await session.flush()  # from here on nobody else adds a file on SQLite; elsewhere the quota may be passed by one
        used = int((await session.execute(select(func.coalesce(func.sum(StoredFile.size), 0)))).scalar_one())
        if used > quota:
            raise TooLarge(tr("You may keep at most {size} bytes of files.", size=quota), code="FILE_QUOTA")
        await _store.write(row, body)  # content before row: what is listed can be read


async def _get(plugin: str, identity: str) -> File:
    return _file(await stored(identity, plugin))


async def _read(plugin: str, identity: str) -> bytes:
    row = await stored(identity, plugin)
    try:
        return await _store.read(row)
    except FileNotFoundError:
        raise _missing() from None


async def _list(plugin: str, limit: int, offset: int) -> "builtins.list[File]":
    query = select(StoredFile).where(StoredFile.plugin == plugin)
    query = query.order_by(col(StoredFile.created_at).desc(), col(StoredFile.id).desc())
    async with _wall.session() as session:
        rows = await session.execute(query.limit(max(0, min(limit, 1000))).offset(max(0, offset)))
        return [_file(row) for row in rows.scalars()]


async def _delete(plugin: str, identity: str) -> None:
    row = await stored(identity, plugin)
    async with _wall.session() as session:
        await session.delete(row)
    await _store.remove(row)


async def stored(identity: str, plugin: str | None = None) -> StoredFile:
    """The current person's row of a file. Not for plugins.

    Raises:
        NotFound: there is none.
    """
    query = select(StoredFile).where(StoredFile.id == str(identity))
    if plugin is not None:
        query = query.where(StoredFile.plugin == plugin)
    async with _wall.session() as session:
        found: StoredFile | None = (await session.execute(query)).scalars().first()
    if found is None:
        raise _missing()
    return found


def _missing() -> NotFound:
    return NotFound(tr("There is no such file."))


def _file(row: StoredFile) -> File:
    return File(row.id, row.name, row.content_type, row.size, row.created_at)


__all__ = ["File", "delete", "get", "list", "read", "save"]
