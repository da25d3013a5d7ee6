"""Hints from process to process that something new stands in the database: on Redis, on PostgreSQL, or by looking at the file.

A hint is a topic, a short word without spaces. It may be lost, come twice or come late: whoever waits for something looks in
the database from time to time as well. :data:`ANYTHING` means that somebody changed something.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
from redis import asyncio as redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("bus")

ANYTHING: Final = "*"
_CHANNEL: Final = "mozaiks_bus"
_LARGEST = 7000  # bytes of a message; PostgreSQL takes 8000
_WAITING = 10_000  # topics that wait for a bus that is away; the rest is lost
_AGAIN = 1.0  # seconds before a lost connection is tried again
_LOOK = 0.025  # seconds between two looks at a database file
_LOOK_ALONE = 0.25  # the same while no other process is known

Heard = Callable[[frozenset[str]], None]


class Bus:
    """One per process.

    Args:
        heard: Called on the event loop with the topics another process rang, sometimes with our own.
        alone: Whether no other process is known; a file is then looked at less often.
    """

    def __init__(self, heard: Heard, alone: Callable[[], bool] = lambda: False) -> None:
        self._heard = heard
        self._alone = alone
        self._topics: set[str] = set()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def ring(self, *topics: str) -> None:
        """Tell the other processes. Returns at once; what comes together goes together."""
        if len(self._topics) < _WAITING:
            self._topics.update(topics)
        self._news.set()

    async def start(self) -> None:
        """Begin to hear and to tell."""
        settings = get_settings()
        if settings.redis_url:
            work = [self._redis_hear(settings.redis_url), self._redis_tell(settings.redis_url)]
        elif settings.sql_url.startswith("sqlite"):
            work = [self._file_look(settings.sql_url)]
        else:
            url = settings.sql_url.replace("+psycopg", "")
            work = [self._postgres_hear(url), self._postgres_tell(url)]
        self._tasks = [asyncio.create_task(one, name="bus") for one in work]

    async def stop(self) -> None:
        """Tell what waits, if that is quick, and end."""
        if self._topics:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while self._topics:  # noqa: ASYNC110 - once, at the end
                        await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pass_on(self, message: str) -> None:
        if topics := frozenset(message.split()):
            self._heard(topics)

    async def _tell(self, send: Callable[[str], Awaitable[Any]]) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            message, size = [], 0
            for topic in list(self._topics):
                if size + len(topic) + 1 > _LARGEST:
                    self._news.set()
                    break
                message.append(topic)
                size += len(topic) + 1
            await send(" ".join(message))
            self._topics.difference_update(message)

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (RedisError, OSError, psycopg.Error, DBAPIError) as error:
                log.warning("the bus is away; what is new is found by looking", error=str(error)[:200])
            self._heard(frozenset({ANYTHING}))
            await asyncio.sleep(_AGAIN)

    # -- Redis -------------------------------------------------------------------------------------------

    async def _redis_hear(self, url: str) -> None:
        async def work() -> None:
            async with redis.from_url(url) as client, client.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(_CHANNEL)
                async for message in heard.listen():
                    self._pass_on(bytes(message["data"]).decode("utf-8", "replace"))

        await self._forever(work)

    async def _redis_tell(self, url: str) -> None:
        async def work() -> None:
            async with redis.from_url(url) as client:
                await self._tell(lambda message: client.publish(_CHANNEL, message))

        await self._forever(work)

    # -- PostgreSQL --------------------------------------------------------------------------------------

    async def _postgres_hear(self, url: str) -> None:
        async def work() -> None:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                async for notice in connection.notifies():
                    self._pass_on(notice.payload)

        await self._forever(work)

    async def _postgres_tell(self, url: str) -> None:
        async def work() -> None:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await self._tell(lambda message: connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, message)))

        await self._forever(work)

    # -- SQLite ------------------------------------------------------------------------------------------

    async def _file_look(self, url: str) -> None:
        """SQLite counts the changes others made to the file; asking for the number reads no page."""

        async def work() -> None:
            engine = create_async_engine(url)
            try:
                async with engine.connect() as connection:
                    seen = None
                    while True:
                        self._topics.clear()
                        version = (await connection.execute(text("PRAGMA data_version"))).scalar_one()
                        if version != seen:
                            seen = version
                            self._heard(frozenset({ANYTHING}))
                        await asyncio.sleep(_LOOK_ALONE if self._alone() else _LOOK)
            finally:
                await engine.dispose()

        await self._forever(work)
