"""The profile: one's picture, one's name, and what the app wants to know about one (F-231)."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.forms import generated_sections
from mozaiks_shell.shell.settings_parts import picture_choice, settings_area, settings_card
from mozaiks_shell.shell.settings_profile import Profile
from mozaiks_shell.shell.settings_region import Region
from mozaiks_shell.shell.settings_security import Security
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import field, icon, skeleton, text_input
from mozaiks_shell.ui.kit.save_bar import save_bar
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("How others see you, and how we reach you.")


@page(
    "/profile",
    title=msg("Profile"),
    icon="user-round",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=905,
    in_nav=False,
    parent="/settings",
    keywords="name picture avatar photo account",
    on_load=(SettingsPages.load, Profile.load, Region.load, Security.load),
)
def profile() -> rx.Component:
    """Picture, name, what else the file asks for."""
    return settings_area(
        t("Profile"),
        t(_DESCRIPTION),
        rx.cond(
            Profile.ready,
            rx.fragment(_card(), generated_sections()),
            settings_card(skeleton(5), title=t("Picture and name")),
        ),
    )


def _card() -> rx.Component:
    picture = picture_choice(
        rx.cond(Profile.initials != "", Profile.initials, icon("user-round", 28)),
        src=Profile.avatar,
        id="profile-picture",
        on_done=Profile.refresh,
        on_remove=Profile.remove_picture,
    )
    name = text_input(
        name="full_name",
        id="profile-name",
        default_value=Profile.full_name,
        auto_complete="name",
        max_length=120,
        read_only=Profile.name_fixed,
    )
    fixed = {"read_only": True, "auto_complete": "off"}
    username = text_input(id="profile-username", name="username", value=Profile.username, **fixed)
    email = text_input(id="profile-email", name="email", value=Profile.email, type="email", **fixed)
    form = rx.el.form(
        rx.el.div(
            field(t("Name"), name, help=t("Shown to you and to administrators."), error=Profile.error),
            rx.el.div(
                field(t("User name"), username),
                rx.cond(Profile.email != "", field(t("E-mail"), email), rx.fragment()),
                class_name="mz-set-pair",
            ),
            class_name="mz-set-inner mz-form",
        ),
        save_bar(
            t("With us since {when}. User name and e-mail are changed by an administrator.", when=t_date(Profile.since, "date")),
            saved=Profile.saved,
            failed=Profile.failed,
        ),
        on_submit=Profile.save,
        no_validate=True,
    )
    return settings_card(picture, title=t("Picture and name"), foot=form)
