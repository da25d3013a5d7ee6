"""``chat``: open the conversation from a plugin's page or handler (F-176).

ui.button("Ask about this", on_click=sdk.chat.open(mode="ask"))

@sdk.event
async def start(self):
    return sdk.chat.open(workflow_name="ProjectBrief")
"""

from typing import Any, Literal

from mozaiks_shell.chat.state import ChatState as _Chat


def open(mode: Literal["", "ask", "workflow"] = "", chat_id: Any = "", workflow_name: Any = "") -> Any:
    """What opens the chat: for ``on_click`` and the like, or returned or yielded by a handler.

    Like ``window.mozaiksChat.open`` in the browser: what is not the person's, or not theirs to start, is refused there too.

    Args:
        mode: ``ask`` for the assistant, ``workflow`` for the workflow that was open last; empty leaves it to the chat.
        chat_id: Show this chat; a text or a Var.
        workflow_name: Show the newest chat of this workflow that goes on, or begin one; a text or a Var.

    Example:
        >>> ui.button("Start", on_click=sdk.chat.open(workflow_name="ProjectBrief"))
    """
    return _Chat.host_open(mode, chat_id, workflow_name)


def close() -> Any:
    """What closes the chat to its bubble; the conversation goes on.

    Example:
        >>> ui.button("Done", on_click=sdk.chat.close())
    """
    return _Chat.host_close()


__all__ = ["close", "open"]
