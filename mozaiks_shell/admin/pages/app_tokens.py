"""App tokens: what programs show when they call the app. Listed, made, revoked (F-158)."""

from typing import Any

import reflex as rx

from mozaiks_shell.admin.plugins_parts import copy_line, said
from mozaiks_shell.admin.tokens_state import DAYS, USUAL_DAYS, Tokens
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t, t_date, tn
from mozaiks_shell.ui.kit import (
    badge,
    button,
    card,
    checkbox,
    dialog,
    empty_state,
    field,
    icon,
    notice,
    page_header,
    row,
    select,
    skeleton,
    stack,
    text_input,
)
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("What programs and workflows show when they call this app.")
view: Any = Tokens  # in components its attributes are Vars


@page(
    "/admin/app-tokens",
    title=msg("App tokens"),
    icon="key-round",
    access=Access.role("admin"),
    description=_DESCRIPTION,
    order=954,
    parent="/admin",
    keywords="api key secret program workflow scope revoke bearer",
    on_load=Tokens.enter,
)
def app_tokens() -> rx.Component:
    """The list, the form in a dialog, the question before one ends."""
    new = button(icon("plus", 15), t("New token"), variant="primary", on_click=Tokens.ask(True))
    first = button(t("New token"), on_click=Tokens.ask(True))
    meant = t("A token lets a program call this app, for as long and as far as you say.")
    none = card(empty_state("key-round", t("No tokens yet"), meant, first))
    lines = rx.el.section(
        rx.el.ul(rx.foreach(Tokens.rows, _row), aria_label=t("App tokens"), class_name="mz-plug-list"),
        class_name="mz-card mz-plug-card",
    )
    return rx.el.div(
        page_header(t("App tokens"), t(_DESCRIPTION), actions=[new]),
        rx.cond(
            Tokens.loaded,
            stack(said(Tokens.said, Tokens.said_tone), rx.cond(Tokens.rows, lines, none)),
            card(skeleton(6)),
        ),
        _making(),
        _question(),
        class_name="mz-plugs",
    )


def _row(one: Any) -> rx.Component:
    title = rx.el.div(
        rx.el.h2(one["name"], dir="auto", class_name="mz-job-title"),
        rx.el.code(one["prefix"].to(str) + "…", dir="ltr", translate="no", class_name="mz-plug-where"),
        class_name="mz-plug-title",
    )
    each = rx.foreach(one["scopes"].to(list[str]), lambda scope: rx.el.li(badge(scope)))
    scopes = rx.el.ul(each, aria_label=t("What it may do"), class_name="mz-job-files")
    used = rx.cond(
        one["used"] != "", t("Last used {time}", time=t_date(one["used"], "relative")), t("Never used")
    )  # fmt: skip
    acts = rx.cond(one["acts_for"] != "", rx.el.span(t("Acts for {name}", name=one["acts_for"])), rx.fragment())
    facts = rx.el.p(
        rx.el.span(used),
        rx.el.span(t("Expires {time}", time=t_date(one["expires"], "date"))),
        rx.el.span(t("Made by {name}", name=one["made_by"])),
        acts,
        class_name="mz-job-facts mz-muted mz-small",
    )
    end = button(
        t("Revoke"), small=True, class_name="mz-plug-act", aria_label=t("Revoke: {name}", name=one["name"]),
        on_click=Tokens.doom(one["id"]),
    )  # fmt: skip
    return rx.el.li(
        rx.el.span(icon("key-round", 18), class_name="mz-plug-icon mz-tone-" + one["tone"].to(str)),
        rx.el.div(title, facts, scopes, class_name="mz-plug-words"),
        rx.el.div(
            badge(one["label"], one["tone"].to(str)), rx.cond(one["active"], end, rx.fragment()), class_name="mz-plug-side"
        ),
        class_name="mz-plug-row",
        key=one["id"],
    )


def _error(name: str) -> rx.Var[str]:
    found = view.errors[name]
    return rx.cond(found, found, "").to(str)


def _making() -> rx.Component:
    """The form; once it is made, its secret."""
    made = stack(
        notice(t("Copy it now. It is not shown again."), "warning"),
        copy_line(Tokens.secret),
        row(button(t("Done"), variant="primary", on_click=Tokens.ask(False)), gap=2, class_name="mz-dialog-foot"),
        gap=3,
    )
    return dialog(
        rx.cond(Tokens.making, rx.cond(Tokens.secret != "", made, _form()), rx.fragment()),
        id="new-token",
        title=rx.cond(Tokens.secret != "", t("The token is made"), t("New token")),
        open=Tokens.making,
        on_close=Tokens.ask(False),
    )


def _form() -> rx.Component:
    scopes = rx.el.fieldset(
        rx.el.legend(t("What it may do"), class_name="mz-label"),
        rx.el.div(rx.foreach(Tokens.offered, lambda one: checkbox(one["title"], name=one["name"])), class_name="mz-token-scopes"),
        rx.cond(_error("scopes") != "", rx.el.p(_error("scopes"), class_name="mz-error", role="alert"), rx.fragment()),
        class_name="mz-field",
    )
    days = [(one, tn("{count} day", "{count} days", int(one))) for one in DAYS]
    general = rx.cond(_error("") != "", notice(_error(""), "danger"), rx.fragment())
    return rx.el.form(
        general,
        field(
            t("Name"), text_input(name="name", id="token-name", max_length=80, auto_complete="off"),
            help=t("Which program is it for?"), error=_error("name"),
        ),
        scopes,
        field(t("Good for"), select(days, name="days", id="token-days", default_value=USUAL_DAYS), error=_error("days")),
        field(
            t("Acts for"), text_input(name="acts_for", id="token-acts-for", auto_complete="off", spell_check=False),
            help=t("User name or e-mail of a person. Empty: it acts for the app itself."), error=_error("acts_for"),
        ),
        row(
            button(t("Cancel"), on_click=Tokens.ask(False)),
            button(t("Make the token"), type="submit", variant="primary"),
            gap=2,
            class_name="mz-dialog-foot",
        ),
        on_submit=Tokens.create,
        no_validate=True,
        class_name="mz-form",
    )  # fmt: skip


def _question() -> rx.Component:
    return dialog(
        rx.el.p(t("Programs that use it are refused from now on. This cannot be undone."), class_name="mz-dialog-text"),
        id="revoke-token",
        title=t("Revoke {name}?", name=Tokens.doomed_name),
        open=Tokens.doomed != "",
        on_close=Tokens.doom(""),
        actions=[
            button(t("Cancel"), on_click=Tokens.doom("")),
            button(t("Revoke"), variant="danger", on_click=Tokens.revoke),
        ],
    )
