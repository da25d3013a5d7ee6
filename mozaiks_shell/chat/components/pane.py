"""The pane: header, conversation, artifact. A chunk of its own, fetched when the chat is first opened."""

from typing import Any, Final

import reflex as rx
from reflex_base.components.component import NoSSRComponent
from reflex_base.utils.format import to_title_case
from reflex_base.utils.memo_paths import library_and_symbol

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.confirm import confirm
from mozaiks_shell.chat.components.here import among_chats
from mozaiks_shell.chat.components.standing_view import standing
from mozaiks_shell.chat.components.stream import conversation
from mozaiks_shell.chat.components.switcher import switcher
from mozaiks_shell.chat.components.tool_chunk import LazyArtifact, LazyTools
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import icon

BUBBLE_ID: Final = "mzc-bubble"
HAS_ARTIFACT: Final[Any] = ChatState.artifact.length() > 0  # type: ignore[attr-defined]


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
    window = rx.cond(
        ChatState.surface == "page",
        _tool_button("minimize", labels.NOT_FULL_PAGE, on_click=ChatState.fill),
        _tool_button("maximize", labels.FULL_PAGE, on_click=ChatState.fill),
    )
    return rx.el.header(
        title,
        rx.el.div(
            rx.cond(
                ChatState.surface == "widget",
                _tool_button("maximize-2", labels.EXPAND, on_click=ChatState.expand),
                rx.fragment(window, _tool_button("minimize-2", labels.MINIMISE, on_click=ChatState.minimise)),
            ),
            _tool_button("x", labels.CLOSE, on_click=ChatState.close),
            class_name="mzc-tools",
        ),
        class_name="mzc-head",
    )


def _mode(name: str, default: Text) -> rx.Component:
    look: Any = ChatState.look
    return rx.el.button(
        rx.cond(look[name] != "", t(look[name]), default),
        type="button",
        aria_pressed=rx.cond(ChatState.mode == name, "true", "false"),
        class_name="mzc-mode",
        on_click=ChatState.switch_mode(name),
    )


def _bar() -> rx.Component:
    """Beneath the header: which mode, the way to an artifact out of sight, and a chat from the start."""
    artifact = rx.el.button(
        icon("panels-top-left", 16),
        rx.el.span(labels.ARTIFACT, class_name="mzc-bar-word"),
        type="button",
        aria_label=labels.SHOW_ARTIFACT,
        title=labels.SHOW_ARTIFACT,
        class_name="mzc-bar-button mzc-bar-artifact",
        on_click=ChatState.show_artifact,
    )
    return rx.el.div(
        rx.el.div(
            _mode("ask", labels.ASK),
            _mode("workflow", labels.WORKFLOW),
            role="group",
            aria_label=labels.MODES,
            class_name="mzc-modes",
        ),
        rx.el.div(
            rx.cond(HAS_ARTIFACT, artifact),
            rx.el.button(
                icon("square-pen", 16),
                rx.el.span(labels.NEW_CHAT, class_name="mzc-bar-word"),
                type="button",
                aria_label=labels.NEW_CHAT,
                title=labels.NEW_CHAT,
                class_name="mzc-bar-button",
                on_click=ChatState.new_chat(ChatState.workflow),
            ),
            class_name="mzc-bar-end",
        ),
        class_name="mzc-bar",
        custom_attrs={"inert": ChatState.menu},
    )


def _artifact(tool: Any) -> rx.Component:
    drawer = rx.el.button(
        rx.cond(ChatState.place == "expanded", labels.LOWER, labels.RAISE),
        type="button",
        aria_expanded=ChatState.place == "expanded",
        class_name="mzc-drawer-toggle mz-button mz-ghost",
        on_click=ChatState.slide(rx.cond(ChatState.place == "expanded", "peek", "expanded")),
    )
    rail = _tool_button("panel-left-close", labels.NARROW_CONVERSATION, on_click=ChatState.lay("minimized"))
    talk = rx.el.button(
        icon("message-square", 18),
        type="button",
        aria_label=labels.CONVERSATION,
        aria_pressed=rx.cond(ChatState.layout == "view", "false", "true"),
        title=rx.cond(ChatState.layout == "view", labels.SHOW_CONVERSATION, labels.HIDE_CONVERSATION),
        class_name="mzc-tool mzc-talk-toggle",
        on_click=ChatState.toggle_conversation,
    )
    heading = rx.el.div(
        rx.el.h2(rx.cond(tool["title"] != "", tool["title"], labels.ARTIFACT), class_name="mzc-artifact-title"),
        drawer,
        rx.el.span(rx.cond(ChatState.layout == "split", rail), class_name="mzc-wide-only"),
        talk,
        _tool_button("x", labels.CLOSE_ARTIFACT, on_click=ChatState.lay("full")),
        class_name="mzc-artifact-head",
    )
    return rx.el.section(
        heading,
        rx.el.div(LazyArtifact.create(), class_name="mzc-artifact-body"),
        aria_label=labels.ARTIFACT,
        class_name="mzc-artifact",
        data_drawer=ChatState.place,
        key=tool["id"],
    )


def _tints() -> dict[str, Any]:
    look: Any = ChatState.look
    colours = {
        f"--mzc-{mode}-{ground}{on}": look[f"{mode}_{ground}{on.replace('-', '_')}"]
        for mode in ("ask", "workflow")
        for ground in ("light", "dark")
        for on in ("", "-on")
    }
    return colours | {"--mzc-radius": look["radius"]}


@rx.memo
def chat_pane() -> rx.Component:
    """Widget, overlay and whole window: one mounted tree, only attributes differ, so nothing typed is lost."""
    look: Any = ChatState.look
    large = rx.cond(ChatState.surface == "page", "overlay", ChatState.surface)
    shown: Any = ChatState.tools
    talk = conversation(
        rx.cond(shown.length() > 0, LazyTools.create()),
        standing(),
        chat_id=ChatState.chat_id,
        workflow=ChatState.workflow,
        fresh=ChatState.fresh,
        surface=large,
        labels=labels.STREAM,
        greeting=rx.cond(ChatState.mode == "ask", look["ask_greeting"], look["workflow_greeting"]),
        logo=look["logo"],
        bubble=rx.cond(among_chats(), "content", BUBBLE_ID),  # what gets the focus when the pane closes
        on_attached=ChatState.entered,
        on_tools=ChatState.refresh_tools,
        on_stands=ChatState.stands,
        on_unread=ChatState.notice,
        on_escape=ChatState.escape,
        on_again=ChatState.new_chat,
        on_artifact=ChatState.show_artifact,
    )
    rail = rx.el.button(
        icon("message-square", 20),
        type="button",
        aria_label=labels.SHOW_CONVERSATION,
        title=labels.SHOW_CONVERSATION,
        class_name="mzc-rail",
        on_click=ChatState.lay("split"),
    )
    box = rx.el.section(
        _header(),
        _bar(),
        rx.cond(ChatState.menu, switcher()),
        rx.el.div(
            rx.el.section(
                rx.cond((ChatState.layout == "minimized") & HAS_ARTIFACT, rail),
                talk,
                aria_label=labels.CONVERSATION,
                class_name="mzc-conversation",
            ),
            rx.foreach(ChatState.artifact, _artifact),
            class_name="mzc-columns",
            custom_attrs={"inert": ChatState.menu},  # behind the list of chats
        ),
        role="dialog",
        aria_label=labels.CHAT,
        aria_modal=rx.cond(large == "overlay", "true", "false"),
        class_name="mzc-pane",
        data_surface=large,
        data_extent=rx.cond(ChatState.surface == "page", "page", ""),
        data_layout=ChatState.layout,
        data_mode=ChatState.mode,
        data_tints=look["tints"],
        data_radius=rx.cond(look["radius"] != "", "own", ""),
        style=_tints(),
    )
    return rx.fragment(box, rx.cond(ChatState.asking["tool"] != "", confirm()))  # beside it: Escape there is not Escape here


_LIBRARY, _SYMBOL = library_and_symbol(__name__, to_title_case("chat_pane"))


class LazyPane(NoSSRComponent):
    """Loads the compiled :func:`chat_pane` with a dynamic import instead of a static one."""

    library = _LIBRARY
    tag = _SYMBOL
