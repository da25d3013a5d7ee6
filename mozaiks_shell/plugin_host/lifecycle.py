"""From loaded to gone, with the plugin's own hooks in order and once (F-097).

A plugin may define, in ``logic.py`` (or where its entry is) or in ``__init__.py``, as functions or as methods of its class::

    on_load      its code is in this process and its tables are there
    on_init      the class form's initialisation
    on_enable    it goes into service: at the start, after a retry, when the operator switches it on
    on_disable   the operator switches it off, or the app stops
    on_unload    its code leaves this process: a reload, or the app stops
    on_shutdown  the app stops; the last chance to close what it opened

Each may be ``async def`` or plain and may take the context (:class:`.execution.AppContext`). Hooks run in every worker.
One that fails at the start sends the plugin to quarantine; one that fails later is written to the log.
"""

import asyncio
import contextlib
import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

from mozaiks_shell.foundation.errors import Conflict, NotFound
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import entitlements, faults, registry
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem, place_in
from mozaiks_shell.plugin_host.execution import AppContext, run_init
from mozaiks_shell.plugin_host.migrations import migrate
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.threads import in_thread
from mozaiks_shell.plugin_host.withdraw import silence, unsilence

log = get_logger("plugin_host")

Hook = Literal["on_load", "on_init", "on_enable", "on_disable", "on_unload", "on_shutdown"]
HOOKS: Final[tuple[Hook, ...]] = ("on_load", "on_init", "on_enable", "on_disable", "on_unload", "on_shutdown")
FAREWELL_SECONDS: Final = 5.0  # all plugins together, when the app stops

Lock = Callable[[Settings], AbstractContextManager[None]]


def no_lock(_: Settings) -> AbstractContextManager[None]:
    """For processes that are alone."""
    return contextlib.nullcontext()


_lock: Lock = no_lock


def use_lock(lock: Lock) -> None:
    """The lock the shell's own migrations run under, so that only one worker migrates."""
    global _lock
    _lock = lock


def hook_of(plugin: Plugin, name: Hook) -> Callable[..., Any] | None:
    """The plugin's function of this name; None when it has none."""
    found = plugin.hooks.get(name)
    return found if callable(found) else None


async def start(plugin: Plugin, settings: Settings, *, migrated: bool = False) -> None:
    """Migrate, then ``on_load``, ``on_init`` and ``on_enable``. What fails sends it to quarantine; nothing is raised.

    Args:
        migrated: Its tables are known to be right (:func:`.migrations.pending`).
    """

    def locked() -> None:
        with _lock(settings):
            migrate(plugin, settings)

    try:
        began = time.perf_counter()
        if not migrated:
            await asyncio.to_thread(locked)
        plugin.timings["migrate"] = round((time.perf_counter() - began) * 1000, 2)
        began = time.perf_counter()
        await start_hooks(plugin)
        plugin.timings["init"] = round((time.perf_counter() - began) * 1000, 2)
    except PluginProblem as problem:
        plugin.state, plugin.problem = PluginState.QUARANTINED, problem
        silence(plugin)
        registry.report(plugin)
        return
    unsilence(plugin)
    faults.forgive(plugin.name)
    known = [one for one in plugin.notes if not one.where.startswith(entitlements.FILE)]
    plugin.notes = known + entitlements.notes(plugin.folder)
    plugin.state, plugin.problem = plugin.resting, None


async def start_hooks(plugin: Plugin) -> None:
    """``on_load``, ``on_init`` and ``on_enable``, each once.

    Raises:
        PluginProblem: one of them failed.
    """
    await _once(plugin, "on_load")
    if plugin.entry is not None and plugin.entry.on_init is not None and "on_init" not in plugin.fired:
        await run_init(plugin)
        plugin.fired.add("on_init")
    await _once(plugin, "on_init")
    await _once(plugin, "on_enable")


async def retry(name: str, settings: Settings | None = None) -> Plugin:
    """Start a plugin again that can recover without a restart.

    Raises:
        NotFound: unknown plugin.
        Conflict: it is not in quarantine, or only a restart can help.
    """
    plugin = registry.find(name)
    if plugin is None:
        raise NotFound(f"There is no plugin {name}.", code="PLUGIN_NOT_FOUND")
    if plugin.problem is None:
        raise Conflict(f"{plugin.manifest.title} is not in quarantine.", code="PLUGIN_NOT_QUARANTINED")
    if not plugin.recoverable:
        raise Conflict(plugin.problem.remedy, code="RESTART_NEEDED")
    await start(plugin, settings or get_settings())
    return plugin


async def resume(plugin: Plugin) -> None:
    """Back into service after it was switched off: nothing is imported anew."""
    await start(plugin, get_settings())


async def fire(plugin: Plugin, name: Hook) -> None:
    """Run a hook on the way out. What it raises is written to the log."""
    try:
        await _once(plugin, name)
    except PluginProblem as problem:
        log.warning("plugin hook failed", plugin=plugin.name, hook=name, reason=problem.message)
    if name == "on_disable":
        plugin.fired -= {"on_enable"}
    elif name == "on_unload":
        plugin.fired.clear()


async def stop_all(seconds: float = FAREWELL_SECONDS) -> None:
    """The app stops: ``on_disable``, ``on_shutdown`` and ``on_unload`` of every plugin; all of them together get this time."""

    async def farewell(plugin: Plugin) -> None:
        try:
            async with asyncio.timeout(seconds):
                if plugin.live:
                    await fire(plugin, "on_disable")
                await fire(plugin, "on_shutdown")
                await fire(plugin, "on_unload")
        except TimeoutError:
            log.warning("plugin did not finish in time", plugin=plugin.name, seconds=seconds)

    await asyncio.gather(*[farewell(plugin) for plugin in registry.all_plugins() if plugin.imported and plugin.hooks])


async def _once(plugin: Plugin, name: Hook) -> None:
    if name in plugin.fired:
        return
    plugin.fired.add(name)
    if name == "on_enable":
        plugin.fired -= {"on_disable"}
    hook = hook_of(plugin, name)
    if hook is None:
        return
    settings = get_settings()
    context = AppContext(settings.app_id, plugin.name, dict(plugin.manifest.config), get_logger(f"mozaiks_plugins.{plugin.name}"))
    arguments = (context,) if inspect.signature(hook).parameters else ()
    try:
        async with asyncio.timeout(settings.plugin_timeout) as limit:
            if inspect.iscoroutinefunction(hook):
                await hook(*arguments)
            else:
                answer = await in_thread(hook, *arguments)
                if inspect.isawaitable(answer):
                    await answer
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too: it must not end the server
        plugin.fired.discard(name)
        if isinstance(error, TimeoutError) and limit.expired():
            raise PluginProblem(Cause.INIT, f"{name} did not end within {settings.plugin_timeout:g} seconds") from None
        raise PluginProblem(Cause.INIT, f"{name}: {type(error).__name__}: {error}", *place_in(plugin.folder, error)) from error
