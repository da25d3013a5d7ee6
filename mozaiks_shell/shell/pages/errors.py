"""The page a failed navigation ends on. The server gives it the right status and says in ``#mz-boot`` what happened
(``hosting/error_pages.py``): ``error: {status, code, detail, needed, retry_after, reference}``."""

from typing import Any, Final

import reflex as rx
from reflex_base.vars.base import Var

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.error_parts import ComingBack, ErrorFacts, Errors, Needed, PlanHere, Retry, Said, SignInHere
from mozaiks_shell.shell.failures import ask_for_help, panel
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import Tone, link_button
from mozaiks_shell.ui.page import page, page_at

ROUTE: Final = "/_error"

TITLES: Final = {
    "401": msg("Sign in to continue"),
    "plan": msg("Your plan does not include this"),
    "role": msg("You may not open this"),
    "403": msg("You may not open this"),
    "404": msg("There is no page here"),
    "429": msg("That was too fast"),
    "500": msg("Something went wrong on our side"),
    "upstream": msg("Another system does not answer"),
    "503": msg("We will be right back"),
    "other": msg("That did not work"),
}
_PRIMARY: Final = "mz-button mz-primary"


def _kind(kind: str, sign: str, text: Any, *actions: rx.Component, tone: Tone = "neutral", before: Any = None) -> rx.Component:
    """One way to fail, as a panel; ``before`` stands above the actions."""
    facts = ErrorFacts.create(kind if kind.isdigit() else "")
    body = panel(sign, t(TITLES[kind]), text, *actions, tone=tone, before=before, foot=facts)
    return rx.el.div(body, class_name="mz-error-kind", custom_attrs={"data-kind": kind})


def kinds() -> dict[str, rx.Component]:
    """The panel of every kind of failure."""
    home, home_first = link_button(t("Go home"), "/"), link_button(t("Go home"), "/", "primary")
    plans = [PlanHere.create(t("See plans"), class_name=_PRIMARY)] if page_at("/plans") else []
    again = Retry.create(now=True, class_name=_PRIMARY)
    plan = Needed.create(t("A bigger plan opens it."), text=msg("The plan {needed} opens it."))
    role = Needed.create(
        t("It needs a role that an administrator of this app can give you."),
        text=msg("It needs the role {needed}, which an administrator of this app can give you."),
    )
    account = Said.create(t("Your account is not allowed to do this."), name="detail")
    starting = Said.create(t("The app is starting or being updated. This page opens by itself when it is there."), name="detail")
    sign_in = SignInHere.create(t("Sign in"), class_name=_PRIMARY)
    wait = Retry.create(now=False, class_name=_PRIMARY)
    reported = t("It has been reported. Whoever helps you finds it by the reference below.")
    elsewhere = t("The app works, but something it depends on does not. Try again in a moment.")
    return {
        "401": _kind("401", "key-round", t("This address is for people who are signed in."), sign_in, home, tone="accent"),
        "plan": _kind("plan", "lock", plan, *plans, home, tone="accent"),
        "role": _kind("role", "shield", role, *ask_for_help(), home),
        "403": _kind("403", "shield", account, *ask_for_help(), home),
        "404": _kind("404", "compass", t("The address may be mistyped, or the page has moved."), home_first),
        "429": _kind("429", "hourglass", t("Wait a moment, then go on where you were."), wait, home, tone="warning"),
        "500": _kind("500", "unplug", reported, again, home, *ask_for_help(), tone="danger"),
        "upstream": _kind("upstream", "cloud-off", elsewhere, again, home, tone="warning"),
        "503": _kind("503", "wrench", starting, again, home, tone="accent", before=ComingBack.create()),
        "other": _kind("other", "circle-alert", Said.create(t("The request was not understood."), name="detail"), home_first),
    }


def error_page() -> rx.Component:
    """Whatever the server said of this address; an unknown page where it said nothing."""
    every = kinds()
    titles: Any = Var.create({kind: t(title) for kind, title in TITLES.items()})
    return Errors.create(*every.values(), kinds=list(every), titles=titles)


@page(ROUTE, title=msg("Error"), access=Access.public(), icon="circle-alert", in_nav=False)
def failed_navigation() -> rx.Component:
    """Served in place of what failed."""
    return error_page()
