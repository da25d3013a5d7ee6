"""Sections of the start page, for rooms and plugins, and the order an operator gives them (F-028)::

@section("Open invoices", order=30, access=Access.plan("pro"))
def open_invoices() -> rx.Component: ...

``ui.json`` says ``"dashboard": {"sections": ["recent_chats", "tasks.open_tasks", "others"]}``: only what is listed is shown,
in that order; ``others`` stands for all that is not listed, and a plugin's name for all of its sections.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mozaiks_shell.appconfig.ui_config import DashboardSection
from mozaiks_shell.shell.slots import Piece, dashboard, plain

section = dashboard.section

REST: Final = "others"

# Other words for the shell's own sections.
_ALSO: Final = {
    "chats": "recent_chats", "conversations": "recent_chats", "actions": "quick_actions", "pages": "quick_actions",
    "plan": "budget", "subscription": "budget", "tokens": "usage", "admin": "admin_overview", "user": "profile",
    "workflows": "agents", "setup": "getting_started",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The sections in the order asked for; ``titles`` are other headings by key, ``unknown`` names nothing answers to."""

    pieces: tuple[Piece, ...]
    unknown: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)


def arranged(wanted: Sequence[DashboardSection] | None, pieces: Iterable[Piece]) -> Arrangement:
    """Bring ``pieces`` into the order of ``dashboard.sections``.

    Args:
        wanted: What the file lists; None: all, in their own order. Where it only names what is not to be seen, the
            rest is shown.
        pieces: What is registered.
    """
    rest = list(pieces)
    if wanted is None:
        return Arrangement(tuple(rest))
    names = [one.id for one in wanted]
    if wanted and not any(one.visible for one in wanted):
        names.append(REST)
    meant = {one.id: _meant(one.id, rest) for one in wanted if one.id != REST}
    named = {piece.key for found in meant.values() for piece in found}
    meant[REST] = [piece for piece in rest if piece.key not in named]
    hidden = {piece.key for one in wanted if not one.visible for piece in meant[one.id]}
    shown = {piece.key: piece for name in names for piece in meant[name] if piece.key not in hidden}
    unknown = [name for name in names if name != REST and not meant[name]]
    titles = {piece.key: one.title for one in wanted if one.title for piece in meant[one.id]}
    return Arrangement(tuple(shown.values()), tuple(dict.fromkeys(unknown)), titles)


def _meant(name: str, pieces: list[Piece]) -> list[Piece]:
    wanted = plain(name)
    wanted = _ALSO.get(wanted, wanted)
    exact = [piece for piece in pieces if piece.name == wanted]
    return exact or [piece for piece in pieces if piece.owner != "shell" and plain(piece.owner) == wanted]


__all__ = ["REST", "Arrangement", "arranged", "section"]
