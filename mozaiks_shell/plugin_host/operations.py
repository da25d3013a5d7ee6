"""What an operator does to plugins: switch on and off, retry, look for new ones. The page and the API both come here.

Two presses of the same button are one act: acts on one plugin wait for each other, and one that has nothing left to do
does nothing and leaves no trace in the audit log.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, NotFound
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import choices, lifecycle, registry
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Note
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.reports import PluginReport, report_of

log = get_logger("plugin_host")

_GONE = "Its folder is not there any more; it runs from memory until the next start."
_STARTED: Final = time.time()
_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the plugins folders brought: names that are new, that are gone, and that have changed on disk."""

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def report(name: str) -> PluginReport:
    """One plugin's report.

    Raises:
        NotFound: there is none of this name.
    """
    return report_of(_known(name))


async def enable(name: str, actor: Principal) -> PluginReport:
    """Switch a plugin on, for good; at once when its code is in this process, else from the next start.

    Raises:
        NotFound: there is none of this name.
        Conflict: safe mode keeps every plugin off.
    """
    return await _switch(name, True, actor)


async def disable(name: str, actor: Principal) -> PluginReport:
    """Switch a plugin off, for good and at once. Its data stays.

    Raises:
        NotFound: there is none of this name.
    """
    return await _switch(name, False, actor)


async def retry(name: str, actor: Principal) -> PluginReport:
    """Start a plugin again whose migration, initialisation or calls failed.

    Raises:
        NotFound: there is none of this name.
        Conflict: it is not in quarantine (``PLUGIN_NOT_QUARANTINED``), or only a restart helps (``RESTART_NEEDED``).
    """
    async with _locks[name]:
        plugin = await lifecycle.retry(_known(name).name)
        facts = {"plugin": name, "version": plugin.manifest.version, "state": plugin.state.value}
        await events.publish(events.Event("plugin.retried", actor.app_id, actor.user_id, facts))
        return report_of(plugin)


async def rescan(actor: Principal) -> Found:
    """Look at the plugins folders again.

    What is new is listed, to be loaded by the next start; what is out of service and not in memory is read anew, so that a
    corrected manifest shows; what runs keeps running. An operator's choices stay as they are.
    """
    async with _locks[""]:
        there = {one.name: one for one in await asyncio.to_thread(discover, get_settings())}
        new, gone, changed = [], [], []
        for name, fresh in there.items():
            known = registry.find(name)
            if known is None:
                registry.add(fresh)
                new.append(name)
            elif not known.imported and known.switch != "safe_mode" and not _as_before(known, fresh):
                if _differs(known, fresh):
                    changed.append(name)
                registry.add(fresh)
            elif known.manifest != fresh.manifest and fresh.problem is None:
                _remark(known, f"Version {fresh.manifest.version} is in its folder; it counts from the next start.")
                changed.append(name)
        for known in registry.all_plugins():
            if known.name in there or known.folder.exists():
                continue
            gone.append(known.name)
            if known.imported:
                _remark(known, _GONE)
            else:
                registry.discard(known.name)
        found = Found(tuple(new), tuple(gone), tuple(changed))
        facts = {"new": new[:50], "gone": gone[:50], "changed": changed[:50]}
        await events.publish(events.Event("plugins.rescanned", actor.app_id, actor.user_id, facts))
        log.info("plugins folders looked at again", **{key: ", ".join(names) for key, names in facts.items() if names})
        return found


async def _switch(name: str, enabled: bool, actor: Principal) -> PluginReport:
    async with _locks[name]:
        plugin = _known(name)
        if enabled is (plugin.state is PluginState.DISABLED) or plugin.switch == "safe_mode":
            plugin = await choices.set_enabled(name, enabled, actor.user_id)
        if enabled and plugin.state is PluginState.DISABLED and plugin.switch != "safe_mode" and not plugin.imported:
            plugin.state = PluginState.DISCOVERED  # the next start loads it
        return report_of(plugin)


def _known(name: str) -> Plugin:
    plugin = registry.find(name)
    if plugin is None:
        raise NotFound(f"There is no plugin {name}.", code="PLUGIN_NOT_FOUND")
    return plugin


def _as_before(known: Plugin, fresh: Plugin) -> bool:
    """What only loading it could find out (a syntax error, a failing import) still counts while nothing was edited."""
    if known.problem is None or fresh.problem is not None or known.manifest != fresh.manifest:
        return False
    files = (file for file in known.folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return not any(file.stat().st_mtime > _STARTED for file in files)


def _differs(known: Plugin, fresh: Plugin) -> bool:
    def seen(one: Plugin) -> tuple[object, ...]:
        return one.manifest, one.state, one.problem and (one.problem.cause, one.problem.message, one.problem.where)

    return seen(known) != seen(fresh)


def _remark(plugin: Plugin, message: str) -> None:
    """Note it once."""
    if all(one.message != message for one in plugin.notes):
        plugin.notes = [one for one in plugin.notes if "next start" not in one.message]
        plugin.notes.append(Note("hint", message, "", "Restart the app when it suits you."))


__all__ = ["Conflict", "Found", "disable", "enable", "report", "rescan", "retry"]
