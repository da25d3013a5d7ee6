"""The operator's choice of on and off: kept in the database, the same in every process, stronger than any file (F-077).

Precedence: the operator's choice, then ``plugin_registry.json``, then the manifest's ``enabled``. Safe mode stands above all
and changes none of them.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import select

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Conflict, NotFound
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import lifecycle, registry
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.models import PluginChoice
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.withdraw import silence

log = get_logger("plugin_host")

_STATE_OF = {Cause.BLOCKED: PluginState.BLOCKED, Cause.INCOMPATIBLE: PluginState.INCOMPATIBLE}


def stored(settings: Settings) -> dict[str, bool]:
    """Name -> on or off as the operator chose; empty while there is no database yet. Blocking; for the import of the app."""
    url = make_url(settings.sql_url_sync)
    if url.get_backend_name() == "sqlite" and not _there(url.database):
        return {}
    patience = {"connect_timeout": 5} if url.get_backend_name() == "postgresql" else {"timeout": 5}
    engine = create_engine(url, poolclass=pool.NullPool, connect_args=patience)
    try:
        with engine.connect() as connection:
            rows = connection.execute(
                text("SELECT name, enabled FROM plugin_choice WHERE app_id = :app"), {"app": settings.app_id}
            )
            return {str(name): bool(enabled) for name, enabled in rows}
    except SQLAlchemyError as error:
        log.debug("no plugin choices yet", error=type(error).__name__)  # read again when the worker starts
        return {}
    finally:
        engine.dispose()


def _there(path: str | None) -> bool:
    return bool(path) and Path(str(path)).is_file()


async def chosen() -> dict[str, bool]:
    """Name -> on or off as the operator chose, as of now."""
    async with system_session() as db:
        rows = (await db.execute(select(PluginChoice))).scalars()
        return {row.name: row.enabled for row in rows}


async def set_enabled(name: str, enabled: bool, actor: str) -> Plugin:
    """Switch a plugin on or off for good, in this process at once and in the others within seconds.

    Off takes effect at once. On does so when the plugin's code is in this process; otherwise at the next start
    (``PluginReport.needs_restart`` says which).

    Args:
        actor: User id of the operator, for the record.

    Raises:
        NotFound: unknown plugin.
        Conflict: the app runs in safe mode, which keeps every plugin off.
    """
    plugin = registry.find(name)
    if plugin is None:
        raise NotFound(f"There is no plugin {name}.", code="PLUGIN_NOT_FOUND")
    if plugin.switch == "safe_mode" and enabled:
        raise Conflict("The app runs in safe mode, without plugins.", code="SAFE_MODE")
    try:
        await _keep(name, enabled, actor)
    except IntegrityError:  # two processes wrote the first choice at once; now there is a row to change
        await _keep(name, enabled, actor)
    await apply(plugin, enabled)
    act = "plugin.enabled" if enabled else "plugin.disabled"
    await events.publish(events.Event(act, get_settings().app_id, actor, {"plugin": name, "version": plugin.manifest.version}))
    return plugin


async def _keep(name: str, enabled: bool, actor: str) -> None:
    async with system_session() as db:
        row = await db.get(PluginChoice, (get_settings().app_id, name))
        if row is None:
            db.add(PluginChoice(name=name, enabled=enabled, actor=actor))
        else:
            row.enabled, row.actor, row.at = enabled, actor, now()


async def apply(plugin: Plugin, enabled: bool) -> None:
    """Make a choice true in this process, as far as it can be without a restart."""
    if plugin.switch == "safe_mode":
        return
    plugin.switch = "operator"
    if not enabled and plugin.state is not PluginState.DISABLED:
        was_live = plugin.live
        plugin.state = PluginState.DISABLED
        silence(plugin)
        if was_live:
            await lifecycle.fire(plugin, "on_disable")
    elif enabled and plugin.state is PluginState.DISABLED:
        if plugin.problem is not None:
            plugin.state = _STATE_OF.get(plugin.problem.cause, PluginState.QUARANTINED)
        elif not plugin.imported:
            plugin.state = PluginState.DISCOVERED  # the next start loads it
        else:
            await lifecycle.resume(plugin)


async def refresh() -> None:
    """Take over what was chosen in other processes."""
    for name, enabled in (await chosen()).items():
        plugin = registry.find(name)
        if plugin is not None and enabled is (plugin.state is PluginState.DISABLED):
            await apply(plugin, enabled)


async def follow(seconds: float) -> None:
    """Keep up with the other processes, for ever. A database that does not answer is asked again later."""
    while True:
        await asyncio.sleep(seconds)
        with suppress(SQLAlchemyError, OSError):
            await refresh()


__all__ = ["apply", "chosen", "follow", "refresh", "set_enabled", "stored"]
