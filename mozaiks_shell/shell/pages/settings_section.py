"""A section of ``settings_config.json``, on a page of its own: drawn from State, so that editing the file is enough (F-222)."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.forms import generated_sections
from mozaiks_shell.shell.settings_parts import settings_area, settings_card
from mozaiks_shell.shell.settings_profile import Profile
from mozaiks_shell.shell.settings_region import Region
from mozaiks_shell.shell.settings_security import Security
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import card, empty_state, link_button, skeleton
from mozaiks_shell.ui.page import page


@page(
    "/settings/[section]",
    title=msg("Settings"),
    icon="settings",
    access=Access.signed_in(),
    order=940,
    in_nav=False,
    parent="/settings",
    on_load=(SettingsPages.load, Profile.load, Region.load, Security.load),
)
def settings_section() -> rx.Component:
    """The section the address names."""
    nothing = card(
        empty_state(
            "compass",
            t("There are no such settings"),
            t("The address may be mistyped, or the settings have moved."),
            link_button(t("All settings"), "/settings"),
        ),
    )
    return settings_area(
        rx.cond(SettingsPages.title != "", SettingsPages.title, t("Settings")),
        SettingsPages.text,
        rx.cond(
            SettingsPages.ready,
            rx.cond(SettingsPages.unknown, nothing, generated_sections()),
            settings_card(skeleton(5), title=t("Settings")),
        ),
    )
