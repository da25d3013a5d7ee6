"""The contents of people's files: below the data folder, one folder per app and person, readable by this server alone."""

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import Final

from mozaiks_shell.foundation.file_models import StoredFile
from mozaiks_shell.foundation.settings import get_settings

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def folder(app_id: str, user_id: str = "") -> Path:
    """Where a person's contents lie; without ``user_id`` the app's folder."""
    base = get_settings().data_dir / "files" / _plain(app_id)
    return base / _plain(user_id) if user_id else base


def place(row: StoredFile) -> Path:
    """Where this file's content lies. Made of our own ids alone; the file's name has no part in it."""
    return folder(row.app_id, row.user_id) / _plain(row.id)


def checksum(content: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


async def write(row: StoredFile, content: bytes) -> None:
    """Keep the content on disk; on return it has survived a power cut."""
    await asyncio.to_thread(_write, place(row), content)


async def read(row: StoredFile) -> bytes:
    """The content.

    Raises:
        FileNotFoundError: it is gone.
    """
    return await asyncio.to_thread(place(row).read_bytes)


async def remove(row: StoredFile) -> None:
    """Remove the content; harmless when it is gone."""
    await asyncio.to_thread(place(row).unlink, True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _plain(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and not name.endswith(".part") else "x" + hashlib.sha256(name.encode()).hexdigest()[:40]
