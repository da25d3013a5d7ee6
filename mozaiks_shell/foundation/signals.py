"""What has to happen between a signal to stop and the server's own handling of it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

_tasks: set[asyncio.Task[None]] = set()


def before_server_stops(farewell: Callable[[], Awaitable[None]]) -> None:
    """Run ``farewell`` first when this process is told to stop; it must be quick.

    Granian cuts every socket as soon as it hears the signal, long before the lifespan ends. Call this in the lifespan,
    where the server's handlers are in place. Nothing changes where the event loop does not show them.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server: asyncio.Handle | None = getattr(loop, "_signal_handlers", {}).get(number)
        if server is not None:
            loop.add_signal_handler(number, _first, farewell, server)


def _first(farewell: Callable[[], Awaitable[None]], server: asyncio.Handle) -> None:
    async def both() -> None:
        try:
            await farewell()
        finally:
            server._run()

    task = asyncio.get_running_loop().create_task(both())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
