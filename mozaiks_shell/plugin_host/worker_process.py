"""The nursery and the workers it forks: ``python -m mozaiks_shell.plugin_host.worker_process FD``; see :mod:`.nursery`.

A worker hears who it is in the first message, imports that one plugin, and answers one message after the other until the other
side closes. Nothing else of the product runs here: no pages, no listeners, no web.
"""

import asyncio
import contextlib
import ctypes
import gc
import importlib
import math
import os
import random
import resource
import selectors
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

from mozaiks_shell.foundation.settings import adopt, get_settings
from mozaiks_shell.plugin_host.frames import packed, unpacked

_PR_SET_PDEATHSIG = 1
_SLACK_MB = 64  # for the stacks of threads


def main() -> None:
    """Be the nursery: fork a worker for every message on the socket whose number is the argument, tell how each ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the server
    _die_with_parent()
    line = socket.socket(fileno=int(sys.argv[1]))
    for name in ("sdk", "plugin_host.importing", "plugin_host.gates"):
        importlib.import_module(f"mozaiks_shell.{name}")
    importlib.import_module("sqlalchemy.dialects.sqlite.aiosqlite")
    gc.collect()
    gc.freeze()
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    fates: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                _reap(fates)
            if line in ready and not _fork(line, fates):
                os._exit(0)


def _fork(line: socket.socket, fates: dict[int, int]) -> bool:
    """Fork a worker; False when the server is gone."""
    said, ends, _, _ = socket.recv_fds(line, 1, 3)
    if not said:
        return False
    connection, output, fate = ends
    pid = os.fork()
    if pid:
        os.close(connection)
        os.close(output)
        fates[pid] = fate
        os.write(fate, f"{pid}\n".encode())
        return True
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _die_with_parent()
        line.close()
        for one in (fate, *fates.values()):
            os.close(one)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        sys.stdout, sys.stderr = (open(number, "w", 1, errors="backslashreplace", closefd=False) for number in (1, 2))  # noqa: SIM115
        random.seed()
        with contextlib.suppress(OSError):
            asyncio.run(_serve(socket.socket(fileno=connection)))
    finally:
        os._exit(0)  # threads of the plugin are not waited for


def _reap(fates: dict[int, int]) -> None:
    while fates:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        if (fate := fates.pop(pid, None)) is not None:
            with contextlib.suppress(OSError):
                os.write(fate, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(fate)


async def _serve(connection: socket.socket) -> None:
    connection.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        work = await _answer(writer, _begin, await _next(reader), writer)
        while work is not None:
            await _answer(writer, work.do, await _next(reader))
    except asyncio.IncompleteReadError:
        return


async def _next(reader: asyncio.StreamReader) -> dict[str, Any]:
    size = int.from_bytes(await reader.readexactly(4), "big")
    return unpacked(await reader.readexactly(size))


async def _answer(writer: asyncio.StreamWriter, work: Any, *arguments: Any) -> Any:
    """Do it and send what came of it; the result again for ourselves."""
    from fastapi.encoders import jsonable_encoder

    from mozaiks_shell.foundation.errors import ShellError

    made: Any = None
    frame: dict[str, Any]
    try:
        made = await work(*arguments)
        frame = {"result": None if isinstance(made, _Work) else jsonable_encoder(made)}
        body = packed(frame)
    except ShellError as error:
        body = packed({"error": _told(error)})
    except BaseException as error:  # noqa: BLE001 - the server is told; SystemExit ends the call, not the worker
        memory = _is_memory(error)
        code = "PLUGIN_OUT_OF_MEMORY" if memory else "PLUGIN_BAD_ANSWER" if made is not None else "PLUGIN_FAILED"
        reason = f"{type(error).__name__}: {error}"[:500]
        body = packed({"failed": reason, "code": code, "where": _where(error), "spent": memory})
    writer.write(body)
    await writer.drain()
    return made


class _Work:
    """The plugin, ready to be asked."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin

    async def do(self, message: dict[str, Any]) -> Any:
        """Run the entry, or a hook, on behalf of whoever asks."""
        from mozaiks_shell.foundation import i18n, outbox
        from mozaiks_shell.foundation.access import Principal, set_principal
        from mozaiks_shell.plugin_host.execution import RequestData
        from mozaiks_shell.plugin_host.gates import hook_function

        who = message["principal"]
        set_principal(Principal(**{**who, "roles": frozenset(who["roles"])}) if who else None)
        i18n.speak(message["locale"], who["timezone"] if who else "")
        outbox.keep_if(partial(_kept, message["by_program"]))
        _bound_cpu(message["cpu"])
        data = RequestData(message["data"])
        if message["op"] == "execute":
            return await _run(self._plugin.entry.call, data)
        function = hook_function(self._plugin, message["hook"])
        import inspect

        return await _run(function, *((data,) if inspect.signature(function).parameters else ()))


def _kept(by_program: bool, event: Any) -> dict[str, Any] | None:
    """As the server's triggers would say it: which events must not be lost."""
    from mozaiks_shell.appconfig.triggers_config import triggers_config

    return {"inside": False, "program": by_program} if triggers_config().listening(event.name) else None


async def _begin(hello: dict[str, Any], writer: asyncio.StreamWriter) -> _Work:
    """Become the plugin's worker: settings, bounds, import, initialisation."""
    adopt(hello["settings"])
    from mozaiks_shell.foundation import events, live, logging
    from mozaiks_shell.plugin_host import importing, registry, worker
    from mozaiks_shell.plugin_host.execution import context_of
    from mozaiks_shell.plugin_host.manifest import read_manifest
    from mozaiks_shell.plugin_host.registry import Plugin, PluginState

    logging.configure(get_settings().model_copy(update={"log_json": True}))
    worker.here = True

    async def forward(event: events.Event) -> None:
        fields = {
            "name": event.name, "app_id": event.app_id, "user_id": event.user_id, "data": event.data, "kept": event.kept
        }  # fmt: skip
        writer.write(packed({"event": fields}))
        await writer.drain()

    async def tell(app_id: str, user_id: str, frame: Any) -> None:
        writer.write(packed({"push": {"app_id": app_id, "user_id": user_id, "frame": frame}}))
        await writer.drain()

    events.publish, live.push = forward, tell  # listeners and tabs are in the server
    plugin = Plugin(hello["name"], Path(hello["folder"]), read_manifest(Path(hello["folder"])))
    registry.add(plugin)
    _bound_memory(hello["memory_mb"])
    with registry.being_loaded(plugin):
        importing.import_entry(plugin, hello["seconds"])
    plugin.state = PluginState.LOADED
    if plugin.entry is None:
        raise LookupError("there is no execute in its entry module")
    for name in ("on_load", "on_init", "on_enable"):
        if name == "on_init" and plugin.entry.on_init is not None:
            await _run(plugin.entry.on_init, context_of(plugin))
        elif (hook := plugin.hooks.get(name)) is not None:
            import inspect

            await _run(hook, *((context_of(plugin),) if inspect.signature(hook).parameters else ()))
    return _Work(plugin)


async def _run(function: Any, *arguments: Any) -> Any:
    import inspect

    from mozaiks_shell.plugin_host.threads import in_thread

    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return await function(*arguments)
    result = await in_thread(function, *arguments)
    return await result if inspect.isawaitable(result) else result


def _told(error: Any) -> dict[str, Any]:
    from mozaiks_shell.foundation import errors

    form = next((one.__name__ for one in type(error).__mro__ if getattr(errors, one.__name__, None) is one), "ShellError")
    details = {name: value for name, value in error.details.items() if isinstance(value, str | int | float | bool | None)}
    return {"class": form, "code": error.code, "status": error.status, "message": error.message, "details": details}


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _where(error: BaseException) -> str:
    from mozaiks_shell.plugin_host import faults, registry

    plugin = next(iter(registry.all_plugins()), None)
    return faults.place(plugin, error) if plugin is not None else ""


def _bound_memory(megabytes: int) -> None:
    """From here on so much more; what the empty worker needs is not counted."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * resource.getpagesize() + (megabytes + _SLACK_MB) * 1024 * 1024
    with contextlib.suppress(ValueError, OSError):
        if pages:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_cpu(seconds: float) -> None:
    """So much processor time for the call that begins; more ends the process (SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _die_with_parent() -> None:
    """The kernel ends us when who started us is gone, even in an endless loop (Linux; elsewhere the closed socket does)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
