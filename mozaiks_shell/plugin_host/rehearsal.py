"""Loads changed plugin code in a copy of this process first: what ends, hangs or fills that copy harms nobody.

A forked child has everything imported already, so this costs a few hundredths of a second, where a new interpreter would
need seconds. It is for development only: a server with people on it uses :mod:`.probe`.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host import loader, registry
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.withdraw import withdraw

log = get_logger("plugin_host")

SECONDS: Final = 10.0  # to import the plugin and build its pages
MEMORY: Final = 2 << 30  # bytes of address space above what the process has


def possible() -> bool:
    """Whether this system can copy a running process safely."""
    return hasattr(os, "fork") and sys.platform == "linux"


async def rehearse(plugin: Plugin, seconds: float = SECONDS) -> PluginProblem | None:
    """What goes wrong when this plugin (not registered yet) takes the place of the one of its name; None when nothing does.

    Nothing changes in this process. Where it cannot be copied the answer is None.
    """
    if not possible():
        return None
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: threads do not live on in the child; it needs none
        child = os.fork()
    if child == 0:
        _perform(plugin, writer)
    os.close(writer)
    try:
        async with asyncio.timeout(seconds):
            said = await asyncio.to_thread(_read_all, reader)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        return PluginProblem(Cause.HANG, f"importing it took longer than {seconds:g} seconds")
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        status = await asyncio.shield(asyncio.to_thread(_ended, child))
    return _judged(said, status)


def _read_all(reader: int) -> bytes:
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def _ended(child: int) -> int:
    with contextlib.suppress(ChildProcessError):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return 0


def _judged(said: bytes, status: int) -> PluginProblem | None:
    if not said:
        how = f"ended the process with code {status}" if status >= 0 else f"ended the process by signal {-status}"
        return PluginProblem(Cause.CRASH, f"importing it {how}")
    told: dict[str, Any] = json.loads(said)
    if "stumbled" in told:
        log.error("a plugin could not be tried beforehand", reason=told["stumbled"])
        return None
    if not told:
        return None
    cause = Cause(told["cause"])
    return PluginProblem(
        cause, told["message"], told["file"], told["line"], remedy=told["remedy"], pip=told["pip"], path=told["path"]
    )


def _perform(plugin: Plugin, writer: int) -> None:
    """In the child: load, write the problem as JSON (``{}`` for none), end. Never returns."""
    code = 1
    try:
        _quiet()
        problem = _load(plugin)
        os.write(writer, json.dumps(problem and _written(problem) or {}).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - told to the parent; not the plugin's doing, whose faults the loader catches
        os.write(writer, json.dumps({"stumbled": traceback.format_exc()[-2000:]}).encode())
        code = 0
    finally:
        os._exit(code)


def _quiet() -> None:
    """Nothing of the rehearsal is heard, and nobody's signal handler runs in it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(one, signal.SIG_DFL)
    import resource

    used = _proc_size()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _proc_size() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _load(plugin: Plugin) -> PluginProblem | None:
    if (old := registry.find(plugin.name)) is not None:
        withdraw(old)
    return loader.load(plugin).problem


def _written(problem: PluginProblem) -> dict[str, Any]:
    return {
        "cause": problem.cause.value, "message": problem.message, "file": problem.file, "line": problem.line,
        "remedy": problem.remedy, "pip": problem.pip, "path": problem.path,
    }  # fmt: skip


__all__ = ["possible", "rehearse"]
