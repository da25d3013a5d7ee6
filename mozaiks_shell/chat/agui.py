"""The AG-UI family of frames (F-184): ``agui.lifecycle.*``, ``agui.text.*``, ``agui.tool.*``, ``agui.state.*``.

mozaiks-core says most things twice, once as ``chat.*`` and once like this. What was said the first way is not listened to the
second way; a runtime that speaks AG-UI alone is understood as well. Only the state of artifacts has no other words.
"""

from collections.abc import Iterator
from typing import Any

from mozaiks_shell.chat import artifact_frames as artifacts
from mozaiks_shell.chat import protocol
from mozaiks_shell.chat.upstream_frames import (
    Agui,
    Ended,
    Hidden,
    Piece,
    Problem,
    Said,
    Speaker,
    Tool,
    ToolOver,
    Unknown,
    Upstream,
)
from mozaiks_shell.foundation.i18n import tr

_FAMILIES = ("text", "tool", "lifecycle")
_LONGEST = 50  # messages at once that are being written
_NATIVE: dict[type, str] = {Piece: "text", Said: "text", Tool: "tool", Speaker: "lifecycle", Ended: "lifecycle"}


class Dialect:
    """What one connection was told so far."""

    def __init__(self) -> None:
        self._native: set[str] = set()
        self._messages: dict[str, tuple[str, list[str]]] = {}
        self._tools: set[str] = set()

    def read(self, value: Upstream) -> Iterator[Upstream]:
        """What a frame means: perhaps nothing, perhaps several things. One that is not of the family means itself, and its
        like is not listened to in AG-UI any more.
        """
        if isinstance(value, Agui):
            yield from self._read(value)
            return
        if (family := _NATIVE.get(type(value))) is not None:
            self._native.add(family)
        yield value

    def _read(self, frame: Agui) -> Iterator[Upstream]:
        family, _, name = frame.name.partition(".")
        if family in _FAMILIES and family in self._native:
            yield Hidden(f"agui.{frame.name}")
            return
        fields = frame.data
        match family:
            case "text":
                yield from self._text(name, fields)
            case "tool":
                yield from self._tool(name, fields)
            case "lifecycle":
                yield from self._lifecycle(name, fields)
            case "state":
                yield from self._state(name, fields)
            case _:
                yield Unknown(f"agui.{frame.name}")

    def _text(self, name: str, data: dict[str, Any]) -> Iterator[Upstream]:
        message_id = protocol.clean(data.get("messageId") or data.get("message_id"), 128)
        if name == "TextMessageStart":
            if len(self._messages) < _LONGEST:
                self._messages[message_id] = (_agent(data), [])
            return
        agent, parts = self._messages.get(message_id, (_agent(data), []))
        if name == "TextMessageContent":
            content = protocol.clean(data.get("delta") or data.get("content"), protocol.MAX_TEXT)
            if not content:
                return
            if sum(map(len, parts)) < protocol.MAX_TEXT:
                parts.append(content)
            if agent.casefold() != "user" and data.get("ui_visibility") != "trace":
                yield Piece(agent, content)
        elif name == "TextMessageEnd":
            self._messages.pop(message_id, None)
            content = "".join(parts) or protocol.clean(data.get("content"), protocol.MAX_TEXT)
            if content.strip() and data.get("ui_visibility") != "trace":
                yield Said(agent, content, None, False, False)

    def _tool(self, name: str, data: dict[str, Any]) -> Iterator[Upstream]:
        call = protocol.clean(data.get("callId") or data.get("toolCallId") or data.get("corr"), 128)
        if name == "ToolCallStart":
            value = protocol.tool_of({**data, "corr": data.get("corr") or call})
            if isinstance(value, Tool):
                self._tools.add(value.id)
                yield value
        elif name == "ToolCallResult" and call in self._tools:
            yield ToolOver(call, False, "")

    def _lifecycle(self, name: str, data: dict[str, Any]) -> Iterator[Upstream]:
        if name == "StepStarted":
            yield Speaker(_agent(data))
        elif name == "RunFinished":
            yield Ended(False)
        elif name == "RunError":
            yield Problem("WORKFLOW_EXECUTION_FAILED", tr("The run stopped because of an error in the workflow."), True)
        else:
            yield Hidden(f"agui.lifecycle.{name}")

    def _state(self, name: str, data: dict[str, Any]) -> Iterator[Upstream]:
        if name in {"StateSnapshot", "StateDelta"}:
            change = artifacts.changed(data)
            yield change if change is not None else Unknown(f"agui.state.{name} without artifact_id")
        elif name == "MessagesSnapshot" and "text" not in self._native:
            listed = data.get("messages")
            for number, one in enumerate(listed[:5000] if isinstance(listed, list) else []):
                content = protocol.clean(one.get("content"), protocol.MAX_TEXT) if isinstance(one, dict) else ""
                if content.strip():
                    yield Said(_agent(one), content, number, True, False)


def _agent(data: dict[str, Any]) -> str:
    if data.get("role") == "user":
        return "user"
    return protocol.clean(data.get("agent") or data.get("name") or data.get("sender"), 80) or "Agent"
