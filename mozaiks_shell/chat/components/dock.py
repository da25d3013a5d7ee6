"""What every page carries of the chat: a bubble. The pane is fetched when somebody opens it."""

import reflex as rx

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.here import among_chats, in_a_frame, one_of
from mozaiks_shell.chat.components.host import VISITOR_ID, chat_host
from mozaiks_shell.chat.components.pane import BUBBLE_ID, LazyPane
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.i18n import t, t_number
from mozaiks_shell.ui.kit import icon
from mozaiks_shell.ui.page import pages


def _bubble() -> rx.Component:
    news = ChatState.unread > 0
    count = rx.cond(ChatState.unread > 99, "99+", t_number(ChatState.unread))
    return rx.el.button(
        icon("message-circle", 24),
        rx.cond(news, rx.el.span(count, aria_hidden="true", class_name="mzc-count")),
        type="button",
        id=BUBBLE_ID,
        aria_label=labels.OPEN,
        aria_description=rx.cond(news, t("New messages: {count}", count=ChatState.unread), ""),
        class_name="mzc-bubble",
        hidden=ChatState.surface != "closed",
        on_click=ChatState.open_widget,
    )


def _visitor() -> rx.Component:
    return rx.fragment(
        rx.el.button(
            icon("message-circle", 24),
            type="button",
            aria_label=labels.OPEN,
            class_name="mzc-bubble",
            custom_attrs={"popoverTarget": VISITOR_ID},
        ),
        rx.el.div(
            rx.el.h2(labels.SIGN_IN_TITLE),
            rx.el.p(labels.SIGN_IN_TEXT),
            rx.el.a(labels.SIGN_IN, href="/sign-in", class_name="mz-button mz-primary"),
            id=VISITOR_ID,
            class_name="mzc-visitor",
            custom_attrs={"popover": "auto"},
        ),
    )


def chat_dock(_: bool) -> rx.Component:
    """The app-level wrapper: bubble and pane first, the page after them (Reflex appends it).

    Pages declared with ``chat=False`` have neither in their DOM (F-034); those of the chats themselves have neither bubble
    nor widget (F-172). What was typed is kept in the tab's session storage and what was open in the State, so both are
    there again on the next page.
    """
    silent = [one for one in pages() if not one.chat]
    wake = rx.el.span(hidden=True, on_mount=ChatState.enter)  # again when the server forgot this tab (restart, expiry)
    wanted = ChatState.opened | (ChatState.surface != "closed")
    dock = rx.fragment(
        rx.cond(ChatState.ready, rx.cond(ChatState.signed_in, _bubble(), _visitor()), wake),
        rx.cond((ChatState.signed_in | ~ChatState.ready) & wanted, LazyPane.create()),
        chat_host(),
    )
    box = rx.el.div(dock, class_name="mzc-dock", data_place=rx.cond(in_a_frame(), "frame", rx.cond(among_chats(), "chats", "")))
    return rx.fragment(rx.cond(one_of(silent), rx.fragment(), box) if silent else box)
