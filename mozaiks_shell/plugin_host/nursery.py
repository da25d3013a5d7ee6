"""Where worker processes come from: one process that has the SDK in memory and forks for whoever needs a worker.

A worker is there in milliseconds instead of the seconds an import takes, and shares the memory of what is imported. The
nursery is started with the first worker and ends with the server. It hears of a new worker through a socket that carries
the worker's own ends: its connection, its output, and the pipe in which the nursery tells its process id and how it ended.
"""

import array
import contextlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Final

from mozaiks_shell.foundation.settings import environment

_VARIABLES: Final = frozenset(
    {"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT"}
)


@dataclass(frozen=True, slots=True)
class Born:
    """Our ends of a new worker: its connection, what it prints, and its fate (``pid`` in the first line, then the exit code)."""

    connection: socket.socket
    output: int
    fate: int


class Nursery:
    """The process, started when it is first needed and again when it has died. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._owner = 0

    def worker(self) -> Born:
        """A new worker, which waits for its first message. Returns at once.

        Raises:
            OSError: no process can be started.
        """
        ours, theirs = socket.socketpair()
        (output, output_end), (fate, fate_end) = os.pipe(), os.pipe()
        ends = (theirs.fileno(), output_end, fate_end)
        try:
            with self._lock:
                self._ask(ends)
        except OSError:
            ours.close()
            os.close(output)
            os.close(fate)
            raise
        finally:
            theirs.close()
            os.close(output_end)
            os.close(fate_end)
        ours.setblocking(False)
        return Born(ours, output, fate)

    def _ask(self, ends: tuple[int, ...]) -> None:
        for last in (False, True):
            if self._process is None or self._process.poll() is not None or self._owner != os.getpid():
                self._start()
            assert self._line is not None
            try:
                self._line.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", ends))])
                return
            except (BrokenPipeError, ConnectionError):
                if last:
                    raise
                self.end()

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mozaiks_shell.plugin_host.worker_process", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, env=_environment(), start_new_session=True,
            )  # fmt: skip
        self._line, self._owner = ours, os.getpid()

    def end(self) -> None:
        """End it, and with it every worker that is still there."""
        if self._line is not None:
            self._line.close()
        if self._process is not None and self._owner == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        self._process = self._line = None


nursery = Nursery()


def _environment() -> dict[str, str]:
    """What every program may see, and where the modules are. No secrets, and none of the settings."""
    kept = {name: value for name, value in environment().items() if name in _VARIABLES or name.startswith("LC_")}
    return {**kept, "PYTHONPATH": ":".join(path for path in sys.path if path), "MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}
