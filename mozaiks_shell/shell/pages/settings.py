"""Preferences: how the app looks to one, and in which language and time zone it speaks. The settings area's first page."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.settings_parts import RegionSample, error_of, settings_area, settings_card, time_zones
from mozaiks_shell.shell.settings_region import Region
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.shell.settings_theme import theme_choice
from mozaiks_shell.shell.slots import settings_page
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import field, skeleton
from mozaiks_shell.ui.kit.save_bar import save_bar
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("How this app looks to you, and how it speaks with you.")


@page(
    "/settings",
    title=msg("Settings"),
    icon="settings",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=900,
    keywords="preferences theme dark mode language time zone",
    shortcut="g s",
    on_load=(SettingsPages.load, Region.load),
)
def settings() -> rx.Component:
    """Appearance, language and region, and what rooms and plugins put into the ``settings_page`` slot."""
    pieces = [
        rx.cond(Frame.gates[one.key] == "ok", settings_card(one.render(), title=t(one.title, domain=one.domain)), rx.fragment())
        for one in settings_page.pieces()
    ]
    return settings_area(
        t("Settings"),
        t(_DESCRIPTION),
        settings_card(
            theme_choice(),
            title=t("Theme"),
            text=t("Applies at once, on every device where you are signed in."),
        ),
        _region(),
        *pieces,
    )


def _region() -> rx.Component:
    offered: Any = Region.languages
    languages = rx.el.select(
        rx.foreach(offered, lambda one: rx.el.option(one["name"], value=one["code"])),
        name="locale",
        default_value=Region.locale,
        key=Region.locale,
        id="set-locale",
        class_name="mz-input mz-select",
    )
    zones = time_zones(name="timezone", value=Region.timezone, fallback=Region.everybodys_timezone, id="set-timezone")
    controls = rx.el.div(
        rx.el.div(
            field(t("Language"), languages, error=error_of(Region.errors, "locale")),
            field(t("Time zone"), zones, error=error_of(Region.errors, "timezone")),
            class_name="mz-set-pair",
        ),
        RegionSample.create(locale="locale", timezone="timezone", class_name="mz-set-sample"),
        class_name="mz-set-inner",
    )
    form = rx.el.form(
        rx.cond(Region.ready, controls, rx.el.div(skeleton(3), class_name="mz-set-inner")),
        save_bar(
            t("The page is loaded anew in the language you choose."),
            saved=Region.saved,
            failed=Region.failed,
            reload=True,
            id="mz-save-region",
        ),
        on_submit=Region.save,
    )
    text = t("For texts, dates, times and numbers.")
    return settings_card(title=t("Language and region"), text=text, foot=form)
