"""What has to happen between a signal to stop and the server's own handling of it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

_tasks: set[asyncio.Task[None]] = set()


def before_server_stops(farewell: Callable[[], Awaitable[None]]) -> None:
    """Run ``farewell`` first when this process is told to stop; it must be quick.

    Servers cut their sockets as soon as they hear the signal, long before the lifespan ends. Call this in the lifespan, where
    the server's handlers are in place. Where there are none, or not in this thread, nothing changes.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server: asyncio.Handle | None = getattr(loop, "_signal_handlers", {}).get(number)
        if server is not None:
            loop.add_signal_handler(number, _first, farewell, server._run)
        elif callable(handler := signal.getsignal(number)) and handler is not signal.default_int_handler:
            _precede(loop, number, farewell, handler)


def _precede(
    loop: asyncio.AbstractEventLoop, number: int, farewell: Callable[[], Awaitable[None]], handler: Callable[..., object]
) -> None:
    def heard(*what: object) -> None:
        loop.call_soon_threadsafe(_first, farewell, lambda: handler(*what))

    try:
        signal.signal(number, heard)
    except ValueError:  # not the main thread
        return


def _first(farewell: Callable[[], Awaitable[None]], stop: Callable[[], object]) -> None:
    async def both() -> None:
        try:
            await farewell()
        finally:
            stop()

    task = asyncio.get_running_loop().create_task(both())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
