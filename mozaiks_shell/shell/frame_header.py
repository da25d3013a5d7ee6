"""The header: brand, where we are, search, what the app adds, who is here."""

from typing import Any

import reflex as rx

from mozaiks_shell.shell.frame_discover import discover
from mozaiks_shell.shell.frame_entries import entry_line
from mozaiks_shell.shell.frame_icons import sign
from mozaiks_shell.shell.frame_parts import SIDEBAR, Crumbs
from mozaiks_shell.shell.frame_profile import profile, visitor
from mozaiks_shell.shell.menus import HeaderLink
from mozaiks_shell.shell.palette import palette_button
from mozaiks_shell.shell.palette_state import Palette
from mozaiks_shell.shell.slots import header as header_slot
from mozaiks_shell.shell.state import Frame, FrameMenus
from mozaiks_shell.ui.i18n import brand_text, t
from mozaiks_shell.ui.kit import icon, link, menu
from mozaiks_shell.ui.kit.icons import FALLBACK


def header() -> rx.Component:
    """The bar above everything. Without it (``layout.header.visible: false``) only the drawer's button is left."""
    person = rx.el.div(
        rx.el.div(rx.foreach(FrameMenus.top, _top), class_name="mz-top"),
        rx.el.div(rx.foreach(FrameMenus.header_actions, _action), class_name="mz-actions"),
        rx.cond(FrameMenus.layout["header"], pieces(), rx.fragment()),
        class_name="mz-tools",
    )
    return rx.el.header(
        _drawer_button(),
        brand_link(),
        Crumbs.create(crumbs=Frame.crumbs, nav=FrameMenus.nav, class_name="mz-crumbs"),
        rx.el.div(class_name="mz-grow"),
        rx.cond(FrameMenus.layout["header"], palette_button(), rx.fragment()),
        person,
        visitor(),
        rx.cond(FrameMenus.layout["header"], profile(), rx.fragment()),
        class_name="mz-header",
    )


def pieces() -> rx.Component:
    """What rooms and plugins have put into the header."""
    mine = [rx.cond(Frame.gates[piece.key] == "ok", piece.render(), rx.fragment()) for piece in header_slot.pieces()]
    return rx.fragment(*mine)


def brand_link() -> rx.Component:
    """Logo and name, or the wordmark alone; the way home.

    Which of the two is a matter of ``data-wordmark`` on the root element, so that it is right in the first byte.
    """
    address = rx.cond(Frame.brand["wordmark"] != "", Frame.brand["wordmark"], "/brand/wordmark")
    drawn = {"--mz-wordmark": "url(" + address.to(str) + ")"}
    return link(
        rx.el.span(role="img", aria_label=Frame.brand["alt"], class_name="mz-wordmark", custom_attrs={"style": drawn}),
        rx.el.img(src=Frame.brand["logo"], alt="", class_name="mz-logo"),
        rx.el.span(brand_text("name"), dir="auto", class_name="mz-brand-name mz-truncate"),
        href=Frame.brand["href"],
        class_name="mz-brand",
    )


def top_in_drawer() -> rx.Component:
    """The header's entries and actions, for where the header has no room for them."""
    entries = rx.foreach(FrameMenus.top, lambda entry: rx.el.li(entry_line(entry), class_name="mz-nav-item"))
    actions = rx.foreach(FrameMenus.header_actions, _action_line)
    return rx.el.div(rx.el.ul(entries, actions), class_name="mz-nav-group mz-nav-top")


def _drawer_button() -> rx.Component:
    return rx.el.button(
        icon("menu", 18),
        type="button",
        aria_label=t("Menu"),
        class_name="mz-button mz-ghost mz-drawer-button",
        custom_attrs={"popoverTarget": SIDEBAR},
    )


def _top(entry: Any) -> rx.Component:
    return entry_line(entry, class_name="mz-button mz-ghost mz-button-small mz-top-link", icon_size=15)


def _action(one: Any) -> rx.Component:
    """An action of ``ui.json``: ``discover`` is the shell's own, else a menu, a link, or a command of that id."""
    label = t(one["label"])
    shown = rx.el.span(*_words(one), class_name="mz-action")
    items = one["items"].to(list[HeaderLink])
    opened = menu(shown, rx.foreach(items, lambda item: _item(item)), id="mz-action-" + one["id"].to(str), label=label)  # type: ignore[arg-type]
    compass = rx.cond((one["icon"] == "") | (one["icon"] == FALLBACK), "compass", one["icon"]).to(str)
    explore = rx.el.span(sign(compass, 16), rx.el.span(label, dir="auto", class_name="mz-action-label"), class_name="mz-action")
    return rx.match(
        one["id"],
        ("discover", discover(explore, label)),
        rx.el.div(rx.cond(items.length() > 0, opened, _press(one, _words(one), _look(one))), class_name="mz-custom"),
    )


def _action_line(one: Any) -> rx.Component:
    items = one["items"].to(list[HeaderLink])
    lines = rx.foreach(items, lambda item: rx.el.li(_to(item), class_name="mz-nav-item mz-nav-action"))
    single = rx.el.li(_press(one, _line_words(one), "mz-nav-link"), class_name="mz-nav-item mz-nav-action")
    return rx.cond(one["id"] == "discover", rx.fragment(), rx.cond(items.length() > 0, lines, single))


def _to(item: Any) -> rx.Component:
    return link(*_line_words(item), href=item["href"].to(str), class_name="mz-nav-link")


def _line_words(one: Any) -> tuple[rx.Component, rx.Component]:
    label = rx.el.span(t(one["label"]), dir="auto", class_name="mz-nav-label mz-truncate")
    return sign(rx.cond(one["icon"] == "", "link", one["icon"]).to(str)), rx.el.span(label, class_name="mz-nav-words")


def _press(one: Any, words: tuple[rx.Component, ...], class_name: Any) -> rx.Component:
    run = rx.el.button(
        *words, type="button", on_click=Palette.run(one["id"]), class_name=class_name, custom_attrs={"data-done": ""}
    )
    return rx.cond(one["href"] != "", link(*words, href=one["href"].to(str), class_name=class_name), run)


def _words(one: Any) -> tuple[rx.Component, rx.Component]:
    return sign(one["icon"], 16), rx.el.span(t(one["label"]), dir="auto", class_name="mz-action-label mz-truncate")


def _item(one: Any) -> rx.Component:
    words = sign(one["icon"], 16), rx.el.span(t(one["label"]), dir="auto", class_name="mz-truncate")
    return link(*words, href=one["href"].to(str), class_name="mz-menu-item")


def _look(one: Any) -> rx.Var[str]:
    known = rx.match(
        one["variant"],
        ("primary", "mz-primary"),
        ("gradient", "mz-primary"),
        ("secondary", "mz-secondary"),
        ("outline", "mz-secondary"),
        ("danger", "mz-danger"),
        "mz-ghost",
    )
    return "mz-button mz-button-small mz-action " + known.to(str)
