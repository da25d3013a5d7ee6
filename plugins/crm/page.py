"""The page at ``/plugins/crm``: the board. What the palette and the start page offer is in ``offers.py``."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from .board_state import BAR_STEP, CHART_HEIGHT, TITLES, Board
from .models import STAGES
from .offers import pipeline_section as pipeline_section

_LEAD = msg("From the first word to the signature.")


@sdk.page(on_load=Board.load, description=_LEAD, order=42, shortcut="g d", keywords="crm pipeline sales")
def deals() -> rx.Component:
    """Stages side by side; every deal can be moved with the keyboard."""
    new = ui.button(ui.icon("plus"), t("New deal"), variant="primary", on_click=Board.add("lead"))
    people = ui.link_button(t("Contacts"), "/plugins/crm/contacts", icon_name="users")
    firms = ui.link_button(t("Companies"), "/plugins/crm/companies", icon_name="building-2")
    first = ui.button(ui.icon("plus"), t("Add the first deal"), variant="primary", on_click=Board.add("lead"))
    nothing = ui.card(
        ui.empty_state("handshake", t("No deals yet"), t("Write down what you might sell, to whom, and for how much."), first)
    )
    waiting = ui.grid(*[ui.card(ui.skeleton(4)) for _ in STAGES])
    return rx.el.div(
        ui.page_header(t("Deals"), t(_LEAD), [people, firms, new]),
        rx.cond(Board.ready, rx.cond(Board.total > 0, ui.stack(_board(), _chart(), gap=6), nothing), waiting),
        _form(),
        _delete_question(),
    )


def _board() -> rx.Component:
    return rx.el.div(
        rx.foreach(Board.columns, _column),
        class_name="grid gap-3 items-start sm:grid-cols-2 lg:grid-flow-col lg:auto-cols-fr lg:grid-cols-none",
    )


def _column(column: Any) -> rx.Component:
    head = rx.el.div(
        rx.el.h2(t(column["title"].to(str)), class_name="mz-strong"),
        ui.badge(column["count"].to(str)),
        rx.el.span(
            sdk.i18n.t_money(column["amount"].to(float), Board.currency), class_name="mz-muted mz-small ms-auto tabular-nums"
        ),
        class_name="flex flex-wrap items-center gap-2 px-1",
    )
    cards = rx.el.ul(
        rx.foreach(column["cards"].to(list[dict[str, Any]]), _card),
        aria_label=t(column["title"].to(str)),
        class_name="flex flex-col gap-2",
    )
    empty = rx.el.p(t("Nothing here."), class_name="mz-muted mz-small px-1 pb-1")
    return rx.el.section(
        head,
        rx.cond(column["count"].to(int) > 0, cards, empty),
        key=column["stage"].to(str),
        class_name="flex flex-col gap-2 min-w-0 p-2 rounded-[var(--radius-lg)] bg-[var(--color-hover)]",
    )


def _card(card: Any) -> rx.Component:
    title = rx.el.button(
        card["title"],
        type="button",
        on_click=Board.edit(card["id"].to(str)),
        aria_label=t("Edit {title}", title=card["title"].to(str)),
        class_name="mz-strong text-start wrap-anywhere cursor-pointer hover:underline underline-offset-4",
    )
    closes = rx.cond(card["late"].to(bool), ui.badge(card["closes"].to(str), "danger"), ui.badge(card["closes"].to(str)))
    quiet = ui.badge(sdk.i18n.tn("quiet for {count} day", "quiet for {count} days", card["quiet"].to(int)), "warning")
    stage = ui.select(
        [(stage, t(TITLES[stage])) for stage in STAGES],
        value=card["stage"].to(str),
        on_change=lambda chosen: Board.move(card["id"].to(str), chosen),
        aria_label=t("Stage of {title}", title=card["title"].to(str)),
        auto_focus=Board.moved == card["id"].to(str),
        class_name="!min-h-8 !py-0 !text-[.8125rem]",
    )
    return rx.el.li(
        ui.card(
            ui.stack(
                title,
                rx.cond(
                    card["company"] != "",
                    rx.el.span(card["company"], class_name="mz-muted mz-small wrap-anywhere"),
                    rx.fragment(),
                ),
                rx.el.span(sdk.i18n.t_money(card["amount"].to(float), Board.currency), class_name="tabular-nums"),
                rx.cond(
                    (card["closes"] != "") | (card["quiet"].to(int) > 0),
                    ui.row(
                        rx.cond(card["closes"] != "", closes, rx.fragment()),
                        rx.cond(card["quiet"].to(int) > 0, quiet, rx.fragment()),
                        gap=1,
                    ),
                    rx.fragment(),
                ),
                stage,
                gap=1,
            ),
            class_name="!p-3",
        ),
        key=card["id"].to(str),
    )


def _chart() -> rx.Component:
    """Bars drawn as SVG; the amounts are texts, so a screen reader reads them as a list."""

    def bar(one: Any) -> rx.Component:
        return rx.el.svg.rect(
            x=one["x"].to(int) + 8, y=one["y"].to(int), width=BAR_STEP - 16, height=one["height"].to(int),
            class_name="fill-[var(--color-accent)]",
        )  # fmt: skip

    def line(one: Any) -> rx.Component:
        return rx.el.li(
            rx.el.span(one["label"], class_name="block mz-muted"),
            rx.el.span(sdk.i18n.t_number(one["amount"].to(float)), class_name="block tabular-nums"),
            class_name="text-center mz-small min-w-0 wrap-anywhere",
        )

    width = BAR_STEP * 6
    drawing = rx.el.svg(
        rx.foreach(Board.bars, bar),
        rx.el.svg.line(x1=0, x2=width, y1=CHART_HEIGHT, y2=CHART_HEIGHT, class_name="stroke-[var(--color-line-strong)]"),
        view_box=f"0 0 {width} {CHART_HEIGHT + 1}",
        class_name="w-full h-32",
        custom_attrs={"preserveAspectRatio": "none", "aria-hidden": "true"},
    )
    months = rx.el.ol(rx.foreach(Board.bars, line), class_name="grid grid-cols-6 mt-2", aria_label=t("Won by month"))
    figures = rx.el.dl(
        _figure(t("Won in six months"), Board.won), _figure(t("Still open"), Board.expected), class_name="flex gap-8"
    )
    return ui.card(figures, rx.el.div(drawing, months, class_name="mt-4 max-w-2xl"), title=t("Won by month"))


def _figure(label: Any, amount: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(label, class_name="mz-muted mz-small"),
        rx.el.dd(sdk.i18n.t_money(amount, Board.currency), class_name="mz-figure tabular-nums"),
    )


def _form() -> rx.Component:
    form = rx.el.form(
        ui.stack(
            rx.cond(Board.error != "", ui.notice(Board.error, "danger"), rx.fragment()),
            ui.field(
                t("What is it about?"),
                ui.text_input(name="title", default_value=Board.form["title"], max_length=160, auto_focus=True),
            ),
            ui.field(
                t("Company"),
                ui.text_input(
                    name="company", default_value=Board.form["company"], max_length=120, list="crm-companies", auto_complete="off"
                ),
            ),
            rx.el.datalist(rx.foreach(Board.companies, lambda one: rx.el.option(value=one)), id="crm-companies"),
            ui.row(
                rx.el.div(
                    ui.field(t("Amount"), ui.text_input(name="amount", default_value=Board.form["amount"], input_mode="decimal")),
                    class_name="flex-1",
                ),
                rx.el.div(
                    ui.field(t("Expected by"), ui.text_input(name="closes", type="date", default_value=Board.form["closes"])),
                    class_name="flex-1",
                ),
            ),
            ui.field(
                t("Stage"),
                ui.select([(stage, t(TITLES[stage])) for stage in STAGES], name="stage", default_value=Board.form["stage"]),
            ),
            ui.row(
                rx.cond(
                    Board.deal_id != "",
                    ui.button(t("Delete"), variant="danger", on_click=Board.ask(Board.deal_id), class_name="me-auto"),
                    rx.fragment(),
                ),
                ui.button(t("Cancel"), on_click=Board.close),
                ui.button(t("Save"), type="submit", variant="primary"),
                gap=2,
                class_name="mz-dialog-foot",
            ),
        ),
        on_submit=Board.save,
        key=Board.form_key.to_string(),
        no_validate=True,
    )
    title = rx.cond(Board.deal_id != "", t("Edit the deal"), t("New deal"))
    return ui.dialog(
        rx.cond(Board.editing, form, rx.fragment()), id="crm-deal", title=title, open=Board.editing, on_close=Board.close
    )


def _delete_question() -> rx.Component:
    return ui.dialog(
        rx.el.p(t("“{title}” will be gone for good.", title=Board.asking_title)),
        id="crm-delete-deal",
        title=t("Delete this deal?"),
        open=Board.asking != "",
        on_close=Board.keep,
        actions=[ui.button(t("Keep it"), on_click=Board.keep), ui.button(t("Delete"), variant="danger", on_click=Board.delete)],
    )
