"""The plans page: what there is, what I have, and the way from one to the other (F-112, F-137)."""

from typing import Any

import reflex as rx

from mozaiks_shell.billing.state import Plans
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import (
    Variant,
    badge,
    button,
    card,
    close_button,
    dialog,
    dialog_button,
    grid,
    icon,
    notice,
    page_header,
    row,
    skeleton,
    stack,
)
from mozaiks_shell.ui.page import page


@page(
    "/plans",
    title=msg("Plans"),
    icon="credit-card",
    access=Access.signed_in(),
    description=msg("Your plan, and what the others add."),
    order=890,
    on_load=Plans.enter,
)
def plans() -> rx.Component:
    """Period line, then a card per plan."""
    return rx.fragment(
        page_header(t("Plans"), t("Your plan, and what the others add.")),
        rx.cond(Plans.loaded, _loaded(), skeleton(6)),
    )


def _loaded() -> rx.Component:
    return stack(
        _payment(),
        rx.cond(Plans.error != "", notice(Plans.error, "danger"), rx.fragment()),
        card(
            row(
                rx.cond(Plans.alert, rx.el.span(icon("triangle-alert"), style={"color": "var(--color-warning)"}), rx.fragment()),
                rx.el.p(Plans.line, aria_live="polite", style={"flex": "1 1 16rem"}),
                rx.cond(
                    Plans.can_portal,
                    button(t("Cards and invoices"), icon("external-link"), on_click=Plans.open_portal),
                    rx.fragment(),
                ),
                rx.cond(Plans.can_cancel, dialog_button("cancel-plan", t("Cancel plan"), variant="ghost"), rx.fragment()),
            ),
        ),
        grid(rx.foreach(Plans.cards, lambda one: _plan(one)), class_name="mz-grid-fill"),
        rx.cond(
            Plans.ask_admin,
            notice(t("An administrator sets plans here. Ask one to change yours.")),
            rx.fragment(),
        ),
        dialog(
            rx.el.p(Plans.cancel_text),
            id="cancel-plan",
            title=t("Cancel your plan?"),
            actions=[
                close_button("cancel-plan", t("Keep it")),
                close_button("cancel-plan", t("Cancel plan"), variant="danger", on_click=Plans.cancel),
            ],
        ),
        gap=5,
    )


def _payment() -> rx.Component:
    check = button(t("Check again"), small=True, on_click=Plans.check_again)
    return rx.match(
        Plans.payment,
        ("waiting", notice(Plans.payment_text, "accent")),
        ("late", notice(Plans.payment_text, "warning", check)),
        ("done", notice(Plans.payment_text, "success")),
        rx.fragment(),
    )


def _plan(one: Any) -> rx.Component:
    # The wanted plan and the current one are told by a badge in words; the outline repeats it.
    marked = one["current"].to(bool) | one["wanted"].to(bool)
    price = rx.el.p(
        rx.el.span(one["price"], style={"font_size": "1.75rem", "font_weight": "650", "letter_spacing": "-0.02em"}),
        rx.cond(one["per"] != "", rx.el.span(" ", one["per"], class_name="mz-muted"), rx.fragment()),
    )
    head = rx.el.div(
        rx.el.h2(one["title"], class_name="mz-card-title"),
        rx.cond(one["current"], badge(t("Your plan"), "accent"), rx.fragment()),
        rx.cond(one["wanted"], badge(t("Needed"), "warning"), rx.fragment()),
        class_name="mz-card-head",
        style={"min_height": "24px", "margin_bottom": "0"},
    )
    features = rx.el.ul(
        rx.foreach(
            one["features"].to(list[str]),
            lambda text: rx.el.li(
                rx.el.span(icon("check"), style={"color": "var(--color-success)", "flex": "none"}),
                rx.el.span(t(text.to(str))),
                style={"display": "flex", "gap": "8px", "align_items": "baseline"},
            ),
        ),
        style={"display": "grid", "gap": "6px", "list_style": "none", "padding": "0", "margin": "0"},
    )
    choose = rx.cond(
        one["action"] == "choose",
        rx.cond(one["main"], _choose(one, "primary"), _choose(one, "secondary")),
        rx.fragment(),
    )
    return rx.el.article(
        head,
        price,
        rx.cond(one["description"] != "", rx.el.p(t(one["description"].to(str)), class_name="mz-muted"), rx.fragment()),
        features,
        choose,
        aria_label=one["title"],
        class_name="mz-card",
        style={
            "display": "flex",
            "flex_direction": "column",
            "gap": "14px",
            "border_color": rx.cond(marked, "var(--color-accent)", "var(--color-line)"),
        },
    )


def _choose(one: Any, variant: Variant) -> rx.Component:
    grown = {"margin_top": "auto", "width": "100%"}
    return button(one["label"], variant=variant, on_click=Plans.choose(one["name"]), style=grown)
