"""Out-of-process mode: ``execute`` of a plugin with ``"isolation": "process"`` runs in processes of its own.

The server never imports such a plugin's entry. One worker process serves one call at a time, as the person who called,
with database sessions behind the same wall; there are as many as calls may run at once, started when needed and ended
when idle. A worker has bounds on memory (``limits.memory_mb``) and on the CPU time of a call (``limits.cpu_seconds``). One
that is late is killed; one that dies fails its own call and nothing else. After repeated deaths new ones wait a while.

Of the environment a worker sees the path, the language and the time zone; of the settings what the database and the
plan need (:data:`HANDED`). What it prints goes to the log. What it publishes and tells open tabs is
passed on here; ``events.subscribe`` in its modules hears nothing, and jobs belong in modules that the server imports.
"""

import asyncio
import contextlib
import json
import math
import os
import signal
from dataclasses import asdict, dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from mozaiks_shell.foundation import errors as tree
from mozaiks_shell.foundation import events, i18n, live
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import ShellError, TooMany, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.identity.service import current_app_caller
from mozaiks_shell.plugin_host.errors import PluginFailed
from mozaiks_shell.plugin_host.execution import Entry, call, seconds_of
from mozaiks_shell.plugin_host.frames import LARGEST, packed, unpacked
from mozaiks_shell.plugin_host.nursery import Born, nursery
from mozaiks_shell.plugin_host.registry import Plugin

log = get_logger("plugin_host")

MEMORY_MB: Final = 512  # beyond what the empty worker needs, unless the manifest says otherwise
START_SECONDS: Final = 60.0
FAREWELL_SECONDS: Final = 2.0
LONGEST_PAUSE: Final = 30.0  # seconds between two starts after repeated deaths
PATIENCE: Final = 1.0  # a call waits so long for the end of such a pause; with more to go it is refused at once
LINES: Final = 200  # of output that are written to the log per call
HANDED: Final = (
    "env", "app_id", "app_tier", "port", "dev_backend_port", "public_url", "data_dir", "database_url", "configs_path", "locales",
    "default_locale", "default_timezone", "default_plan", "max_body_bytes", "plugin_timeout", "plugin_concurrency",
    "plugin_limits_open", "max_file_bytes", "file_quota_bytes", "log_level",
)  # fmt: skip
_VARIABLES: Final = frozenset(
    {"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT"}
)

here = False  # whether this process may import the entries of such plugins itself: a worker, a probe


class Died(Exception):
    """The worker ended while it was to answer; ``code`` is its exit code, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        super().__init__(_ending(code))


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """What ``execute`` or a hook is in the server: ``prepare`` gives a worker, calling it asks that worker."""

    plugin: Plugin
    op: str = "execute"
    hook: str = ""

    async def prepare(self) -> "Lease":
        """A worker for one call. Not part of the call's time: starting one is our doing.

        Raises:
            PluginFailed: it cannot be started.
            Unavailable: it has died again and again and the next start has to wait.
        """
        return await pool_of(self.plugin).lease()

    async def __call__(self, lease: "Lease", data: Any) -> Any:
        principal = current_principal()
        message = {
            "op": self.op,
            "hook": self.hook,
            "data": data if self.op != "start" else {},
            "principal": asdict(principal) | {"roles": sorted(principal.roles)} if principal else None,
            "locale": i18n.current_locale(),
            "by_program": current_app_caller() is not None,
            "cpu": self.plugin.manifest.limits.cpu_seconds or math.ceil(seconds_of(self.plugin)) + 1,
        }
        return await lease.ask(message)


def remote_entry(plugin: Plugin) -> Entry:
    """The entry of a plugin whose code stays out of this process. Workers with older code end."""
    retire(plugin)
    execute: Any = RemoteCall(plugin)
    start: Any = RemoteCall(plugin, "start")
    return Entry(execute, start)


async def call_hook(plugin: Plugin, hook: str, data: dict[str, Any]) -> Any:
    """Run ``module.function`` of the plugin in a worker."""
    return await call(plugin, "", RemoteCall(plugin, "hook", hook), data)


class Worker:
    """One process. Made by :meth:`start`."""

    def __init__(self, plugin: Plugin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.plugin, self._reader, self._writer = plugin, reader, writer
        self.pid = 0
        self.spent = False  # has to be replaced after this call
        self.idle: asyncio.TimerHandle | None = None
        self.lines = 0
        self.ended: asyncio.Task[int | None] | None = None
        self._pipes: list[asyncio.ReadTransport] = []
        self._output: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self.spent and self.ended is not None and not self.ended.done()

    @classmethod
    async def start(cls, plugin: Plugin) -> "Worker":
        """Start a process and wait until the plugin is imported and initialised in it.

        Raises:
            PluginFailed: it did not come up; ``reason`` says why.
            Died: it ended before it had.
        """
        born = nursery.worker()  # in this thread: the kernel ends the nursery with the thread that started it
        worker = cls(plugin, *await asyncio.open_connection(sock=born.connection))
        said = plugin.manifest.limits
        hello = {
            "name": plugin.name,
            "folder": str(plugin.folder),
            "settings": handed_on(get_settings()),
            "memory_mb": said.memory_mb or MEMORY_MB,
            "seconds": START_SECONDS,
        }
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker._listen(born)
                await worker.ask(hello)
            return worker
        except BaseException as error:
            worker.kill()
            if isinstance(error, TimeoutError):
                raise _failed(plugin, f"its process was not ready within {START_SECONDS:g} seconds") from error
            if isinstance(error, ShellError) and not isinstance(error, PluginFailed):
                raise _failed(plugin, f"{error.code}: {error.message}") from error
            raise

    async def _listen(self, born: Born) -> None:
        self._output = asyncio.create_task(self._log(await self._pipe(born.output)))
        fate = await self._pipe(born.fate)
        self.pid = int(await fate.readline() or 0)
        self.ended = asyncio.create_task(_code(fate))

    async def _pipe(self, end: int) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=65536)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(end, "rb", 0))
        self._pipes.append(transport)
        return reader

    async def ask(self, message: dict[str, Any]) -> Any:
        """Send a message and wait for its answer; events that come before it are published.

        Raises:
            ShellError: as raised in the worker; PluginFailed for everything else.
        """
        self.lines = 0
        try:
            self._writer.write(packed(message))
            await self._writer.drain()
            while True:
                size = int.from_bytes(await self._reader.readexactly(4), "big")
                if size > LARGEST:
                    self.spent = True
                    raise _failed(self.plugin, f"its answer is larger than {LARGEST // 1_000_000} MB", code="PLUGIN_BAD_ANSWER")
                frame = unpacked(await self._reader.readexactly(size))
                if "event" in frame:
                    await events.publish(_event(frame["event"]))
                elif "push" in frame:
                    await live.push(**frame["push"])
                else:
                    return self._understood(frame)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.spent = True
            raise Died(await self._fate()) from error

    async def _fate(self) -> int | None:
        """How it ended; None when that is not known."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                return await asyncio.shield(self.ended) if self.ended is not None else None
        return None

    def _understood(self, frame: dict[str, Any]) -> Any:
        self.spent = self.spent or bool(frame.get("spent"))
        if "error" in frame:
            raise _error(frame["error"])
        if "failed" in frame:
            failure = _failed(self.plugin, frame["failed"], code=frame.get("code", "PLUGIN_FAILED"))
            failure.where = frame.get("where", "")  # type: ignore[attr-defined]
            raise failure
        return frame.get("result")

    def kill(self) -> None:
        """End it now, with whatever it started."""
        self.spent = True
        if self.idle is not None:
            self.idle.cancel()
        if self.pid and (self.ended is None or not self.ended.done()):
            for end in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(self.pid, signal.SIGKILL)
        self._writer.close()

    async def gone(self) -> None:
        """Wait until it has ended and all it printed is in the log."""
        for task in (self.ended, self._output):
            if task is not None:
                await task

    async def _log(self, stream: asyncio.StreamReader) -> None:
        """Its output, line by line, under the plugin's name. A flood is cut."""
        out = get_logger(f"mozaiks_plugins.{self.plugin.name}")
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the buffer
                line = b"(a line too long to be shown)"
            if not line:
                return
            self.lines += 1
            if self.lines <= LINES and (text := line.decode("utf-8", "replace").rstrip()):
                _write(out, text[:2000], self.plugin.name)
            elif self.lines == LINES + 1:
                out.warning("output is cut", plugin=self.plugin.name, lines=LINES)


class Lease:
    """A worker for one call."""

    def __init__(self, pool: "Pool", worker: Worker) -> None:
        self._pool, self._worker = pool, worker

    async def ask(self, message: dict[str, Any]) -> Any:
        """The worker's answer. Whoever stops waiting ends the worker.

        Raises:
            ShellError: as :meth:`Worker.ask`; PluginFailed when it dies.
        """
        if message["op"] == "start":
            self._pool.give_back(self._worker)
            return None
        finished = False
        try:
            answer = await self._worker.ask(message)
            finished = True
            return answer
        except ShellError:
            finished = True
            raise
        except Died as death:
            self._pool.died()
            raise _fatal(self._worker.plugin, death.code) from death
        finally:
            if finished:
                self._pool.give_back(self._worker)
            else:
                self._pool.end(self._worker)


class Pool:
    """The workers of one plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin, self.loop = plugin, asyncio.get_running_loop()
        self._free: list[Worker] = []
        self.all: set[Worker] = set()
        self._deaths, self._not_before = 0, 0.0

    async def lease(self) -> Lease:
        """A free worker, or a new one; see :meth:`RemoteCall.prepare`."""
        while self._free:
            worker = self._free.pop()
            if worker.idle is not None:
                worker.idle.cancel()
            if worker.alive:
                return Lease(self, worker)
            self.end(worker)
        if (wait := self._not_before - self.loop.time()) > PATIENCE:
            said = tr("{name} is being started again. Try again in a moment.", name=self._plugin.manifest.title)
            raise Unavailable(said, code="PLUGIN_RESTARTING", retry_after=math.ceil(wait))
        await asyncio.sleep(max(0.0, wait))
        try:
            worker = await Worker.start(self._plugin)
        except Died as death:
            self.died()
            raise _fatal(self._plugin, death.code) from death
        except PluginFailed:
            self.died()
            raise
        self.all.add(worker)
        return Lease(self, worker)

    def give_back(self, worker: Worker) -> None:
        """It has answered: keep it for the next call, for a while."""
        self._deaths = 0
        if worker.spent or worker not in self.all:
            self.end(worker)
            return
        self._free.append(worker)
        worker.idle = self.loop.call_later(get_settings().plugin_worker_idle, self._expire, worker)

    def _expire(self, worker: Worker) -> None:
        if worker in self._free:
            self._free.remove(worker)
            self.end(worker)

    def end(self, worker: Worker) -> None:
        """Kill it and forget it."""
        self.all.discard(worker)
        worker.kill()

    def died(self) -> None:
        """One death is replaced at once; after each further one in a row the next start waits twice as long."""
        self._deaths += 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (self._deaths - 2)) if self._deaths > 1 else 0.0
        self._not_before = self.loop.time() + pause
        log.error("plugin worker died", plugin=self._plugin.name, in_a_row=self._deaths, pause_seconds=pause)

    def retire(self) -> None:
        """End those that are free, and the others after their call."""
        for worker in list(self.all):
            worker.spent = True
            if worker in self._free:
                self._free.remove(worker)
                self.end(worker)
        self._deaths, self._not_before = 0, 0.0

    def stop(self) -> None:
        """End all of them; calls that run fail."""
        for worker in list(self.all):
            self.end(worker)
        self._free.clear()
        self._deaths, self._not_before = 0, 0.0


_pools: "WeakKeyDictionary[Plugin, Pool]" = WeakKeyDictionary()


def pool_of(plugin: Plugin) -> Pool:
    """The workers of this plugin on this loop."""
    pool = _pools.get(plugin)
    if pool is None or pool.loop is not asyncio.get_running_loop():
        pool = _pools[plugin] = Pool(plugin)
    return pool


def end_workers(plugin: Plugin | None = None) -> None:
    """End the workers of a plugin (its code changed, it is out of service), or of all plugins (the app stops)."""
    for one, pool in list(_pools.items()):
        if plugin is None or one is plugin:
            pool.stop()


def retire(plugin: Plugin) -> None:
    """No call begins in a worker that is there now: the code changed, or the plugin is out of service. From any thread."""
    pool = _pools.get(plugin)
    if pool is not None and pool.loop.is_running():
        pool.loop.call_soon_threadsafe(pool.retire)


def processes(plugin: Plugin) -> list[int]:
    """Process ids of the plugin's workers."""
    pool = _pools.get(plugin)
    return sorted(worker.pid for worker in pool.all) if pool is not None else []


async def stop_workers() -> None:
    """End the workers of all plugins and see them gone (the app stops)."""
    gone = [worker for pool in _pools.values() for worker in pool.all]
    end_workers()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await asyncio.gather(*(worker.gone() for worker in gone), return_exceptions=True)


def handed_on(settings: Settings) -> dict[str, str]:
    """The settings a worker gets, as variables. Plans are read as they are; nothing is bought there."""
    variables = {"MOZAIKS_BILLING_PROVIDER": "none" if settings.billing_provider == "none" else "manual"}
    for name in HANDED:
        value = getattr(settings, name)
        variable = str(Settings.model_fields[name].validation_alias.choices[0])  # type: ignore[union-attr]
        if value not in (None, "", []):
            listed = ",".join(value) if isinstance(value, list) else str(value)
            variables[variable] = listed.lower() if isinstance(value, bool) else listed
    return variables


async def _code(fate: asyncio.StreamReader) -> int | None:
    line = await fate.readline()
    return int(line) if line else None


def _event(frame: dict[str, Any]) -> events.Event:
    return events.Event(frame["name"], frame["app_id"], frame["user_id"], frame["data"], kept=frame["kept"])


def _error(frame: dict[str, Any]) -> ShellError:
    """An error of the tree, as the plugin raised it in the worker."""
    form = getattr(tree, frame["class"], ShellError)
    details = dict(frame["details"])
    if form is TooMany:
        error: ShellError = TooMany(frame["message"], **details)
    else:
        error = form(frame["message"], **details)
    error.code, error.status = frame["code"], frame["status"]
    return error


def _failed(plugin: Plugin, reason: str, code: str = "PLUGIN_FAILED") -> PluginFailed:
    if code == "PLUGIN_OUT_OF_MEMORY":
        said = tr("{name} needed more memory than it may use.", name=plugin.manifest.title)
    else:
        said = tr("{name} failed.", name=plugin.manifest.title)
    return PluginFailed(said, code=code, reason=reason)


def _fatal(plugin: Plugin, code: int | None) -> PluginFailed:
    if code == -signal.SIGXCPU:
        said = tr("{name} used more processor time than it may.", name=plugin.manifest.title)
        return PluginFailed(said, code="PLUGIN_OUT_OF_CPU", reason=_ending(code))
    said = tr("{name} stopped in the middle of its work.", name=plugin.manifest.title)
    return PluginFailed(said, code="PLUGIN_DIED", reason=f"its process {_ending(code)}")


def _ending(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _write(out: Any, text: str, plugin: str) -> None:
    """A line of the worker's own log keeps its level and facts; anything else is what was printed."""
    if text.startswith("{"):
        with contextlib.suppress(ValueError, TypeError):
            facts = json.loads(text)
            message, level = str(facts.pop("event")), str(facts.pop("level", "info"))
            for name in ("timestamp", "room", "plugin"):
                facts.pop(name, None)
            getattr(out, level if level in {"debug", "info", "warning", "error"} else "info")(message, plugin=plugin, **facts)
            return
    out.info(text, plugin=plugin)
