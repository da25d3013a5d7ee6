"""Takes changed plugin code into a server with people on it (F-091, F-097): what answers ``execute`` and the routes.

``PLUGIN_WATCH`` turns it on. Pages, States and tables belong to the build and stay as they are until the next start, and
the plugin's note says so; so do the modules that define them. Everything else of a changed plugin is imported anew, after the
probe found nothing wrong with it, and takes the old code's place in one step. Calls that run end on the code they began
with. What fails leaves the last good version in service, and the plugin is degraded and says why. Each worker follows by
itself.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

from fastapi import FastAPI
from reflex_base.components.memo import MEMOS

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import discovery, importing, lifecycle, loader, registry
from mozaiks_shell.plugin_host.errors import Note, PluginProblem
from mozaiks_shell.plugin_host.probe import probe_all
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.reload import complain, farewell, forget_compiled, forgive, retire_workers
from mozaiks_shell.plugin_host.routes import remount_plugin
from mozaiks_shell.plugin_host.watch import Change, Follower, changes
from mozaiks_shell.plugin_host.withdraw import belongs, plugin_states, plugin_tables, silence, withdraw
from mozaiks_shell.ui import page as declared
from mozaiks_shell.ui.page import owned_by

log = get_logger("plugin_host")

Probe = Callable[[Plugin], PluginProblem | None]

_LATER: Final = "next start"
_LIVE_FILES: Final = (".po",)  # read anew by whoever shows a text


async def follow(settings: Settings, api: FastAPI) -> Callable[[], Awaitable[None]]:
    """Follow the plugin folders from now on, once per ``PLUGIN_SCAN_INTERVAL_SECONDS``; what is returned ends that."""
    refresher = Refresher(settings, api)
    follower = await asyncio.to_thread(Follower, lambda: settings.plugin_roots)

    async def run() -> None:
        while True:
            try:
                async for found in changes(follower, settings.plugin_scan_seconds):
                    for change in found:
                        await refresher.apply(change)
            except Exception:
                log.exception("following the plugin files stumbled; it goes on")
                await asyncio.sleep(settings.plugin_scan_seconds)

    task = asyncio.create_task(run())

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return stop


class Refresher:
    """Brings changes into service in this process.

    Args:
        settings: Where the plugins are.
        api: What the plugins' own routes are mounted on.
        probe: Tries a plugin where it can do no harm. Blocking.
    """

    def __init__(self, settings: Settings, api: FastAPI, probe: Probe | None = None) -> None:
        self._settings, self._api = settings, api
        self._probe = probe or self._probed
        self._turn = asyncio.Lock()

    async def apply(self, change: Change) -> None:
        """Follow one change as far as it can be followed without a restart. Never raises for a plugin's fault."""
        async with self._turn:
            plugin = registry.find(change.name)
            if change.kind == "removed":
                await self._remove(plugin, change)
                return
            candidate = await asyncio.to_thread(self._candidate, change)
            if candidate is None or plugin is not None and plugin.switch == "safe_mode":
                return
            if plugin is None or not plugin.imported:
                await self._add(candidate, plugin)
            elif plugin.folder == change.folder and plugin.live:
                await self._change(plugin, candidate, change)
            else:
                remark(plugin, "Its files changed while it was out of service")

    def _candidate(self, change: Change) -> Plugin | None:
        found = discovery.discover(self._settings)
        return next((one for one in found if one.folder == change.folder), None)

    def _probed(self, plugin: Plugin) -> PluginProblem | None:
        verdict = probe_all([plugin], self._settings).get(plugin.name)
        return verdict.problem if verdict is not None else None

    async def _change(self, plugin: Plugin, candidate: Plugin, change: Change) -> None:
        fixed = fixed_modules(plugin)
        code = {file for file in change.files if file.endswith(".py") and not file.startswith("migrations/")}
        later = {file for file in change.files if file not in code and not file.endswith(_LIVE_FILES)}
        later |= {file for file in code if module_of(plugin, file) in fixed}
        problem = candidate.problem
        if problem is None and code:
            problem = await asyncio.to_thread(self._probe, candidate)
        if problem is None and code - later:
            problem, held = await self._replace(plugin, fixed, change, code - later)
            later |= held
        if problem is not None:
            complain(plugin, problem)
            return
        forgive(plugin)
        if later:
            remark(plugin, f"{', '.join(sorted(later))} changed")
        log.info("plugin code replaced", plugin=plugin.name, files=sorted(code - later)[:8], later=sorted(later)[:8])

    async def _remove(self, plugin: Plugin | None, change: Change) -> None:
        if plugin is None or plugin.folder != change.folder:
            return
        await farewell(plugin)
        registry.discard(plugin.name)
        plugin.state = PluginState.DISABLED
        retire_workers(plugin)
        events.unsubscribe(plugin.module)
        if plugin_states(plugin) or plugin_tables(plugin):
            silence(plugin)
            declared.withdraw(plugin.name)
        else:
            withdraw(plugin)
        remount_plugin(self._api, plugin.name)
        log.info("plugin unloaded: its folder is gone", plugin=plugin.name)

    async def _add(self, candidate: Plugin, old: Plugin | None) -> None:
        if old is not None and old.state is PluginState.DISCOVERED and needs_a_start(old):
            return
        if candidate.state is not PluginState.DISCOVERED:
            loader.load(candidate)  # only says what is wrong with it
            return
        if needs_a_start(candidate):
            registry.add(candidate)
            remark(candidate, "It has pages or tables")
            return
        problem = await asyncio.to_thread(self._probe, candidate)
        if problem is not None:
            candidate.state, candidate.problem = PluginState.QUARANTINED, problem
            registry.add(candidate)
            registry.report(candidate)
            return
        await asyncio.to_thread(loader.load, candidate)
        if candidate.problem is None and (candidate.pages or candidate.tables or plugin_states(candidate)):
            withdraw(candidate)
            candidate.state, candidate.imported = PluginState.DISCOVERED, False
            remark(candidate, "It has pages or tables")
        if not candidate.live:
            return
        await lifecycle.start(candidate, self._settings)
        try:
            remount_plugin(self._api, candidate.name)
        except PluginProblem as clash:
            loader.quarantine(candidate, clash)
        log.info("plugin added", plugin=candidate.name, state=candidate.state.value)

    async def _replace(
        self, plugin: Plugin, fixed: set[str], change: Change, code: set[str]
    ) -> tuple[PluginProblem | None, set[str]]:
        """Swap in what the changed files say now.

        Returns:
            Why not, and the changed files that the pages still hold in their old form.
        """
        forget_compiled(plugin.folder, change.files)
        fresh = replace(plugin, entry=None, router=None, hooks={}, fired=set(), notes=[], problem=None, silenced=[])
        try:
            again = await asyncio.to_thread(_import_again, fresh, fixed)
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001 - SystemExit and friends: the old version stays
            return importing.problem_of(plugin, error), set()
        if plugin.manifest.isolation == "process":
            fresh.entry = plugin.entry  # its workers are what is new
        before = (plugin.entry, plugin.router, plugin.hooks)
        await farewell(plugin)
        try:
            await lifecycle.start_hooks(fresh)
            plugin.entry, plugin.router, plugin.hooks = fresh.entry, fresh.router, fresh.hooks
            remount_plugin(self._api, plugin.name)
        except PluginProblem as problem:
            plugin.entry, plugin.router, plugin.hooks = before
            again.take_back()
            with contextlib.suppress(PluginProblem):
                remount_plugin(self._api, plugin.name)
                await lifecycle.start_hooks(plugin)
            return problem, set()
        plugin.fired = fresh.fired
        again.settle()
        retire_workers(plugin)
        changed = {module_of(plugin, file): file for file in code}
        held = _held(fixed, set(changed)) | (changed.keys() - again.imported)
        return None, {changed[name] for name in held}


class _Again:
    """A second import: what it brought, and the way back."""

    def __init__(self, plugin: Plugin, fixed: set[str]) -> None:
        self.plugin = plugin
        self.old: dict[str, ModuleType] = {
            name: module for name, module in sys.modules.items() if belongs(name, plugin) and name not in fixed
        }
        self.listeners = events.listeners_of(plugin.module)
        self.imported: set[str] = set()

    def finish(self) -> None:
        """What was not imported again stays as it was."""
        self.imported = {name for name in self.old if name in sys.modules}
        self.imported |= {name for name in sys.modules if belongs(name, self.plugin)} - self.old.keys()
        for name, module in self.old.items():
            sys.modules.setdefault(name, module)

    def settle(self) -> None:
        """The new code counts: the old code hears no events any more."""
        events.drop({one for one in self.listeners if one.__module__ in self.imported})

    def take_back(self) -> None:
        """The old code counts again."""
        events.drop(events.listeners_of(self.plugin.module) - self.listeners)
        for name in self.imported - self.old.keys():
            sys.modules.pop(name, None)
        sys.modules.update(self.old)


def _import_again(plugin: Plugin, fixed: set[str]) -> _Again:
    """Import the entry and the routes of a plugin whose pages stay. On failure everything is as before."""
    again = _Again(plugin, fixed)
    for name in again.old:
        del sys.modules[name]
    owned = owned_by(plugin.name, plugin.path)
    try:
        with registry.being_loaded(plugin):
            owned.__enter__()
            try:
                importing._make_package(plugin)
                plugin.entry = importing._entry(plugin)
                plugin.hooks = importing._hooks(plugin)
                plugin.router = importing._router(plugin)
            finally:
                owned.__exit__(None)  # the pages that are there stay, whatever happens
    except BaseException:
        again.finish()
        again.take_back()
        raise
    again.finish()
    return again


def module_of(plugin: Plugin, file: str) -> str:
    """The module a file of the plugin is."""
    parts = file.removesuffix(".py").split("/")
    return ".".join([plugin.module, *(parts[:-1] if parts[-1] == "__init__" else parts)])


def fixed_modules(plugin: Plugin) -> set[str]:
    """The plugin's modules that define what the build or the database holds: pages, States, tables, parts of pages."""
    found = {one.render.__module__ for one in declared.pages_of(plugin.name)}
    found |= {one.__module__ for one in (*plugin_states(plugin), *plugin_tables(plugin))}
    found |= {memo.fn.__module__ for memo in MEMOS.values() if belongs(memo.fn.__module__, plugin)}
    pages = (f"{plugin.module}.page", f"{plugin.module}.pages", f"{plugin.module}.models")
    return found | {
        name for name in sys.modules if belongs(name, plugin) and f"{name}.".startswith(tuple(f"{one}." for one in pages))
    }


def _held(fixed: set[str], changed: set[str]) -> set[str]:
    """Those of the changed modules that a fixed one has taken something from."""
    values: list[Any] = [value for name in fixed if (module := sys.modules.get(name)) for value in vars(module).values()]
    names = {value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "") for value in values}
    return changed & names


def needs_a_start(plugin: Plugin) -> bool:
    """Whether the plugin has what only a build or a start can bring: pages, tables."""
    return any((plugin.folder / one).exists() for one in ("page.py", "pages", "models.py", "models", "migrations"))


def remark(plugin: Plugin, what: str) -> None:
    """Note, once, that something counts only from the next start."""
    message = f"{what}; that counts from the {_LATER}."
    if all(one.message != message for one in plugin.notes):
        plugin.notes[:] = [one for one in plugin.notes if _LATER not in one.message]
        plugin.notes.append(Note("hint", message, "", "Restart the app when it suits you."))


__all__ = ["Refresher", "fixed_modules", "follow", "module_of", "needs_a_start", "remark"]
