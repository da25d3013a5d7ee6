"""The menu as the operator wants it: one model, whichever of the three file shapes it was written in (F-002, F-003, F-004)."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mozaiks_shell.appconfig.live import LiveFile

Mode = Literal["view", "workflow", "ask"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """An entry that starts a workflow instead of opening a path (F-009). ``cache_ttl`` in seconds, 0 for none (F-010)."""

    workflow: str
    type: Literal["workflow"] = "workflow"
    input: dict[str, Any] = field(default_factory=dict)
    mode: Mode = "workflow"
    cache_ttl: int = 0
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry. ``None`` and ``""`` mean that the file does not say: the page's own declaration counts.

    ``path`` is a route of this app (``/notes/[id]``), ``href`` leads anywhere a link may (http, https, mailto, tel, /path).
    ``declares_page`` is True when ``component`` is to make a page at ``path`` (F-027).
    """

    id: str
    label: str = ""
    path: str = ""
    icon: str = ""
    order: float | None = None
    badge: str = ""
    group: str = ""
    hidden: bool = False
    show_in_header: bool = False
    title: str = ""
    component: str = ""
    href: str = ""
    external: bool = False
    requires_auth: bool | None = None
    role: str = ""
    plan: str = ""
    auth_redirect: str = ""
    description: str = ""
    shortcut: str = ""
    trigger: Trigger | None = None
    children: tuple["NavItem", ...] = ()
    plugin_name: str = ""
    declares_page: bool = False


@dataclass(frozen=True, slots=True)
class Navigation:
    """The whole file. ``top`` are entries of the header; ``only_listed``: pages the file does not list are not in the menu.
    ``hide_locked``: what a higher plan opens is not in it either (F-082)."""

    landing_spot: str = "/"
    startup_mode: Literal["ask", "workflow"] = "ask"
    items: tuple[NavItem, ...] = ()
    top: tuple[NavItem, ...] = ()
    only_listed: bool = False
    hide_locked: bool = False

    def every(self) -> tuple[NavItem, ...]:
        """All entries at any depth, ``items`` before ``top``."""
        found: list[NavItem] = []
        waiting = [*self.items, *self.top]
        while waiting:
            one = waiting.pop(0)
            found.append(one)
            waiting[:0] = one.children
        return tuple(found)


def sorted_items(items: tuple[NavItem, ...]) -> tuple[NavItem, ...]:
    """By ``order``, small first, at every depth; entries without one keep their place after those with one (F-003)."""
    inner = [replace(one, children=sorted_items(one.children)) if one.children else one for one in items]
    return tuple(sorted(inner, key=lambda one: one.order if one.order is not None else float("inf")))


def navigation(app_id: str = "") -> Navigation:
    """The menu of this app as of now: ``navigation.json``, else ``navigation_config.json``, else an empty one (C-28)."""
    newer, older = navigation_files()
    if newer.is_own(app_id) or not older.is_own(app_id):
        return newer.current(app_id)
    return older.current(app_id)


def navigation_files() -> tuple[LiveFile[Navigation], LiveFile[Navigation]]:
    """The two files, the one that wins first."""
    from mozaiks_shell.appconfig.navigation_files import NAVIGATION, NAVIGATION_CONFIG

    return NAVIGATION, NAVIGATION_CONFIG
