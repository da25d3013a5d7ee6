"""The page at ``/plugins/crm/contacts``: the address book, with what the plan allows."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from ..contacts_state import Book

_LEAD = msg("People you talk to.")


@sdk.page("/contacts", title=msg("Contacts"), description=_LEAD, icon="users", parent="/plugins/crm", on_load=Book.load, order=43)
def contacts() -> rx.Component:
    """Look up, add, edit, import and export contacts."""
    return rx.el.div(
        ui.page_header(t("Contacts"), t(_LEAD), _actions()),
        ui.stack(
            rx.cond(Book.told != "", ui.notice(Book.told, "success"), rx.fragment()),
            rx.cond(Book.refused != "", ui.notice(Book.refused, "danger"), rx.fragment()),
            rx.cond(
                Book.problems.length() > 0, ui.notice(rx.el.ul(rx.foreach(Book.problems, rx.el.li)), "warning"), rx.fragment()
            ),
            rx.cond(Book.ready & (Book.allowed >= 0), _room(), rx.fragment()),
            rx.cond(Book.ready, _list(), ui.card(ui.skeleton(6))),
        ),
        _form(),
        _import(),
        _delete_question(),
    )


def _actions() -> list[rx.Component]:
    export = ui.link_button(t("Export"), "/api/plugins/crm/contacts.csv", icon_name="download", custom_attrs={"download": ""})
    locked = ui.link_button(t("Export with {plan}", plan=t(Book.needed)), "/plans", icon_name="lock")
    return [
        rx.cond(Book.may_export | ~Book.ready, export, locked),
        ui.button(ui.icon("upload"), t("Import"), on_click=Book.bring),
        ui.button(ui.icon("plus"), t("New contact"), variant="primary", on_click=Book.add),
    ]


def _room() -> rx.Component:
    """How many contacts the plan has room for."""
    used = t("{used} of {allowed} contacts", used=Book.total, allowed=Book.allowed)
    more = ui.link_button(t("More with {plan}", plan=t(Book.needed)), "/plans", small=True)
    share = (Book.total * 100 / Book.allowed).to_string() + "%"
    bar = rx.el.div(
        rx.el.div(style={"inline_size": share}, class_name="h-full rounded-full bg-[var(--color-accent)]"),
        aria_hidden="true",
        class_name="h-1.5 w-full sm:w-48 rounded-full overflow-hidden bg-[var(--color-line)]",
    )
    full = ui.notice(
        t("The address book is full: {used} of {allowed} contacts.", used=Book.total, allowed=Book.allowed), "warning", more
    )
    return rx.cond(Book.full, full, ui.row(rx.el.span(used, class_name="mz-muted mz-small tabular-nums"), bar))


def _list() -> rx.Component:
    search = ui.text_input(
        type="search",
        placeholder=t("Search"),
        aria_label=t("Search contacts"),
        default_value=Book.search,
        on_change=Book.look_for.debounce(250),
        class_name="sm:max-w-72",
    )
    lines = ui.table(
        [t("Name"), t("Company"), t("E-mail"), t("Phone"), rx.el.span(t("Actions"), class_name="mz-hidden")],
        rx.foreach(Book.people, _line),
        caption=t("Contacts"),
    )
    first = ui.row(
        ui.button(ui.icon("plus"), t("New contact"), variant="primary", on_click=Book.add),
        ui.button(ui.icon("upload"), t("Import"), on_click=Book.bring),
        gap=2,
        class_name="mt-4 justify-center",
    )
    empty = ui.empty_state("contact", t("No contacts yet"), t("Add the first one, or bring a CSV file along."), first)
    nothing = ui.empty_state("search", t("Nothing found"), t("No contact has all of these words."))
    return rx.cond(
        (Book.total == 0) & (Book.search == ""),
        ui.card(empty),
        ui.stack(search, rx.cond(Book.people.length() > 0, lines, ui.card(nothing))),
    )


def _line(one: Any) -> rx.Component:
    company = rx.cond(one["company_path"] != "", ui.link(one["company"], href=one["company_path"].to(str)), rx.fragment())
    mail = rx.cond(one["email"] != "", ui.link(one["email"], href="mailto:" + one["email"].to(str), outside=True), rx.fragment())
    tools = ui.row(
        ui.button(
            ui.icon("pencil"), variant="ghost", small=True, aria_label=t("Edit {title}", title=one["name"].to(str)),
            on_click=Book.edit(one["id"].to(str)),
        ),
        ui.button(
            ui.icon("trash-2"), variant="ghost", small=True, aria_label=t("Delete {title}", title=one["name"].to(str)),
            on_click=Book.ask(one["id"].to(str)),
        ),
        gap=1,
        class_name="justify-end flex-nowrap",
    )  # fmt: skip
    return rx.el.tr(
        rx.el.th(one["name"], scope="row", class_name="mz-cell-name"),
        rx.el.td(company),
        rx.el.td(mail),
        rx.el.td(one["phone"], class_name="mz-cell-line"),
        rx.el.td(tools),
        key=one["id"].to(str),
    )


def _form() -> rx.Component:
    def line(label: Any, name: str, **props: Any) -> rx.Component:
        return ui.field(label, ui.text_input(name=name, default_value=Book.form[name], auto_complete="off", **props))

    form = rx.el.form(
        ui.stack(
            rx.cond(Book.error != "", ui.notice(Book.error, "danger"), rx.fragment()),
            line(t("Name"), "name", max_length=120, auto_focus=True),
            line(t("E-mail"), "email", type="email", max_length=254),
            line(t("Phone"), "phone", type="tel", max_length=60),
            line(t("Company"), "company", max_length=120, list="crm-firms"),
            rx.el.datalist(rx.foreach(Book.companies, lambda one: rx.el.option(value=one)), id="crm-firms"),
            ui.field(t("Note"), ui.text_area(name="note", default_value=Book.form["note"], max_length=2000, rows=3)),
            ui.row(
                ui.button(t("Cancel"), on_click=Book.close),
                ui.button(t("Save"), type="submit", variant="primary"),
                gap=2,
                class_name="mz-dialog-foot",
            ),
        ),
        on_submit=Book.save,
        key=Book.form_key.to_string(),
        no_validate=True,
    )
    title = rx.cond(Book.contact_id != "", t("Edit the contact"), t("New contact"))
    return ui.dialog(
        rx.cond(Book.editing, form, rx.fragment()), id="crm-contact", title=title, open=Book.editing, on_close=Book.close
    )


def _import() -> rx.Component:
    file = rx.el.input(type="file", name="file", accept=".csv,text/csv", required=True, class_name="mz-input")
    form = rx.el.form(
        ui.stack(
            ui.field(
                t("CSV file"),
                file,
                help=t("Its first line names the columns: name, email, phone, company, note."),
            ),
            ui.row(
                ui.button(t("Cancel"), on_click=Book.close),
                ui.button(t("Import"), type="submit", variant="primary"),
                gap=2,
                class_name="mz-dialog-foot",
            ),
        ),
        action="/api/plugins/crm/contacts.csv",
        method="post",
        enc_type="multipart/form-data",
    )
    return ui.dialog(form, id="crm-import", title=t("Import contacts"), open=Book.importing, on_close=Book.close)


def _delete_question() -> rx.Component:
    return ui.dialog(
        rx.el.p(t("“{title}” will be gone for good.", title=Book.asking_name)),
        id="crm-delete-contact",
        title=t("Delete this contact?"),
        open=Book.asking != "",
        on_close=Book.keep,
        actions=[ui.button(t("Keep it"), on_click=Book.keep), ui.button(t("Delete"), variant="danger", on_click=Book.delete)],
    )
