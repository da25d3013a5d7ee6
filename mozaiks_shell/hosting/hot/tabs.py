"""Open tabs when a plugin's States are replaced: what can be kept is kept, and the page loads its data anew.

Each tab has a tree of State instances in memory. Those of the old classes give way to instances of the new ones, which take
over every variable that both know with the same type: what a person typed, chose or opened stays. (With Redis the tree is
read back by name and needs nothing; the pages load anew.)
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import reflex as rx
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from mozaiks_shell.foundation.logging import get_logger

log = get_logger("hosting")

_LOAD = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"


def state_names(module: str) -> set[str]:
    """Full names of the States that this package defines now."""
    return {name for name, state in _registered().items() if _within(state, module)}


def carry_over(app: rx.App, module: str) -> None:
    """Give every tab the State classes of this package as they are now, with the values of before."""
    with app.set_contexts():
        for root in _trees(app):
            for parent in list(_nodes(root)):
                for name in [name for name, state in parent.substates.items() if _within(type(state), module)]:
                    old = parent.substates.pop(name)
                    if (fresh := _registered().get(old.get_full_name())) is not None:
                        parent.substates[name] = _renewed(fresh, old, parent)
            for parent in list(_nodes(root)):
                for state in parent.get_substates():
                    if _within(state, module) and state.get_name() not in parent.substates:
                        parent.substates[state.get_name()] = state(parent_state=parent, _reflex_internal_init=True)


def _renewed(fresh: type[BaseState], old: BaseState, parent: BaseState) -> BaseState:
    made = fresh(parent_state=parent, _reflex_internal_init=True)
    kinds, before = _own(fresh), _own(type(old))
    for name in kinds.keys() & before.keys():
        if kinds[name].annotated_type == before[name].annotated_type:
            setattr(made, name, old.get_value(name))
    for name, child in old.substates.items():
        if (again := _registered().get(child.get_full_name())) is not None:
            made.substates[name] = _renewed(again, child, made)
    return made


async def load_again(app: rx.App, below: str, also: frozenset[str] = frozenset()) -> None:
    """Run what runs on every visit, in the open tabs at or below this path (``/`` for all) and those at one of ``also``."""
    namespace = app.event_namespace
    if namespace is None:
        return
    for sid, token in list(namespace.sid_to_token.items()):
        root = next((tree for key, tree in _by_token(app) if key == token), None)
        if root is None:
            continue
        said = root.router_data
        address = str(said.get("asPath") or said.get("pathname") or "/")
        path = urlsplit(address).path.rstrip("/") or "/"
        if not (f"{path}/".startswith(f"{below.rstrip('/')}/") or path in also):
            continue
        where = {"pathname": path, "asPath": address, "query": dict(said.get("query") or {})}
        try:
            await namespace.on_event(sid, {"name": _LOAD, "payload": {}, "router_data": where})
        except Exception as error:
            log.warning("an open tab could not be told to load anew", exc_info=error)


def _own(state: type[BaseState]) -> dict[str, Any]:
    """What the class itself keeps, private things too, by name."""
    parent = state.get_parent_state()
    inherited = parent.get_fields().keys() if parent is not None else set[str]()
    return {name: kind for name, kind in state.get_fields().items() if name not in inherited}


def _registered() -> dict[str, type[BaseState]]:
    return RegistrationContext.ensure_context().base_states


def _within(state: type, module: str) -> bool:
    return f"{state.__module__}.".startswith(f"{module}.")


def _by_token(app: rx.App) -> list[tuple[str, BaseState]]:
    """(token, root) of every tab whose tree is in this process."""
    states: dict[str, Any] = getattr(app.state_manager, "states", {})
    return [(key, root) for key, root in states.items() if isinstance(root, BaseState) and root.parent_state is None]


def _trees(app: rx.App) -> list[BaseState]:
    return [root for _, root in _by_token(app)]


def _nodes(state: BaseState) -> Iterator[BaseState]:
    yield state
    for child in list(state.substates.values()):
        yield from _nodes(child)


__all__ = ["carry_over", "load_again", "state_names"]
