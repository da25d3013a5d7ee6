"""Something that happens once and is waited for: an ``asyncio.Event`` without the memory of one.

An event holds a queue of its waiters, three quarters of a KiB, also while nobody waits. A conversation has several.
"""

import asyncio


class Once:
    """Not happened, until :meth:`set`. Used on one event loop."""

    __slots__ = ("_future", "_happened")

    def __init__(self) -> None:
        self._happened = False
        self._future: asyncio.Future[None] | None = None

    def set(self) -> None:
        """It has happened; wakes everybody. A second time does nothing."""
        self._happened = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def future(self) -> asyncio.Future[None]:
        """Done when it has happened; for ``asyncio.wait``, and not to be cancelled."""
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
            if self._happened:
                self._future.set_result(None)
        return self._future

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has happened, or so long; whether it has."""
        if not self._happened:
            await asyncio.wait([self.future()], timeout=seconds)
        return self._happened
