"""``components``: parts of a plugin that others put on the screen: operators on pages, agents in the chat (F-027, F-185).

@sdk.components.tool("acme.chart")
def chart(tool):
    return rx.el.figure(tool["payload"]["caption"].to(str), ui.button("Take it", on_click=components.answer(tool, "accept")))
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import reflex as rx

from mozaiks_shell.chat.components import registry as _tools
from mozaiks_shell.chat.state import ChatState as _Chat
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host import registry as _plugins
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.ui.components import register_component as _register
from mozaiks_shell.ui.page import also_forget

Render = TypeVar("Render", bound=Callable[..., rx.Component])


def register_component(
    name: str, *, access: Access | None = None, on_load: Any | Sequence[Any] = (), chat: bool = True
) -> Callable[[Render], Render]:
    """Decorator: let the operator's ``navigation.json`` make pages of what the function returns, while a page module is imported.

    Args:
        name: What the file says: ``{"path": "/team", "component": "TeamPage"}``.
        access: The least a visitor must have. Default: the manifest's ``access``.
        on_load: Event handler(s) run on every visit.
        chat: False hides the chat bubble there.

    Example:
        >>> @sdk.register_component("TeamPage", on_load=Team.load)
        ... def team():
        ...     return ui.page_header("Team")
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.register_component may only be used in a plugin's page.py or pages/*.py")
    return _register(name, access=plugin.narrowed(access), on_load=on_load, chat=chat)  # type: ignore[return-value]


def tool(name: str) -> Callable[[Render], Render]:
    """Decorator: draw what an agent shows under this name in the chat, while a page module of the plugin is imported.

    The function runs once, when the app is built, and gets a Var with ``id``, ``payload`` (whatever the agent sent; give its
    parts a type with ``.to(str)``), ``open`` (false once it is answered) and ``error``.

    Args:
        name: What the workflow writes into ``component_type``: ``<plugin>.<component>``.

    Raises:
        ValueError: the name is taken.

    Example:
        >>> @sdk.components.tool("acme.rating")
        ... def rating(tool):
        ...     return ui.button("Good", on_click=components.answer(tool, "good"), disabled=~tool["open"])
    """
    if loading() is None:
        raise RuntimeError("sdk.components.tool may only be used in a plugin's page.py or pages/*.py")
    return _tools.register(name)  # type: ignore[return-value]


def answer(tool: Any, action: str) -> Any:
    """What a button of a tool does, or what a handler returns when it is done: answer the agent and close the tool.

    Args:
        tool: The Var the drawing function got, or in a handler the tool's id.
        action: One of the ids in the payload's ``actions``, or ``accept``, ``cancel``, ``dismiss``.

    Example:
        >>> ui.button("Accept", on_click=components.answer(tool, "accept"))
    """
    return _Chat.choose(tool if isinstance(tool, str) else tool["id"], action)


def _forget(owner: str) -> None:
    if (plugin := _plugins.find(owner)) is not None:
        _tools.withdraw(plugin.module)


also_forget(_forget)

__all__ = ["answer", "register_component", "tool"]
