"""Who of this process may write to a database that lets one connection write: a line for coroutines and threads alike."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

PATIENCE: Final = 60.0  # seconds for a turn; the line moves, so this is for one that does not

Wake = Callable[[], bool]  # gives the turn to one who waits; False: it waits no more

_lines: dict[str, "Line"] = {}
_making = threading.Lock()
_holders: set[asyncio.Task[Any]] = set()


class OutOfTurn(OperationalError):
    """The writers before this one took too long."""

    def __init__(self) -> None:
        super().__init__("", None, sqlite3.OperationalError("database is locked: a transaction of this process does not end"))


class Line:
    """First come, first served; a thread, of which there is one that commits for many, goes next."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[Wake] = deque()
        self._taken = False

    def enter(self, wake: Wake, *, next_one: bool = False) -> bool:
        """Take the turn when it is free (True); else wait for ``wake`` to be called, from any thread."""
        with self._guard:
            if self._taken:
                (self._waiting.appendleft if next_one else self._waiting.append)(wake)
                return False
            self._taken = True
            return True

    def leave(self) -> None:
        """Give the turn to the next who still wants it."""
        while True:
            with self._guard:
                if not self._waiting:
                    self._taken = False
                    return
                wake = self._waiting.popleft()
            if wake():
                return

    def forget(self, wake: Wake) -> bool:
        """Wait no more; False when the turn was given already."""
        with self._guard:
            if wake in self._waiting:
                self._waiting.remove(wake)
                return True
            return False


class Turn:
    """A coroutine's turn. Release it after the commit or rollback."""

    def __init__(self, line: Line, task: asyncio.Task[Any]) -> None:
        self._line, self._task = line, task

    def release(self) -> None:
        """Let the next one in."""
        _holders.discard(self._task)
        self._line.leave()


@cache
def line_of(url: str) -> Line:
    """The line before this database, whatever the driver in its URL."""
    made = make_url(url)
    name = made.database or str(made)
    with _making:
        return _lines.setdefault(name, Line())


async def take_turn(url: str) -> Turn:
    """Wait until nobody else in this process writes to the database.

    Raises:
        OutOfTurn: at once when a session of the same task writes and has not ended; else not within :data:`PATIENCE`.
    """
    task = asyncio.current_task()
    assert task is not None
    if task in _holders:
        raise OutOfTurn
    line = line_of(url)
    await _wait(line)
    _holders.add(task)
    return Turn(line, task)


async def _wait(line: Line) -> None:
    loop = asyncio.get_running_loop()
    given: asyncio.Future[None] = loop.create_future()

    def give() -> None:
        if given.done():  # cut short meanwhile
            line.leave()
        else:
            given.set_result(None)

    def wake() -> bool:
        try:
            loop.call_soon_threadsafe(give)
        except RuntimeError:  # its loop is closed
            return False
        return True

    if line.enter(wake):
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await given
    except BaseException as error:
        if given.done() and not given.cancelled():
            line.leave()
        else:
            given.cancel()
            line.forget(wake)
        if isinstance(error, TimeoutError):
            raise OutOfTurn from None
        raise


@contextmanager
def thread_turn(url: str) -> Iterator[None]:
    """The same for a thread, for the time of one transaction. It goes before the coroutines that wait.

    Raises:
        OutOfTurn: not within :data:`PATIENCE`.
    """
    line, given = line_of(url), threading.Event()

    def wake() -> bool:
        given.set()
        return True

    if not line.enter(wake, next_one=True) and not given.wait(PATIENCE) and line.forget(wake):
        raise OutOfTurn
    try:
        yield
    finally:
        line.leave()
