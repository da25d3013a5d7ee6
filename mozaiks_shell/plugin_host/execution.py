"""Finds what answers ``execute`` in a plugin and calls it with limits (F-066..F-073)."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mozaiks_shell.foundation.errors import ShellError, TimedOut, Unavailable
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.errors import Cause, PluginFailed, PluginProblem
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.threads import in_thread


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


async def run_entry(plugin: Plugin, data: dict[str, Any]) -> dict[str, Any]:
    """Call the plugin and return its dict.

    Waiting for a free slot counts as part of the time. A plain function keeps its slot until its
    thread ends, because nothing can stop it.

    Raises:
        TimedOut: not done after ``plugin_timeout`` seconds.
        Unavailable: no slot became free in that time.
        ShellError: as raised by the plugin.
        PluginFailed: it raised something else, or its answer is not a dict.
    """
    result = await _limited(plugin, plugin.entry.call, RequestData(data), get_settings().plugin_timeout)
    if not isinstance(result, dict):
        raise PluginFailed(f"The plugin {plugin.manifest.title} gave no usable answer.", code="PLUGIN_BAD_ANSWER")
    return result


async def run_init(plugin: Plugin) -> None:
    """Call ``on_init`` of the class form.

    Raises:
        PluginProblem: it raised, or took longer than a call may.
    """
    if plugin.entry is None or plugin.entry.on_init is None:
        return
    settings = get_settings()
    logger = get_logger(f"mozaiks_plugins.{plugin.name}")
    context = AppContext(settings.app_id, plugin.name, dict(plugin.manifest.config), logger)
    try:
        await _limited(plugin, plugin.entry.on_init, context, settings.plugin_timeout)
    except ShellError as error:
        raise PluginProblem(Cause.INIT, f"on_init: {error.details.get('reason') or error.message}") from error


async def _limited(plugin: Plugin, function: Callable[..., Any], argument: Any, seconds: float) -> Any:
    slots: asyncio.Semaphore = plugin.slots or asyncio.Semaphore(get_settings().plugin_concurrency)
    plugin.slots = slots
    started = False
    try:
        async with asyncio.timeout(seconds) as limit:
            await slots.acquire()
            started = True
            if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
                try:
                    return await function(argument)
                finally:
                    slots.release()
            result = await in_thread(function, argument, done=slots.release)
            return await result if inspect.isawaitable(result) else result
    except (ShellError, asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too: it must end the call, not the server
        if isinstance(error, TimeoutError) and limit.expired():
            if not started:
                raise Unavailable(f"{plugin.manifest.title} is busy.", code="PLUGIN_BUSY") from None
            raise TimedOut(f"{plugin.manifest.title} did not answer within {seconds:g} seconds.") from None
        get_logger("plugin_host").exception("plugin raised", plugin=plugin.name)
        raise PluginFailed(f"{plugin.manifest.title} failed.", reason=f"{type(error).__name__}: {error}"[:300]) from error


def milliseconds_since(start: float) -> int:
    """Whole milliseconds since a ``time.perf_counter`` reading."""
    return round((time.perf_counter() - start) * 1000)
