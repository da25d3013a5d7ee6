"""Places in the shell that rooms and plugins fill: the dashboard, the settings page, the header.

A slot is filled while modules are imported, before the app is compiled. Access is declared like a page's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.ui.page import also_forget

Render = Callable[[], rx.Component]
Place = Literal["main", "side"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Something in a slot.

    Attributes:
        key: Its name in ``Frame.gates``.
        name: What a configuration file calls it: ``recent_chats``, a plugin's ``tasks.open_tasks``.
        owner: ``shell`` or a plugin's name.
        place: On the dashboard: the wide column or the narrow one beside it.
        rows: Height of what is shown until it is loaded, in lines.
        domain: Whose catalogue translates the title: empty for the shell's.
    """

    key: str
    title: str
    render: Render
    access: Access
    order: int
    on_load: tuple[object, ...]
    name: str = ""
    owner: str = "shell"
    place: Place = "main"
    rows: int = 3
    domain: str = ""
    plugin: Any = None

    @property
    def live(self) -> bool:
        """False once the plugin it came with is out of service."""
        return self.plugin is None or self.plugin.live or self.plugin.state.value == "discovered"


def plain(name: str) -> str:
    """A name as files may write it (``quickActions``, ``Quick actions``, ``quick-actions``) in its one form."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^\w.]+", "_", words).strip("_").lower()


class Slot:
    """A named place. Pieces stand in order of ``order``, then title; those of a plugin in quarantine are left out."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pieces: dict[str, Piece] = {}

    def section(
        self,
        title: str,
        *,
        name: str = "",
        order: int = 100,
        access: Access | None = None,
        on_load: tuple[object, ...] = (),
        place: Place = "main",
        rows: int = 3,
    ) -> Callable[[Render], Render]:
        """Decorator: put the component the function returns into this slot.

        Args:
            title: Its heading; a second piece of the same name and owner replaces the first.
            name: What a configuration file calls it; by default the title in lower case with underscores. A plugin's
                name is put before it: ``tasks.open_tasks``.
            order: Position, small first.
            access: Who sees it; signed-in people unless said otherwise, in a plugin what its manifest demands. Hiding
                is not protection: guard the State behind it.
            on_load: Event handlers to run when the page with this slot is opened.
            place: On the dashboard, ``main`` is the wide column and ``side`` the narrow one.
            rows: How many lines high it will be, for what is shown until it is loaded.
        """

        def fill(render: Render) -> Render:
            plugin = loading()
            owner = plugin.name if plugin else "shell"
            own = plain(name or title)
            full = f"{owner}.{own}" if plugin else own
            allowed = plugin.narrowed(access) if plugin else access or Access.signed_in()
            key = f"{self.name}:{full}"
            domain = owner if plugin else ""
            self._pieces[key] = Piece(
                key, title, render, allowed, order, tuple(on_load), full, owner, place, rows, domain, plugin
            )  # fmt: skip
            return render

        return fill

    def pieces(self) -> list[Piece]:
        """What is in it, in order."""
        return sorted((one for one in self._pieces.values() if one.live), key=lambda piece: (piece.order, piece.title))

    def withdraw(self, owner: str) -> None:
        """Forget every piece of this owner."""
        for key in [key for key, piece in self._pieces.items() if piece.owner == owner]:
            del self._pieces[key]


dashboard = Slot("dashboard")
settings_page = Slot("settings")
plugin_settings = Slot("plugin_settings")
header = Slot("header")
_SLOTS = (dashboard, settings_page, plugin_settings, header)


def all_pieces() -> list[Piece]:
    """Every piece of every slot."""
    return [piece for slot in _SLOTS for piece in slot.pieces()]


def withdraw(owner: str) -> None:
    """Forget every piece of this owner, in every slot."""
    for slot in _SLOTS:
        slot.withdraw(owner)


also_forget(withdraw)
