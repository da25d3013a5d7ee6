"""The list of chats and of workflows to start, shown over the conversation."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon


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


def _chat(one: Any) -> rx.Component:
    current = one["id"] == ChatState.chat_id
    body = rx.el.span(
        rx.el.span(one["title"], class_name="mzc-line-title"),
        rx.el.span(one["last_text"], class_name="mzc-line-text"),
        class_name="mzc-line-body",
    )
    ask = rx.el.div(
        rx.el.span(labels.DELETE_ASK),
        rx.el.button(labels.DELETE, type="button", class_name="mz-button mz-button-small mz-danger", on_click=ChatState.delete),
        rx.el.button(labels.KEEP, type="button", class_name="mz-button mz-button-small mz-ghost", on_click=ChatState.doom("")),
        class_name="mzc-ask",
        role="group",
    )
    line = rx.fragment(
        rx.el.button(
            body,
            type="button",
            aria_current=rx.cond(current, "true", "false"),
            class_name="mzc-line",
            on_click=ChatState.pick_chat(one["id"]),
        ),
        rx.el.button(
            icon("trash-2", 16),
            type="button",
            aria_label=t("Delete {title}", title=one["title"].to(str)),
            class_name="mzc-tool",
            on_click=ChatState.doom(one["id"]),
        ),
    )
    return rx.el.li(rx.cond(ChatState.doomed == one["id"], ask, line), key=one["id"])


def _rename() -> rx.Component:
    return rx.el.form(
        rx.el.input(
            name="title",
            default_value=ChatState.title,
            key=ChatState.title,
            aria_label=labels.RENAME,
            max_length=120,
            class_name="mz-input",
        ),
        rx.el.button(labels.SAVE, type="submit", class_name="mz-button mz-secondary"),
        on_submit=ChatState.rename,
        class_name="mzc-rename",
    )


def switcher() -> rx.Component:
    """Start something, or go back to a chat."""
    return rx.el.nav(
        rx.cond(ChatState.problem != "", rx.el.p(ChatState.problem, role="alert", class_name="mzc-error")),
        rx.cond(ChatState.chat_id != "", _rename()),
        rx.cond(
            _any(ChatState.starters),
            rx.fragment(
                rx.el.h2(labels.START, class_name="mzc-menu-title"),
                rx.foreach(ChatState.starters, _starter),
            ),
        ),
        rx.el.h2(labels.RECENT, class_name="mzc-menu-title"),
        rx.cond(
            _any(ChatState.chats),
            rx.el.ul(rx.foreach(ChatState.chats, _chat), class_name="mzc-chats"),
            rx.el.p(labels.NO_RECENT, class_name="mzc-help"),
        ),
        aria_label=labels.CHATS,
        class_name="mzc-menu",
    )
