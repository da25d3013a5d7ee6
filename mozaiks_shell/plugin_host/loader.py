"""Imports plugins. Nothing a plugin does while it is imported can take the shell down (D10, F-092)."""

import importlib
import inspect
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import reflex as rx
from fastapi import APIRouter
from sqlalchemy.orm import configure_mappers
from sqlmodel import SQLModel

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.execution import Entry, entry_in
from mozaiks_shell.plugin_host.registry import NAMESPACE, Plugin, PluginState
from mozaiks_shell.plugin_host.source_check import check_sources
from mozaiks_shell.plugin_host.withdraw import plugin_states, plugin_tables, rogue_pages, rogue_tables, withdraw
from mozaiks_shell.ui import page as declared
from mozaiks_shell.ui.page import PageClash, owned_by
from mozaiks_shell.ui.state import HANDLER_ACCESS, ShellState

log = get_logger("plugin_host")

IMPORT_SECONDS = 20


def load_all(settings: Settings) -> list[Plugin]:
    """Discover and import every plugin, in the order of their names. Never raises for a plugin's fault.

    Call once per process, before pages are mounted.
    """
    importlib.import_module("mozaiks_shell.sdk")  # so that its own import is not charged to a plugin
    for plugin in discover(settings):
        load(plugin)
    return registry.all_plugins()


def load(plugin: Plugin) -> Plugin:
    """Register a discovered plugin and import it; its state tells what became of it."""
    registry.add(plugin)
    if plugin.state is not PluginState.DISCOVERED:
        if plugin.problem is not None:
            registry.report(plugin)
        return plugin
    plugin.demands = _demands(plugin)
    began = time.perf_counter()
    before = set(SQLModel.metadata.tables)
    try:
        with registry.being_loaded(plugin):
            _import(plugin, before)
        plugin.state = PluginState.LOADED
        log.info("plugin loaded", plugin=plugin.name, milliseconds=round((time.perf_counter() - began) * 1000))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and friends: a plugin cannot take the shell down
        quarantine(plugin, _problem(plugin, error), rogue_tables(before))
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
    plugin.state, plugin.problem = PluginState.QUARANTINED, problem
    registry.report(plugin)


def unload(name: str) -> None:
    """Forget a plugin and all it brought (tests)."""
    if (plugin := registry.find(name)) is not None:
        withdraw(plugin)
        registry.discard(name)


def _import(plugin: Plugin, tables_before: set[str]) -> None:
    check_sources(plugin.folder)
    with _deadline(IMPORT_SECONDS), owned_by(plugin.name, plugin.path):
        _make_package(plugin)
        if _has(plugin, "models"):
            _module(plugin, "models")
        for name in _page_modules(plugin.folder):
            _module(plugin, name)
        plugin.entry = _entry(plugin)
        plugin.router = _router(plugin)
        configure_mappers()
        _check_tables(plugin, tables_before)
        _check_states(plugin)
        _check_pages(plugin)


def _make_package(plugin: Plugin) -> None:
    """``mozaiks_plugins.<slug>``, whose submodules Python then finds in the plugin's folder."""
    parent = sys.modules.setdefault(NAMESPACE, ModuleType(NAMESPACE))
    parent.__path__ = []
    init = plugin.folder / "__init__.py"
    spec: ModuleSpec | None
    if init.is_file():
        spec = spec_from_file_location(plugin.module, init, submodule_search_locations=[str(plugin.folder)])
        assert spec is not None and spec.loader is not None
    else:
        spec = ModuleSpec(plugin.module, None, is_package=True)
        spec.submodule_search_locations = [str(plugin.folder)]
    package = module_from_spec(spec)
    sys.modules[plugin.module] = package
    if init.is_file():
        spec.loader.exec_module(package)  # type: ignore[union-attr]


def _module(plugin: Plugin, name: str) -> ModuleType:
    return importlib.import_module(f"{plugin.module}.{name}")


def _has(plugin: Plugin, name: str) -> bool:
    base = plugin.folder.joinpath(*name.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def _page_modules(folder: Path) -> list[str]:
    own = ["page"] if (folder / "page.py").is_file() else []
    return own + [f"pages.{path.stem}" for path in sorted((folder / "pages").glob("*.py")) if not path.stem.startswith("_")]


def _entry(plugin: Plugin) -> Entry | None:
    if declared_entry := plugin.manifest.entry_point:
        file, _, attribute = declared_entry.partition(":")
        name = file.removesuffix(".py").replace("/", ".")
        if not _has(plugin, name):
            raise PluginProblem(Cause.MANIFEST, f"entry_point {declared_entry!r}: there is no such module", "manifest.json")
        return entry_in(_module(plugin, name), plugin, attribute)
    for name in ("logic", "backend.logic"):
        if _has(plugin, name):
            return entry_in(_module(plugin, name), plugin)
    return None


def _router(plugin: Plugin) -> APIRouter | None:
    if not _has(plugin, "routes"):
        return None
    module = _module(plugin, "routes")
    if isinstance(router := getattr(module, "router", None), APIRouter):
        return router
    router = APIRouter()
    register = getattr(module, "register_routes", None)
    if not callable(register):
        raise PluginProblem(Cause.IMPORT, "has neither `router` nor `register_routes(app)`", "routes.py")
    if inspect.isawaitable(answer := register(router)):
        _drive(answer)
    return router


def _drive(awaitable: Any) -> None:
    """Finish an ``async def register_routes``, which has nothing to wait for at import."""
    step = awaitable.__await__()
    try:
        next(step)
    except StopIteration:
        return
    awaitable.close()
    raise PluginProblem(Cause.IMPORT, "register_routes waits for something; it may only add routes", "routes.py")


def _check_tables(plugin: Plugin, before: set[str]) -> None:
    mapped = {str(table.__tablename__): table for table in plugin_tables(plugin)}
    for name, table in mapped.items():
        if not name.startswith(plugin.slug + "_"):
            raise PluginProblem(
                Cause.TABLE,
                f"table {name!r} of {table.__name__} must be named {plugin.slug}_…",
                _file_of(plugin, table.__module__),
            )
    for name in sorted(rogue_tables(before)):
        raise PluginProblem(Cause.TABLE, f"table {name!r} derives neither from sdk.Model nor from sdk.SharedModel")
    plugin.tables = tuple(sorted(mapped))


def _check_states(plugin: Plugin) -> None:
    """Every State is behind the gate; what declares no access of its own gets the manifest's (D2)."""
    for state in plugin_states(plugin):
        if not issubclass(state, ShellState):
            raise PluginProblem(Cause.STATE, f"{state.__name__} derives from rx.State", _file_of(plugin, state.__module__))
        state.access = plugin.narrowed(state.access)
        for handler in state.event_handlers.values():
            if (own := getattr(handler.fn, HANDLER_ACCESS, None)) is not None:
                setattr(handler.fn, HANDLER_ACCESS, plugin.narrowed(own))
    for route in rogue_pages(plugin):
        raise PluginProblem(Cause.STATE, f"the page {route} is declared with rx.page, which nothing guards")


def _check_pages(plugin: Plugin) -> None:
    """Build each page once, so that a page that cannot be built never reaches the compiler."""
    mine = [one for one in declared.pages() if one.owner == plugin.name]
    plugin.pages = tuple(one.route for one in mine)
    for one in mine:
        try:
            component = one.render()
            if not isinstance(component, rx.Component):
                raise TypeError(f"returned {type(component).__name__}, not a component")
            component.render()
        except Exception as error:
            file, line = _place(plugin, error)
            where = file or _file_of(plugin, one.render.__module__)
            raise PluginProblem(Cause.PAGE, f"{one.route}: {type(error).__name__}: {error}", where, line) from error


def _file_of(plugin: Plugin, module: str) -> str:
    return module.removeprefix(plugin.module).lstrip(".").replace(".", "/") + ".py"


def _place(plugin: Plugin, error: BaseException) -> tuple[str, int]:
    """The innermost line of the plugin's own code in the traceback."""
    root = str(plugin.folder.resolve())
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename).resolve()
        if str(path).startswith(root):
            return str(path.relative_to(root)), frame.lineno or 0
    return "", 0


def _problem(plugin: Plugin, error: BaseException) -> PluginProblem:
    if isinstance(error, PluginProblem):
        return error
    cause = Cause.ROUTE_CLASH if isinstance(error, PageClash) else Cause.HANG if isinstance(error, _TooSlow) else Cause.IMPORT
    file, line = _place(plugin, error)
    message = str(error) if cause is not Cause.IMPORT else f"{type(error).__name__}: {error}"
    return PluginProblem(cause, message, file, line)


class _TooSlow(BaseException):
    """Raised into a plugin whose import does not end. No ``except Exception`` of the plugin can swallow it."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Interrupt the block after so many seconds. Only the main thread can be interrupted; elsewhere it is a no-op."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: object) -> None:
        raise _TooSlow(f"importing it took longer than {seconds:g} seconds")

    previous = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
