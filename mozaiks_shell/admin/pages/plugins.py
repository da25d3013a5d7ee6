"""Every plugin that was found, whatever became of it: what needs a person stands first, with what to do about it."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.admin.plugins_parts import place, said, state_badge
from mozaiks_shell.admin.plugins_state import LIST, Plugins
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import t, tn
from mozaiks_shell.ui.kit import badge, button, card, empty_state, icon, link, page_header, skeleton, stack
from mozaiks_shell.ui.page import page

view: Final[Any] = Plugins  # in components its attributes are Vars


@page(
    LIST,
    title=msg("Plugins"),
    icon="blocks",
    access=Access.role("admin"),
    description=msg("What is installed, how it is doing, and what to do about it."),
    order=952,
    parent="/admin",
    keywords="extensions modules quarantine disable enable retry log install safe mode",
    on_load=view.load,
)
def plugins() -> rx.Component:
    """Filter, search, list."""
    again = button(
        icon("refresh-cw", 15),
        t("Look again"),
        on_click=view.rescan,
        disabled=view.busy != "",
        aria_busy=view.busy == "rescan",
        title=t("Look into the plugins folders for what is new, changed or gone."),
    )
    return rx.el.div(
        page_header(t("Plugins"), t("What is installed, how it is doing, and what to do about it."), actions=[again]),
        rx.cond(
            view.loaded,
            stack(
                said(view.said, view.said_tone),
                rx.cond(view.total > 0, _list(), _none()),
                gap=4,
            ),
            card(skeleton(7)),
        ),
        class_name="mz-plugs",
    )


def _none() -> rx.Component:
    return card(
        empty_state(
            "blocks",
            t("No plugins yet"),
            t("Put a plugin's folder into plugins/, or let mozaiks-shell new plugin make one. Then look again."),
        )
    )


def _list() -> rx.Component:
    chips = rx.el.div(
        rx.foreach(view.chips, _chip), role="group", aria_label=t("Filter by state"), class_name="mz-plug-chips"
    )  # fmt: skip
    box = rx.el.div(
        icon("search", 15),
        rx.el.input(
            type="search",
            default_value=view.words,
            key=view.cleared,
            on_change=view.search.debounce(200),
            placeholder=t("Search plugins"),
            aria_label=t("Search plugins"),
            auto_complete="off",
            class_name="mz-input",
        ),
        class_name="mz-plug-search",
    )
    back = button(t("Show all"), on_click=view.everything)
    nothing = empty_state("search-x", t("No plugin matches"), t("Try other words or another state."), back)
    lines = rx.el.ul(rx.foreach(view.rows, _row), aria_label=t("Plugins"), class_name="mz-plug-list")
    rest = button(tn("{count} more", "{count} more", view.more), variant="ghost", on_click=view.show_more)
    return rx.fragment(
        rx.el.div(chips, box, class_name="mz-plug-bar"),
        rx.el.section(
            rx.cond(view.rows, lines, nothing),
            rx.cond(view.more > 0, rx.el.div(rest, class_name="mz-plug-more"), rx.fragment()),
            aria_label=t("Plugins"),
            class_name="mz-card mz-plug-card",
        ),
    )


def _chip(chip: Any) -> rx.Component:
    dot = rx.cond(chip["tone"] != "", rx.el.span(class_name="mz-plug-dot mz-tone-" + chip["tone"]), rx.fragment())
    return rx.el.button(
        dot,
        chip["label"],
        rx.el.span(chip["count"], class_name="mz-plug-count"),
        type="button",
        on_click=view.choose(chip["key"]),
        aria_pressed=rx.cond(view.chosen == chip["key"], "true", "false"),
        class_name="mz-plug-chip",
    )


def _row(row: Any) -> rx.Component:
    fine = row["cause"] == ""
    name = rx.el.div(
        link(row["title"], href=f"{LIST}/" + row["name"].to(str), class_name="mz-plug-name"),
        rx.el.span(row["version"], class_name="mz-muted mz-small"),
        rx.cond(row["quality"] != "", badge(row["quality"]), rx.fragment()),
        class_name="mz-plug-title",
    )
    wrong = rx.el.p(place(row["where"]), " ", row["cause"], dir="auto", class_name="mz-plug-cause")
    todo = rx.el.p(icon("arrow-right", 13, "", "mz-flip"), rx.el.span(row["next"], dir="auto"), class_name="mz-plug-next")
    words = rx.el.div(
        name,
        rx.cond(
            fine, rx.cond(row["text"] != "", rx.el.p(row["text"], dir="auto", class_name="mz-plug-text"), rx.fragment()), wrong
        ),
        rx.cond(row["next"] != "", todo, rx.fragment()),
        rx.cond(
            row["pip"] != "", rx.el.p(rx.el.code(row["pip"], dir="ltr", translate="no"), class_name="mz-plug-next"), rx.fragment()
        ),
        class_name="mz-plug-words",
    )
    act = rx.match(
        row["act"],
        ("retry", _act(row, "retry", t("Try again"), t("Try again: {title}", title=row["title"]))),
        ("enable", _act(row, "enable", t("Switch on"), t("Switch on: {title}", title=row["title"]))),
        rx.fragment(),
    )
    side = rx.el.div(
        state_badge(row),
        rx.cond(
            row["source"] != "",
            rx.el.span(row["source"], class_name="mz-muted mz-plug-source", dir="ltr", translate="no"),
            rx.fragment(),
        ),
        act,
        class_name="mz-plug-side",
    )
    return rx.el.li(
        rx.el.span(icon(row["icon"], 18), class_name="mz-plug-icon mz-tone-" + row["tone"].to(str)),
        words,
        side,
        class_name="mz-plug-row",
        key=row["name"],
        custom_attrs={"data-state": row["state"]},
    )


def _act(row: Any, what: str, text: Any, label: Any) -> rx.Component:
    return button(
        text,
        small=True,
        aria_label=label,
        on_click=view.act(row["name"], what),
        disabled=view.busy != "",
        aria_busy=view.busy == row["name"],
        class_name="mz-plug-act",
    )
