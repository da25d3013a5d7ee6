"""Takes every trace of a plugin out of this process: what a half-imported module leaves behind in
Reflex's, SQLModel's and Python's own registries would otherwise break the others."""

import sys
from typing import Any

from reflex.state import State
from reflex_base.components.memo import MEMOS
from reflex_base.registry import RegistrationContext
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlmodel import SQLModel

from mozaiks_shell.foundation.db import AppRow, scoped_tables
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.ui import page as declared
from mozaiks_shell.ui.state import HANDLER_ACCESS


def belongs(module: str, plugin: Plugin) -> bool:
    """Whether code of this module name is the plugin's."""
    return module == plugin.module or module.startswith(plugin.module + ".")


def withdraw(plugin: Plugin, tables: set[str] | None = None) -> None:
    """Remove the plugin's pages, States, components, tables and modules.

    Args:
        plugin: Whose traces.
        tables: Further table names that appeared while it was loading.
    """
    declared.withdraw(plugin.name)
    _withdraw_states(plugin)
    for key in [key for key, memo in MEMOS.items() if belongs(memo.fn.__module__, plugin)]:
        del MEMOS[key]
    _withdraw_tables(plugin, tables or set())
    for name in [name for name in sys.modules if belongs(name, plugin)]:
        del sys.modules[name]
    plugin.entry = plugin.router = None
    plugin.pages = plugin.tables = ()


def silence(plugin: Plugin) -> None:
    """Take back what the plugin's States declare, so that the event gate refuses every handler of theirs.

    For a plugin that fails after the pages were built, when the tree of States can no longer change.
    """
    for state in plugin_states(plugin):
        for owner, name in [(state, "access"), *((handler.fn, HANDLER_ACCESS) for handler in state.event_handlers.values())]:
            if (declared_access := getattr(owner, name, None)) is not None:
                plugin.silenced.append((owner, name, declared_access))
                setattr(owner, name, None)


def unsilence(plugin: Plugin) -> None:
    """Undo :func:`silence`."""
    for owner, name, declared_access in plugin.silenced:
        setattr(owner, name, declared_access)
    plugin.silenced.clear()


def plugin_states(plugin: Plugin) -> list[Any]:
    """The State classes the plugin defined."""
    known = RegistrationContext.ensure_context().base_states.values()
    return [state for state in known if belongs(state.__module__, plugin)]


def plugin_tables(plugin: Plugin) -> list[type[AppRow]]:
    """The mapped tables the plugin defined, behind the tenancy wall."""
    return [table for table in scoped_tables() if belongs(table.__module__, plugin)]


def rogue_tables(before: set[str]) -> set[str]:
    """Tables that appeared since ``before`` and are mapped by nobody behind the wall."""
    return set(SQLModel.metadata.tables) - before - {str(table.__tablename__) for table in scoped_tables()}


def rogue_pages(plugin: Plugin) -> list[str]:
    """Routes the plugin declared with ``rx.page``, past our gate."""
    pages = RegistrationContext.ensure_context().decorated_pages
    return [str(options.get("route") or render.__name__) for render, options in pages if belongs(render.__module__, plugin)]


def _withdraw_states(plugin: Plugin) -> None:
    context = RegistrationContext.ensure_context()
    context.decorated_pages[:] = [one for one in context.decorated_pages if not belongs(one[0].__module__, plugin)]
    gone = plugin_states(plugin)
    names = {state.get_full_name() for state in gone} | {state.get_name() for state in gone}
    for name in [name for name, known in context.event_handlers.items() if any(state in gone for state in known.states)]:
        del context.event_handlers[name]
    for state in gone:
        context.base_states.pop(state.get_full_name(), None)
        context.base_state_substates.pop(state.get_full_name(), None)
    for substates in context.base_state_substates.values():
        substates.difference_update(gone)
    for state in context.base_states.values():
        state._always_dirty_substates -= names
        state._potentially_dirty_states -= names
        for dependents in state._var_dependencies.values():
            dependents -= {one for one in dependents if one[0] in names}
    State.get_class_substate.cache_clear()
    if gone and context.base_states:
        State._init_var_dependency_dicts()  # also forgets the cached schema of the tree


def _withdraw_tables(plugin: Plugin, further: set[str]) -> None:
    names = set(plugin.tables) | further
    mappers: Any = SQLModel._sa_registry  # type: ignore[attr-defined]
    unscoped = {one.class_ for one in mappers.mappers if belongs(one.class_.__module__, plugin)}
    for table in [*plugin_tables(plugin), *unscoped.difference(plugin_tables(plugin))]:
        names.add(str(getattr(table, "__tablename__", "")))
        if (manager := manager_of_class(table)) is not None:
            mappers._dispose_manager_and_mapper(manager)
            mappers._managers.pop(manager, None)
        if "__table__" in vars(table):
            type.__delattr__(table, "__table__")
    for name in names & SQLModel.metadata.tables.keys():
        SQLModel.metadata.remove(SQLModel.metadata.tables[name])
