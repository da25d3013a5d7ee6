"""Prerequisites (protocol §6): 409 on start, an error and 1008 on the socket, reasons in the list, workflows beside workflows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.runtime.packs import Packs, parse_pack

GRAPH = {
    "workflows": [
        {"id": "ProjectBrief", "type": "primary", "description": "first"},
        {"id": "CompareOptions", "dependencies": [{"id": "ProjectBrief", "reason": "Finish the brief first."}]},
        {"id": "Elsewhere"},
    ]
}


@pytest.fixture(scope="module")
def gated(spawn: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A runtime with that pack."""
    pack = tmp_path_factory.mktemp("pack") / "workflow_graph.json"
    pack.write_text(json.dumps(GRAPH))
    return spawn(pack_path=str(pack))


async def _brief(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = await wire.until("chat.tool_call")
        await wire.send("ui_tool_response", eventId=tool["data"]["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")


async def test_a_gate_opens_for_the_one_who_finished(gated: Any, user: str) -> None:
    refused = gated.request("POST", "/api/chats/app1/CompareOptions/start", user, json={})
    assert (refused.status_code, refused.json()) == (409, {"detail": "Finish the brief first."})
    async with gated.socket("CompareOptions", "made-up", user) as wire:
        told = await wire.next()
        assert told["data"] == {
            "message": "Finish the brief first.", "error_code": "WORKFLOW_PREREQS_NOT_MET",
            "workflow_name": "CompareOptions", "chat_id": "made-up",
        }  # fmt: skip
        with pytest.raises(ConnectionClosed):
            await wire.next()
        assert (wire.connection.close_code, wire.connection.close_reason) == (1008, "Prerequisites not met")
    found = gated.request("GET", "/api/chats/exists/app1/CompareOptions/made-up", user).json()
    assert found == {"exists": False}  # a refused socket leaves no chat behind
    rows = {row["workflow_name"]: row for row in gated.request("GET", "/api/workflows/app1/available", user).json()["workflows"]}
    assert list(rows)[:3] == ["ProjectBrief", "CompareOptions", "Elsewhere"]
    assert (rows["CompareOptions"]["available"], rows["CompareOptions"]["reason"]) == (False, "Finish the brief first.")
    gate = rows["CompareOptions"]["required_gates"][0]
    assert (gate["from"], gate["_source"], gate["_implicit"]) == ("ProjectBrief", "workflow.dependencies", True)
    assert (rows["Elsewhere"]["available"], rows["ProjectBrief"]["available"]) == (False, True)
    await _brief(gated, user)
    assert gated.request("POST", "/api/chats/app1/CompareOptions/start", user, json={}).status_code == 200
    assert gated.request("POST", "/api/chats/app1/CompareOptions/start", "another", json={}).status_code == 409
    elsewhere = gated.headers(user, app_id="app2")
    assert gated.request("POST", "/api/chats/app2/CompareOptions/start", headers=elsewhere, json={}).status_code == 409


async def test_workflows_beside_a_workflow(gated: Any, user: str) -> None:
    async with gated.chat("Assistant", user) as wire:
        here = wire.frames[0]["data"]["chat_id"]
        await wire.until("chat.input_request")
        await wire.send("chat.start_workflow", workflow_name="CompareOptions")
        blocked = await wire.until("chat.prereq_blocked")
        assert (blocked["chat_id"], blocked["data"]["message"]) == (here, "Finish the brief first.")
        await wire.send("chat.start_workflow", workflow_name="Nothing")
        assert (await wire.until("chat.error"))["data"]["error_code"] == "START_WORKFLOW_FAILED"
        await wire.send("chat.start_workflow")
        assert (await wire.until("chat.error"))["data"]["error_code"] == "SCHEMA_VALIDATION_FAILED"
        runs = [{"workflow_name": "ProjectBrief", "label": "Brief"}, {"workflow_name": "CompareOptions"}]
        await wire.send("chat.start_workflow_batch", runs=runs)
        started = (await wire.until("chat.workflow_started"))["data"]
        assert (started["workflow_name"], started["label"]) == ("ProjectBrief", "Brief")
        assert started["chat_id"].startswith("chat_ProjectBrief_")
        batch = (await wire.until("chat.workflow_batch_started"))["data"]
        assert (batch["count"], [b["workflow_name"] for b in batch["blocked"]]) == (1, ["CompareOptions"])
        await wire.send("chat.switch_workflow", chat_id=started["chat_id"])
        switched = (await wire.until("chat.context_switched"))["data"]
        assert (switched["from_chat_id"], switched["to_chat_id"]) == (here, started["chat_id"])
        async with gated.socket("ProjectBrief", started["chat_id"], user) as child:
            await child.until("chat.tool_call")  # it ran meanwhile; its frames came over its own socket alone
        assert not wire.all("chat.tool_call")


async def test_a_token_for_one_chat_starts_no_other(gated: Any, user: str) -> None:
    chat = gated.start("Assistant", user)["chat_id"]
    async with gated.socket("Assistant", chat, user, chat_id=chat) as wire:
        await wire.until("chat.input_request")
        await wire.send("chat.start_workflow", workflow_name="ProjectBrief")
        assert (await wire.until("chat.error"))["data"]["error_code"] == "START_WORKFLOW_FAILED"


def test_graphs(tmp_path: Any) -> None:
    journey = {"id": "j", "steps": ["A", ["B", "C"], "D"], "enforce_step_gating": True}
    gates = [{"from": "A", "to": "D", "gating": "required", "reason": "A!"}, {"from": "X", "to": "D", "gating": "optional"}]
    pack = parse_pack({"gates": gates, "journeys": [journey]})
    assert pack.required("D") == {"A", "B", "C"}
    assert (pack.blocked("D", {"B", "C"}), pack.blocked("D", {"A", "B", "C"})) == ("A!", None)
    with pytest.raises(ValueError, match="workflows must be a list"):
        parse_pack({"workflows": {"id": "A"}})
    file = tmp_path / "graph.json"
    packs = Packs(None, str(file))
    assert packs.current.gates == ()
    file.write_text(json.dumps({"gates": gates}))
    assert packs.current.required("D") == {"A"}
    file.write_text("{ broken")
    assert packs.current.required("D") == {"A"}  # the last good one stays
