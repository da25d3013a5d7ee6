"""Actions of artifacts: tools that a person calls from what is shown, outside of the agents' turns.

The published runtimes but mozaiks-core have no way to do this; the frames are mozaiks-core's. A tool is called only for an
artifact of the chat that names it among its actions, so a client cannot reach the other tools of a workflow.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jsonpatch
import jsonpointer

from . import frames
from .engine.calls import LONGEST_RESULT, ToolFailed
from .frames import Frame
from .messages import ArtifactAction

if TYPE_CHECKING:
    from .chat import Chat
    from .workflows import Workflow

log = logging.getLogger(__name__)
WITHIN = 300.0  # seconds a tool may take
_AT_ONCE = 8  # actions of one chat that are under way
_LARGEST = 400_000  # characters of an artifact as JSON


class Actions:
    """The actions that are being carried out."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}

    def begin(self, chat: Chat, workflow: Workflow | None, action: ArtifactAction) -> str:
        """Carry out an action; empty, or why it is not even tried."""
        payload = artifact(chat, action.artifact_id)
        if payload is None:
            return "This is not shown any more."
        if workflow is None or action.tool not in set(_tools(payload)):
            return "This is not offered here."
        if list(self._tasks.values()).count(chat.chat_id) >= _AT_ONCE:
            return "Too much is under way already."
        task = asyncio.create_task(self._carry_out(chat, workflow, action), name=f"action {action.action_id}")
        self._tasks[task] = chat.chat_id
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return ""

    async def _carry_out(self, chat: Chat, workflow: Workflow, action: ArtifactAction) -> None:
        told: Frame = {"action_id": action.action_id, "artifact_id": action.artifact_id, "tool": action.tool}
        chat.emit(frames.artifact_action("started", told))
        try:
            async with asyncio.timeout(WITHIN):
                result = await workflow.act(chat, action.tool, action.params)
            result = json.loads(json.dumps(result, ensure_ascii=False, default=str))
            update = result.pop("artifact_update", None) if isinstance(result, dict) else None
            if update is not None:
                change(chat, action.artifact_id, update)
                told |= {"artifact_update": update}
        except TimeoutError:
            chat.emit(frames.artifact_action("failed", told | {"error": "This took too long.", "rollback": True}))
        except ToolFailed as error:
            chat.emit(frames.artifact_action("failed", told | {"error": str(error), "rollback": True}))
        except Exception:
            log.exception("action %s failed in chat %s", action.tool, chat.chat_id)
            chat.emit(frames.artifact_action("failed", told | {"error": "This did not work.", "rollback": True}))
        else:
            if len(json.dumps(result)) > LONGEST_RESULT:
                result = None
            chat.emit(frames.artifact_action("completed", told | {"result": result}))


def artifact(chat: Chat, artifact_id: str) -> Frame | None:
    """The payload of an artifact of the chat, by the id of its event or the one it gives itself; None without it."""
    return next(iter(_payloads(chat, artifact_id)), None)


def change(chat: Chat, artifact_id: str, update: Any) -> None:
    """Replace or patch an artifact (``{"mode": "replace" | "patch", "payload": ..}``).

    Raises:
        ToolFailed: the update fits no artifact.
    """
    found = list(_payloads(chat, artifact_id))
    given = update.get("payload") if isinstance(update, dict) else None
    if not found or given is None:
        raise ToolFailed("it changed something that is not shown")
    payload: Any = given
    if isinstance(given, list):
        try:
            payload = jsonpatch.apply_patch(copy.deepcopy(found[0]), given)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError, KeyError) as error:
            raise ToolFailed(f"its change does not fit: {error}") from None
    if not isinstance(payload, dict) or len(json.dumps(payload)) > _LARGEST:
        raise ToolFailed("its change makes nothing that can be shown")
    for one in found:
        one.clear()
        one.update(copy.deepcopy(payload))
    chat.touch()


def _payloads(chat: Chat, artifact_id: str) -> Iterator[Frame]:
    shown = [(tool.id, tool.frame["data"]["payload"]) for tool in reversed(chat.tools.values())]
    last = chat.last_artifact
    if last is not None and not any(last["payload"] is payload for _, payload in shown):
        shown.append((last["event_id"], last["payload"]))
    for ident, payload in shown:
        if artifact_id in (ident, payload.get("artifact_id")):
            yield payload


def _tools(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("actions", "row_actions") and isinstance(inner, list):
                yield from (str(one["tool"]) for one in inner if isinstance(one, dict) and one.get("tool"))
            yield from _tools(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _tools(inner, depth + 1)
