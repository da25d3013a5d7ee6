"""Places in the shell that rooms and plugins fill: the dashboard, the settings page, the header.

A slot is filled while modules are imported, before the app is compiled. Access is declared like a page's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import reflex as rx

from mozaiks_shell.foundation.access import Access

Render = Callable[[], rx.Component]


@dataclass(frozen=True, slots=True)
class Piece:
    """Something in a slot. ``key`` is its name in ``Frame.gates``."""

    key: str
    title: str
    render: Render
    access: Access
    order: int
    on_load: tuple[object, ...]


class Slot:
    """A named place. Pieces stand in order of ``order``, then title."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pieces: dict[str, Piece] = {}

    def section(
        self, title: str, *, order: int = 100, access: Access | None = None, on_load: tuple[object, ...] = ()
    ) -> Callable[[Render], Render]:
        """Decorator: put the component the function returns into this slot.

        Args:
            title: Its name; a second piece of the same name replaces the first.
            order: Position, small first.
            access: Who sees it; signed-in people unless said otherwise. Hiding is not protection: guard the State behind it.
            on_load: Event handlers to run when the page with this slot is opened.
        """

        def fill(render: Render) -> Render:
            key = f"{self.name}:{title}"
            self._pieces[key] = Piece(key, title, render, access or Access.signed_in(), order, on_load)
            return render

        return fill

    def pieces(self) -> list[Piece]:
        """What is in it, in order."""
        return sorted(self._pieces.values(), key=lambda piece: (piece.order, piece.title))


dashboard = Slot("dashboard")
settings_page = Slot("settings")
header = Slot("header")


def all_pieces() -> list[Piece]:
    """Every piece of every slot."""
    return [*dashboard.pieces(), *settings_page.pieces(), *header.pieces()]
