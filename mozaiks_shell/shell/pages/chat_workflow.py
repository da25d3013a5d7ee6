"""``/chat/{workflow}``: the page of one's chats with a chat of that workflow open over it (F-011)."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.chat_links import Chats
from mozaiks_shell.shell.pages.chat import chat
from mozaiks_shell.ui.page import page


@page(
    "/chat/[chat_workflow]",
    title=msg("Chats"),
    icon="message-circle",
    access=Access.signed_in(),
    in_nav=False,
    on_load=Chats.enter,
    parent="/chat",
)
def chat_of_workflow() -> rx.Component:
    """The same page; its State reads the address."""
    return chat()
