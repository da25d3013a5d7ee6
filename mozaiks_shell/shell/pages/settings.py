"""One's own settings: profile, appearance, and what rooms and plugins add."""

import reflex as rx
from reflex.style import LiteralColorMode, color_mode, set_color_mode

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.shell.settings_state import Profile
from mozaiks_shell.shell.slots import settings_page
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.kit import button, field, icon, page_header, row, stack, text_input
from mozaiks_shell.ui.page import page


@page(
    "/settings",
    title="Settings",
    icon="settings",
    access=Access.signed_in(),
    description="Your name, and how this app looks to you.",
    order=900,
)
def settings() -> rx.Component:
    """A column of sections, each with its name at the left."""
    pieces = [
        rx.cond(Frame.gates[piece.key] == "ok", section(piece.title, piece.render()), rx.fragment())
        for piece in settings_page.pieces()
    ]
    return rx.fragment(
        page_header("Settings", "Your name, and how this app looks to you."),
        stack(section("Profile", _profile()), section("Appearance", _appearance()), *pieces, gap=0, class_name="mz-settings"),
    )


def section(title: str, *children: rx.Component) -> rx.Component:
    """A named part of the page."""
    return rx.el.section(
        rx.el.h2(title, class_name="mz-settings-title"),
        rx.el.div(*children, class_name="mz-settings-body"),
        aria_label=title,
        class_name="mz-settings-row",
    )


def _profile() -> rx.Component:
    name = text_input(name="full_name", default_value=Frame.name, auto_complete="name", max_length=120, id="full-name")
    email = text_input(value=Frame.email, read_only=True, type="email", name="email")
    return rx.el.form(
        field("Name", name, help="Shown to you and to administrators.", error=Profile.error),
        rx.cond(Frame.email != "", field("E-mail", email), rx.fragment()),
        row(button("Save", type="submit", variant="primary")),
        on_submit=Profile.save,
        class_name="mz-form",
    )


def _appearance() -> rx.Component:
    modes: list[tuple[LiteralColorMode, str, str]] = [
        ("light", "sun", "Light"),
        ("dark", "moon", "Dark"),
        ("system", "monitor", "System"),
    ]
    choices = [
        rx.el.label(
            rx.el.input(
                type="radio",
                name="theme",
                value=mode,
                checked=color_mode == mode,
                on_change=set_color_mode(mode),
            ),
            icon(sign, 16),
            title,
            class_name="mz-choice",
        )
        for mode, sign, title in modes
    ]
    legend = rx.el.legend("Theme", class_name="mz-hidden")
    return rx.el.fieldset(legend, *choices, class_name="mz-choices")
