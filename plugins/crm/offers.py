"""What the palette and the start page have of the plugin. ``page.py`` imports it."""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from . import contacts, deals
from .board_state import Pipeline

sdk.commands.register(msg("New deal"), run="/plugins/crm?new=deal", icon="handshake", keywords="crm sale opportunity")
sdk.commands.register(msg("New contact"), run="/plugins/crm/contacts?new=contact", icon="contact", keywords="crm person")


@sdk.search.provider(msg("Deals and contacts"))
async def in_palette(query: str) -> list[sdk.search.Result]:
    """Contacts, companies and deals with these words."""
    people = [
        sdk.search.Result(one.name, f"/plugins/crm/contacts?contact={one.id}", company or one.email, "contact")
        for one, company in await contacts.find(query, limit=4)
    ]
    firms = [
        sdk.search.Result(one.name, f"/plugins/crm/companies/{one.id}", one.website, "building-2")
        for one, _ in (await contacts.companies(query))[:3]
    ]
    sales = [
        sdk.search.Result(one.title, f"/plugins/crm?deal={one.id}", company, "handshake")
        for one, company in await deals.find(search=query, limit=4)
    ]
    return [*people, *firms, *sales][:8]


@sdk.dashboard.section(msg("Open deals"), on_load=Pipeline.load, place="side", order=60)
def pipeline_section() -> rx.Component:
    """How much is in which stage."""

    def stage(one: Any) -> rx.Component:
        return rx.el.div(
            rx.el.dt(t(one["title"].to(str)), class_name="grow"),
            rx.el.dd(one["count"], class_name="mz-muted tabular-nums"),
            rx.el.dd(sdk.i18n.t_money(one["amount"].to(float), Pipeline.currency), class_name="tabular-nums"),
            class_name="flex gap-3 py-0.5",
        )

    some = rx.el.dl(rx.foreach(Pipeline.columns, stage), class_name="mz-small")
    go = ui.link_button(t("Open the board"), "/plugins/crm", small=True, class_name="mz-card-action")
    nothing = rx.el.p(t("No deal is open."), class_name="mz-muted mz-small")
    return rx.fragment(rx.cond(Pipeline.total > 0, some, nothing), go)
