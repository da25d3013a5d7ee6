"""What happens to plugins when a worker starts and stops, and the operator's retry."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from mozaiks_shell.foundation.errors import Conflict, NotFound
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.errors import PluginProblem
from mozaiks_shell.plugin_host.execution import run_init
from mozaiks_shell.plugin_host.migrations import migrate
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.withdraw import silence, unsilence

Lock = Callable[[Settings], AbstractContextManager[None]]


def _no_lock(_: Settings) -> AbstractContextManager[None]:
    return contextlib.nullcontext()


async def start_plugins(settings: Settings, lock: Lock = _no_lock) -> None:
    """Migrate and initialise every loaded plugin. One that fails goes to quarantine; the others start.

    Call in the lifespan, after the shell's own migrations.

    Args:
        settings: Whose database.
        lock: The lock the shell's own migrations run under, so that only one worker migrates.
    """
    for plugin in registry.all_plugins():
        if plugin.live:
            await _start(plugin, settings, lock)


async def retry(name: str, settings: Settings, lock: Lock = _no_lock) -> Plugin:
    """Start a plugin again whose migration or ``on_init`` failed.

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
        raise Conflict(plugin.problem.cause.remedy, code="RESTART_NEEDED")
    await _start(plugin, settings, lock)
    return plugin


async def _start(plugin: Plugin, settings: Settings, lock: Lock) -> None:
    def locked() -> None:
        with lock(settings):
            migrate(plugin, settings)

    try:
        await asyncio.to_thread(locked)
        await run_init(plugin)
    except PluginProblem as problem:
        plugin.state, plugin.problem = PluginState.QUARANTINED, problem
        silence(plugin)
        registry.report(plugin)
        return
    unsilence(plugin)
    plugin.state, plugin.problem = PluginState.LOADED, None
