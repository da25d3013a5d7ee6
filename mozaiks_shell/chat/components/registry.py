"""Who renders which component name (F-185). Plugins add theirs in Python:

    @register("acme.chart")
    def chart(tool: rx.Var[ToolItem]) -> rx.Component:
        return rx.el.figure(tool["payload"]["caption"].to(str))

The function runs once, at compile time, with a Var. It answers through
``ChatState.choose(tool["id"], "accept")`` or a form bound to ``ChatState.answer_tool``.
"""

from collections.abc import Callable
from typing import Any

import reflex as rx

Renderer = Callable[[Any], rx.Component]

_renderers: dict[str, Renderer] = {}


class ComponentClash(ValueError):
    """Two renderers want one component name."""


def register(name: str) -> Callable[[Renderer], Renderer]:
    """Declare the decorated function as the renderer of this component name.

    Args:
        name: What the workflow writes into ``component_type``, e.g. ``acme.chart``.

    Raises:
        ComponentClash: the name is taken by another function.
    """

    def keep(renderer: Renderer) -> Renderer:
        taken = _renderers.get(name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (renderer.__module__, renderer.__qualname__):
            raise ComponentClash(f"{name} is rendered by {taken.__module__}.{taken.__qualname__} already")
        _renderers[name] = renderer
        return renderer

    return keep


def renderers() -> dict[str, Renderer]:
    """All renderers by component name."""
    return dict(_renderers)


def withdraw(module_prefix: str) -> None:
    """Forget every renderer from modules below this prefix (a plugin that failed half-way)."""
    for name in [name for name, fn in _renderers.items() if f"{fn.__module__}.".startswith(f"{module_prefix}.")]:
        del _renderers[name]
