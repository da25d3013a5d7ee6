"""What agents show, as a chunk of its own: it is fetched with the first form or artifact, not with the pane."""

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent
from reflex_base.utils.format import to_title_case
from reflex_base.utils.memo_paths import library_and_symbol

from mozaiks_shell.chat.components.blocks import tool_view
from mozaiks_shell.chat.state import ChatState


def _inline(tool: Any) -> rx.Component:
    return rx.el.div(tool_view(tool), class_name="mzc-inline", key=tool["id"])


@rx.memo
def chat_tools() -> rx.Component:
    """The open tools of the conversation."""
    return rx.fragment(rx.foreach(ChatState.tools, _inline))


@rx.memo
def chat_artifact() -> rx.Component:
    """What is in the artifact panel."""
    return rx.fragment(rx.foreach(ChatState.artifact, lambda tool: rx.fragment(tool_view(tool), key=tool["id"])))


class LazyTools(NoSSRComponent):
    """Loads the compiled :func:`chat_tools` with a dynamic import instead of a static one."""

    library, tag = library_and_symbol(__name__, to_title_case("chat_tools"))


class LazyArtifact(NoSSRComponent):
    """Loads the compiled :func:`chat_artifact` likewise."""

    library, tag = library_and_symbol(__name__, to_title_case("chat_artifact"))
