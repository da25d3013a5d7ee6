"""Who is here: the picture at the end of the header, the menu behind it; for visitors, the way in and the theme."""

from typing import Any

import reflex as rx
from reflex.style import LiteralColorMode, color_mode, set_color_mode

from mozaiks_shell.shell.frame_icons import sign
from mozaiks_shell.shell.frame_parts import some
from mozaiks_shell.shell.language_menu import NativeForm, language_menu
from mozaiks_shell.shell.palette_state import Palette
from mozaiks_shell.shell.state import Frame, FrameMenus
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon, link, menu, menu_item

_MODES: tuple[tuple[LiteralColorMode, str, rx.Var[str]], ...] = (
    ("light", "sun", t("Light")),
    ("dark", "moon", t("Dark")),
    ("system", "monitor", t("System")),
)


def profile(*, named: bool = False) -> rx.Component:
    """The signed-in person and their menu.

    Args:
        named: The name beside the picture.
    """
    name = [rx.el.span(Frame.name, dir="auto", class_name="mz-nav-label mz-truncate")] if named else []
    shown = rx.fragment(rx.el.span(t("Profile"), class_name="mz-hidden"), _face(), *name)
    entries: Any = FrameMenus.profile_menu
    leave = rx.cond(some(entries, "one.action === 'signout'"), rx.fragment(), _sign_out(icon("log-out"), t("Sign out")))
    opened = menu(
        shown,
        _who(),
        _line(),
        _themes(),
        _line(),
        rx.foreach(entries, _entry),
        leave,
        id="mz-profile",
        class_name="mz-profile",
    )
    return rx.cond(FrameMenus.layout["profile"], rx.el.div(opened, class_name="mz-person"), rx.fragment())


def visitor() -> rx.Component:
    """What somebody finds there who has not signed in."""
    shown = rx.el.span(
        icon("sun", class_name="mz-only-light"), icon("moon", class_name="mz-only-dark"), class_name="mz-icon-pair"
    )
    choices = [
        menu_item(title, icon_name=name, on_click=set_color_mode(mode), aria_pressed=_chosen(mode))
        for mode, name, title in _MODES
    ]
    return rx.el.div(
        language_menu(),
        menu(shown, *choices, id="mz-theme", label=t("Theme"), class_name="mz-menu-narrow"),
        link(t("Sign in"), href="/sign-in", class_name="mz-button mz-secondary mz-button-small mz-sign-in"),
        class_name="mz-visitor",
    )


def _face() -> rx.Component:
    nobody = rx.cond(Frame.ready, sign(FrameMenus.layout["face"], 15), rx.fragment())
    drawn = rx.cond(Frame.initials != "", Frame.initials, nobody)
    photo = rx.el.img(src=Frame.avatar, alt="", class_name="mz-face-photo")
    return rx.el.span(rx.cond(Frame.avatar != "", photo, drawn), class_name="mz-face")


def _who() -> rx.Component:
    plan = rx.cond(Frame.plan != "", rx.el.span(Frame.plan, class_name="mz-badge mz-tone-accent mz-truncate"), rx.fragment())
    return rx.el.div(
        _face(),
        rx.el.div(
            rx.el.div(rx.el.span(Frame.name, dir="auto", class_name="mz-truncate mz-strong"), plan, class_name="mz-who-line"),
            rx.el.div(Frame.line, dir="auto", class_name="mz-truncate mz-small mz-muted"),
            class_name="mz-who-words",
        ),
        class_name="mz-who",
    )


def _themes() -> rx.Component:
    def choice(mode: LiteralColorMode, name: str, title: rx.Var[str]) -> rx.Component:
        return rx.el.button(
            icon(name, 15),
            type="button",
            on_click=[set_color_mode(mode), Palette.theme(mode)],
            aria_label=title,
            aria_pressed=_chosen(mode),
            title=title,
            class_name="mz-segment",
        )

    segments = rx.el.div(*[choice(*mode) for mode in _MODES], role="group", aria_label=t("Theme"), class_name="mz-segments")
    return rx.el.div(rx.el.span(t("Theme")), segments, class_name="mz-menu-row")


def _chosen(mode: str) -> rx.Var[str]:
    return rx.cond(color_mode == mode, "true", "false")


def _entry(one: Any) -> rx.Component:
    words = (sign(one["icon"], 16), rx.el.span(t(one["label"]), dir="auto", class_name="mz-truncate"))
    tone = rx.cond(one["variant"] == "danger", "mz-menu-item mz-menu-danger", "mz-menu-item")
    custom = rx.el.button(*words, type="button", on_click=Palette.run(one["id"]), class_name=tone, custom_attrs={"data-done": ""})
    action = rx.match(
        one["action"],
        ("signout", _sign_out(*words)),
        ("custom", custom),
        link(*words, href=one["href"].to(str), class_name=tone),
    )
    return rx.cond(one["type"] == "divider", _line(), action)


def _sign_out(*words: rx.Component | rx.Var[str]) -> rx.Component:
    return NativeForm.create(
        rx.el.button(*words, type="submit", class_name="mz-menu-item"),
        action="/auth/sign-out",
        method="post",
    )


def _line() -> rx.Component:
    return rx.el.div(class_name="mz-menu-line", role="presentation")
