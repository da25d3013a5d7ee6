"""Pages that only the operator's file declares: an address, a component by name, an access (F-004, F-008, F-027)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import reflex as rx

from mozaiks_shell.appconfig.navigation import Navigation, NavItem
from mozaiks_shell.appconfig.service import navigation
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.ui.components import Registered, component_named, register_component
from mozaiks_shell.ui.page import Page, _pattern, page_at

log = get_logger("shell")

SIGN_IN = "/sign-in"
OWNER = "config"

# What upstream files call the shell's own pages (F-027), and where those stand.
CORE = {
    "HomePage": "/", "DashboardPage": "/", "SettingsPage": "/settings", "ProfilePage": "/profile", "PlansPage": "/plans",
    "SubscriptionPage": "/plans", "ChatPage": "/chat", "AdminPage": "/admin", "ConversationsPage": "/chat",
}  # fmt: skip

# Addresses that answer something else than a page: nothing of a file may stand there.
_RESERVED = re.compile(
    r"/(?:api|auth|ws|assets|brand|plugins|app|chat|artifacts|admin|sign-in|register|login|health|ready|info|metrics|ping"
    r"|fonts|_event|_upload|_health|_all_routes|__mozaiks|\.well-known|offline)(?:/.*)?|/|/404"
    r"|/[^/]+\.(?:css|ico|js|json|map|png|svg|txt|webmanifest|xml)"
)
_STRICTNESS = {"public": 0, "signed_in": 1, "plan": 2, "role": 3}


@dataclass(frozen=True, slots=True)
class Configured:
    """A page of the operator's file. ``component`` is what it names, registered or not."""

    page: Page
    component: str


def register_core(handlers: Callable[[Page], tuple[Any, ...]]) -> None:
    """Let files name the shell's own pages. Call it when all pages are declared.

    Args:
        handlers: What runs on every visit of a page.
    """
    for name, route in CORE.items():
        if (page := page_at(route)) is not None and component_named(name) is None:
            register_component(name, access=page.access, on_load=handlers(page), chat=page.chat)(page.render)


def configured(path: str) -> Configured | None:
    """The page of the operator's file at this path. A page of the code wins, always (F-008)."""
    path = path.rstrip("/") or "/"
    if page_at(path) is not None or _RESERVED.fullmatch(path):
        return None
    for pattern, one in _pages_of(navigation()):
        if pattern.fullmatch(path):
            return one
    return None


def configured_page(path: str) -> Page | None:
    """:func:`configured`'s page, for who only asks for its access."""
    found = configured(path)
    return found.page if found is not None else None


def configured_pages() -> list[Configured]:
    """Every page that the file adds."""
    return [one for _, one in _pages_of(navigation()) if page_at(one.page.route) is None]


def any_page(path: str) -> Page | None:
    """The page at this path, of the code or of the file."""
    return page_at(path) or configured_page(path)


def way_in(path: str, query: str = "") -> str:
    """Where a visitor who must sign in is sent: ``authRedirect`` of the file's entry for this path, or the sign-in page,
    with the wanted address as ``next`` (F-004, F-030).

    An ``authRedirect`` that is no public page of ours is not followed.
    """
    path = path.rstrip("/") or "/"
    wanted = quote(path + (f"?{query}" if query else ""), safe="/")
    entry = next((item for item in navigation().every() if item.path == path and item.auth_redirect), None)
    target = entry.auth_redirect if entry is not None else SIGN_IN
    page = any_page(urlsplit(target).path) if target.startswith("/") and not target.startswith(("//", "/\\")) else None
    if page is None or page.access.kind != "public" or page.route == path:
        target = SIGN_IN
    return f"{target}{'&' if '?' in target else '?'}next={wanted}"


Found = tuple[tuple[re.Pattern[str], Configured], ...]

_kept: list[tuple[Navigation, Found]] = []  # by identity: a file that is read again is another object


def _pages_of(file: Navigation) -> Found:
    for known, pages in _kept:
        if known is file:
            return pages
    pages = _read(file)
    _kept[:] = [*_kept[-15:], (file, pages)]
    return pages


def _read(file: Navigation) -> Found:
    found: dict[str, tuple[re.Pattern[str], Configured]] = {}
    for item in file.every():
        path = item.path.rstrip("/")
        if not item.component or _RESERVED.fullmatch(path) or path in found:
            continue
        if (known := component_named(item.component)) is None:
            log.warning("component not registered", component=item.component, path=path)
        found[path] = (_pattern(path), Configured(_page(item, path, known), item.component))
    return tuple(found.values())


def _page(item: NavItem, path: str, known: Registered | None) -> Page:
    first, *others = _asked(item, known)
    return Page(
        route=path, title=item.title or item.label or path, render=known.render if known else rx.fragment,
        access=first, demands=tuple(one for one in others if one.kind in {"role", "plan"}),
        icon=item.icon or "file", description=item.description,
        chat=known.chat if known else True, owner=known.owner if known and known.owner != "shell" else OWNER,
        in_nav=not item.hidden,
    )  # fmt: skip


def _asked(item: NavItem, known: Registered | None) -> list[Access]:
    """What the file says and what the component itself asks, the strictest kind first: all of it counts."""
    said = [Access.role(item.role)] if item.role else []
    if item.plan:
        said.append(Access.plan(item.plan))
    if not said:
        said.append(Access.public() if item.requires_auth is False else Access.signed_in())
    every = dict.fromkeys([*said, *([known.access] if known is not None else [])])
    return sorted(every, key=lambda one: -_STRICTNESS[one.kind])
