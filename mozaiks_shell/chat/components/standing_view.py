"""The card that says how a chat stands when it does not go on, and what can be done next (F-194)."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.kit import icon, link


def standing() -> rx.Component:
    """At the end of the messages, or in their place."""
    told: Any = ChatState.standing

    def step(one: Any) -> rx.Component:
        look = rx.cond(one["main"], "mz-button mz-primary", "mz-button mz-secondary")
        starts = rx.el.button(one["label"], type="button", class_name=look, on_click=ChatState.new_chat(one["workflow"].strip()))
        fetches = link(
            icon("download"), one["label"], href=one["href"], outside=True, class_name=look, custom_attrs={"download": ""}
        )
        opens = link(one["label"], href=one["href"], class_name=look)
        return rx.cond(one["workflow"] != "", starts, rx.cond(one["file"], fetches, opens))

    card = rx.el.section(
        rx.el.span(icon(told["icon"], 20), class_name="mzc-standing-icon", aria_hidden="true"),
        rx.el.div(
            rx.el.h3(told["title"], class_name="mzc-block-title"),
            rx.cond(told["text"] != "", rx.el.p(told["text"], dir="auto")),
            rx.cond(told["note"] != "", rx.el.p(told["note"], class_name="mzc-note")),
            rx.cond(told["steps"].length() > 0, rx.el.div(rx.foreach(told["steps"], step), class_name="mzc-actions")),
            class_name="mzc-standing-body",
        ),
        aria_label=told["title"],
        class_name="mzc-standing",
        data_kind=told["kind"],
    )
    return rx.cond(told["kind"] != "", card)
