"""Frames only group runs send (protocol §2.4, §2.6)."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from .. import frames
from ..chat import Chat
from ..frames import Frame

TRACE_CHARS = 800
_SECRET = re.compile(r"(sk-[A-Za-z0-9_-]{6,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|(?i:bearer)\s+[\w.~+/-]{8,})")


def unknown(event: str) -> Frame:
    """AG2's own events, which the published runtime passes on without a type of their own."""
    return frames.queued("unknown", {"event_type": event, "kind": "unknown"})


def native_tool_call() -> Frame:
    """The model asked for a tool. Published with empty names; clients drop it."""
    data: Frame = {"event_type": "ToolCallEvent", "kind": "tool_call", "call_id": None, "name": None, "agent": None}
    return frames.queued("chat.tool_call", data)


def tool_result(call_id: str, content: str, *, failed: bool) -> Frame:
    """What a tool returned to its agent."""
    result = {
        "uuid": str(uuid.uuid4()),
        "content": content,
        "sender": "_Group_Tool_Executor",
        "recipient": "chat_manager",
        "role": "tool",
        "tool_responses": [{"tool_call_id": call_id, "role": "tool", "content": content}],
    }
    head: Frame = {"event_type": "ToolResponseEvent", "kind": "tool_response", "call_id": None, "name": None, "agent": None}
    return frames.queued("chat.tool_response", head | {"result": result, "status": "error" if failed else "ok"})


def auto_tool_call(call_id: str, tool: str, agent: str, arguments: Frame, message: str) -> Frame:
    """A structured output that became a tool call."""
    payload = {"tool_args": arguments, "agent_name": agent, "interaction_type": "auto_tool", "agent_message": message}
    data: Frame = {"kind": "tool_call", "tool_name": tool, "tool_call_id": call_id, "corr": call_id}
    return frames.queued("chat.tool_call", data | {"awaiting_response": False, "payload": payload, "agent": agent})


def auto_tool_response(call_id: str, tool: str, agent: str, content: str, *, failed: bool) -> Frame:
    """What came of it."""
    data: Frame = {"kind": "tool_response", "tool_name": tool, "tool_call_id": call_id, "corr": call_id, "agent": agent}
    told = {"success": not failed, "content": content, "status": "error" if failed else "ok", "interaction_type": "auto_tool"}
    return frames.queued("chat.tool_response", data | told)


def tool_progress(chat_id: str, tool: str, percent: float, message: str, corr: str | None) -> Frame:
    """How far a tool is; no prefix, as published."""
    data: Frame = {"kind": "tool_progress", "chat_id": chat_id, "tool_name": tool, "progress_percent": percent}
    data |= {"status_message": message, "timestamp": frames.now()}
    return frames.queued("tool_progress", data | ({"corr": corr} if corr else {}))


def context_update(variable: str, value: Any) -> Frame:
    """A trigger set a variable; no prefix, as published."""
    return frames.queued("context_update", {"kind": "context_update", "variable": variable, "value": value})


def say(chat: Chat, role: str, agent: str, content: str, metadata: Frame, *, flags: Frame | None = None) -> None:
    """Store a message of the run and send its ``chat.text``. ``flags`` are added to its data."""
    told: Frame = {"source": "workflow", "sequence": chat.sequence + 1, **metadata}
    message = chat.add_message(role, agent, content, told)
    data: Frame = {"kind": "text", "agent": agent, "content": content, "chat_id": chat.chat_id, "timestamp": frames.now()}
    data |= {"metadata": told, **frames.text_flags(), "sequence": message.sequence, "index": message.index, **(flags or {})}
    chat.emit(frames.queued("chat.text", data), keep=False)


def trace(chat: Chat, agent: str, content: str, reason: str) -> None:
    """A text people do not see: cut, cleaned of secrets, marked; never stored, so never replayed."""
    clean = _SECRET.sub("[redacted]", content)
    data: Frame = {"kind": "text", "agent": agent, "content": clean[:TRACE_CHARS], "chat_id": chat.chat_id}
    data |= {"timestamp": frames.now(), "metadata": {"source": "workflow"}, **frames.text_flags(), "is_visual": False}
    data |= {"sequence": chat.next_sequence(), "ui_visibility": "trace", "trace_reason": reason, "trace_agent": agent}
    data |= {"trace_original_len": len(content), "trace_redacted": clean != content, "trace_truncated": len(clean) > TRACE_CHARS}
    chat.emit(frames.queued("chat.text", data))


def json_text(value: Any) -> str:
    """A tool's result as the text an agent reads."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
