"""Registration: a native form. The first account of an installation becomes its administrator, and the page says so."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.identity.components.forms import account_card, away, divider, issuer_button, next_field, post_form, small_line
from mozaiks_shell.identity.errors import MESSAGES
from mozaiks_shell.identity.passwords import MAX_LENGTH, MIN_LENGTH
from mozaiks_shell.identity.state import SignIn
from mozaiks_shell.ui import kit
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.page import page

_TITLE = msg("Create an account")


@page("/register", title=_TITLE, access=Access.public(), icon="user-plus", in_nav=False, order=11, on_load=SignIn.enter)
def register() -> rx.Component:
    """A new account, if people may create one here."""
    return account_card(
        t(_TITLE),
        rx.cond(SignIn.fresh, t("This installation is new."), t("It takes a minute.")),
        rx.cond(SignIn.local & SignIn.registration, _form(), kit.notice(t(MESSAGES["REGISTRATION_OFF"]))),
        rx.cond(SignIn.issuer_name != "", kit.stack(divider(), issuer_button())),
        small_line(t("Already have an account?"), " ", kit.link(t("Sign in"), outside=True, **away("/sign-in"))),
    )


def _form() -> rx.Component:
    name = kit.text_input(
        id="username", name="username", default_value=SignIn.username, required=True, min_length=2, max_length=64,
        auto_complete="username", auto_capitalize="none", spell_check=False, auto_focus=True,
    )  # fmt: skip
    email = kit.text_input(
        id="email", name="email", type="email", default_value=SignIn.email, required=True, max_length=254, auto_complete="email"
    )
    full_name = kit.text_input(
        id="full_name", name="full_name", default_value=SignIn.full_name, max_length=120, auto_complete="name"
    )
    password = kit.text_input(
        id="password", name="password", type="password", required=True, min_length=MIN_LENGTH, max_length=MAX_LENGTH,
        auto_complete="new-password",
    )  # fmt: skip
    hint = t("At least {count} characters. A few words are easy to remember.", count=MIN_LENGTH)
    errors = SignIn.field_errors
    return post_form(
        kit.stack(
            rx.cond(SignIn.fresh, kit.notice(t("The first account becomes the administrator of this installation."), "accent")),
            next_field(),
            kit.field(t("User name"), name, error=errors["username"]),
            kit.field(t("E-mail"), email, error=errors["email"]),
            kit.field(t("Full name (optional)"), full_name, error=errors["full_name"]),
            kit.field(t("Password"), password, help=hint, error=errors["password"]),
            kit.button(t(_TITLE), type="submit", variant="primary"),
        ),
        action="/auth/register",
    )
