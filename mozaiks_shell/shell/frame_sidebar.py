"""The sidebar: the person's navigation, the visitor's; without a header also what that would have held."""

from typing import Any

import reflex as rx

from mozaiks_shell.shell.frame_entries import entry_line
from mozaiks_shell.shell.frame_header import brand_link, pieces, top_in_drawer
from mozaiks_shell.shell.frame_parts import SIDEBAR, NavGroup, NavLink, NavToggle, Sidebar
from mozaiks_shell.shell.frame_profile import profile
from mozaiks_shell.shell.palette import palette_button
from mozaiks_shell.shell.state import Frame, FrameMenus, NavEntry
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import button, icon
from mozaiks_shell.ui.page import Page, pages


def sidebar() -> rx.Component:
    """Beside the page, or a drawer over it where there is no room."""
    inside = rx.el.div(_head(), _person(), _visitor(), _foot(), class_name="mz-side")
    return Sidebar.create(inside, id=SIDEBAR, class_name="mz-sidebar", custom_attrs={"aria-label": t("Sidebar")})


def way_in(page: Page) -> bool:
    """Whether a page is one of those by which people sign in."""
    return page.access.kind == "public" and page.render.__module__.startswith("mozaiks_shell.identity.")


def _head() -> rx.Component:
    close = button(
        icon("x", 18),
        variant="ghost",
        aria_label=t("Close menu"),
        custom_attrs={"popoverTarget": SIDEBAR, "popoverTargetAction": "hide"},
        class_name="mz-drawer-close",
    )
    search = rx.cond(FrameMenus.layout["header"], rx.fragment(), palette_button())
    return rx.el.div(brand_link(), close, search, class_name="mz-side-head")


def _person() -> rx.Component:
    return rx.el.nav(rx.foreach(FrameMenus.nav, _group), top_in_drawer(), aria_label=t("Main"), class_name="mz-nav mz-nav-person")


def _group(group: Any) -> rx.Component:
    entries = group["entries"].to(list[NavEntry])
    return NavGroup.create(rx.foreach(entries, lambda entry: entry_line(entry)), title=group["title"], entries=entries)


def _visitor() -> rx.Component:
    """Public pages, as declared until the server has said which, and the ways in."""
    declared = [page for page in pages() if page.access.kind == "public" and page.in_nav and "[" not in page.route]
    ways = rx.el.ul(*[_page(page) for page in pages() if way_in(page) and not page.in_nav and "[" not in page.route])
    known = rx.el.div(rx.el.ul(*[_page(page) for page in declared]), class_name="mz-nav-group mz-nav-public")
    told = rx.el.div(rx.foreach(FrameMenus.nav, _group), class_name="mz-nav-public")
    return rx.el.nav(
        rx.cond(Frame.ready & ~Frame.signed_in, told, known),
        rx.el.div(ways, class_name="mz-nav-group"),
        aria_label=t("Main"),
        class_name="mz-nav mz-nav-visitor",
    )


def _page(page: Page) -> rx.Component:
    label = rx.el.span(rx.el.span(t(page.title), class_name="mz-nav-label mz-truncate"), class_name="mz-nav-words")
    return rx.el.li(NavLink.create(icon(page.icon, 17), label, to=page.route, class_name="mz-nav-link"), class_name="mz-nav-item")


def _foot() -> rx.Component:
    toggle = NavToggle.create(icon("panel-left", 17), class_name="mz-nav-link mz-nav-toggle")
    here = rx.el.div(profile(named=True), pieces(), class_name="mz-nav-who")
    return rx.el.div(rx.cond(FrameMenus.layout["header"], rx.fragment(), here), toggle, class_name="mz-nav-foot")
