"""Data & account: take everything along, or delete it all (F-234)."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.settings_account import Account
from mozaiks_shell.shell.settings_parts import Leave, error_of, settings_area, settings_card
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import button, dialog, field, icon, link_button, notice, row, text_input
from mozaiks_shell.ui.page import page, page_at

_DESCRIPTION = msg("Take your data along, or delete your account.")


@page(
    "/settings/data",
    title=msg("Data & account"),
    icon="database",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=930,
    in_nav=False,
    parent="/settings",
    keywords="export download delete account privacy",
    on_load=(SettingsPages.load, Account.load),
)
def settings_data() -> rx.Component:
    """Export card, deletion card."""
    return settings_area(t("Data & account"), t(_DESCRIPTION), _export(), _delete(), _question(), Leave.create(to=Account.leave))


def _export() -> rx.Component:
    text = t(
        "One JSON file with everything kept about you: profile, settings, chats, usage, and your data in every plugin."
        " Passwords are not in it."
    )
    foot = rx.el.div(
        rx.el.p(t("The download starts at once."), class_name="mz-help"),
        rx.el.div(class_name="mz-grow"),
        link_button(t("Download my data"), "/api/account/export", icon_name="download", small=True, download="my-data.json"),
        class_name="mz-set-foot",
    )
    return settings_card(title=t("Export"), text=text, foot=foot)


def _delete() -> rx.Component:
    foot = rx.el.div(
        rx.el.p(t("You are asked again before anything happens."), class_name="mz-help"),
        rx.el.div(class_name="mz-grow"),
        button(icon("trash-2", 14), t("Delete account"), variant="danger", small=True, on_click=Account.ask(True)),
        class_name="mz-set-foot",
    )
    text = t("Deletes your account and everything kept about you, for good. Nobody can bring it back.")
    return settings_card(title=t("Delete account"), text=text, foot=foot, class_name="mz-set-danger")


def _question() -> rx.Component:
    plugins = rx.cond(
        Account.plugins != "", rx.el.li(t("Your data in {plugins}", plugins=Account.plugins)), rx.fragment()
    )  # fmt: skip
    plan = [rx.el.li(t("Your plan: a paid one is cancelled at once"))] if page_at("/plans") else []
    lost = rx.el.ul(
        rx.el.li(t("Your profile, picture and settings")),
        rx.el.li(t("Your chats and what was made in them")),
        plugins,
        *plan,
        rx.el.li(t("Every session: you are signed out everywhere")),
        class_name="mz-set-lost",
    )
    confirmation = text_input(
        name="confirmation", id="delete-name", auto_complete="off", auto_capitalize="off", spell_check=False, aria_required=True
    )
    password = text_input(
        name="password", id="delete-password", type="password", auto_complete="current-password", aria_required=True
    )
    again = link_button(t("Sign in again"), "/auth/oidc/start?again=1&next=/settings/data", small=True)
    general = rx.cond(
        error_of(Account.errors, ""),
        notice(
            error_of(Account.errors, ""), "danger", action=rx.cond(Account.problem_code == "SIGN_IN_AGAIN", again, rx.fragment())
        ),
        rx.fragment(),
    )
    form = rx.el.form(
        general,
        field(
            rx.el.span(t("Type {name} to confirm", name=Account.username)),
            confirmation,
            error=error_of(Account.errors, "confirmation"),
        ),
        rx.cond(Account.local, field(t("Your password"), password, error=error_of(Account.errors, "password")), rx.fragment()),
        row(
            button(t("Cancel"), on_click=Account.ask(False)),
            button(t("Delete my account"), type="submit", variant="danger", class_name="mz-danger-full"),
            gap=2,
            class_name="mz-dialog-foot",
        ),
        on_submit=Account.delete,
        no_validate=True,
        class_name="mz-form",
    )
    return dialog(
        rx.el.p(t("This deletes for good, and nobody can bring it back:"), class_name="mz-dialog-text"),
        lost,
        rx.cond(Account.asking, form, rx.fragment()),
        id="mz-delete-account",
        title=t("Delete your account?"),
        open=Account.asking,
        on_close=Account.ask(False),
    )
