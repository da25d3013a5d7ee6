"""The pane: header, conversation, artifact. A chunk of its own, fetched when the chat is first opened."""

from typing import Any, Final

import reflex as rx
from reflex_base.components.component import NoSSRComponent
from reflex_base.utils.format import to_title_case
from reflex_base.utils.memo_paths import library_and_symbol

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.confirm import confirm
from mozaiks_shell.chat.components.standing_view import standing
from mozaiks_shell.chat.components.stream import conversation
from mozaiks_shell.chat.components.switcher import switcher
from mozaiks_shell.chat.components.tool_chunk import LazyArtifact, LazyTools
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import icon

BUBBLE_ID: Final = "mzc-bubble"


def _tool_button(name: str, label: Text, **props: Any) -> rx.Component:
    return rx.el.button(icon(name, 18), type="button", aria_label=label, title=label, class_name="mzc-tool", **props)


def _header() -> rx.Component:
    name = rx.cond(ChatState.title != "", ChatState.title, labels.CHAT).to(str)
    title = rx.el.button(
        rx.el.span(name, class_name="mzc-title"),
        icon("chevron-down", 16),
        type="button",
        aria_label=t("Chats: {title}", title=name),
        aria_expanded=ChatState.menu,
        title=labels.CHATS,
        class_name="mzc-switch",
        on_click=ChatState.toggle_menu,
    )
    return rx.el.header(
        title,
        rx.el.div(
            _tool_button("square-pen", labels.NEW_CHAT, on_click=ChatState.new_chat(ChatState.workflow)),
            rx.cond(
                ChatState.surface == "overlay",
                _tool_button("minimize-2", labels.MINIMISE, on_click=ChatState.minimise),
                _tool_button("maximize-2", labels.EXPAND, on_click=ChatState.expand),
            ),
            _tool_button("x", labels.CLOSE, on_click=ChatState.close),
            class_name="mzc-tools",
        ),
        class_name="mzc-head",
    )


def _artifact(tool: Any) -> rx.Component:
    heading = rx.el.div(
        rx.el.h2(rx.cond(tool["title"] != "", tool["title"], labels.ARTIFACT), class_name="mzc-artifact-title"),
        rx.el.button(
            rx.cond(ChatState.drawer, labels.HIDE_ARTIFACT, labels.SHOW_ARTIFACT),
            type="button",
            aria_expanded=ChatState.drawer,
            class_name="mzc-drawer-toggle mz-button mz-ghost",
            on_click=ChatState.toggle_drawer,
        ),
        rx.el.button(
            icon("message-square", 18),
            type="button",
            aria_label=labels.CONVERSATION,
            aria_pressed=rx.cond(ChatState.layout == "view", "false", "true"),
            title=rx.cond(ChatState.layout == "view", labels.SHOW_CONVERSATION, labels.HIDE_CONVERSATION),
            class_name="mzc-tool mzc-talk-toggle",
            on_click=ChatState.toggle_conversation,
        ),
        _tool_button("x", t(labels.DISMISS), on_click=ChatState.dismiss(tool["id"])),
        class_name="mzc-artifact-head",
    )
    return rx.el.section(
        heading,
        rx.el.div(LazyArtifact.create(), class_name="mzc-artifact-body"),
        aria_label=labels.ARTIFACT,
        class_name="mzc-artifact",
        data_drawer=rx.cond(ChatState.drawer, "up", "down"),
        key=tool["id"],
    )


@rx.memo
def chat_pane() -> rx.Component:
    """Widget and overlay: one mounted tree, only ``data-surface`` differs, so nothing typed is lost."""
    shown: Any = ChatState.tools
    talk = conversation(
        rx.cond(shown.length() > 0, LazyTools.create()),
        standing(),
        chat_id=ChatState.chat_id,
        workflow=ChatState.workflow,
        fresh=ChatState.fresh,
        surface=ChatState.surface,
        labels=labels.STREAM,
        bubble=BUBBLE_ID,
        on_attached=ChatState.entered,
        on_tools=ChatState.refresh_tools,
        on_stands=ChatState.stands,
        on_unread=ChatState.notice,
        on_escape=ChatState.escape,
        on_again=ChatState.new_chat,
        on_artifact=ChatState.expand,
    )
    box = rx.el.section(
        _header(),
        rx.cond(ChatState.menu, switcher()),
        rx.el.div(
            rx.el.section(talk, aria_label=labels.CONVERSATION, class_name="mzc-conversation"),
            rx.foreach(ChatState.artifact, _artifact),
            class_name="mzc-columns",
            custom_attrs={"inert": ChatState.menu},  # behind the list of chats
        ),
        role="dialog",
        aria_label=labels.CHAT,
        aria_modal=rx.cond(ChatState.surface == "overlay", "true", "false"),
        class_name="mzc-pane",
        data_surface=ChatState.surface,
        data_layout=ChatState.layout,
    )
    return rx.fragment(box, rx.cond(ChatState.asking["tool"] != "", confirm()))  # beside it: Escape there is not Escape here


_LIBRARY, _SYMBOL = library_and_symbol(__name__, to_title_case("chat_pane"))


class LazyPane(NoSSRComponent):
    """Loads the compiled :func:`chat_pane` with a dynamic import instead of a static one."""

    library = _LIBRARY
    tag = _SYMBOL
