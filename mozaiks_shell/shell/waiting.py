"""What stands in place of a page until it is known who is here: its own outline where it has one, so that nothing jumps."""

from collections.abc import Callable

import reflex as rx

_outlines: dict[str, Callable[[], rx.Component]] = {}


def outline(route: str) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Decorator: the function draws the outline of the page with this route, heading included."""

    def keep(draw: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        _outlines[route] = draw
        return draw

    return keep


def outline_of(route: str) -> rx.Component | None:
    """The outline of this page; None for one that has none of its own."""
    draw = _outlines.get(route)
    return draw() if draw else None
