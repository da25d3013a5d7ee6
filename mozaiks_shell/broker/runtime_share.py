"""One embedded runtime for all server processes of a machine (D11): who has the lease keeps the child, the others use it.

Its chats are in the database, so a child of another process goes on with them when this one dies. Two children would both
hold the same chat in memory, and one of them would show what is over; so there is one. It listens on this machine only:
several machines need a runtime of its own (``mozaiks-shell runtime``), and until then have one each.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.broker.errors import runtime_starting
from mozaiks_shell.broker.runtime_process import EmbeddedRuntime
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("broker")

_LOOK: Final = 1.0  # seconds between two looks at who keeps the child
_ASK: Final = 0.1  # seconds between two looks at a child that is starting
WAIT = 10.0  # seconds a caller waits for it


class SharedRuntime:
    """The embedded runtime as this process sees it: its own child, or another process's.

    Args:
        port: Port this process serves on, where a child of its own asks for new keys.
    """

    def __init__(self, port: int, make: Callable[[int, Callable[[], None]], EmbeddedRuntime] = EmbeddedRuntime) -> None:
        self._port, self._make = port, make
        self._child: EmbeddedRuntime | None = None
        self._leases: Leases | None = None
        self._known = self._told = ""
        self._woken = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child, if this process keeps it and it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def up(self) -> bool:
        """Whether a child listened when this process last looked."""
        return bool(self._child.address if self._child is not None else self._known)

    def join(self, leases: Leases) -> None:
        """Take part: keep the child, or use the one of whoever does. Without this there is none."""
        self._leases = leases
        self._keeper = self._keeper or asyncio.create_task(self._keep(), name="embedded runtime's lease")

    async def url(self, wait: float | None = None) -> str:
        """Where the child listens, without a trailing slash; waits up to so many seconds (ten) for one that is starting.

        Raises:
            Unavailable: ``RUNTIME_STARTING``, it is not up by then.
        """
        try:
            async with asyncio.timeout(WAIT if wait is None else wait):
                while not (found := await self._address()):  # noqa: ASYNC110 - another process's child
                    await asyncio.sleep(_ASK)
        except TimeoutError:
            raise runtime_starting() from None
        return found

    async def _address(self) -> str:
        if self._child is not None:
            return self._child.address
        if self._leases is not None:
            with contextlib.suppress(SQLAlchemyError, OSError):  # a database that is away does not take the runtime along
                self._known = await self._leases.note_of_holder(self._name)
        return self._known

    async def stop(self) -> None:
        """Take part no more; end the child if it is ours."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await self._end_child()

    @property
    def _name(self) -> str:
        assert self._leases is not None
        return f"runtime:{get_settings().app_id}:{self._leases.machine}"

    async def _keep(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is: who looks must not die
                log.warning("who keeps the embedded runtime is not known", error=f"{type(error).__name__}: {error}"[:200])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._woken.wait()

    async def _look(self) -> None:
        """Have the lease and a child, or neither; tell the others where it listens."""
        assert self._leases is not None
        if not self._leases.has(self._name):
            await self._end_child()
            if await self._leases.acquire(self._name) is None:
                await self._address()
                return
        if self._child is None:
            self._told = ""
            self._child = self._make(self._port, self._woken.set)
        if (address := self._child.address) != self._told:
            await self._leases.tell(self._name, address)
            self._told = address

    async def _end_child(self) -> None:
        child, self._child, self._known = self._child, None, ""
        if child is not None:
            await child.stop()
