"""Frames to the open tabs of a person, whichever process serves them (F-088, F-208, F-220).

A frame is a small JSON object with a ``type``. It is a hint that something is new, not the thing itself: a tab that was not
there misses it and reads the state when it comes. With Redis frames reach the tabs of every process, otherwise of this one.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from redis import asyncio as redis
from redis.exceptions import RedisError

from mozaiks_shell.foundation.errors import TooLarge
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("live")

LARGEST: Final = 16_000  # bytes of one frame
WAITING: Final = 200  # frames a slow tab may leave unread; the oldest go
_CHANNEL: Final = "mozaiks:live"
_AGAIN: Final = 1.0  # seconds before a lost Redis is tried again

Who = tuple[str, str]


class Tab:
    """What one open tab still has to be sent."""

    def __init__(self, who: Who) -> None:
        self.who = who
        self._frames: list[str] = []
        self._there = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def put(self, frame: str) -> None:
        """Add a frame. From any thread."""
        self._loop.call_soon_threadsafe(self._put, frame)

    def _put(self, frame: str) -> None:
        self._frames.append(frame)
        del self._frames[:-WAITING]
        self._there.set()

    async def take(self) -> list[str]:
        """The frames that came, once there are any."""
        await self._there.wait()
        self._there.clear()
        frames, self._frames = self._frames, []
        return frames


_tabs: dict[Who, set[Tab]] = defaultdict(set)


class _Link:
    """The connection to Redis this process sends on; None without Redis. ``process`` names it: forked workers differ."""

    client: redis.Redis | None = None
    process: str = ""


def open_tab(app_id: str, user_id: str) -> Tab:
    """Begin to listen for a person; end it with :func:`close_tab`."""
    tab = Tab((app_id, user_id))
    _tabs[tab.who].add(tab)
    return tab


def close_tab(tab: Tab) -> None:
    """Stop listening."""
    _tabs[tab.who].discard(tab)
    if not _tabs[tab.who]:
        del _tabs[tab.who]


def tabs_of(app_id: str, user_id: str) -> int:
    """How many tabs of a person this process serves."""
    return len(_tabs.get((app_id, user_id), ()))


async def push(app_id: str, user_id: str, frame: dict[str, Any]) -> None:
    """Send a frame to every open tab of a person; nobody notices when there is none.

    Raises:
        TooLarge: more than 16 kB of JSON. Invalid: not JSON that can be sent.
    """
    text = json.dumps(checked(frame), allow_nan=False, separators=(",", ":"))
    if len(text) > LARGEST:
        raise TooLarge(f"A frame may have {LARGEST} bytes. Send an id, and let the page read the rest.")
    _deliver(app_id, user_id, text)
    if _Link.client is not None:
        told = json.dumps({"from": _Link.process, "app": app_id, "user": user_id, "frame": text})
        try:
            await _Link.client.publish(_CHANNEL, told)
        except (RedisError, OSError) as error:
            log.warning("a frame reached this process only", error=str(error))


def _deliver(app_id: str, user_id: str, text: str) -> None:
    for tab in list(_tabs.get((app_id, user_id), ())):
        tab.put(text)


async def start_live() -> Callable[[], Awaitable[None]] | None:
    """Lifespan step: with Redis, hear what other processes send. Returns its undo."""
    url = get_settings().redis_url
    if not url:
        return None
    client = redis.from_url(url)
    _Link.client, _Link.process = client, new_id("prc")
    ready = asyncio.Event()
    task = asyncio.create_task(_hear(client, ready))
    with contextlib.suppress(TimeoutError):  # without it the app starts all the same
        async with asyncio.timeout(5):
            await ready.wait()

    async def stop() -> None:
        _Link.client = None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()

    return stop


async def _hear(client: redis.Redis, ready: asyncio.Event) -> None:
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(_CHANNEL)
                ready.set()
                async for message in heard.listen():
                    _pass_on(message.get("data"))
        except (RedisError, OSError) as error:
            log.warning("Redis is away; tabs hear of this process only", error=str(error))
        await asyncio.sleep(_AGAIN)


def _pass_on(data: Any) -> None:
    try:
        told = json.loads(data)
        if told["from"] != _Link.process:
            _deliver(told["app"], told["user"], told["frame"])
    except (ValueError, KeyError, TypeError):
        log.warning("a frame of another process cannot be read")
