"""Plain functions of plugins run in threads of their own, and may still reach the event loop.

Daemon threads, not a pool: a plugin that never returns must neither keep the process from
stopping nor use up what other plugins need.
"""

import asyncio
import contextvars
import ctypes
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
_loop: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar("mozaiks_plugin_loop", default=None)
_PUSHES: Final = (0.0, 0.2, 1.0, 5.0)  # seconds after which an abandoned thread is asked to end (once more)


class Abandoned(BaseException):
    """Raised inside a plugin's thread that nobody waits for any more. No ``except Exception`` can swallow it."""


class ThreadCall(asyncio.Future):  # type: ignore[type-arg]
    """The result of a function that runs in a thread."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...], done: Callable[[], None] | None) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._call, self._arguments, self._release = function, arguments, done
        self._lock, self._over = threading.Lock(), False
        self._context = contextvars.copy_context()
        self._context.run(_loop.set, self.get_loop())
        name = f"plugin:{getattr(function, '__module__', '?')}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except BaseException:  # the system has no thread left
            if done is not None:
                done()
            raise

    def abandon(self) -> None:
        """Ask the thread to end: Python code in it is interrupted, a call into C when it returns."""
        for wait in _PUSHES:
            self.get_loop().call_later(wait, self._push)

    def _push(self) -> None:
        with self._lock:
            if not self._over and self._thread.ident is not None:
                _raise_in(self._thread.ident, Abandoned)

    def _run(self) -> None:
        result: Any = None
        error: Exception | None = None
        try:
            try:
                result = self._context.run(self._call, *self._arguments)
            except Exception as raised:  # noqa: BLE001 - handed to the caller
                error = raised
            except BaseException as raised:  # noqa: BLE001 - SystemExit must not end anything but the call
                error = RuntimeError(repr(raised))
                error.__cause__ = raised
            with self._lock:
                self._over = True
                _raise_in(threading.get_ident(), None)
        except Abandoned:  # it came when the function had just returned
            self._over = True
        loop = self.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: Exception | None) -> None:
        if self._release is not None:
            self._release()
        if not self.done():
            self.set_exception(error) if error is not None else self.set_result(result)


def in_thread(function: Callable[..., Any], *arguments: Any, done: Callable[[], None] | None = None) -> ThreadCall:
    """Run ``function(*arguments)`` in a thread, in the caller's context.

    Args:
        done: Called on the loop when the thread has really ended, even if nobody waits any more.

    Returns:
        A future for the result. Whatever the function raises, ``SystemExit`` included, arrives as
        :class:`Exception` (``RuntimeError`` around what is not one).
    """
    return ThreadCall(function, arguments, done)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Have Python raise ``error`` in another thread at its next step; None takes back one that was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)


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
