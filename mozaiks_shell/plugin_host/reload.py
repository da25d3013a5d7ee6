"""Takes changed plugin code into this process, without a restart (F-091, F-097): development's way, a plugin as a whole.

The new code is read, then loaded in a copy of the process (:mod:`.rehearsal`), and only what passed takes the old one's
place: its modules, pages, States, tables, routes and listeners go, the new ones come, its hooks run. What fails leaves the
last good version in service, and if it fails after the old one went, that version comes back from a copy of its files.
Calls that run meanwhile end on the code they began with.
"""

import asyncio
import importlib
import linecache
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import discovery, lifecycle, loader, registry, worker
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.execution import seconds_of
from mozaiks_shell.plugin_host.importing import read_sources
from mozaiks_shell.plugin_host.manifest import read_manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.rehearsal import rehearse
from mozaiks_shell.plugin_host.watch import Change
from mozaiks_shell.plugin_host.withdraw import withdraw

log = get_logger("plugin_host")

Rehearse = Callable[[Plugin], Awaitable[PluginProblem | None]]

_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "tests", "node_modules", "data", "build", "venv", ".*")
_told: dict[str, Note] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change.

    Attributes:
        name: The plugin.
        replaced: Other code than before is in service now, or none any more.
        problem: Why the changed code is not in service; None when it is, or when the plugin is gone.
        kept: The last good version is still in service.
    """

    name: str
    replaced: bool
    problem: PluginProblem | None = None
    kept: bool = False


class Reloader:
    """Replaces plugins of this process.

    Args:
        settings: Where the plugins are.
        replaced: Called with the plugin's name whenever other code has taken its place (pages and routes follow there). It
            runs before anything else can; what it raises counts as the plugin's problem.
        rehearse: Tries a plugin where it can do no harm.
    """

    def __init__(self, settings: Settings, replaced: Callable[[str], None], rehearse: Rehearse = rehearse) -> None:
        self._settings, self._replaced, self._rehearse = settings, replaced, rehearse
        self._folder = tempfile.TemporaryDirectory(prefix="mozaiks-plugins-")
        self._copies: dict[str, Path] = {}
        self._number = 0
        self._turn = asyncio.Lock()
        for plugin in registry.all_plugins():
            self._keep(plugin)

    def close(self) -> None:
        """Remove the copies."""
        self._folder.cleanup()

    async def apply(self, change: Change) -> Outcome:
        """Bring one changed, added or removed plugin folder into service, or say why not. Never raises for its fault."""
        async with self._turn:
            if change.kind == "removed":
                return await self._remove(change)
            return await self._load(change)

    async def _load(self, change: Change) -> Outcome:
        candidate, old = self._candidate(change.folder), registry.find(change.name)
        if candidate is None:
            return Outcome(change.name, False)
        if candidate.state is PluginState.DISABLED:
            return await self._switch_off(candidate, old)
        problem = candidate.problem or _unreadable(candidate, self._settings) or await self._rehearse(candidate)
        if problem is not None:
            return self._refuse(candidate, old, problem)
        await farewell(old)
        problem = await self._put(candidate, old, change)
        if problem is not None and (copy := self._copies.get(change.name)) is not None:
            last = Plugin(change.name, copy, read_manifest(copy), root=change.folder.parent)
            if await self._put(last, registry.find(change.name), change) is None:
                complain(last, problem)
                return Outcome(change.name, True, problem, kept=True)
        if problem is None:
            forgive(candidate)
            self._keep(candidate)
            log.info("plugin reloaded", plugin=change.name, files=sorted(change.files)[:8])
        return Outcome(change.name, True, problem)

    def _candidate(self, folder: Path) -> Plugin | None:
        found = discovery.discover(self._settings)
        return next((one for one in found if one.folder == folder), None)

    def _refuse(self, candidate: Plugin, old: Plugin | None, problem: PluginProblem) -> Outcome:
        if old is not None and old.live:
            complain(old, problem)
            return Outcome(old.name, False, problem, kept=True)
        if old is not None:
            withdraw(old)
        candidate.state, candidate.problem = _refused_state(candidate), problem
        registry.add(candidate)
        registry.report(candidate)
        return Outcome(candidate.name, False, problem)

    async def _put(self, plugin: Plugin, old: Plugin | None, change: Change) -> PluginProblem | None:
        """Let ``plugin`` take the place of ``old``. The problem when that fails; then neither is in service."""
        _clean(old, plugin, change)
        loader.load(plugin)
        if plugin.problem is None:
            try:
                self._replaced(plugin.name)
            except Exception as error:
                log.exception("reloaded plugin could not be shown", plugin=plugin.name)
                loader.quarantine(plugin, loader.problem_of(plugin, error))
        if plugin.problem is None:
            await lifecycle.start(plugin, self._settings)
        if plugin.problem is not None:
            withdraw(plugin)
            events.unsubscribe(plugin.module)
            self._replaced(plugin.name)
        return plugin.problem

    async def _switch_off(self, candidate: Plugin, old: Plugin | None) -> Outcome:
        if old is not None and not old.live:
            return Outcome(candidate.name, False)
        await farewell(old)
        _clean(old, candidate, None)
        registry.add(candidate)
        self._replaced(candidate.name)
        return Outcome(candidate.name, old is not None)

    async def _remove(self, change: Change) -> Outcome:
        old = registry.find(change.name)
        if old is None or old.folder != change.folder and old.folder != self._copies.get(change.name):
            return Outcome(change.name, False)
        await farewell(old)
        _clean(old, old, None)
        registry.discard(change.name)
        self._copies.pop(change.name, None)
        _told.pop(change.name, None)
        self._replaced(change.name)
        log.info("plugin unloaded", plugin=change.name)
        return Outcome(change.name, True)

    def _keep(self, plugin: Plugin) -> None:
        """Copy the files of a version that works."""
        if not plugin.live:
            return
        before = self._copies.get(plugin.name)
        self._number += 1
        copy = Path(self._folder.name) / str(self._number) / plugin.name
        with suppress(OSError, shutil.Error):
            shutil.copytree(plugin.folder, copy, ignore=_LEFT_OUT, symlinks=True, ignore_dangling_symlinks=True)
            self._copies[plugin.name] = copy
            if before is not None:
                shutil.rmtree(before.parent, ignore_errors=True)


def complain(plugin: Plugin, problem: PluginProblem) -> None:
    """Say with a running plugin that its changed code is not in service: it is degraded, and the log has the reason."""
    forgive(plugin)
    note = Note("warning", f"The changed code is not in service: {problem.message}", problem.where, problem.remedy)
    _told[plugin.name] = note
    plugin.notes.append(note)
    plugin.state = plugin.resting
    log.error(
        "changed plugin code refused; the last good version stays in service",
        plugin=plugin.name, cause=problem.cause.value, where=problem.where, reason=problem.message,
    )  # fmt: skip


def forgive(plugin: Plugin) -> None:
    """Take back what :func:`complain` said, once the code is corrected."""
    note = _told.pop(plugin.name, None)
    plugin.notes[:] = [one for one in plugin.notes if one is not note]
    if plugin.live:
        plugin.state = plugin.resting


def forget_compiled(folder: Path, files: frozenset[str]) -> None:
    """Make sure that the next import reads these files: compiled code is told apart by whole seconds and sizes only."""
    for file in files:
        if file.endswith(".py"):
            with suppress(OSError, NotImplementedError):
                Path(cache_from_source(str(folder / file))).unlink(missing_ok=True)
    importlib.invalidate_caches()
    linecache.checkcache()


def retire_workers(plugin: Plugin) -> None:
    """End the processes that run the plugin's old code, once the calls in them are over or out of time."""
    if (pool := worker._pools.pop(plugin, None)) is not None:
        asyncio.get_running_loop().call_later(seconds_of(plugin) + 1, pool.stop)


def _refused_state(plugin: Plugin) -> PluginState:
    """A verdict of discovery (incompatible, blocked) stays; everything else is a quarantine."""
    return PluginState.QUARANTINED if plugin.state is PluginState.DISCOVERED else plugin.state


def _unreadable(plugin: Plugin, settings: Settings) -> PluginProblem | None:
    """What a mere look at the sources finds: most slips of the keyboard end here."""
    try:
        read_sources(plugin, settings)
    except PluginProblem as problem:
        return problem
    except OSError as error:  # a file that went while we read
        return PluginProblem(Cause.IMPORT, str(error))
    return None


async def farewell(plugin: Plugin | None) -> None:
    """The hooks of a version that leaves."""
    if plugin is not None and plugin.imported:
        if plugin.live:
            await lifecycle.fire(plugin, "on_disable")
        await lifecycle.fire(plugin, "on_unload")


def _clean(old: Plugin | None, new: Plugin, change: Change | None) -> None:
    """Nothing of the old version stays that an import of the new one would meet."""
    if old is not None:
        retire_workers(old)
        withdraw(old)
        events.unsubscribe(old.module)
    forget_compiled(new.folder, change.files if change is not None else frozenset())


__all__ = ["Outcome", "Reloader", "complain", "farewell", "forget_compiled", "forgive", "retire_workers"]
