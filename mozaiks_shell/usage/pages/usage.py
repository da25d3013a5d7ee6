"""The usage page: what was used by period, workflow, model and person, and what may still be used (F-252)."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t, tn
from mozaiks_shell.ui.kit import (
    badge,
    button,
    card,
    card_row,
    dialog,
    empty_state,
    grid,
    link_button,
    notice,
    page_header,
    row,
    skeleton,
    stack,
    switch,
    table,
)
from mozaiks_shell.ui.kit._props import Child
from mozaiks_shell.ui.page import page
from mozaiks_shell.usage.state import Usage

_ABOUT = msg("What chats used, and what may still be used.")


@page(
    "/usage",
    title=msg("Usage"),
    icon="gauge",
    access=Access.signed_in(),
    description=_ABOUT,
    order=880,
    in_nav=False,
    keywords="tokens cost budget limit csv export",
    on_load=Usage.enter,
)
def usage() -> rx.Component:
    """Period and whose, budgets, figures, tables."""
    export = link_button(t("Export as CSV"), Usage.export, icon_name="download", small=True, outside=True, download="")
    return rx.fragment(
        page_header(t("Usage"), t(_ABOUT), actions=[export]),
        rx.cond(Usage.failed, _failed(), rx.cond(Usage.loaded, _loaded(), skeleton(6))),
    )


def _failed() -> rx.Component:
    again = button(t("Try again"), small=True, on_click=Usage.again)
    return notice(t("This could not be read just now. What was counted is safe."), "danger", again)


def _loaded() -> rx.Component:
    return stack(
        row(
            rx.el.div(
                _period("today", t("Today")),
                _period("month", t("This month")),
                _period("all", t("In all")),
                role="group",
                aria_label=t("Period"),
                style={"display": "flex", "flex_wrap": "wrap", "gap": "6px", "flex": "1 1 auto"},
            ),
            rx.cond(
                Usage.may_see_all,
                switch(t("Everybody"), checked=Usage.everybody, on_change=Usage.whole_app),
                rx.fragment(),
            ),
        ),
        rx.foreach(Usage.gauges, _gauge),
        grid(
            _figure(t("Tokens"), Usage.tokens),
            _figure(t("Model calls"), Usage.calls),
            rx.cond(Usage.cost != "", _figure(t("Cost"), Usage.cost), rx.fragment()),
            class_name="mz-figures",
        ),
        rx.cond(
            Usage.unpriced > 0,
            notice(
                tn(
                    "{count} call of a model without a price is not in the cost.",
                    "{count} calls of models without a price are not in the cost.",
                    Usage.unpriced,
                ),
                "warning",
            ),
            rx.fragment(),
        ),
        rx.cond(Usage.invoice, _invoice(), rx.fragment()),
        rx.cond(
            Usage.workflows,
            stack(
                _table(t("By day"), t("Day"), Usage.days, rx.cond(Usage.bars, _chart(), rx.fragment())),
                _table(t("By workflow"), t("Workflow"), Usage.workflows),
                _table(t("By model"), t("Model"), Usage.models),
                rx.cond(Usage.people, _table(t("By person"), t("Person"), Usage.people), rx.fragment()),
                gap=5,
            ),
            empty_state(
                "gauge",
                t("Nothing used"),
                t("Nothing used yet. What your chats use is counted here."),
                link_button(t("Open chat"), "/chat", small=True),
            ),
        ),
        rx.cond(Usage.bills, _reports(), rx.fragment()),
        gap=5,
    )


def _invoice() -> rx.Component:
    """What the month costs so far, whatever period is chosen above."""
    whole = rx.el.div(
        rx.el.dt(t("So far")), rx.el.dd(Usage.invoice_sum, class_name="mz-bill-cost"), class_name="mz-bill-line mz-bill-sum"
    )
    return card(
        rx.el.dl(rx.foreach(Usage.invoice, _item), whole, class_name="mz-bill"),
        rx.el.p(Usage.invoice_note, class_name="mz-muted mz-small"),
        title=t("This month's costs"),
    )


def _item(one: Any) -> rx.Component:
    what = rx.el.dt(rx.el.span(one["model"]), rx.el.span(one["what"], class_name="mz-muted mz-small"))
    return rx.el.div(what, rx.el.dd(one["cost"], class_name="mz-bill-cost"), class_name="mz-bill-line")


def _period(name: str, label: Child) -> rx.Component:
    chosen = button(label, variant="primary", small=True, aria_pressed="true", on_click=Usage.choose(name))
    other = button(label, small=True, aria_pressed="false", on_click=Usage.choose(name))
    return rx.cond(Usage.period == name, chosen, other)


def _figure(name: Child, value: Child) -> rx.Component:
    return card(rx.el.p(name, class_name="mz-muted mz-small"), rx.el.p(value, class_name="mz-figure"))


def _gauge(one: Any) -> rx.Component:
    share = one["share"].to(int)
    fill = rx.el.div(
        style={
            "block_size": "100%",
            "inline_size": share.to(str) + "%",
            "border_radius": "inherit",
            "background": rx.match(
                one["tone"],
                ("danger", "var(--color-danger)"),
                ("warning", "var(--color-warning)"),
                "var(--color-accent)",
            ),
        }
    )
    bar = rx.el.div(
        fill,
        role="progressbar",
        aria_label=one["title"],
        aria_valuenow=share,
        aria_valuemin=0,
        aria_valuemax=100,
        style={
            "block_size": "8px",
            "margin_block": "8px",
            "border_radius": "999px",
            "overflow": "hidden",
            "background": "var(--color-line-strong)",
        },
    )
    state = rx.match(
        one["tone"], ("danger", badge(t("Used up"), "danger")), ("warning", badge(t("Running out"), "warning")), rx.fragment()
    )  # fmt: skip
    return card(
        row(rx.el.p(one["text"], style={"flex": "1 1 12rem"}), state),
        bar,
        rx.cond(one["note"] != "", rx.el.p(one["note"], class_name="mz-muted mz-small"), rx.fragment()),
        title=one["title"],
    )


def _chart() -> rx.Component:
    bars = rx.el.div(rx.foreach(Usage.bars, _bar), class_name="mz-bars", role="img", aria_label=t("Tokens by day"))
    return rx.el.div(bars, style={"margin_block_end": "12px"})


def _bar(one: Any) -> rx.Component:
    fill = rx.el.span(class_name="mz-bar", style={"blockSize": one["share"].to(str) + "%"})
    return rx.el.span(fill, class_name="mz-bar-place", title=one["said"])


def _table(title: Child, first: Child, lines: Any, *above: rx.Component) -> rx.Component:
    heads = [first, t("Tokens"), t("Model calls"), t("Cost")]
    return card(*above, table(heads, rx.foreach(lines, _line), caption=title, cards="slim"), title=title)


def _line(one: Any) -> rx.Component:
    fill = {"block_size": "100%", "inline_size": one["share"].to(str) + "%", "background": "var(--color-accent)"}
    place = {"block_size": "3px", "margin_block_start": "3px", "border_radius": "999px", "overflow": "hidden"}
    bar = rx.el.span(rx.el.span(style={**fill, "display": "block"}), style={**place, "display": "block"}, aria_hidden="true")
    tokens = rx.el.span(one["tokens"], bar, style={"display": "block", "min_inline_size": "6rem"})
    return card_row(
        one["name"], (t("Tokens"), tokens), (t("Model calls"), one["calls"]), (t("Cost"), one["cost"]), class_name="mz-cell-name"
    )


def _reports() -> rx.Component:
    """What is billed by use, and what could not be told to the payment service (F-255)."""
    numbers = row(
        badge(t("{count} reported", count=Usage.reports["sent"]), "success"),
        badge(t("{count} waiting", count=Usage.reports["waiting"])),
        rx.cond(Usage.undelivered, badge(t("{count} failed", count=Usage.reports["failed"]), "danger"), rx.fragment()),
        gap=2,
    )
    heads = [t("Hour"), t("Person"), t("Meter"), t("Reason"), rx.el.span(t("Actions"), class_name="mz-hidden")]
    failed = table(heads, rx.foreach(Usage.undelivered, _undelivered), caption=t("Billing by use"), cards="tall")
    asked = dialog(
        rx.el.p(t("The customer is not billed for it then. This cannot be undone."), class_name="mz-dialog-text"),
        id="drop-report",
        title=t("Drop this report?"),
        open=Usage.doomed != "",
        on_close=Usage.doom(""),
        actions=[
            button(t("Cancel"), on_click=Usage.doom("")),
            button(t("Drop"), variant="danger", on_click=Usage.drop_report),
        ],
    )
    return card(
        stack(
            rx.el.p(t("Hour by hour the payment service is told what customers used."), class_name="mz-muted mz-small"),
            numbers,
            rx.cond(Usage.undelivered, failed, rx.fragment()),
        ),
        asked,
        title=t("Billing by use"),
    )


def _undelivered(one: Any) -> rx.Component:
    actions = row(
        button(t("Send again"), small=True, on_click=Usage.send_report(one["id"])),
        button(t("Drop"), small=True, variant="ghost", on_click=Usage.doom(one["id"])),
        gap=1,
        style={"flex_wrap": "nowrap", "white_space": "nowrap"},
    )
    return card_row(
        one["hour"],
        (t("Person"), one["person"]),
        (t("Meter"), one["what"]),
        (t("Reason"), rx.el.span(one["reason"], class_name="mz-cell-reason")),
        ("", actions),
        class_name="mz-cell-line",
    )
