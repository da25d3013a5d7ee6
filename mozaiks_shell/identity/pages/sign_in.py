"""Sign-in: a native form, so that password managers and browsers without script know what it is."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.identity.components.forms import account_card, away, divider, issuer_button, next_field, post_form, small_line
from mozaiks_shell.identity.state import SignIn
from mozaiks_shell.ui import kit
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.page import page


@page("/sign-in", title=msg("Sign in"), access=Access.public(), icon="log-in", in_nav=False, order=10, on_load=SignIn.enter)
def sign_in() -> rx.Component:
    """Name and password, single sign-on, or both."""
    return account_card(
        t("Sign in"),
        t("Welcome back."),
        rx.cond(SignIn.local, _password_form()),
        rx.cond(SignIn.local & (SignIn.issuer_name != ""), divider()),
        rx.cond(SignIn.issuer_name != "", issuer_button()),
        rx.cond(SignIn.local & SignIn.registration, _register_line()),
    )


def _password_form() -> rx.Component:
    name = kit.text_input(
        id="username", name="username", default_value=SignIn.username, required=True, max_length=254,
        auto_complete="username", auto_capitalize="none", spell_check=False, auto_focus=True,
    )  # fmt: skip
    password = kit.text_input(id="password", name="password", type="password", required=True, auto_complete="current-password")
    return post_form(
        kit.stack(
            next_field(),
            kit.field(t("User name or e-mail"), name),
            kit.field(t("Password"), password),
            kit.button(t("Sign in"), type="submit", variant="primary"),
        ),
        action="/auth/sign-in",
    )


def _register_line() -> rx.Component:
    invitation = rx.cond(SignIn.fresh, t("Nobody has an account here yet."), t("No account yet?"))
    return small_line(invitation, " ", kit.link(t("Create one"), outside=True, **away("/register")))
