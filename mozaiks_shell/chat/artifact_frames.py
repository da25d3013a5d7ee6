"""Frames about artifacts that are shown already (F-182, F-183): what became of an action, and changes of what is shown.

mozaiks-core sends them (``artifact.action.*``, ``agui.state.*``), and so does the embedded runtime; the other published
runtimes have no way to carry out an action, and say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Mode = Literal["replace", "patch"]
STATES: Final = ("started", "completed", "failed")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an artifact: a whole new payload, or a JSON Patch of it. ``content`` is not looked at yet."""

    artifact_id: str
    mode: Mode
    content: Any


@dataclass(frozen=True, slots=True)
class ActionTold:
    """What became of an action: ``started``, ``completed`` or ``failed``; ``error`` is fit for a person."""

    action_id: str
    artifact_id: str
    state: str
    error: str
    change: Change | None


ArtifactNews = Change | ActionTold


def told(data: Mapping[str, Any], state: str) -> ActionTold | None:
    """``artifact.action.started``, ``.completed`` or ``.failed``; None without an id."""
    action_id = _text(data.get("action_id") or data.get("actionId"))
    if not action_id:
        return None
    artifact_id = _text(data.get("artifact_id") or data.get("artifactId"))
    given = data.get("error") or data.get("message")
    error = given.get("message") if isinstance(given, Mapping) else given
    result = data.get("result")
    update = data.get("artifact_update") or (result.get("artifact_update") if isinstance(result, Mapping) else None)
    return ActionTold(action_id, artifact_id, state, _text(error, 300), updated(update, artifact_id))


def updated(update: Any, artifact_id: str) -> Change | None:
    """``{"mode": "replace" | "patch", "payload": ..}``; None when there is nothing to change."""
    if not isinstance(update, Mapping) or "payload" not in update:
        return None
    mode: Mode = "patch" if update.get("mode") == "patch" or isinstance(update["payload"], list) else "replace"
    return Change(_text(update.get("artifact_id")) or artifact_id, mode, update["payload"])


def changed(data: Mapping[str, Any]) -> Change | None:
    """A frame that carries a ``patch`` (``delta``) or a whole ``state`` (``payload``) of an artifact; None without an id."""
    artifact_id = _text(data.get("artifact_id") or data.get("artifactId") or data.get("eventId") or data.get("event_id"))
    if not artifact_id:
        return None
    patch = data.get("patch", data.get("delta"))
    if patch is not None:
        return Change(artifact_id, "patch", patch)
    for name in ("state", "snapshot", "payload"):
        if name in data:
            return updated({"mode": data.get("mode"), "payload": data[name]}, artifact_id)
    return None


def action(
    chat_id: str, action_id: str, artifact_id: str, tool: str, params: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """``artifact.action``: have a tool called for an artifact."""
    ids = {"type": "artifact.action", "chat_id": chat_id, "action_id": action_id, "artifact_id": artifact_id}
    return {**ids, "tool": tool, "params": dict(params), "context": dict(context)}


def _text(value: object, limit: int = 128) -> str:
    return value[:limit] if isinstance(value, str) and "\x00" not in value else ""
