"""Settings of plugins: a card for each plugin that has some."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.plugin_host.components import bounded
from mozaiks_shell.shell.forms import generated_sections
from mozaiks_shell.shell.settings_parts import settings_area, settings_card
from mozaiks_shell.shell.settings_profile import Profile
from mozaiks_shell.shell.settings_region import Region
from mozaiks_shell.shell.settings_security import Security
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.shell.slots import plugin_settings
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import card, empty_state, skeleton
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("What you can set up in the parts of this app.")


@page(
    "/settings/plugins",
    title=msg("Plugins"),
    icon="puzzle",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=920,
    in_nav=False,
    parent="/settings",
    on_load=(SettingsPages.load, Profile.load, Region.load, Security.load),
)
def settings_plugins() -> rx.Component:
    """One card per plugin."""
    nothing = card(empty_state("puzzle", t("Nothing to set up"), t("Plugins with settings appear here.")))
    panels = [
        rx.cond(
            Frame.gates[one.key] == "ok",
            settings_card(bounded(one.owner, one.render), title=t(one.title, domain=one.domain)),
            rx.fragment(),
        )
        for one in plugin_settings.pieces()
    ]
    return settings_area(
        t("Plugins"),
        t(_DESCRIPTION),
        rx.cond(
            SettingsPages.ready,
            rx.cond(SettingsPages.unknown, nothing, rx.fragment(generated_sections(), *panels)),
            settings_card(skeleton(4), title=t("Plugins")),
        ),
    )
