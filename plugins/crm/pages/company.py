"""The page at ``/plugins/crm/companies/<id>``: a company, its contacts and its deals."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from ..contacts_state import OneFirm


@sdk.page("/companies/[company_id]", title=msg("Company"), in_nav=False, parent="/plugins/crm/companies", on_load=OneFirm.load)
def company() -> rx.Component:
    """Everything about one company."""
    waiting = rx.fragment(ui.page_header(t("Company")), ui.card(ui.skeleton(5)))
    gone = rx.fragment(
        ui.page_header(t("Company")),
        ui.card(
            ui.empty_state(
                "building-2",
                t("This company is not here"),
                t("It may have been deleted, or it belongs to somebody else."),
                ui.link_button(t("All companies"), "/plugins/crm/companies", "primary"),
            )
        ),
    )
    return rx.cond(OneFirm.ready, rx.cond(OneFirm.missing, gone, _whole()), waiting)


def _whole() -> rx.Component:
    delete = ui.button(ui.icon("trash-2"), t("Delete"), variant="danger", on_click=OneFirm.ask)
    site = ui.link(OneFirm.website, href=OneFirm.website, outside=True, target="_blank", rel="noopener noreferrer")
    return rx.fragment(
        ui.page_header(
            rx.el.span(OneFirm.name, class_name="wrap-anywhere"),
            rx.cond(OneFirm.website != "", site, rx.el.span(t("No website"))),
            [delete],
        ),
        rx.el.div(
            ui.stack(_people(), _deals()),
            ui.card(_form(), title=t("About the company")),
            class_name="grid gap-4 items-start lg:grid-cols-[1fr_20rem]",
        ),
        ui.dialog(
            rx.el.p(t("“{title}” will be gone for good; its contacts and deals stay.", title=OneFirm.name)),
            id="crm-delete-company",
            title=t("Delete this company?"),
            open=OneFirm.asking,
            on_close=OneFirm.keep,
            actions=[
                ui.button(t("Keep it"), on_click=OneFirm.keep),
                ui.button(t("Delete"), variant="danger", on_click=OneFirm.delete),
            ],
        ),
    )


def _people() -> rx.Component:
    def line(one: Any) -> rx.Component:
        words = rx.el.span(
            rx.el.span(one["name"], class_name="mz-list-title mz-truncate"),
            rx.el.span(one["email"], class_name="mz-list-text mz-truncate"),
            class_name="mz-list-words",
        )
        path = "/plugins/crm/contacts?contact=" + one["id"].to(str)
        return rx.el.li(ui.link(words, href=path, class_name="mz-list-row"), key=one["id"].to(str))

    none = rx.el.p(t("Nobody from here is in the address book."), class_name="mz-muted")
    some = rx.el.ul(rx.foreach(OneFirm.people, line), class_name="-mx-3")
    return ui.card(rx.cond(OneFirm.people.length() > 0, some, none), title=t("Contacts"))


def _deals() -> rx.Component:
    def line(one: Any) -> rx.Component:
        words = rx.el.span(
            rx.el.span(one["title"], class_name="mz-list-title mz-truncate"),
            rx.el.span(t(one["stage"].to(str)), class_name="mz-list-text"),
            class_name="mz-list-words",
        )
        amount = rx.el.span(sdk.i18n.t_money(one["amount"].to(float), OneFirm.currency), class_name="mz-small tabular-nums")
        return rx.el.li(ui.link(words, amount, href=one["path"].to(str), class_name="mz-list-row"), key=one["path"].to(str))

    none = rx.el.p(t("No deals with this company."), class_name="mz-muted")
    some = rx.el.ul(rx.foreach(OneFirm.deals, line), class_name="-mx-3")
    worth = rx.el.span(sdk.i18n.t_money(OneFirm.worth, OneFirm.currency), class_name="mz-muted mz-small tabular-nums")
    return ui.card(rx.cond(OneFirm.deals.length() > 0, some, none), title=t("Deals"), actions=[worth])


def _form() -> rx.Component:
    return rx.el.form(
        ui.stack(
            ui.field(t("Name"), ui.text_input(name="name", default_value=OneFirm.name, max_length=120), error=OneFirm.error),
            ui.field(t("Website"), ui.text_input(name="website", default_value=OneFirm.website, max_length=300)),
            ui.row(ui.button(t("Save"), type="submit", variant="primary"), class_name="justify-end"),
        ),
        on_submit=OneFirm.save,
        key=OneFirm.visit.to_string(),
        no_validate=True,
    )
