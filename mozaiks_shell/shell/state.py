"""The frame's State: who is here, which pages they may open, what to tell them."""

import time
from typing import Any, ClassVar, TypedDict

import reflex as rx
from reflex.event import EventSpec

from mozaiks_shell.appconfig.brand import app_for_host
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell import menus
from mozaiks_shell.shell.crumbs import Crumb, crumbs
from mozaiks_shell.shell.menus import BrandView, FooterView, HeaderAction, LayoutView, MenuEntry
from mozaiks_shell.shell.navigation import Menu, NavEntry, NavGroup, any_page, expected_menu, menu_for, way_in
from mozaiks_shell.shell.slots import header
from mozaiks_shell.ui.state import ShellState, event

__all__ = [
    "BrandView", "Crash", "Crumb", "FooterView", "Frame", "FrameMenus", "HeaderAction", "LayoutView", "MenuEntry", "NavEntry",
    "NavGroup", "Notice", "Notices", "expect", "notify",
]  # fmt: skip

log = get_logger("shell")


class Notice(TypedDict):
    """A message at the lower edge. ``id`` grows."""

    id: int
    text: str
    tone: str


class FrameMenus(ShellState):
    """What of the frame seldom changes on a visit. A State of its own: what reads it is then not drawn again each time.

    Titles and labels are message ids: show them with ``t(...)``.
    """

    access: ClassVar[Access | None] = Access.public()

    nav: list[NavGroup] = []
    top: list[NavEntry] = []
    profile_menu: list[MenuEntry] = []
    header_actions: list[HeaderAction] = []
    footer: FooterView = menus.NO_FOOTER
    layout: LayoutView = menus.USUAL_LAYOUT


class Frame(ShellState):
    """State of the frame around every page. Small on purpose: it rides on every navigation."""

    access: ClassVar[Access | None] = Access.public()

    signed_in: bool = True
    name: str = ""
    line: str = ""
    initials: str = ""
    avatar: str = ""
    plan: str = ""
    is_admin: bool = False
    theme: str = ""
    locale: str = ""
    crumbs: list[Crumb] = []
    brand: BrandView = menus.NO_BRAND
    gates: dict[str, str] = {}
    needed: dict[str, str] = {}
    chat_here: bool = True
    ready: bool = False

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """Runs on every page visit: refresh who is here and what they may open; lead on where one may not stay."""
        principal = current_principal()
        menu = await menu_for(principal)
        app_id = app_for_host(self.router.headers.host)
        path = self.router.url.path.rstrip("/") or "/"
        page = any_page(path)
        name, line = menus.named(principal, app_id)
        _change(await self.get_state(FrameMenus), seldom(menu, app_id, menus.profile_menu(principal, app_id)))
        news: dict[str, Any] = {
            "brand": menus.brand_view(menu.landing, app_id),
            "gates": menu.gates,
            "needed": menu.needed,
            "crumbs": crumbs(path),
            "signed_in": principal is not None,
            "name": name,
            "line": line,
            "initials": "".join(part[0] for part in name.split()[:2]).upper(),
            "avatar": f"/api/avatar/{principal.user_id}?v={principal.avatar}" if principal and principal.avatar else "",
            "plan": menu.plan,
            "is_admin": bool(principal and principal.has_role("admin")),
            "theme": principal.theme if principal else "",
            "locale": i18n.current_locale(),
            "chat_here": page is None or page.chat,
            "ready": True,
        }
        _change(self, news)
        if page is not None and menu.gates.get(page.route) == "sign_in":
            yield rx.redirect(way_in(path, self.router.url.query))
        elif path == "/" and menu.landing != "/":
            yield rx.redirect(menu.landing, replace=True)


def _change(state: ShellState, news: dict[str, Any]) -> None:
    for var, value in news.items():
        if getattr(state, var) != value:
            setattr(state, var, value)


def seldom(menu: Menu, app_id: str, profile_menu: list[MenuEntry]) -> dict[str, Any]:
    """What is the same for everybody with these menus at this app, by the Var's name."""
    return {
        "nav": menu.groups,
        "top": menu.top,
        "profile_menu": profile_menu,
        "header_actions": menus.header_actions(app_id),
        "footer": menus.footer(app_id),
        "layout": menus.layout_view(app_id),
    }


def expect() -> None:
    """Make the frame of a plain signed-in person the one that prerendered pages show. Call it before the app is compiled."""
    pieces = {piece.key: "ok" for piece in header.pieces() if piece.access == Access.signed_in()}
    Frame.get_fields()["gates"].default = pieces
    for var, value in seldom(expected_menu(), "", menus.expected_profile_menu()).items():
        FrameMenus.get_fields()[var].default = value


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
