"""One declaration per page. It feeds the route, the navigation, the gate and the document title (D2)."""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access, Principal

PageFunction = Callable[[], rx.Component]
Badge = str | Callable[[Principal], Awaitable[str]]
Shown = Callable[[Principal], Awaitable[bool]]


class PageClash(ValueError):
    """Two declarations want one route; names both owners."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as declared. ``owner`` is ``shell`` or a plugin's name; ``demands`` is asked besides ``access``, of a page that
    the operator's file makes of a component."""

    route: str
    title: str
    render: PageFunction
    access: Access
    icon: str = "file"
    description: str = ""
    group: str = ""
    order: int = 100
    in_nav: bool = True
    chat: bool = True
    on_load: tuple[Any, ...] = ()
    owner: str = "shell"
    shortcut: str = ""
    badge: Badge = ""
    parent: str = ""
    keywords: str = ""
    show_in_header: bool = False
    demands: tuple[Access, ...] = ()
    shown: Shown | None = None


_pages: dict[str, Page] = {}
_forget: list[Callable[[str], None]] = []
_owner: ContextVar[tuple[str, str]] = ContextVar("mozaiks_page_owner", default=("shell", ""))


def page(
    route: str,
    *,
    title: str,
    access: Access,
    icon: str = "file",
    description: str = "",
    group: str = "",
    order: int = 100,
    in_nav: bool = True,
    chat: bool = True,
    on_load: Any | Sequence[Any] = (),
    shortcut: str = "",
    badge: Badge = "",
    parent: str = "",
    keywords: str = "",
    show_in_header: bool = False,
    shown: Shown | None = None,
) -> Callable[[PageFunction], PageFunction]:
    """Declare the decorated function as a page.

    Args:
        route: Path of the page; inside a plugin relative to ``/plugins/<name>``.
        title: Name in the navigation, the heading and the document title.
        access: Who may open it; there is no default on purpose.
        icon: A Lucide name (``list-checks``).
        description: One sentence; the assistant and the palette show it.
        group: Heading in the sidebar; empty for the top group.
        order: Position within the group, small first.
        in_nav: False keeps it out of the navigation.
        chat: False hides the chat bubble on this page.
        on_load: Event handler(s) run on every visit, after the gate.
        shortcut: Keys that open it, ``g t``: one after the other, outside of text boxes.
        badge: A short text beside its name in the menu, or an async function of the person that gives it.
        parent: Route of the page beneath which the menu and the breadcrumbs show it.
        keywords: Further words by which the command palette finds it.
        show_in_header: Also in the header.
        shown: An async function of the person: whether the navigation shows the page to them. It opens all the same.

    Raises:
        PageClash: the route is taken.
    """

    def declare(render: PageFunction) -> PageFunction:
        owner, prefix = _owner.get()
        if {".", ".."} & set(route.split("/")) or "\\" in route:
            raise ValueError(f"{route!r} is not a path: it leads elsewhere")
        full = (prefix + "/" + route.strip("/")).rstrip("/") or "/"
        handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
        if (taken := _pages.get(full)) is not None:
            raise PageClash(f"{full} is declared by {taken.owner} ({taken.title}) and again by {owner} ({title})")
        _pages[full] = Page(
            full, title, render, access, icon, description, group, order, in_nav, chat, handlers, owner,
            shortcut, badge, parent, keywords, show_in_header, shown=shown,
        )  # fmt: skip
        return render

    return declare


def pages() -> list[Page]:
    """All declared pages, in navigation order."""
    return sorted(_pages.values(), key=lambda one: (one.order, one.title))


def pages_of(owner: str) -> list[Page]:
    """The pages one owner declared, in that order."""
    return [one for one in _pages.values() if one.owner == owner]


def page_at(path: str) -> Page | None:
    """The page that answers this path: the static route first, then ``[id]``, ``[[id]]`` and ``[[...rest]]`` routes."""
    path = path.rstrip("/") or "/"
    if path in _pages:
        return _pages[path]
    for route, one in _pages.items():
        if "[" in route and _pattern(route).fullmatch(path):
            return one
    return None


@lru_cache(maxsize=1024)
def _pattern(route: str) -> re.Pattern[str]:
    kinds = (("[[...", r"(?:/.*)?"), ("[...", r"/.+"), ("[[", r"(?:/[^/]+)?"), ("[", r"/[^/]+"))
    parts = [
        next((regex for mark, regex in kinds if part.startswith(mark)), "/" + re.escape(part))
        for part in route.strip("/").split("/")
    ]
    return re.compile("".join(parts))


class owned_by:
    """Context manager: pages declared inside belong to this plugin and live under its prefix.

    On an exception the pages declared inside are withdrawn, so a half-imported plugin leaves nothing.
    """

    def __init__(self, owner: str, prefix: str) -> None:
        self.owner, self.prefix = owner, prefix

    def __enter__(self) -> "owned_by":
        self._token = _owner.set((self.owner, self.prefix))
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        _owner.reset(self._token)
        if error is not None:
            withdraw(self.owner)


def withdraw(owner: str) -> None:
    """Forget every page of this owner, and whatever else is registered in its name (:func:`also_forget`)."""
    for route in [route for route, one in _pages.items() if one.owner == owner]:
        del _pages[route]
    for forget in _forget:
        forget(owner)


def also_forget(forget: Callable[[str], None]) -> None:
    """Call ``forget(owner)`` when a plugin is withdrawn: for registries of the rooms above (slots, commands)."""
    _forget.append(forget)
