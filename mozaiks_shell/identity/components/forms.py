"""The look the account pages share, and a form the browser itself sends."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML
from reflex_components_core.el.elements.inline import A

from mozaiks_shell.identity.state import SignIn
from mozaiks_shell.ui import kit
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.wait import wait_left

Words = rx.Component | rx.Var[Any] | str


class PostForm(BaseHTML):
    """A native form. Reflex's own ``rx.el.form`` never lets the browser submit, so this one is plain HTML."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str] = rx.Var.create("post")


def post_form(*children: rx.Component, action: str, **props: Any) -> rx.Component:
    """A form that the browser posts to a path of ours, with or without JavaScript; the answer is a full page load."""
    return PostForm.create(*children, action=action, **props)


def next_field() -> rx.Component:
    """Carries the wanted page along."""
    return rx.el.input(type="hidden", name="next", value=SignIn.next)


def away(path: str) -> dict[str, Any]:
    """Properties of a link to another way in, with the wanted page kept: also when it is pressed before the program of the
    page runs (``data-next``, see ``START_SCRIPT`` in ``hosting/documents.py``)."""
    return {"href": rx.Var.create(path) + SignIn.next_query, "custom_attrs": {"data-next": ""}}


def account_card(title: Words, text: Words, *children: rx.Component) -> rx.Component:
    """A centred card with the page's heading and what went wrong, if anything did."""
    wait = rx.cond(SignIn.wait > 0, rx.el.span(" ", wait_left(SignIn.wait)), rx.fragment())
    heading = [rx.el.h1(title, class_name="mz-title"), rx.el.p(text, class_name="mz-description")]
    return rx.el.div(
        rx.el.div(*heading, style={"marginBottom": "20px"}),
        kit.stack(
            rx.cond(SignIn.problem != "", kit.notice(rx.fragment(SignIn.problem, wait), "danger")),
            rx.cond(SignIn.notice != "", kit.notice(rx.el.span(SignIn.notice, " ", _issuer_sign_out()))),
            *children,
        ),
        class_name="mz-card",
        style={"maxWidth": "400px", "margin": "clamp(8px, 8vh, 88px) auto 32px", "padding": "28px"},
    )


def _issuer_sign_out() -> rx.Component:
    return rx.cond(SignIn.issuer_name != "", kit.link(t("Sign out there too."), href="/auth/oidc/sign-out"))


def issuer_button() -> rx.Component:
    """The way in through the issuer: a plain link (``rx.el.a`` is the router's), because the server answers it."""
    return A.create(
        kit.icon("log-in"),
        rx.el.span(t("Continue with {name}", name=SignIn.issuer_name)),
        **away("/auth/oidc/start"),
        class_name="mz-button mz-secondary",
    )


def small_line(*children: Words) -> rx.Component:
    """A quiet, centred sentence beneath the form."""
    return rx.el.p(*children, class_name="mz-small mz-muted", style={"textAlign": "center", "textWrap": "balance"})


def divider() -> rx.Component:
    """A line with “or” in it, between two ways in."""
    line = {"flex": "1", "height": "1px", "background": "var(--color-line)"}
    ends = [rx.el.span(style=line) for _ in range(2)]
    return rx.el.div(ends[0], rx.el.span(t("or")), ends[1], class_name="mz-row mz-gap-3 mz-muted mz-small", aria_hidden="true")
