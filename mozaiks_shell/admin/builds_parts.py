"""The card of the app's builds in the operator's overview (F-165)."""

from typing import Any

import reflex as rx

from mozaiks_shell.admin.builds_view import STATES
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import badge, card, icon, link_button, row, table


def builds_card(lines: Any) -> rx.Component:
    """Each with how far it has come, its preview and its files."""
    heads = [t("Build"), t("State"), t("Last change"), rx.el.span(t("Actions"), class_name="mz-hidden")]
    about = rx.el.p(t("What generator workflows made, on its way to people."), class_name="mz-muted mz-small mz-build-about")
    return card(about, table(heads, rx.foreach(lines, _line), caption=t("Builds")), title=t("Builds"))


def _line(one: Any) -> rx.Component:
    name = rx.el.span(
        rx.el.span(one["id"], dir="ltr", translate="no"),
        rx.cond(one["live"], badge(t("In use"), "success"), rx.fragment()),
        class_name="mz-build-name",
    )
    note = rx.cond(
        one["note"] != "", rx.el.span(one["note"], dir="auto", class_name="mz-muted mz-small mz-build-note"), rx.fragment()
    )
    sign = rx.match(one["sign"], *[(sign, icon(sign, 14)) for _, _, sign in STATES.values()], rx.fragment())
    apart: dict[str, Any] = {"target": "_blank", "rel": "noopener noreferrer", "aria_label": t("Preview: {name}", name=one["id"])}
    preview = link_button(rx.el.span(t("Preview")), one["preview"].to(str), small=True, icon_name="eye", outside=True, **apart)
    named = t("Download: {name}", name=one["id"])
    files = link_button(
        rx.el.span(t("Download")), one["files"].to(str), small=True, icon_name="download", outside=True, aria_label=named
    )  # fmt: skip
    return rx.el.tr(
        rx.el.th(name, note, scope="row", class_name="mz-cell-name"),
        rx.el.td(rx.el.span(sign, one["label"], class_name="mz-badge mz-plug-state mz-tone-" + one["tone"].to(str))),
        rx.el.td(rx.el.time(t_date(one["when"]), date_time=one["when"]), class_name="mz-cell-line"),
        rx.el.td(
            row(
                rx.cond(one["preview"] != "", preview, rx.fragment()),
                rx.cond(one["files"] != "", files, rx.fragment()),
                gap=2,
                class_name="mz-build-acts",
            )
        ),
    )
