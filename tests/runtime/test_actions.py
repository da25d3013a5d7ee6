"""The embedded runtime carries out actions of artifacts as tools of the workflow (F-182)."""

from types import SimpleNamespace
from typing import Any

import pytest

from mozaiks_shell.runtime.actions import Actions, artifact
from mozaiks_shell.runtime.chat import Chat
from mozaiks_shell.runtime.engine.calls import ToolFailed
from mozaiks_shell.runtime.messages import ArtifactAction, parse_frame
from mozaiks_shell.runtime.workflows.base import Workflow

TABLE = {"artifact_id": "inv", "rows": [{"id": "a", "n": 1}], "row_actions": [{"label": "Up", "tool": "up"}]}


class Ear:
    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)

    def end(self, code: int, reason: str) -> None:
        raise AssertionError(reason)


def workflow(act: Any) -> Workflow:
    async def body(_: Any) -> None:
        return None

    return Workflow("W", "W", "", "Agent", body, "", actions={"up": act, "hidden": act})


async def carried_out(act: Any, tool: str = "up", artifact_id: str = "inv") -> tuple[Chat, list[dict[str, Any]], str]:
    chat, ear, actions = Chat("app", "usr", "W", "c1", keep=10, keep_missed=10), Ear(), Actions()
    chat.attach(ear, [])
    chat.show("core.table", {**TABLE, "rows": [dict(TABLE["rows"][0])]}, "artifact", "Agent")
    frame = {"type": "artifact.action", "action_id": "x1", "artifact_id": artifact_id, "tool": tool, "params": {"id": "a"}}
    action = parse_frame(frame)
    assert isinstance(action, ArtifactAction)
    why = actions.begin(chat, workflow(act), action)
    for task in list(actions._tasks):
        await task
    return chat, [one for one in ear.frames if one["type"].startswith("artifact.")], why


async def test_f182_a_tool_changes_the_artifact_and_everybody_hears_it():
    async def up(_: Chat, params: dict[str, Any]) -> Any:
        assert params == {"id": "a"}
        return {"ok": True, "artifact_update": {"mode": "patch", "payload": [{"op": "replace", "path": "/rows/0/n", "value": 2}]}}

    chat, frames, why = await carried_out(up)
    assert why == "" and [one["type"] for one in frames] == ["artifact.action.started", "artifact.action.completed"]
    assert frames[1]["data"]["result"] == {"ok": True} and frames[1]["data"]["artifact_update"]["mode"] == "patch"
    assert artifact(chat, "inv")["rows"] == [{"id": "a", "n": 2}]
    assert next(iter(chat.tools.values())).frame["data"]["payload"]["rows"][0]["n"] == 2
    assert chat.last_artifact["payload"]["rows"][0]["n"] == 2, "who comes later is told how it stands"


@pytest.mark.parametrize("error", [ToolFailed("No such row."), KeyError("x"), SimpleNamespace()])
async def test_f182_a_failing_tool_is_told_and_changes_nothing(error):
    async def up(_: Chat, __: dict[str, Any]) -> Any:
        if isinstance(error, Exception):
            raise error
        return {"artifact_update": {"mode": "patch", "payload": [{"op": "remove", "path": "/nowhere"}]}}

    chat, frames, _ = await carried_out(up)
    assert [one["type"] for one in frames] == ["artifact.action.started", "artifact.action.failed"]
    assert frames[1]["data"]["rollback"] is True and artifact(chat, "inv")["rows"] == [{"id": "a", "n": 1}]


@pytest.mark.parametrize(("tool", "shown"), [("hidden", "inv"), ("nothing", "inv"), ("up", "other")])
async def test_f182_only_what_the_shown_artifact_offers_can_be_called(tool, shown):
    async def up(_: Chat, __: dict[str, Any]) -> Any:
        raise AssertionError("called")

    _, frames, why = await carried_out(up, tool, shown)
    assert why and frames == []
