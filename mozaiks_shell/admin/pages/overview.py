"""The operator's first page: how the app does, what is broken, what happened."""

import reflex as rx

from mozaiks_shell.admin.state import AuditLine, Figure, Overview, PluginLine
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.ui.kit import badge, card, empty_state, grid, page_header, skeleton, stack, table
from mozaiks_shell.ui.page import page


def _figure(figure: Figure) -> rx.Component:
    return card(
        rx.el.p(figure["name"], class_name="mz-muted mz-small"),
        rx.el.p(figure["value"], class_name="mz-figure"),
        rx.el.p(figure["help"], class_name="mz-muted mz-small"),
    )


def _plugin(line: PluginLine) -> rx.Component:
    return rx.el.tr(
        rx.el.th(line["name"], " ", rx.el.span(line["version"], class_name="mz-muted"), scope="row", class_name="mz-cell-name"),
        rx.el.td(badge(line["state"], tone=rx.Var.create(line["tone"]))),
        rx.el.td(line["reason"], class_name="mz-cell-text"),
    )


def _act(line: AuditLine) -> rx.Component:
    who = rx.el.td(line["actor"], title=line["actor_id"], class_name="mz-cell-name")
    return rx.el.tr(rx.el.td(line["at"], class_name="mz-cell-line"), rx.el.td(line["act"], class_name="mz-cell-line"), who)


@page(
    "/admin",
    title="Admin",
    icon="shield-check",
    access=Access.role("admin"),
    description="People, plugins and security-relevant acts of this installation.",
    order=950,
    on_load=Overview.load,
)
def overview() -> rx.Component:
    """Figures, plugin states, audit."""
    plugins = rx.cond(
        Overview.plugins,
        table(["Plugin", "State", "Reason"], rx.foreach(Overview.plugins, _plugin), caption="Plugins"),
        empty_state("blocks", "No plugins", "Put a folder into plugins/ and start again."),
    )
    acts = rx.cond(
        Overview.acts,
        table(["When (UTC)", "What", "Who"], rx.foreach(Overview.acts, _act), caption="Latest acts"),
        empty_state("shield-check", "Nothing yet", "Sign-ins, plan changes and plugin failures are listed here."),
    )
    return rx.fragment(
        page_header("Admin", "How this installation does."),
        rx.cond(
            Overview.loaded,
            stack(
                grid(rx.foreach(Overview.figures, _figure), class_name="mz-figures"),
                card(plugins, title="Plugins"),
                card(acts, title="Latest acts"),
                gap=5,
            ),
            skeleton(6),
        ),
    )
