"""The frame's State: who is here, which pages they may open, what to tell them."""

import time
from typing import Any, ClassVar, TypedDict
from urllib.parse import quote

import reflex as rx
from reflex.event import EventSpec

from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.slots import all_pieces
from mozaiks_shell.ui.kit.icons import known
from mozaiks_shell.ui.page import Page, page_at, pages
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("shell")


class NavEntry(TypedDict):
    """A line of the sidebar. ``gate`` is ``ok`` or ``plan``; ``exact``: only this very path makes it the active one."""

    title: str
    path: str
    icon: str
    gate: str
    needed: str
    exact: bool


class NavGroup(TypedDict):
    """Lines under one heading; the first group has none."""

    title: str
    entries: list[NavEntry]


class Notice(TypedDict):
    """A message at the lower edge. ``id`` grows."""

    id: int
    text: str
    tone: str


def grouped(shown: list[tuple[Page, str, str]]) -> list[NavGroup]:
    """Pages with gate and what is needed, as the sidebar's groups: the nameless one first, else in order of appearance."""
    groups: dict[str, list[NavEntry]] = {"": []}
    paths = [page.route for page, _, _ in shown]
    for page, gate, needed in shown:
        exact = page.route == "/" or any(path.startswith(page.route + "/") for path in paths)
        icon = page.icon if "." in page.icon else known(page.icon)
        entry = NavEntry(title=page.title, path=page.route, icon=icon, gate=gate, needed=needed, exact=exact)
        groups.setdefault(page.group, []).append(entry)
    return [NavGroup(title=title, entries=entries) for title, entries in groups.items() if entries]


def in_navigation(page: Page) -> bool:
    """Pages with a parameter in their address cannot be linked to."""
    return page.in_nav and "[" not in page.route


async def entries_for(principal: Principal | None) -> tuple[list[NavGroup], dict[str, str], dict[str, str]]:
    """Navigation, gate verdict per route (and slot piece) and what is needed per route, for this person.

    Plan-locked pages stay in the navigation (with a lock); pages of another role do not.
    """
    shown: list[tuple[Page, str, str]] = []
    gates: dict[str, str] = {}
    needed: dict[str, str] = {}
    declared, pieces = pages(), all_pieces()
    verdicts = await billing.authorize_all(principal, [*(one.access for one in declared), *(one.access for one in pieces)])
    plugins = {page.owner for page in declared if page.owner != "shell"}
    unlocked = {plugin: await billing.plugin_allowed(principal, plugin, Access.public()) for plugin in sorted(plugins)}
    for page, own in zip(declared, verdicts[: len(declared)], strict=True):
        decision = unlocked[page.owner] if own.allowed and page.owner in unlocked else own
        gates[page.route] = decision.reason
        if decision.needed:
            needed[page.route] = decision.needed
        if in_navigation(page) and decision.reason in {"ok", "plan"}:
            shown.append((page, decision.reason, decision.needed))
    gates |= {piece.key: own.reason for piece, own in zip(pieces, verdicts[len(declared) :], strict=True)}
    return grouped(shown), gates, needed


def expected_navigation() -> list[NavGroup]:
    """The navigation of a plain signed-in person, as far as declarations tell: what the prerendered page shows."""
    kinds = {"public": "ok", "signed_in": "ok", "plan": "plan"}
    return grouped([(page, kinds[page.access.kind], "") for page in pages() if in_navigation(page) and page.access.kind in kinds])


class Frame(ShellState):
    """State of the frame around every page. Small on purpose: it rides on every navigation."""

    access: ClassVar[Access | None] = Access.public()

    signed_in: bool = True
    name: str = ""
    email: str = ""
    initials: str = ""
    plan: str = ""
    is_admin: bool = False
    nav: list[NavGroup] = []
    gates: dict[str, str] = {}
    needed: dict[str, str] = {}
    chat_here: bool = True
    ready: bool = False

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """Runs on every page visit: refresh who is here and what they may open."""
        principal = current_principal()
        nav, gates, needed = await entries_for(principal)
        path = self.router.url.path.rstrip("/") or "/"
        page = page_at(path)
        name = principal.name if principal else ""
        news: dict[str, Any] = {
            "nav": nav,
            "gates": gates,
            "needed": needed,
            "signed_in": principal is not None,
            "name": name,
            "email": principal.email if principal else "",
            "initials": "".join(part[0] for part in name.split()[:2]).upper(),
            "plan": await plan_title(principal),
            "is_admin": bool(principal and principal.has_role("admin")),
            "chat_here": page is None or page.chat,
            "ready": True,
        }
        for var, value in news.items():
            if getattr(self, var) != value:
                setattr(self, var, value)
        if page is not None and gates[page.route] == "sign_in":
            wanted = path + (f"?{self.router.url.query}" if self.router.url.query else "")
            yield rx.redirect(f"/sign-in?next={quote(wanted, safe='/')}")


async def plan_title(principal: Principal | None) -> str:
    """The person's plan in words; empty when nothing is gated by plan."""
    if principal is None or get_settings().billing_provider == "none":
        return ""
    return (await billing.plan_of(principal)).title


class Notices(ShellState):
    """Messages the toaster shows. A message goes by itself; this list only carries the newest to the browser."""

    access: ClassVar[Access | None] = Access.public()

    items: list[Notice] = []

    @event
    def push(self, text: str, tone: str = "neutral") -> None:
        """Show a message in this tab."""
        if not isinstance(text, str) or tone not in {"neutral", "success", "warning", "danger"}:
            return
        newest = self.items[-1]["id"] if self.items else 0
        notice = Notice(id=max(time.time_ns() // 1_000_000, newest + 1), text=text[:300], tone=tone)
        self.items = [*self.items[-3:], notice]


def notify(text: str, tone: str = "neutral") -> EventSpec:
    """A message at the lower edge of the page; return or yield it from a handler.

    Args:
        text: One sentence, at most 300 characters.
        tone: ``neutral``, ``success``, ``warning`` or ``danger`` (stays until closed).
    """
    return Notices.push(text, tone)


class Crash(ShellState):
    """A page that broke in the browser."""

    access: ClassVar[Access | None] = Access.public()

    reference: str = ""
    _reports: int = 0

    @event
    def report(self, error: str, stack: str) -> None:
        """Write the failure to the log, at most five times per tab, and give it a reference."""
        if self._reports < 5:
            self._reports += 1
            reference = new_id("err")
            log.error("page failed in the browser", reference=reference, error=str(error)[:2000], stack=str(stack)[:2000])
            self.reference = reference[-8:]
