"""Interrupts plugin code that keeps the event loop, and so the whole server, waiting.

``async def`` code shares one loop with everybody: a plugin that computes for a minute or calls ``time.sleep`` in it
stops all answers. A thread looks whether the loop still turns. When it has stood still for
``MOZAIKS_PLUGIN_STALL_SECONDS`` and plugin code is on the loop's stack, a signal has Python raise :class:`Stalled` right
there; the shell's own code is never interrupted.
"""

import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host.registry import NAMESPACE, loading

log = get_logger("plugin_host")

SIGNAL: Final = signal.SIGURG  # ignored by default and used by nothing here


class Stalled(Exception):
    """Plugin code kept the event loop waiting."""


class StalledAgain(BaseException):
    """The same code swallowed :class:`Stalled` and went on; ``except Exception`` does not catch this one."""


class LoopGuard:
    """Watches the running loop of the main thread until :meth:`stop`.

    Args:
        seconds: How long plugin code may keep the loop.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._loop = seconds, asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._beat = time.monotonic()
        self._pushes = 0
        self._armed = False
        self._ended = threading.Event()
        self._old = signal.signal(SIGNAL, self._interrupt)
        self._watcher = threading.Thread(target=self._watch, name="plugin loop guard", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the watching."""
        self._ended.set()
        with contextlib.suppress(ValueError):  # not the main thread any more: the process is ending
            signal.signal(SIGNAL, self._old)

    def _turn(self) -> None:
        self._beat, self._pushes = time.monotonic(), 0

    def _watch(self) -> None:
        pause = self._seconds / 4
        while not self._ended.wait(pause):
            if self._loop.is_closed():
                return
            with contextlib.suppress(RuntimeError):  # closed just now
                self._loop.call_soon_threadsafe(self._turn)
            if time.monotonic() - self._beat < self._seconds + pause * self._pushes * 4:
                continue
            if _plugin_line(sys._current_frames().get(self._thread_id)):
                self._pushes += 1
                self._armed = True
                signal.pthread_kill(self._thread_id, SIGNAL)

    def _interrupt(self, _: int, frame: FrameType | None) -> None:
        line = _plugin_line(frame) if self._armed and loading() is None else ""  # an import has a time of its own
        self._armed = False
        if not line:
            return
        log.error("plugin code kept the server waiting and was interrupted", where=line, seconds=self._seconds)
        raise (Stalled if self._pushes < 2 else StalledAgain)(f"kept the server waiting for more than {self._seconds:g} seconds")


def guard_loop(seconds: float) -> Callable[[], object] | None:
    """Start a :class:`LoopGuard` for the running loop.

    Returns:
        Its ``stop``; None where nothing can be guarded: ``seconds`` is 0, or the loop is not in the main thread.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        return None
    return LoopGuard(seconds).stop


def _plugin_line(frame: FrameType | None) -> str:
    """``file:line`` of the innermost plugin code on a stack; empty when there is none."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(NAMESPACE + "."):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
