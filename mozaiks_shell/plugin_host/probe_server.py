"""The process that imports plugins to see what happens: it imports the SDK once and forks for every plugin.

Started by :mod:`.probe` as ``python -m mozaiks_shell.plugin_host.probe_server REQUESTS REPLIES`` (two pipe ends). A request is
one line of JSON, and so is its reply. It ends when nobody asks any more. Each child has a session of its own, bounds on memory
and processor time, and an end of its time that does not depend on it.

A request may name several plugins. They share a child while all of them are as they should be; as soon as anything is amiss the
reply is ``split``, and the other side asks for each of them alone, so that none is blamed for another.
"""

import contextlib
import faulthandler
import gc
import json
import math
import os
import re
import selectors
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from sqlmodel import SQLModel

from mozaiks_shell.foundation.settings import become, get_settings
from mozaiks_shell.plugin_host import registry, traces, worker
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.importing import import_plugin, problem_of, read_sources
from mozaiks_shell.plugin_host.manifest import read_manifest
from mozaiks_shell.plugin_host.probe_cache import Verdict
from mozaiks_shell.plugin_host.registry import Plugin

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

IDLE_SECONDS: Final = 30.0
GRACE_SECONDS: Final = 2.0  # between the interruption of an import and the end of its process
_dumps = json.dumps  # what a plugin replaces does not keep us from saying so
_TIMEOUT: Final = "Timeout ("  # how faulthandler begins when the time is up
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass
class _Child:
    request: dict[str, Any]
    pid: int
    pipe: int
    until: float
    began: float
    crash: IO[bytes]
    said: bytes = b""


def main() -> None:
    """Serve until the other side closes its end, or nobody asked for a while."""
    requests, replies = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the server
    __import__("mozaiks_shell.sdk")
    worker.here = True  # what runs apart from the server is looked at too
    before = traces.take(deep=True)
    gc.freeze()
    _serve(requests, replies, before)


def _serve(requests: int, replies: int, before: traces.Traces) -> None:
    waiting: list[dict[str, Any]] = []
    children: dict[int, _Child] = {}
    at_once = max(1, os.cpu_count() or 1)
    buffer, idle_until = b"", time.monotonic() + IDLE_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            while waiting and len(children) < at_once:
                child = _fork(waiting.pop(0), before, (requests, replies, *children))
                children[child.pipe] = child
                selector.register(child.pipe, selectors.EVENT_READ)
            now = time.monotonic()
            nearest = min([one.until for one in children.values()], default=idle_until)
            for key, _ in selector.select(max(0.0, nearest - now)):
                told = os.read(key.fd, 1 << 16)
                if key.fd == requests:
                    if not told:
                        for child in children.values():
                            _kill(child)
                        return
                    *lines, buffer = (buffer + told).split(b"\n")
                    waiting += [json.loads(line) for line in lines]
                elif told:
                    children[key.fd].said += told
                else:
                    selector.unregister(key.fd)
                    _reply(replies, children.pop(key.fd), late=False)
            for child in [one for one in children.values() if one.until <= time.monotonic()]:
                selector.unregister(child.pipe)
                _reply(replies, children.pop(child.pipe), late=True)
            if children or waiting:
                idle_until = time.monotonic() + IDLE_SECONDS
            elif time.monotonic() >= idle_until:
                return


def _fork(request: dict[str, Any], before: traces.Traces, others: tuple[int, ...]) -> _Child:
    crash = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _reply
    reading, writing = os.pipe()
    began, seconds = time.monotonic(), float(request["seconds"])
    pid = os.fork()
    if pid == 0:
        _child(request, before, writing, crash, (reading, *others))
    os.close(writing)
    until = began + seconds + GRACE_SECONDS
    return _Child(request, pid, reading, until, began, crash)


def _child(request: dict[str, Any], before: traces.Traces, pipe: int, crash: IO[bytes], close: tuple[int, ...]) -> NoReturn:
    """The forked process: examine, tell, end."""
    really_exit = os._exit
    try:
        os.setsid()
        for one in close:
            os.close(one)
        nothing = os.open(os.devnull, os.O_RDWR)
        for one in (0, 1, 2):
            os.dup2(nothing, one)
        seconds = float(request["seconds"])
        faulthandler.enable(crash, all_threads=False)
        faulthandler.dump_traceback_later(seconds + GRACE_SECONDS / 2, file=crash, exit=True)  # even if nobody is left
        _bound(seconds, int(request["memory_mb"]))

        def noted_exit(status: int) -> NoReturn:
            faulthandler.dump_traceback(crash, all_threads=False)
            really_exit(status)

        os._exit = noted_exit
        before.code["os"]["_exit"] = noted_exit
        verdicts = _examine(request, before)
        _unbound()
        told = _dumps(verdicts and {name: one.as_json() for name, one in verdicts.items()}).encode()
        _write(pipe, told)
    finally:
        really_exit(0)


def _examine(request: dict[str, Any], before: traces.Traces) -> dict[str, Verdict] | None:
    """Import the plugins as the server would, and look at what that did to the process. None: look at each alone."""
    become(request["environment"])
    settings, found = get_settings(), {}
    before.threads, before.folder = {one.ident for one in threading.enumerate()}, str(Path.cwd())
    plugin: Plugin | None = None
    for told in request["plugins"]:
        began, folder = time.perf_counter(), Path(told["folder"])
        problem: PluginProblem | None = None
        notes: list[Note] = []
        drawn = False
        try:
            manifest = read_manifest(folder, None, told["name"])
            plugin = Plugin(told["name"], folder, manifest, root=folder.parent if told["rooted"] else None)
            registry.add(plugin)
            notes += read_sources(plugin, settings)
            with registry.being_loaded(plugin):
                drawn = import_plugin(plugin, set(SQLModel.metadata.tables), settings.plugin_probe_seconds)
            if told is request["plugins"][-1]:
                traces.check_core(before, folder, plugin.module.rpartition(".")[0])
                left = list(traces.notes(before))
                if left and len(request["plugins"]) > 1:
                    return None
                notes += left
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt too: here nobody but the plugin raises it
            _unbound()
            if len(request["plugins"]) > 1:
                return None
            problem = problem_of(plugin, error) if plugin is not None else PluginProblem(Cause.MANIFEST, str(error))
        spent = round((time.perf_counter() - began) * 1000, 2)
        found[told["name"]] = Verdict(problem, tuple(notes), spent, drawn and problem is None)
    return found


def _bound(seconds: float, memory_mb: int) -> None:
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds + GRACE_SECONDS), resource.RLIM_INFINITY))
    if (size := Path("/proc/self/statm")).exists():
        used = int(size.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_mb * 1024 * 1024, resource.RLIM_INFINITY))


def _unbound() -> None:
    """Room to report in."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _kill(child: _Child) -> None:
    """End the child and all it started."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(child.pid, signal.SIGKILL)


def _wait(child: _Child) -> int:
    """Its wait status. A child that closed its pipe without ending is ended."""
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.002)
    _kill(child)
    return os.waitpid(child.pid, 0)[1]


def _reply(replies: int, child: _Child, *, late: bool) -> None:
    if late:
        _kill(child)
    status = _wait(child)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # what it started
    os.close(child.pipe)
    child.crash.seek(0)
    dump = child.crash.read().decode("utf-8", "replace")
    child.crash.close()
    try:
        verdicts = json.loads(child.said)
    except ValueError:
        verdicts = None
        if len(child.request["plugins"]) == 1:
            spent = round((time.monotonic() - child.began) * 1000, 2)
            name = child.request["plugins"][0]["name"]
            verdicts = {name: Verdict(_ended(child, status, dump, late), (), spent).as_json()}
    answer = {"split": True} if verdicts is None else {"verdicts": verdicts}
    _write(replies, json.dumps({"id": child.request["id"], **answer}).encode() + b"\n")


def _write(pipe: int, told: bytes) -> None:
    while told:
        told = told[os.write(pipe, told) :]


def _ended(child: _Child, status: int, dump: str, late: bool) -> PluginProblem:
    """Why a child said nothing."""
    file, line = _place(Path(child.request["plugins"][0]["folder"]), dump)
    if late or _TIMEOUT in dump or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return PluginProblem(Cause.HANG, "importing it does not end and cannot be interrupted", file, line)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return PluginProblem(Cause.CRASH, f"importing it kills the process ({name})", file, line)
    if os.WEXITSTATUS(status) == 0 and not file:
        return PluginProblem(Cause.CRASH, "importing it ends the process, or closes files that are not its own")
    return PluginProblem(Cause.CRASH, f"importing it ends the process with status {os.WEXITSTATUS(status)}", file, line)


def _place(folder: Path, dump: str) -> tuple[str, int]:
    for path, line in _FRAME.findall(dump):
        if (place := Path(path)).is_relative_to(folder):
            return str(place.relative_to(folder)), int(line)
    return "", 0


if __name__ == "__main__":
    main()
