"""The contents of people's files in the export of their data, and their end (F-234)."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from sqlmodel import col, select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.file_models import StoredFile
from mozaiks_shell.foundation.file_store import checksum as checksum
from mozaiks_shell.foundation.file_store import folder as folder
from mozaiks_shell.foundation.file_store import place as place
from mozaiks_shell.foundation.file_store import read as read
from mozaiks_shell.foundation.file_store import remove as remove
from mozaiks_shell.foundation.file_store import write as write
from mozaiks_shell.shell import personal_data as _personal_data

PART: Final = 300_000  # bytes read at once for an export; a multiple of 3, so that parts of base64 join


class Files(_personal_data.Keeper):
    """People take the contents of their files along, and none stays when they leave (F-234)."""

    name = "files"

    async def export(self, app_id: str, user_id: str) -> AsyncIterator[str]:
        async with system_session(app_id) as session:
            mine = select(StoredFile).where(StoredFile.user_id == user_id).order_by(col(StoredFile.id))
            rows = (await session.execute(mine)).scalars().all()
        for at, row in enumerate(rows):
            told: dict[str, Any] = {"id": row.id, "plugin": row.plugin, "name": row.name, "content_type": row.content_type}
            yield ("," if at else "") + json.dumps(told)[:-1] + ',"content":"'
            path, start = place(row), 0
            while part := await asyncio.to_thread(_part, path, start):
                yield base64.b64encode(part).decode()
                start += len(part)
            yield '"}'

    async def erase(self, app_id: str, user_id: str) -> None:
        await asyncio.to_thread(shutil.rmtree, folder(app_id, user_id), True)

    async def people(self, app_id: str) -> list[str]:
        base = folder(app_id)
        return await asyncio.to_thread(lambda: [one.name for one in base.iterdir()] if base.is_dir() else [])


def _part(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(PART)
    except FileNotFoundError:
        return b""


_personal_data.keep(Files())

__all__: list[str] = []  # plugins reach files through ``sdk.files``
