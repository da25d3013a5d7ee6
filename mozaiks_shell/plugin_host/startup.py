"""What happens to plugins when a worker starts and stops."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import choices, lifecycle, registry, worker, workflow_folders
from mozaiks_shell.plugin_host.lifecycle import Lock, no_lock
from mozaiks_shell.plugin_host.loop_guard import guard_loop
from mozaiks_shell.plugin_host.migrations import pending
from mozaiks_shell.plugin_host.nursery import nursery
from mozaiks_shell.plugin_host.registry import Plugin

FOLLOW_SECONDS = 5.0


async def start_plugins(settings: Settings, lock: Lock = no_lock) -> Callable[[], Awaitable[None]]:
    """Migrate and initialise every loaded plugin. One that fails goes to quarantine; the others start.

    Call in the lifespan, after the shell's own migrations.

    Args:
        settings: Whose database.
        lock: The lock the shell's own migrations run under, so that only one worker migrates.

    Returns:
        What to await when the worker stops.
    """
    lifecycle.use_lock(lock)
    with suppress(SQLAlchemyError, OSError):
        await choices.refresh()  # there may have been no database yet when the plugins were loaded
    live = [plugin for plugin in registry.in_load_order() if plugin.live]
    behind = {plugin.name for plugin in await asyncio.to_thread(pending, live, settings)}
    for plugin in live:
        await lifecycle.start(plugin, settings, migrated=plugin.name not in behind)
    with suppress(OSError):
        await asyncio.to_thread(workflow_folders.write, settings)  # before the runtime starts
    following = [
        asyncio.create_task(choices.follow(FOLLOW_SECONDS), name="plugin choices"),
        asyncio.create_task(workflow_folders.follow(settings), name="plugin workflows"),
    ]
    unguard = guard_loop(settings.plugin_stall_seconds)

    async def stop() -> None:
        for task in following:
            task.cancel()
        if unguard is not None:
            unguard()
        await worker.stop_workers()
        await asyncio.to_thread(nursery.end)
        await lifecycle.stop_all()

    return stop


async def retry(name: str, settings: Settings, lock: Lock = no_lock) -> Plugin:
    """As :func:`.lifecycle.retry`, under this lock."""
    lifecycle.use_lock(lock)
    return await lifecycle.retry(name, settings)
