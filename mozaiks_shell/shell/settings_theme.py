"""Choosing a theme by its picture: light, dark, as the system, and what the brand's files add."""

from typing import Any

import reflex as rx
from reflex.style import LiteralColorMode, color_mode, set_color_mode

from mozaiks_shell.shell.settings_parts import ThemeNow
from mozaiks_shell.shell.settings_region import Region
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import icon


def theme_choice(name: str = "theme") -> rx.Component:
    """Pictures to choose from; the choice is put on at once and kept for every device of the person.

    Args:
        name: Of the radio group; unique on the page.
    """
    modes: list[tuple[LiteralColorMode, Text, list[Any]]] = [
        ("light", t("Light"), [Region.light]),
        ("dark", t("Dark"), [Region.dark]),
        ("system", t("System"), [Region.light, Region.dark]),
    ]
    pictures = [
        _choice(
            mode, title, name, (color_mode == mode) & ~_bool(Region.is_named), looks, [set_color_mode(mode), Region.choose(mode)]
        )
        for mode, title, looks in modes
    ]
    named = rx.foreach(Region.named, lambda one: _named(one, name))
    now = ThemeNow.create(theme=rx.cond(Region.is_named, Region.theme, ""), ready=Region.ready)
    legend = rx.el.legend(t("Theme"), class_name="mz-hidden")
    return rx.el.fieldset(legend, *pictures, named, now, class_name="mz-themes")


def _bool(value: Any) -> rx.Var[bool]:
    return value.to(bool)


def _named(one: Any, group: str) -> rx.Component:
    chosen = Region.theme == one["name"]
    return _choice(one["name"], one["label"], group, chosen, [one["style"]], [Region.choose(one["name"])])


def _choice(value: Text, title: Text, group: str, chosen: Any, looks: list[Any], act: list[Any]) -> rx.Component:
    radio = rx.el.input(type="radio", name=group, value=value, checked=chosen, on_change=act, form="", class_name="mz-look-radio")
    sign = rx.el.span(icon("check", 12), class_name="mz-look-sign")
    picture = rx.el.span(*[_page(look) for look in looks], class_name="mz-look-picture", aria_hidden="true")
    name = rx.el.span(rx.el.span(title, class_name="mz-truncate"), sign, class_name="mz-look-name")
    return rx.el.label(radio, picture, name, class_name="mz-look")


def _page(look: Any) -> rx.Component:
    """A small page in the colours of a theme: sidebar, heading, lines, a button."""
    parts = [rx.el.span(class_name=f"mz-mini-{part}") for part in ("head", "line", "line", "button")]
    return rx.el.span(
        rx.el.span(class_name="mz-mini-side"),
        rx.el.span(*parts, class_name="mz-mini-page"),
        class_name="mz-mini",
        custom_attrs={"style": look},
    )
