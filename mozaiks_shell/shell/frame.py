"""The frame around every page: skip link, header, sidebar, main, notices. Mounted once above the router, so
nothing in it is rebuilt when the person moves from page to page."""

from typing import Any

import reflex as rx
from reflex.style import LiteralColorMode, color_mode, set_color_mode
from reflex_components_core.el.elements.inline import A

from mozaiks_shell import __version__
from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.shell.failures import connection_banner, page_boundary
from mozaiks_shell.shell.frame_parts import HEAD_SCRIPT, FrameRoot, NavLink, NavToggle, Sidebar, Toaster
from mozaiks_shell.shell.slots import header as header_slot
from mozaiks_shell.shell.state import Frame, NavEntry, Notices
from mozaiks_shell.ui.kit import icon, link, menu, menu_item
from mozaiks_shell.ui.page import Page, page_at, pages

_SIDEBAR = "mz-sidebar"


def head_components() -> list[rx.Component]:
    """For ``App(head_components=...)``: the brand's tokens and icons, and what this browser remembers."""
    return [
        rx.el.link(rel="stylesheet", href="/brand/theme.css"),
        rx.el.link(rel="icon", href="/brand/favicon"),
        rx.el.link(rel="apple-touch-icon", href="/apple-touch-icon.png"),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(HEAD_SCRIPT),
    ]


def app_wraps() -> dict[tuple[int, str], Any]:
    """For ``App(extra_app_wraps=...)``: skip link, frame, main region, boundary around the page, outermost first.

    What the front door adds between skip link and frame comes after the one and before the other in tab order.
    """
    return {(54, "SkipLink"): skip_link, (40, "Frame"): frame, (39, "Main"): main_region, (37, "PageBoundary"): page_boundary}


def frame(_: bool) -> rx.Component:
    """The app-level wrapper; Reflex appends what is inside it."""
    bare = [page.route for page in pages() if page.access.kind == "public" and not page.in_nav]
    gated = [page.route for page in pages() if page.access.kind != "public"]
    return FrameRoot.create(
        _header(),
        Sidebar.create(_navigation(), id=_SIDEBAR, class_name="mz-sidebar", custom_attrs={"aria-label": "Sidebar"}),
        connection_banner(),
        Toaster.create(items=Notices.items),
        bare=bare,
        gated=gated,
        signed_in=Frame.signed_in,
        ready=Frame.ready,
    )


def skip_link(_: bool) -> rx.Component:
    """The first thing the Tab key reaches."""
    return rx.fragment(A.create("Skip to content", href="#content", class_name="mz-skip"))


def main_region(_: bool) -> rx.Component:
    """The one ``main`` landmark."""
    return rx.el.main(id="content", tab_index=-1, class_name="mz-main")


def _header() -> rx.Component:
    drawer = {"popoverTarget": _SIDEBAR}
    open_menu = rx.el.button(
        icon("menu", 18), type="button", aria_label="Menu", class_name="mz-button mz-ghost mz-drawer-button", custom_attrs=drawer
    )
    pieces = [rx.cond(Frame.gates[piece.key] == "ok", piece.render(), rx.fragment()) for piece in header_slot.pieces()]
    return rx.el.header(
        open_menu, _brand(), rx.el.div(class_name="mz-grow"), *pieces, _theme_menu(), _person(), class_name="mz-header"
    )


def _brand() -> rx.Component:
    name = brand().name
    return link(
        rx.el.img(src="/brand/logo", alt="", width=22, height=22, class_name="mz-logo"),
        rx.el.span(name, class_name="mz-brand-name mz-truncate"),
        href="/",
        class_name="mz-brand",
    )


def _theme_menu() -> rx.Component:
    def choice(mode: LiteralColorMode, icon_name: str, title: str) -> rx.Component:
        return menu_item(
            title,
            icon_name=icon_name,
            on_click=set_color_mode(mode),
            aria_pressed=rx.cond(color_mode == mode, "true", "false"),
        )

    sign = rx.el.span(icon("sun", class_name="mz-only-light"), icon("moon", class_name="mz-only-dark"), class_name="mz-icon-pair")
    modes = [choice("light", "sun", "Light"), choice("dark", "moon", "Dark"), choice("system", "monitor", "System")]
    return menu(sign, *modes, id="mz-theme", label="Theme", class_name="mz-menu-narrow")


def _person() -> rx.Component:
    face = rx.el.span(Frame.initials, class_name="mz-face")
    plan = rx.cond(Frame.plan != "", rx.el.span(Frame.plan, class_name="mz-badge mz-tone-accent"), rx.fragment())
    who = rx.el.div(
        rx.el.div(rx.el.span(Frame.name, class_name="mz-truncate mz-strong"), plan, class_name="mz-who-line"),
        rx.el.div(Frame.email, class_name="mz-truncate mz-small mz-muted"),
        class_name="mz-who",
    )
    sign_out = rx.el.form(
        rx.el.button(icon("log-out"), "Sign out", type="submit", class_name="mz-menu-item"),
        action="/auth/sign-out",
        method="post",
    )
    ways = [menu_item("Settings", icon_name="settings", href="/settings")]
    if page_at("/plans"):
        ways.append(menu_item("Plans", icon_name="credit-card", href="/plans"))
    label = "Profile " + Frame.initials  # whoever says what they see presses it
    profile = menu(face, who, _line(), *ways, _line(), sign_out, id="mz-profile", label=label, class_name="mz-profile")
    sign_in = link("Sign in", href="/sign-in", class_name="mz-button mz-secondary mz-button-small mz-sign-in")
    return rx.el.div(rx.el.div(profile, class_name="mz-person"), sign_in, class_name="mz-who-root")


def _line() -> rx.Component:
    return rx.el.div(class_name="mz-menu-line", role="presentation")


def _navigation() -> rx.Component:
    groups = rx.el.nav(rx.foreach(Frame.nav, _group), aria_label="Main", class_name="mz-nav mz-nav-person")
    ways_in = [page for page in pages() if page.access.kind == "public" and "[" not in page.route]
    visitor = rx.el.nav(rx.el.ul(*[_way_in(page) for page in ways_in]), aria_label="Main", class_name="mz-nav mz-nav-visitor")
    toggle = NavToggle.create(icon("panel-left"), class_name="mz-button mz-ghost mz-button-small mz-nav-toggle")
    return rx.fragment(
        groups,
        visitor,
        rx.el.footer(toggle, rx.el.span(f"{brand().name} {__version__}", class_name="mz-truncate"), class_name="mz-nav-foot"),
    )


def _way_in(page: Page) -> rx.Component:
    label = rx.el.span(page.title, class_name="mz-nav-label mz-truncate")
    return rx.el.li(NavLink.create(icon(page.icon, 17), label, to=page.route, class_name="mz-nav-link", title=page.title))


def _group(group: Any) -> rx.Component:
    heading = rx.cond(group["title"] != "", rx.el.h2(group["title"], class_name="mz-nav-heading"), rx.fragment())
    return rx.el.div(heading, rx.el.ul(rx.foreach(group["entries"].to(list[NavEntry]), _entry)), class_name="mz-nav-group")


def _entry(entry: Any) -> rx.Component:
    lock = rx.cond(
        entry["gate"] == "plan",
        rx.el.span(icon("lock", 13), rx.el.span("(locked)", class_name="mz-hidden"), class_name="mz-nav-lock"),
        rx.fragment(),
    )
    return rx.el.li(
        NavLink.create(
            icon(entry["icon"], 17),
            rx.el.span(entry["title"], class_name="mz-nav-label mz-truncate"),
            lock,
            to=entry["path"],
            exact=entry["exact"],
            class_name="mz-nav-link",
            custom_attrs={"title": entry["title"]},
        )
    )
