"""Names of the published runtime that tool files import, answered by this runtime's own helpers.

Nothing is replaced that can be imported for real.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
from typing import Any

from ..engine import helpers

UI_TOOLS = ("mozaiksai.engine.outputs.ui_tools", "mozaiksai.core.workflow.outputs.ui_tools", "core.workflow.outputs.ui_tools")
_UI_NAMES = ("UIToolError", "use_ui_tool", "emit_tool_progress_event")


def install() -> None:
    """Offer the names; repeated calls change nothing."""
    for name in UI_TOOLS:
        _offer(name, {key: getattr(helpers, key) for key in _UI_NAMES})
    _offer("logs.logging_config", {"get_workflow_logger": _logger, "get_core_logger": _logger})
    _offer("logs.tools_logs", {"get_tool_logger": _logger, "log_tool_event": _log_event})


def _offer(name: str, members: dict[str, Any]) -> None:
    if name in sys.modules:
        return
    parts = name.split(".")
    top = sys.modules.get(parts[0])
    if top is None and importlib.util.find_spec(parts[0]) is not None:
        return  # the real one is installed
    if top is not None and not getattr(top, "__mozaiks_shim__", False):
        return
    for end in range(1, len(parts) + 1):
        path = ".".join(parts[:end])
        if path not in sys.modules:
            module = types.ModuleType(path, "Stand-in for a module of the published runtime.")
            module.__path__ = []
            module.__mozaiks_shim__ = True  # type: ignore[attr-defined]
            sys.modules[path] = module
            if end > 1:
                setattr(sys.modules[".".join(parts[: end - 1])], parts[end - 1], module)
    for key, value in members.items():
        setattr(sys.modules[name], key, value)


def _logger(*_: Any, **names: Any) -> logging.Logger:
    return logging.getLogger(f"workflow.{names.get('workflow_name') or names.get('tool_name') or 'tools'}")


def _log_event(logger: logging.Logger, *, action: str = "", status: str = "", message: str = "", **_: Any) -> None:
    logger.info("%s %s %s", action, status, message)
