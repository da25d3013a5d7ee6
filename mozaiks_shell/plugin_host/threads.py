"""Plain functions of plugins run in threads of their own, and may still reach the event loop.

Daemon threads, not a pool: a plugin that never returns must neither keep the process from
stopping nor use up what other plugins need.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
_loop: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar("mozaiks_plugin_loop", default=None)


def in_thread(function: Callable[..., Any], *arguments: Any, done: Callable[[], None] | None = None) -> asyncio.Future[Any]:
    """Run ``function(*arguments)`` in a thread, in the caller's context.

    Args:
        done: Called on the loop when the thread has really ended, even if nobody waits any more.

    Returns:
        A future for the result. Whatever the function raises, ``SystemExit`` included, arrives as
        :class:`Exception` (``RuntimeError`` around what is not one).
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()
    context.run(_loop.set, loop)

    def settle(result: Any, error: Exception | None) -> None:
        if done is not None:
            done()
        if not future.done():
            future.set_exception(error) if error is not None else future.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(function, *arguments)
        except Exception as raised:  # noqa: BLE001 - handed to the caller
            error = raised
        except BaseException as raised:  # noqa: BLE001 - SystemExit must not end anything but the call
            error = RuntimeError(repr(raised))
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name=f"plugin:{getattr(function, '__module__', '?')}", daemon=True).start()
    return future


def from_thread(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end from plain code: on the server's loop when called from :func:`in_thread`,
    otherwise (a script, a test) on a loop of its own."""
    loop = _loop.get()
    if loop is None:
        return asyncio.run(coroutine)
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def either_way(coroutine: Coroutine[Any, Any, Result]) -> Any:
    """The coroutine itself for ``async`` callers, its result for plain ones."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return from_thread(coroutine)
    return coroutine
