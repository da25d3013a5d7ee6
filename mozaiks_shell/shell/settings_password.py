"""The card with which one changes one's password, or the way to where it is kept."""

import reflex as rx

from mozaiks_shell.shell.settings_parts import error_of, settings_card
from mozaiks_shell.shell.settings_security import Security
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import field, icon, link_button, text_input
from mozaiks_shell.ui.kit.save_bar import save_bar


def password_form(prefix: str = "") -> rx.Component:
    """The card; ``prefix`` keeps ids apart where a page has two."""
    return rx.cond(Security.local, _own(prefix), _elsewhere())


def _own(prefix: str) -> rx.Component:
    text = t("What you sign in with, together with your user name or e-mail.")
    return settings_card(title=t("Password"), text=text, foot=password_fields(prefix))


def password_fields(prefix: str = "") -> rx.Component:
    """The form alone; for people of another service the way there."""
    return rx.cond(Security.local, _form(prefix), _way())


def _form(prefix: str) -> rx.Component:
    def secret(name: str, complete: str) -> rx.Component:
        return text_input(
            type="password", name=name, id=f"{prefix}password-{name}", auto_complete=complete, max_length=256, aria_required=True
        )

    general = rx.cond(
        error_of(Security.errors, "") != "",
        rx.el.p(error_of(Security.errors, ""), class_name="mz-error", role="alert"),
        rx.fragment(),
    )
    rules = t("At least 10 characters. Not your name or e-mail address, and none that everybody uses.")
    return rx.el.form(
        rx.el.div(
            # For the browser's password manager: whose password this is.
            rx.el.input(
                type="text", name="username", value=Security.username, read_only=True, auto_complete="username", hidden=True
            ),
            field(t("Current password"), secret("old", "current-password"), error=error_of(Security.errors, "old")),
            rx.el.div(
                field(t("New password"), secret("new", "new-password"), help=rules, error=error_of(Security.errors, "new")),
                field(t("New password again"), secret("again", "new-password"), error=error_of(Security.errors, "again")),
                class_name="mz-set-pair",
            ),
            general,
            class_name="mz-set-inner mz-form",
        ),
        save_bar(
            t("All other sessions are signed out."),
            saved=Security.saved,
            failed=Security.failed,
            label=t("Change password"),
            done=t("Password changed"),
            clear=True,
        ),
        on_submit=Security.change,
        no_validate=True,
    )


def _elsewhere() -> rx.Component:
    text = t("You sign in through another service. Your password is kept and changed there.")
    return settings_card(title=t("Password"), text=text, foot=_way())


def _way() -> rx.Component:
    return rx.cond(
        Security.console != "",
        rx.el.div(
            link_button(
                rx.el.span(t("Open your sign-in account"), icon("external-link", 14), class_name="mz-row mz-gap-2"),
                Security.console,
            ),
            class_name="mz-set-inner",
        ),
        rx.fragment(),
    )
