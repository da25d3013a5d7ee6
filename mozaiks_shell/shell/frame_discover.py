"""The Discover menu (F-012): every page this person may open and every workflow they may start, nothing else."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.shell.frame_icons import sign
from mozaiks_shell.shell.frame_parts import Finder, NavLink, titled
from mozaiks_shell.shell.palette_state import Palette, PaletteItem
from mozaiks_shell.shell.state import FrameMenus, NavEntry
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import menu


def discover(trigger: rx.Component, label: rx.Var[str]) -> rx.Component:
    """The menu behind ``trigger``. The navigation is there already; workflows are asked for when it opens."""
    groups: Any = FrameMenus.nav
    none = rx.el.p(t("Nothing with that name."), class_name="mz-finder-none", role="status")
    finder = Finder.create(
        rx.el.div(rx.foreach(groups, _pages), _in_header(), _workflows(), none, class_name="mz-finder-list"),
        label=t("Find a page or agent"),
        on_open=Palette.load,
        class_name="mz-finder",
    )
    return menu(trigger, finder, id="mz-discover", label=label, class_name="mz-menu-wide")


def _pages(group: Any) -> rx.Component:
    heading = rx.cond(group["title"] != "", t(group["title"].to(str)), t("Pages"))
    return rx.el.section(_heading(heading), rx.el.ul(rx.foreach(group["entries"].to(list[NavEntry]), _page)))


def _in_header() -> rx.Component:
    """Pages that stand in the header alone."""
    groups, top = FrameMenus.nav, FrameMenus.top
    beside = f"{top}.filter((one) => !{groups}.some((group) => group.entries.some((other) => other.path === one.path)))"
    pages: Any = rx.Var(beside, _var_type=list[NavEntry], _var_data=rx.Var.create([top, groups])._get_all_var_data())
    return rx.el.section(_heading(t("Also")), rx.el.ul(rx.foreach(pages, _page)))


def _page(entry: Any) -> rx.Component:
    words = rx.el.span(titled(entry), dir="auto", class_name="mz-truncate")
    line = NavLink.create(sign(entry["icon"], 16), words, to=entry["path"], exact=True, class_name="mz-menu-item")
    return rx.cond((entry["kind"] == "page") & (entry["gate"] == "ok"), rx.el.li(line), rx.fragment())


def _workflows() -> rx.Component:
    items: Any = Palette.items
    return rx.el.section(_heading(t("Agents")), rx.el.ul(rx.foreach(items.to(list[PaletteItem]), _workflow)))


def _workflow(one: Any) -> rx.Component:
    start = rx.el.button(
        sign(one["icon"], 16),
        rx.el.span(t(one["title"]), dir="auto", class_name="mz-truncate"),
        type="button",
        on_click=ChatState.new_chat(one["id"]),
        class_name="mz-menu-item",
        custom_attrs={"data-done": ""},
    )
    return rx.cond((one["kind"] == "workflow") & (one["needed"] == ""), rx.el.li(start), rx.fragment())


def _heading(text: rx.Var[str]) -> rx.Component:
    return rx.el.h3(text, class_name="mz-finder-heading")
