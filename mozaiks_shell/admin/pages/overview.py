"""The operator's first page: how the app does, what is broken, what happened."""

import reflex as rx

from mozaiks_shell.admin.builds_parts import builds_card
from mozaiks_shell.admin.plugins_parts import state_badge
from mozaiks_shell.admin.state import AuditLine, Figure, Overview, PluginLine
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import card, empty_state, grid, link, link_button, page_header, skeleton, stack, table
from mozaiks_shell.ui.page import page


def _figure(figure: Figure) -> rx.Component:
    return card(
        rx.el.p(figure["name"], class_name="mz-muted mz-small"),
        rx.el.p(figure["value"], class_name="mz-figure"),
        rx.el.p(figure["help"], class_name="mz-muted mz-small"),
    )


def _plugin(line: PluginLine) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            link(line["name"], href=rx.Var.create(line["href"])),
            " ",
            rx.el.span(line["version"], class_name="mz-muted"),
            scope="row",
            class_name="mz-cell-name",
        ),
        rx.el.td(state_badge(line)),
        rx.el.td(line["reason"], class_name="mz-cell-text"),
    )


def _act(line: AuditLine) -> rx.Component:
    who = rx.el.td(line["actor"], title=line["actor_id"], class_name="mz-cell-name")
    return rx.el.tr(
        rx.el.td(t_date(line["at"]), class_name="mz-cell-line"), rx.el.td(line["act"], class_name="mz-cell-line"), who
    )


@page(
    "/admin",
    title=msg("Admin"),
    icon="shield-check",
    access=Access.role("admin"),
    description=msg("People, plugins and security-relevant activity of this installation."),
    order=950,
    on_load=Overview.load,
)
def overview() -> rx.Component:
    """Figures, plugin states, builds where there are any, audit."""
    plugins = rx.cond(
        Overview.plugins,
        table([t("Plugin"), t("State"), t("Reason")], rx.foreach(Overview.plugins, _plugin), caption=t("Plugins")),
        empty_state("blocks", t("No plugins"), t("Put a folder into plugins/ and start again.")),
    )
    acts = rx.cond(
        Overview.acts,
        table([t("When"), t("What"), t("Who")], rx.foreach(Overview.acts, _act), caption=t("Recent activity")),
        empty_state("shield-check", t("Nothing yet"), t("Sign-ins, plan changes and plugin failures are listed here.")),
    )
    return rx.fragment(
        page_header(t("Admin"), t("How this installation is doing.")),
        rx.cond(
            Overview.loaded,
            stack(
                grid(rx.foreach(Overview.figures, _figure), class_name="mz-figures"),
                card(plugins, title=t("Plugins"), actions=[link_button(t("All plugins"), "/admin/plugins", small=True)]),
                rx.cond(Overview.builds, builds_card(Overview.builds), rx.fragment()),
                card(acts, title=t("Recent activity")),
                gap=5,
            ),
            skeleton(6),
        ),
    )
