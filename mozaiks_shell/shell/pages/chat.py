"""One's chats: search, open, rename, delete. A link to a chat or a workflow opens it over this page."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.chat_links import Chats
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import (
    badge,
    button,
    card,
    empty_state,
    icon,
    link,
    link_button,
    notice,
    page_header,
    skeleton,
    text_input,
)
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("Every conversation you had, the last one first.")


@page(
    "/chat",
    title=msg("Chats"),
    icon="message-circle",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=10,
    in_nav=get_settings().ai_enabled,
    on_load=Chats.enter,
    shortcut="g c",
    keywords="conversations history messages assistant",
)
def chat() -> rx.Component:
    """The list, and what a link did not lead to."""
    new = button(icon("square-pen"), t("New chat"), variant="primary", on_click=ChatState.new_chat(""))
    off = card(empty_state("message-circle", t("Chat is switched off"), t("This app has no assistant at the moment.")))
    return rx.fragment(
        page_header(t("Chats"), t(_DESCRIPTION), actions=[rx.cond(Chats.on, new, rx.fragment())]),
        rx.cond(Chats.loaded, rx.cond(Chats.on, rx.fragment(_missing(), _search(), _list()), off), skeleton(4)),
    )


def _missing() -> rx.Component:
    """Says what a link did not lead to, without telling whether it is somebody else's."""
    missing: Any = Chats.missing
    plan = notice(
        t("{title} is part of the plan {plan}.", title=missing["title"], plan=missing["needed"]),
        tone="accent",
        action=link_button(t("See plans"), "/plans?plan=" + missing["needed"].to(str), small=True),
    )
    return rx.el.div(
        rx.match(
            missing["kind"],
            ("chat", notice(t("This chat is not here. It may have been deleted, or the link belongs to another account."))),
            ("workflow", notice(t("There is no such workflow for you to start."))),
            ("plan", plan),
            rx.fragment(),
        ),
        class_name="mz-chats-missing",
    )


def _search() -> rx.Component:
    some = (Chats.search != "") | (Chats.rows.length() > 0)  # type: ignore[attr-defined]
    box = text_input(
        type="search",
        placeholder=t("Search your chats…"),
        aria_label=t("Search your chats"),
        default_value=Chats.search,
        on_change=Chats.find.debounce(200),
        max_length=100,
        auto_complete="off",
        class_name="mz-chats-search",
    )
    return rx.cond(some, rx.el.div(icon("search", 16), box, class_name="mz-chats-find", role="search"), rx.fragment())


def _list() -> rx.Component:
    rows: Any = Chats.rows
    start = button(t("Start a chat"), on_click=ChatState.new_chat(""))
    none = empty_state(
        "message-circle", t("No chats yet"), t("Ask the assistant anything about this app. Your chats are kept here."), start
    )
    unmatched = empty_state("search", t("No chat matches"), t("Try another word: names and last messages are searched."))
    more = rx.el.p(t("Older chats are found by searching."), class_name="mz-muted mz-small mz-chats-more")
    shown = rx.fragment(
        card(rx.el.ul(rx.foreach(rows, _row), class_name="mz-chats"), class_name="mz-card-flush"),
        rx.cond(Chats.more, more, rx.fragment()),
    )
    return rx.cond(rows.length() > 0, shown, card(rx.cond(Chats.search != "", unmatched, none)))


def _row(row: Any) -> rx.Component:
    quiet = rx.cond(row["id"] == Chats.doomed, _confirm(row), rx.fragment(_open(row), _tools(row)))
    line = rx.cond(row["id"] == Chats.editing, _rename(row), quiet)
    return rx.el.li(line, key=row["id"], class_name="mz-chats-row")


def _open(row: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(
            rx.el.span(row["title"], class_name="mz-truncate mz-chats-title"),
            rx.match(
                row["status"],
                ("running", badge(t("Running"), "accent")),
                ("waiting", badge(t("Waiting for you"), "warning")),
                ("failed", badge(t("Failed"), "danger")),
                ("interrupted", badge(t("Interrupted"))),
                ("stopped", badge(t("Stopped"))),
                rx.fragment(),
            ),
            class_name="mz-chats-head",
        ),
        rx.el.span(
            rx.cond(row["workflow"] != "", rx.el.span(row["workflow"], class_name="mz-chats-workflow"), rx.fragment()),
            row["text"],
            class_name="mz-truncate mz-chats-text",
        ),
        class_name="mz-chats-words",
    )
    when = rx.el.time(t_date(row["when"], "relative"), date_time=row["when"], class_name="mz-muted mz-small mz-chats-when")
    return link(
        rx.el.span(icon(row["icon"], 17), class_name="mz-chats-icon"),
        words,
        when,
        href="/chat?chat_id=" + row["id"].to(str),
        on_click=Chats.open(row["id"]),
        class_name="mz-chats-link",
    )


def _tools(row: Any) -> rx.Component:
    def tool(name: str, label: Any, handler: Any) -> rx.Component:
        return button(icon(name, 15), variant="ghost", small=True, aria_label=label, title=label, on_click=handler)

    return rx.el.span(
        tool("pencil", t("Rename {title}", title=row["title"]), Chats.edit(row["id"])),
        tool("trash-2", t("Delete {title}", title=row["title"]), Chats.doom(row["id"])),
        class_name="mz-chats-tools",
    )


def _rename(row: Any) -> rx.Component:
    error = rx.cond(Chats.problem != "", rx.el.p(Chats.problem, role="alert", class_name="mz-error"), rx.fragment())
    return rx.el.form(
        text_input(name="title", default_value=row["title"], max_length=120, auto_focus=True, aria_label=t("Name of this chat")),
        button(t("Save"), type="submit", variant="primary"),
        button(t("Cancel"), variant="ghost", on_click=Chats.edit("")),
        error,
        on_submit=Chats.rename,
        class_name="mz-chats-form",
    )


def _confirm(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(t("Delete “{title}” for good?", title=row["title"]), class_name="mz-grow"),
        button(t("Delete"), variant="danger", on_click=Chats.delete, auto_focus=True),
        button(t("Keep"), variant="ghost", on_click=Chats.doom("")),
        role="group",
        class_name="mz-chats-form",
    )
