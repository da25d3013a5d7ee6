"""What a Python tool may ask of the runtime while it runs.

Import it as ``from mozaiks_shell.runtime.engine.helpers import use_ui_tool``, or by its published names
(``mozaiksai.core.workflow.outputs.ui_tools``), so that a folder runs in both runtimes.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol


class UIToolError(Exception):
    """A UI tool could not be shown or answered."""


class Host(Protocol):
    """The session that called the tool."""

    async def show_and_wait(self, component: str, payload: dict[str, Any], display: str | None) -> dict[str, Any]:
        """Show a component and wait for its response."""

    def progress(self, tool: str, percent: float, message: str, corr: str | None) -> None:
        """Tell how far a tool is."""


HOST: ContextVar[Host | None] = ContextVar("workflow_tool_host", default=None)


async def use_ui_tool(
    tool_id: str,
    payload: dict[str, Any],
    *,
    chat_id: str | None = None,
    workflow_name: str | None = None,
    display: str | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - published signature; a person may take as long as they like
) -> dict[str, Any]:
    """Show the component ``tool_id`` with ``payload`` and wait, without limit, for the person's response.

    Args:
        tool_id: The component, as ``ui.component`` in tools.yaml.
        payload: Its properties; must be JSON.
        display: ``inline`` or ``artifact``; else what tools.yaml says, else ``inline``.

    Returns:
        The response, with ``ui_event_id``.

    Raises:
        UIToolError: called from outside a tool of a running workflow.
    """
    host = HOST.get()
    if host is None:
        raise UIToolError("use_ui_tool works only inside a tool that a workflow called")
    return await host.show_and_wait(tool_id, payload, display)


async def emit_tool_progress_event(
    tool_name: str, progress_percent: float, status_message: str, chat_id: str | None = None, correlation_id: str | None = None
) -> None:
    """Tell the person how far a long tool is, 0 to 100."""
    host = HOST.get()
    if host is not None:
        host.progress(tool_name, max(0.0, min(100.0, float(progress_percent))), status_message, correlation_id)
