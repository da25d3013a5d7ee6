"""Loads plugins. Nothing a plugin does while it is imported can take the shell down (D10, F-092)."""

import gc
import importlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlmodel import SQLModel

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import add_catalogues
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import faults, registry, traces
from mozaiks_shell.plugin_host.dependencies import in_order, unmet
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.importing import import_plugin, problem_of, read_sources
from mozaiks_shell.plugin_host.probe import distrust, probe_all
from mozaiks_shell.plugin_host.probe_cache import Verdict
from mozaiks_shell.plugin_host.registry import Plugin, PluginState
from mozaiks_shell.plugin_host.withdraw import rogue_tables, withdraw

__all__ = ["Cause", "load", "load_all", "problem_of", "quarantine", "unload"]

log = get_logger("plugin_host")


def load_all(settings: Settings, *, builds: bool = True) -> list[Plugin]:
    """Discover, probe and import every plugin, in the order of their names, what others need first. Never raises for a
    plugin's fault.

    Call once per process, before pages are mounted.

    Args:
        builds: Whether this process builds the pages. One that only serves what was built keeps what it has loaded out of
            the garbage collector's sight for good.
    """
    importlib.import_module("mozaiks_shell.sdk")  # so that its own import is not charged to a plugin
    began = time.perf_counter()
    with _uncollected():
        found = in_order(discover(settings))
        verdicts = probe_all([one for one in found if one.state is PluginState.DISCOVERED], settings)
        for plugin in found:
            load(plugin, verdicts)
    if doubtful := [one for one in found if _failed(one) and one.name in verdicts and verdicts[one.name].drawn]:
        distrust(doubtful, settings)
    if not builds:
        gc.freeze()
    live = sum(plugin.live for plugin in found)
    log.info("plugins loaded", live=live, of=len(found), milliseconds=round((time.perf_counter() - began) * 1000))
    return registry.all_plugins()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nearly all that is made meanwhile stays: looking for garbage among it would take as long as a part of the work."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _failed(plugin: Plugin) -> bool:
    return plugin.problem is not None and plugin.problem.cause is not Cause.DEPENDENCY


def load(plugin: Plugin, verdicts: Mapping[str, Verdict] | None = None) -> Plugin:
    """Register a discovered plugin and import it; its state tells what became of it.

    Args:
        verdicts: What a probe found, by name. A plugin without a verdict is imported as it is, and its pages are drawn once;
            so are those of a plugin whose pages no probe could draw.
    """
    registry.add(plugin)
    if plugin.state is not PluginState.DISCOVERED:
        if plugin.problem is not None:
            registry.report(plugin)
        return plugin
    verdict = (verdicts or {}).get(plugin.name)
    if (problem := unmet(plugin) or (verdict.problem if verdict is not None else None)) is not None:
        return _refuse(plugin, problem)
    plugin.demands = _demands(plugin)
    began = time.perf_counter()
    before, standing = set(SQLModel.metadata.tables), traces.take()
    if (plugin.folder / "locales").is_dir():
        add_catalogues(plugin.name, plugin.folder / "locales")
    try:
        if verdict is None:
            plugin.notes += read_sources(plugin, get_settings())
        else:
            plugin.notes += verdict.notes
            plugin.timings["probe"] = verdict.milliseconds
        with registry.being_loaded(plugin):
            draw = verdict is None or not verdict.drawn
            import_plugin(plugin, before, get_settings().plugin_probe_seconds, draw=draw)
        if verdict is None:
            plugin.notes += traces.notes(standing)
        plugin.state, plugin.imported = plugin.resting, True
        plugin.timings["import"] = round((time.perf_counter() - began) * 1000, 2)
        log.debug("plugin loaded", plugin=plugin.name, milliseconds=plugin.timings["import"])
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and friends: a plugin cannot take the shell down
        quarantine(plugin, problem_of(plugin, error), rogue_tables(before))
    finally:
        traces.put_back(standing)
    return plugin


def _refuse(plugin: Plugin, problem: PluginProblem) -> Plugin:
    """A quarantine before anything was imported: there is nothing to withdraw."""
    plugin.state, plugin.problem = PluginState.QUARANTINED, problem
    registry.report(plugin)
    return plugin


def _demands(plugin: Plugin) -> Access:
    """The manifest's access; where that is only a sign-in and the catalogue sells the plugin, the plans that open it (F-082)."""
    plans = catalogue()
    if plugin.manifest.demands.kind != "signed_in" or not plans.mentions(plugin.name):
        return plugin.manifest.demands
    return Access.plan(*(plan.name for plan in plans.subscription_plans if plan.unlocks(plugin.name)))


def quarantine(plugin: Plugin, problem: PluginProblem, tables: set[str] | None = None) -> None:
    """Take a plugin out of service before the pages are built: nothing of it stays."""
    withdraw(plugin, tables)
    plugin.state, plugin.problem, plugin.imported = PluginState.QUARANTINED, problem, False
    registry.report(plugin)


def unload(name: str) -> None:
    """Forget a plugin and all it brought (tests)."""
    if (plugin := registry.find(name)) is not None:
        withdraw(plugin)
        registry.discard(name)
        faults.forget(name)
