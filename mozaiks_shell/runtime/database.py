"""The database of a runtime process: sessions behind the tenancy wall, on SQLite and PostgreSQL (D8)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

from mozaiks_shell.foundation.db import Scope, ScopedSession, make_private, tune_sqlite
from mozaiks_shell.foundation.wall_writes import guard_writes


class Database:
    """One engine, made from the URL the parent gave."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {"pool_pre_ping": True}
        if url.startswith("sqlite"):
            make_private(url)
            options = {"connect_args": {"timeout": 15}}
        self._engine = create_async_engine(url, **options)
        if url.startswith("sqlite"):
            event.listen(self._engine.sync_engine, "connect", tune_sqlite)
        guard_writes(self._engine.sync_engine)

    @asynccontextmanager
    async def session(self, app_id: str | None, user_id: str | None = None) -> AsyncIterator[ScopedSession]:
        """What one person of an app, or one app, may see; commits on success.

        ``app_id`` None is for finding out whose a pending question is: the caller checks who asks.
        """
        info = {} if app_id is None else {"scope": Scope(app_id, user_id), "raw": False}
        async with ScopedSession(self._engine, expire_on_commit=False, info=info) as opened, opened.begin():
            yield opened

    async def ping(self) -> float:
        """Milliseconds of one round trip; raises what the driver raises."""
        began = time.perf_counter()
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return round((time.perf_counter() - began) * 1000, 2)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
