"""The question before an action is carried out (F-182), in the kit's native dialog."""

import reflex as rx

from mozaiks_shell.chat.components import tool_labels
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.kit import button, dialog


def confirm() -> rx.Component:
    """Opens when a pressed action wants to be confirmed."""
    asked = ChatState.asking
    go_on = rx.cond(
        asked["danger"],
        button(asked["label"], variant="danger", on_click=ChatState.confirm_action),
        button(asked["label"], variant="primary", on_click=ChatState.confirm_action),
    )
    return dialog(
        rx.el.p(asked["text"], dir="auto"),
        id="mzc-confirm",
        title=tool_labels.CONFIRM_TITLE,
        actions=[button(tool_labels.CONFIRM_CANCEL, on_click=ChatState.forget_action), go_on],
        open=asked["tool"] != "",
        on_close=ChatState.forget_action,
        class_name="mzc-confirm",
    )
