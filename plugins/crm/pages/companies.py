"""The page at ``/plugins/crm/companies``."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from ..contacts_state import Firms

_LEAD = msg("Whom you do business with.")


@sdk.page(
    "/companies",
    title=msg("Companies"),
    description=_LEAD,
    icon="building-2",
    parent="/plugins/crm",
    on_load=Firms.load,
    order=44,
)
def companies() -> rx.Component:
    """Add and look up companies."""
    form = rx.el.form(
        ui.row(
            rx.el.div(
                ui.field(t("New company"), ui.text_input(name="name", max_length=120, auto_complete="off"), error=Firms.error),
                class_name="grow basis-56",
            ),
            rx.el.div(
                ui.field(t("Website"), ui.text_input(name="website", max_length=300, auto_complete="off")),
                class_name="grow basis-56",
            ),
            ui.button(ui.icon("plus"), t("Add"), type="submit", variant="primary", class_name="mt-[1.65rem]"),
            class_name="items-start",
        ),
        on_submit=Firms.add,
        key="add-" + Firms.added.to_string(),
        no_validate=True,
    )
    return rx.el.div(
        ui.page_header(t("Companies"), t(_LEAD)),
        ui.stack(ui.card(form), rx.cond(Firms.ready, _list(), ui.card(ui.skeleton(4)))),
    )


def _list() -> rx.Component:
    search = ui.text_input(
        type="search",
        placeholder=t("Search"),
        aria_label=t("Search companies"),
        default_value=Firms.search,
        on_change=Firms.look_for.debounce(250),
        class_name="sm:max-w-72",
    )
    tiles = rx.el.ul(rx.foreach(Firms.firms, _tile), aria_label=t("Companies"), class_name="mz-grid mz-tiles")
    nothing = ui.empty_state(
        "building-2", t("No companies yet"), t("Add one above, or name it when you write down a contact or a deal.")
    )
    lost = ui.empty_state("search", t("Nothing found"), t("No company has this in its name."))
    return rx.cond(
        (Firms.firms.length() == 0) & (Firms.search == ""),
        ui.card(nothing),
        ui.stack(search, rx.cond(Firms.firms.length() > 0, tiles, ui.card(lost))),
    )


def _tile(one: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(one["name"], class_name="mz-tile-title wrap-anywhere"),
        rx.el.span(sdk.i18n.tn("{count} contact", "{count} contacts", one["people"].to(int)), class_name="mz-tile-text"),
        class_name="mz-tile-words",
    )
    mark = rx.el.span(ui.icon("building-2", 18), class_name="mz-tile-icon")
    return rx.el.li(ui.link(mark, words, href=one["path"].to(str), class_name="mz-tile"), key=one["id"].to(str))
