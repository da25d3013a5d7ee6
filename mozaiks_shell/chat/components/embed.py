"""The page that other sites may frame: nothing but the chat (decision 0013)."""

from typing import ClassVar

import reflex as rx

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.ui.kit import button, card, empty_state, link_button, row
from mozaiks_shell.ui.state import ShellState, event


class Embedding(ShellState):
    """Who may be around the frame."""

    access: ClassVar[Access | None] = Access.public()

    origins: list[str] = []

    @event
    def enter(self) -> None:
        """The page was opened."""
        self.origins = get_settings().embed_origins


def _wish(mode: rx.Var[str], chat_id: rx.Var[str], workflow_name: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str]]:
    return mode, chat_id, workflow_name


class EmbedHost(rx.Component):
    """Talks to the page around the frame."""

    library = rx.asset("embed_host.js", shared=True).importable_path
    tag = "EmbedHost"

    origins: rx.Var[list[str]]
    signed_in: rx.Var[bool]
    ready: rx.Var[bool]
    surface: rx.Var[str]
    unread: rx.Var[int]
    mode: rx.Var[str]
    chat_id: rx.Var[str]
    workflow: rx.Var[str]

    on_open: rx.EventHandler[_wish]  # type: ignore[type-arg,valid-type]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


def embedded() -> rx.Component:
    """What stands behind the pane: the way in for those whose page brought no ticket."""
    host = EmbedHost.create(
        origins=Embedding.origins,
        signed_in=ChatState.signed_in,
        ready=ChatState.ready,
        surface=ChatState.surface,
        unread=ChatState.unread,
        mode=ChatState.mode,
        chat_id=ChatState.chat_id,
        workflow=ChatState.workflow,
        on_open=ChatState.host_open,
        on_close=ChatState.host_close,
    )
    ways = row(
        link_button(labels.SIGN_IN, "/sign-in", "primary", outside=True),
        button(labels.NOT_NOW, variant="ghost", custom_attrs={"data-embed-close": ""}),
        gap=2,
    )
    visitor = card(empty_state("message-circle", labels.SIGN_IN_TITLE, labels.SIGN_IN_TEXT, ways))
    opens = button(labels.OPEN, on_click=ChatState.host_open("", "", ""))
    alone = card(empty_state("message-circle", labels.CHAT, labels.SIGN_IN_TEXT, opens))
    return rx.el.div(
        host,
        rx.el.h1(labels.CHAT, class_name="mz-embed-name"),
        rx.cond(ChatState.ready, rx.cond(ChatState.signed_in, alone, visitor)),
        class_name="mz-embed",
    )
