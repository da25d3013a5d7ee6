"""Finds what answers ``execute`` in a plugin and calls it; every call into a plugin has a time and a number (F-066..F-073)."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from mozaiks_shell.foundation.errors import ShellError, TimedOut, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import faults
from mozaiks_shell.plugin_host.errors import Cause, PluginFailed, PluginProblem
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.threads import ThreadCall, in_thread

WORKERS: Final = 2  # processes of one plugin, unless its manifest says how many calls may run at once


class RequestData(dict[str, Any]):
    """What a plugin's function receives: a dict, also reachable as ``request.data`` (S0's sample code)."""

    @property
    def data(self) -> "RequestData":
        return self


@dataclass(frozen=True, slots=True)
class AppContext:
    """What ``on_init`` of the class form receives."""

    app_id: str
    plugin: str
    config: dict[str, Any]
    logger: Any


@dataclass(slots=True)
class Entry:
    """What answers ``execute``, and what wants to be called at the start (None: nothing)."""

    call: Callable[[RequestData], Any]
    on_init: Callable[[AppContext], Any] | None = None


def entry_in(module: ModuleType, plugin: Plugin, attribute: str = "") -> Entry | None:
    """The entry of a module: ``attribute`` if given, else ``execute``, ``run``, or a class with ``on_request``.

    Raises:
        PluginProblem: the named attribute is missing, or the class cannot be constructed.
    """
    for name in (attribute,) if attribute else ("execute", "run"):
        found = getattr(module, name, None)
        if inspect.isclass(found):
            return _class_form(found, plugin)
        if callable(found):
            return Entry(found)
    if attribute:
        raise PluginProblem(Cause.MANIFEST, f"entry_point names {attribute!r}, which its module does not have", "manifest.json")
    for found in vars(module).values():
        if inspect.isclass(found) and found.__module__ == module.__name__ and callable(getattr(found, "on_request", None)):
            return _class_form(found, plugin)
    return None


def _class_form(form: type, plugin: Plugin) -> Entry:
    instance = form(dict(plugin.manifest.config)) if inspect.signature(form).parameters else form()
    return Entry(instance.on_request, getattr(instance, "on_init", None))


def seconds_of(plugin: Plugin) -> float:
    """How long a call of this plugin may take: the setting, or less if its manifest says so."""
    return _narrower(get_settings().plugin_timeout, plugin.manifest.limits.timeout_seconds)


def calls_at_once(plugin: Plugin) -> int:
    """How many calls of this plugin may run at once: the setting, or fewer if its manifest says so."""
    most = get_settings().plugin_concurrency
    said = plugin.manifest.limits.concurrency
    if plugin.manifest.isolation == "process":
        said = said or WORKERS
    return int(_narrower(most, said))


def _narrower(setting: float, said: float | None) -> float:
    return min(setting, said) if said else setting


async def run_entry(plugin: Plugin, data: dict[str, Any]) -> dict[str, Any]:
    """Call the plugin and return its dict.

    Waiting for a free slot counts as part of the time. A plain function keeps its slot until its thread ends; when
    nobody waits any more, the thread is asked to end.

    Raises:
        TimedOut: not done after :func:`seconds_of`.
        Unavailable: no slot became free in that time.
        ShellError: as raised by the plugin.
        PluginFailed: it raised something else, or its answer is not a dict.
    """
    result = await call(plugin, "execute", plugin.entry.call, RequestData(data))
    if not isinstance(result, dict):
        message = tr("The plugin {name} gave no usable answer.", name=plugin.manifest.title)
        error = PluginFailed(message, code="PLUGIN_BAD_ANSWER", reason=f"execute returned {type(result).__name__}, not a dict")
        faults.record(plugin.name, "execute", error)
        raise error
    return result


async def run_init(plugin: Plugin) -> None:
    """Call ``on_init`` of the class form.

    Raises:
        PluginProblem: it raised, or took longer than a call may.
    """
    if plugin.entry is None or plugin.entry.on_init is None:
        return
    try:
        await call(plugin, "", plugin.entry.on_init, context_of(plugin))
    except ShellError as error:
        where, _, line = faults.place(plugin, error).rpartition(":")
        reason = error.details.get("reason") or error.message
        raise PluginProblem(Cause.INIT, f"on_init: {reason}", where, int(line or 0)) from error


def context_of(plugin: Plugin) -> AppContext:
    """What ``on_init`` of this plugin receives."""
    logger = get_logger(f"mozaiks_plugins.{plugin.name}")
    return AppContext(get_settings().app_id, plugin.name, dict(plugin.manifest.config), logger)


async def call(
    plugin: Plugin,
    kind: faults.Kind | str,
    function: Callable[..., Any],
    *arguments: Any,
    passing: tuple[type[BaseException], ...] = (),
) -> Any:
    """Call a function of the plugin, plain or ``async``, within its time and among not too many others.

    Args:
        kind: What a failure counts as; empty: it does not count. Each kind has slots of its own.
        passing: What the function may raise to be handed on as it is, besides :class:`ShellError`.

    Raises:
        TimedOut, Unavailable, PluginFailed: as :func:`run_entry`; ``reason`` in their details is for the operator.
    """
    seconds = seconds_of(plugin)
    running: ThreadCall | None = None
    started = False
    slots = _slots(plugin, kind)
    try:
        async with asyncio.timeout(seconds) as limit:
            await slots.acquire()
            started = True
            if _is_async(function):
                try:
                    if (prepare := getattr(function, "prepare", None)) is not None:  # a worker is started in our own time
                        limit.reschedule(None)
                        arguments = (await prepare(), *arguments)
                        limit.reschedule(asyncio.get_running_loop().time() + seconds)
                    return await function(*arguments)
                finally:
                    slots.release()
            running = in_thread(function, *arguments, done=slots.release)
            result = await running
            return await result if inspect.isawaitable(result) else result
    except passing:
        raise
    except ShellError as error:
        _count(plugin, kind, error)
        raise
    except BaseException as error:  # SystemExit and the like too: they must end the call, not the server
        failure: ShellError
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            if running is not None:
                running.abandon()
            raise
        if isinstance(error, TimeoutError) and limit.expired():
            if not started:
                raise Unavailable(
                    tr("{name} is busy. Try again in a moment.", name=plugin.manifest.title), code="PLUGIN_BUSY"
                ) from None
            if running is not None:
                running.abandon()
            said = tr("{name} did not answer within {seconds} seconds.", name=plugin.manifest.title, seconds=f"{seconds:g}")
            failure = TimedOut(said, reason=f"no answer within {seconds:g} seconds")
            _count(plugin, kind, failure)
            raise failure from None
        get_logger("plugin_host").exception("plugin raised", plugin=plugin.name)
        reason = f"{type(error).__name__}: {error}"[:300]
        failure = PluginFailed(tr("{name} failed.", name=plugin.manifest.title), reason=reason)
        failure.__cause__ = error
        _count(plugin, kind, failure)
        raise failure from error


def _is_cancelled() -> bool:
    """Whether somebody wants this task to end; else the plugin raised ``CancelledError`` by itself."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _slots(plugin: Plugin, kind: str) -> asyncio.Semaphore:
    if plugin.slots is None:
        plugin.slots = {}
    return plugin.slots.setdefault(kind, asyncio.Semaphore(calls_at_once(plugin)))


def _count(plugin: Plugin, kind: str, error: ShellError) -> None:
    if kind in faults.KINDS:
        faults.record(plugin.name, kind, error, kind)  # type: ignore[arg-type]


def milliseconds_since(start: float) -> int:
    """Whole milliseconds since a ``time.perf_counter`` reading."""
    return round((time.perf_counter() - start) * 1000)
