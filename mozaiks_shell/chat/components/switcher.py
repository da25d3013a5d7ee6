"""The history and the workflows to start, shown over the conversation: search, open, rename, download, delete (F-188, F-189)."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import icon, link_button


def _any(items: Any) -> Any:
    """Whether a list of State has anything in it, as a Var."""
    return items.length() > 0


def _starter(one: Any) -> rx.Component:
    body = rx.el.span(
        rx.el.span(one["title"], class_name="mzc-line-title"),
        rx.el.span(one["description"], class_name="mzc-line-text"),
        class_name="mzc-line-body",
    )
    return rx.el.button(
        rx.cond(one["allowed"], icon("plus", 16), icon("lock", 16)),
        body,
        rx.cond(one["needed"] != "", rx.el.span(one["needed"], class_name="mzc-needed")),
        type="button",
        disabled=~one["allowed"],
        class_name="mzc-line",
        on_click=ChatState.new_chat(one["workflow"]),
    )


def _state(one: Any) -> rx.Component:
    return rx.match(
        one["status"],
        ("running", rx.el.span(labels.RUNNING, class_name="mzc-needed mzc-running")),
        ("waiting", rx.el.span(labels.WAITING, class_name="mzc-needed mzc-running")),
        rx.fragment(),
    )


def _open(one: Any) -> rx.Component:
    heading = rx.el.span(
        rx.el.span(one["title"], class_name="mzc-line-title", dir="auto"),
        _state(one),
        class_name="mzc-line-head",
    )
    words = rx.el.span(heading, rx.el.span(one["last_text"], class_name="mzc-line-text", dir="auto"), class_name="mzc-line-body")
    when = rx.el.span(t_date(one["when"], "relative"), class_name="mzc-line-when")
    more = rx.el.button(
        icon("ellipsis", 16),
        type="button",
        aria_label=t("More for {title}", title=one["title"].to(str)),
        aria_expanded=ChatState.handled == one["id"],
        class_name="mzc-tool",
        on_click=ChatState.handle(one["id"], "tools"),
    )
    opens = rx.el.button(
        words,
        when,
        type="button",
        aria_current=rx.cond(one["id"] == ChatState.chat_id, "true", "false"),
        class_name="mzc-line",
        on_click=ChatState.pick_chat(one["id"]),
    )
    return rx.el.div(opens, more, class_name="mzc-row")


def _tools(one: Any) -> rx.Component:
    small = "mz-button mz-button-small"
    file = "/api/chats/" + one["id"].to(str) + "/export"
    return rx.el.div(
        rx.el.button(
            icon("pencil", 14),
            labels.CHANGE_NAME,
            type="button",
            class_name=f"{small} mz-secondary",
            on_click=ChatState.handle(one["id"], "rename"),
        ),
        link_button(labels.DOWNLOAD, file, icon_name="download", small=True, outside=True, download=""),
        rx.el.button(
            icon("trash-2", 14),
            labels.DELETE,
            type="button",
            class_name=f"{small} mz-secondary",
            on_click=ChatState.handle(one["id"], "delete"),
        ),
        class_name="mzc-ask",
        role="group",
        aria_label=t("More for {title}", title=one["title"].to(str)),
    )


def _rename(one: Any) -> rx.Component:
    return rx.el.form(
        rx.el.input(
            name="title",
            default_value=one["title"],
            aria_label=labels.RENAME,
            auto_focus=True,
            max_length=120,
            class_name="mz-input",
        ),
        rx.el.button(labels.SAVE, type="submit", class_name="mz-button mz-secondary"),
        rx.el.button(labels.CANCEL_IT, type="button", class_name="mz-button mz-ghost", on_click=ChatState.handle("", "")),
        on_submit=ChatState.rename,
        class_name="mzc-rename",
    )


def _delete() -> rx.Component:
    return rx.el.div(
        rx.el.span(labels.DELETE_ASK),
        rx.el.button(labels.DELETE, type="button", class_name="mz-button mz-button-small mz-danger", on_click=ChatState.delete),
        rx.el.button(
            labels.KEEP, type="button", auto_focus=True, class_name="mz-button mz-button-small mz-ghost",
            on_click=ChatState.handle("", ""),
        ),
        class_name="mzc-ask",
        role="group",
    )  # fmt: skip


def _chat(one: Any) -> rx.Component:
    handled = ChatState.handled == one["id"]
    line = rx.match(
        rx.cond(handled, ChatState.handling, ""),
        ("rename", _rename(one)),
        ("delete", _delete()),
        ("tools", rx.fragment(_open(one), _tools(one))),
        _open(one),
    )
    return rx.el.li(line, key=one["id"])


def _search() -> rx.Component:
    box = rx.el.input(
        type="search",
        placeholder=labels.SEARCH,
        aria_label=labels.SEARCH,
        on_change=ChatState.seek.debounce(200),
        max_length=200,
        auto_complete="off",
        class_name="mz-input",
    )
    return rx.el.div(icon("search", 16), box, class_name="mzc-find", role="search")


def switcher() -> rx.Component:
    """Start something, or go back to a chat."""
    quiet = ChatState.sought == ""
    starters = rx.fragment(rx.el.h2(labels.START, class_name="mzc-menu-title"), rx.foreach(ChatState.starters, _starter))
    older = rx.el.button(labels.OLDER, type="button", class_name="mz-button mz-ghost mzc-older", on_click=ChatState.older)
    return rx.el.nav(
        rx.cond(ChatState.problem != "", rx.el.p(ChatState.problem, role="alert", class_name="mzc-error")),
        rx.cond(quiet & ~_any(ChatState.chats), rx.fragment(), _search()),
        rx.cond(quiet & _any(ChatState.starters), starters),
        rx.el.h2(labels.RECENT, class_name="mzc-menu-title"),
        rx.cond(
            _any(ChatState.chats),
            rx.el.ul(rx.foreach(ChatState.chats, _chat), class_name="mzc-chats"),
            rx.el.p(rx.cond(quiet, labels.NO_RECENT, labels.NONE_FOUND), class_name="mzc-help"),
        ),
        rx.cond(ChatState.following != "", older),
        aria_label=labels.CHATS,
        class_name="mzc-menu",
    )
