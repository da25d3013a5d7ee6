"""How a plugin's code gets into the process and what is looked at on the way: the same in the probe's child and in the server."""

import importlib
import inspect
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice
from os import stat, walk
from pathlib import Path
from stat import S_ISREG
from types import ModuleType
from typing import Any

import reflex as rx
from fastapi import APIRouter
from reflex_base.registry import RegistrationContext
from sqlalchemy.orm import configure_mappers
from sqlmodel import SQLModel

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import compat, own_settings, worker
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem, place_in
from mozaiks_shell.plugin_host.execution import Entry, entry_in
from mozaiks_shell.plugin_host.guards import guard_handlers
from mozaiks_shell.plugin_host.lifecycle import HOOKS
from mozaiks_shell.plugin_host.own_names import settle_names
from mozaiks_shell.plugin_host.registry import NAMESPACE, Plugin
from mozaiks_shell.plugin_host.scan import judge
from mozaiks_shell.plugin_host.source_check import check_sources
from mozaiks_shell.plugin_host.withdraw import belongs, plugin_states, plugin_tables, rogue_pages, rogue_tables
from mozaiks_shell.ui import page as declared
from mozaiks_shell.ui.page import PageClash, owned_by
from mozaiks_shell.ui.state import HANDLER_ACCESS, ShellState


def read_sources(plugin: Plugin, settings: Settings) -> list[Note]:
    """Look at the plugin's files without running any: syntax, imports, forbidden calls (F-095), links that lead elsewhere.

    Raises:
        PluginProblem: it must not be imported.
    """
    if plugin.root is not None:
        _check_links(plugin.folder)
    check_sources(plugin.folder)
    return judge(plugin.folder, plugin.manifest.permissions, settings.plugin_scan)


def _check_links(folder: Path) -> None:
    inside = folder.resolve()
    for place, folders, files in walk(folder):
        for name in (*folders, *files):
            one = Path(place, name)
            if one.is_symlink() and not one.resolve().is_relative_to(inside):
                file = str(one.relative_to(folder))
                remedy = "Copy what it leads to into the folder, then restart."
                raise PluginProblem(Cause.NAME, f"{file} is a link that leads out of the plugin's folder", file, remedy=remedy)


def import_plugin(plugin: Plugin, tables_before: set[str], seconds: float, *, draw: bool = True) -> bool:
    """Import a plugin's modules, find what it offers and check it. Whatever the plugin raises comes out.

    Args:
        tables_before: Names of the tables that were there before.
        seconds: How long it may take.
        draw: Also draw each of its pages once.

    Returns:
        Whether the pages were drawn and that left nothing which another process of the server would lack.
    """
    states_before = len(RegistrationContext.ensure_context().base_states)
    with _deadline(seconds), owned_by(plugin.name, plugin.path):
        _make_package(plugin)
        if _has(plugin, "models"):
            _module(plugin, "models")
            settle_names(plugin)
        for name in _page_modules(plugin.folder):
            _module(plugin, name)
        if _has(plugin, "settings"):
            own_settings.keep(plugin.name, _module(plugin, "settings"))
        plugin.entry = _entry(plugin)
        plugin.hooks = _hooks(plugin)
        plugin.router = _router(plugin)
        if len(SQLModel.metadata.tables) != len(tables_before):
            settle_names(plugin)
        configure_mappers()
        if len(SQLModel.metadata.tables) != len(tables_before):
            _check_tables(plugin, tables_before)
        _check_states(plugin, states_before)
        plugin.pages = tuple(one.route for one in declared.pages_of(plugin.name))
        return draw and _check_pages(plugin)


def import_entry(plugin: Plugin, seconds: float) -> None:
    """Import what answers ``execute`` and what it needs, and nothing of the plugin's pages: for a worker process."""
    with _deadline(seconds), owned_by(plugin.name, plugin.path):
        _make_package(plugin)
        if _has(plugin, "models"):
            _module(plugin, "models")
            settle_names(plugin)
        plugin.entry = _entry(plugin)
        plugin.hooks = _hooks(plugin)
        configure_mappers()


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
    base = f"{plugin.folder}/{name.replace('.', '/')}"
    return _is_file(f"{base}.py") or _is_file(f"{base}/__init__.py")


def _is_file(path: str) -> bool:
    """As ``Path.is_file``, for a place that a start asks for ten times per plugin."""
    try:
        return S_ISREG(stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False


def _page_modules(folder: Path) -> list[str]:
    own = ["page"] if _is_file(f"{folder}/page.py") else []
    if not (folder / "pages").is_dir():
        return own
    return own + [f"pages.{path.stem}" for path in sorted((folder / "pages").glob("*.py")) if not path.stem.startswith("_")]


def _entry(plugin: Plugin) -> Entry | None:
    apart = plugin.manifest.isolation == "process" and not worker.here
    if declared_entry := plugin.manifest.entry_point:
        file, _, attribute = declared_entry.partition(":")
        name = file.removesuffix(".py").replace("/", ".")
        if not _has(plugin, name):
            raise PluginProblem(Cause.MANIFEST, f"entry_point {declared_entry!r}: there is no such module", "manifest.json")
        if apart:
            return worker.remote_entry(plugin)
        return entry_in(_module(plugin, name), plugin, attribute)
    for name in ("logic", "backend.logic"):
        if _has(plugin, name):
            return worker.remote_entry(plugin) if apart else entry_in(_module(plugin, name), plugin)
    return None


def _hooks(plugin: Plugin) -> dict[str, Any]:
    """Lifecycle functions: of the class form's instance, else of the entry's module, else of the package (F-097)."""
    call = plugin.entry.call if plugin.entry is not None else None
    places = [getattr(call, "__self__", None), sys.modules.get(getattr(call, "__module__", "")), sys.modules.get(plugin.module)]
    found: dict[str, Any] = {}
    for name in HOOKS:
        for place in places:
            if place is not None and callable(hook := getattr(place, name, None)):
                found[name] = hook
                break
    return found


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


def _new_states(plugin: Plugin, before: int) -> list[Any]:
    """The States the plugin defined: the newest of all, so that a thousand plugins do not look through a thousand each."""
    known = RegistrationContext.ensure_context().base_states
    newest = list(islice(reversed(known.values()), max(0, len(known) - before)))
    if all(belongs(state.__module__, plugin) for state in newest):
        return newest[::-1]
    return plugin_states(plugin)


def _check_states(plugin: Plugin, before: int) -> None:
    """Every State is behind the gate; what declares no access of its own gets the manifest's (D2)."""
    states = _new_states(plugin, before)
    for state in states:
        if not issubclass(state, ShellState):
            raise PluginProblem(Cause.STATE, f"{state.__name__} derives from rx.State", _file_of(plugin, state.__module__))
        state.access = plugin.narrowed(state.access)
        for handler in state.event_handlers.values():
            if (own := getattr(handler.fn, HANDLER_ACCESS, None)) is not None:
                setattr(handler.fn, HANDLER_ACCESS, plugin.narrowed(own))
    guard_handlers(plugin, states)
    for route in rogue_pages(plugin):
        raise PluginProblem(Cause.STATE, f"the page {route} is declared with rx.page, which nothing guards")


def _check_pages(plugin: Plugin) -> bool:
    """Build each page once, so that a page that cannot be built never reaches the compiler.

    Returns:
        False when a page makes States or handlers while it is drawn: their names count from the first drawing on.
    """
    before = _registered()
    for one in declared.pages_of(plugin.name):
        try:
            own = getattr(one.render, "__wrapped__", one.render)  # without what stands around every plugin's page
            component = own()
            if not isinstance(component, rx.Component):
                raise TypeError(f"returned {type(component).__name__}, not a component")
            component.render()
        except Exception as error:
            file, line = place_in(plugin.folder, error)
            where = file or _file_of(plugin, one.render.__module__)
            raise PluginProblem(Cause.PAGE, f"{one.route}: {type(error).__name__}: {error}", where, line) from error
    return _registered() == before


def _registered() -> tuple[int, int]:
    context = RegistrationContext.ensure_context()
    return len(context.base_states), len(context.event_handlers)


def _file_of(plugin: Plugin, module: str) -> str:
    return module.removeprefix(plugin.module).lstrip(".").replace(".", "/") + ".py"


def missing_package(plugin: Plugin, error: ModuleNotFoundError) -> str:
    """The package from elsewhere that an import did not find; empty when it is a module of ours or of the plugin."""
    top = (error.name or "").partition(".")[0]
    own = top in {NAMESPACE, "mozaiks_shell", "mozaiks_core_runtime"} or _has(plugin, top) if top else True
    return "" if own else top


def problem_of(plugin: Plugin, error: BaseException) -> PluginProblem:
    """What an exception of an import means for the operator."""
    if isinstance(error, PluginProblem):
        return error
    cause = Cause.ROUTE_CLASH if isinstance(error, PageClash) else Cause.HANG if isinstance(error, _TooSlow) else Cause.IMPORT
    file, line = place_in(plugin.folder, error)
    if isinstance(error, MemoryError):
        return PluginProblem(Cause.MEMORY, "importing it needs more memory than a plugin may ask for", file, line)
    if isinstance(error, ModuleNotFoundError) and (lacking := missing_package(plugin, error)):
        pip = compat.pip_line([lacking])
        remedy = f"If it is a package from elsewhere: {pip}, and name it in the manifest's dependencies; then restart."
        return PluginProblem(Cause.IMPORT, f"{type(error).__name__}: {error}", file, line, remedy=remedy, pip=pip)
    message = str(error) if cause is not Cause.IMPORT else f"{type(error).__name__}: {error}".rstrip(": ")
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
