"""The HTTP API of protocol §1.2 and §1.3."""

from __future__ import annotations

from typing import Any


def test_start_answer_and_idempotency(runtime: Any, user: str) -> None:
    first = runtime.start("Assistant", user, force_new=False)
    assert set(first) == {
        "success", "chat_id", "workflow_name", "app_id", "user_id", "websocket_url", "message", "reused",
        "cache_seed",
    }  # fmt: skip
    assert first["reused"] is False
    assert first["message"] == "Chat session initialized; connect to websocket to start."
    assert first["websocket_url"] == f"/ws/Assistant/app1/{first['chat_id']}/{user}"
    again = runtime.start("Assistant", user, force_new=False, client_request_id="other")
    assert (again["chat_id"], again["reused"]) == (first["chat_id"], True)
    forced = runtime.start("Assistant", user)
    assert (forced["chat_id"] != first["chat_id"], forced["reused"]) == (True, False)
    other = runtime.start("ProjectBrief", user, force_new=False)
    assert other["chat_id"] not in (first["chat_id"], forced["chat_id"])
    listed = runtime.request("GET", "/api/chats/app1/Assistant", user).json()
    assert listed == {"chat_ids": [forced["chat_id"], first["chat_id"]]}


def test_start_refuses_what_does_not_exist(runtime: Any) -> None:
    answer = runtime.request("POST", "/api/chats/app1/Nothing/start", json={})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Workflow 'Nothing' not found"})
    assert runtime.request("POST", "/api/chats/app1/Assistant/start").status_code == 422


def test_meta_shape(runtime: Any, user: str) -> None:
    chat = runtime.start("Assistant", user)
    meta = runtime.request("GET", f"/api/chats/meta/app1/Assistant/{chat['chat_id']}", user).json()
    assert meta == {
        "exists": True, "chat_id": chat["chat_id"], "workflow_name": "Assistant", "has_children": False,
        "cache_seed": chat["cache_seed"], "status": 0, "last_sequence": 0, "last_artifact": None,
        "artifact_instance_id": None, "artifact_state": None, "app_id": "app1",
    }  # fmt: skip
    missing = runtime.request("GET", "/api/chats/meta/app1/Assistant/nope", user).json()
    assert missing == {"exists": False}


def test_sessions(runtime: Any, user: str) -> None:
    empty = runtime.request("GET", f"/api/sessions/list/app1/{user}", user).json()
    assert empty == {"sessions": [], "count": 0}
    nothing = runtime.request("GET", f"/api/sessions/recent/app1/{user}", user).json()
    assert nothing == {"found": False, "chat_id": None, "workflow_name": None}
    runtime.start("Assistant", user)
    newest = runtime.start("CompareOptions", user)["chat_id"]
    listed = runtime.request("GET", f"/api/sessions/list/app1/{user}", user).json()
    assert listed["count"] == 2
    row = listed["sessions"][0]
    assert set(row) == {"chat_id", "workflow_name", "created_at", "last_updated_at", "last_artifact"}
    found = runtime.request("GET", f"/api/sessions/recent/app1/{user}", user).json()
    assert found["found"] is True
    assert newest in {s["chat_id"] for s in listed["sessions"]}


def test_workflow_catalogue(runtime: Any) -> None:
    listed = runtime.request("GET", "/api/workflows").json()
    assert set(listed) == {"Assistant", "ProjectBrief", "CompareOptions"}
    assert [n for n, w in listed.items() if w["entry_point"]] == ["Assistant"]
    assert {w["startup_mode"] for w in listed.values()} == {"AgentDriven"}
    assert runtime.request("GET", "/api/workflows/config").json() == listed
    tools = runtime.request("GET", "/api/workflows/ProjectBrief/ui-tools").json()
    assert tools["ui_tools_count"] == 1
    assert tools["ui_tools"][0]["component"] == "core.form"
    assert runtime.request("GET", "/api/workflows/ProjectBrief/tools").json()["tools"][0]["tool_type"]
    transport = runtime.request("GET", "/api/workflows/Assistant/transport").json()
    assert transport["endpoints"]["input"] == "/chat/{app_id}/{chat_id}/{user_id}/input"
    assert runtime.request("GET", "/api/workflows/Nothing/tools").status_code == 404
    rows = runtime.request("GET", "/api/workflows/app1/available").json()["workflows"]
    assert {row["workflow_name"] for row in rows} == set(listed)
    assert set(rows[0]) == {"workflow_name", "available", "reason", "type", "description", "required_gates"}


async def test_input_route_answers_the_pending_question(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        await wire.until("chat.input_request")
        chat = wire.frames[0]["data"]["chat_id"]
        path = f"/chat/app1/{chat}/{user}/input"
        answer = runtime.request("POST", path, user, json={"message": "help", "workflow_name": "Assistant"})
        assert answer.json() == {"status": "Message received and is being processed.", "transport": None}
        echo = await wire.until("chat.text", agent="user")
        assert echo["data"]["content"] == "help"
        assert "offline assistant" in (await wire.until("chat.text"))["data"]["content"]
        assert runtime.request("POST", path, user, json={"message": " "}).status_code == 400
        wrong = runtime.request("POST", path, user, json={"message": "x", "workflow_name": "ProjectBrief"})
        assert wrong.status_code == 400
    assert runtime.request("POST", f"/chat/app1/none/{user}/input", user, json={"message": "x"}).status_code == 404


async def test_input_route_starts_a_run_that_nobody_watches(runtime: Any, user: str) -> None:
    chat = runtime.start("CompareOptions", user)["chat_id"]
    path = f"/chat/app1/{chat}/{user}/input"
    assert runtime.request("POST", path, user, json={"message": "hosting plans"}).status_code == 200
    async with runtime.socket("CompareOptions", chat, user) as wire:
        await wire.until("chat.tool_call")
        await wire.until("chat.input_request")
    assert any(f["data"].get("content") == "hosting plans" for f in wire.all("chat.text"))


async def test_submit_routes(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = await wire.until("chat.tool_call")
        body = {"event_id": tool["data"]["corr"], "response_data": {"status": "cancelled"}}
        assert runtime.request("POST", "/api/ui-tool/submit", "thief", json=body).status_code == 404
        done = runtime.request("POST", "/api/ui-tool/submit", user, json=body)
        assert done.json() == {"status": "success", "message": "UI tool response submitted successfully"}
        await wire.until("chat.run_complete")
        again = runtime.request("POST", "/api/ui-tool/submit", user, json=body)
        assert (again.status_code, again.json()) == (404, {"detail": "UI tool event not found"})
        empty = body | {"response_data": {}}
        assert runtime.request("POST", "/api/ui-tool/submit", user, json=empty).status_code == 400
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        body = {"input_request_id": asked["data"]["request_id"], "user_input": "list pages"}
        assert runtime.request("POST", "/api/user-input/submit", "thief", json=body).status_code == 404
        done = runtime.request("POST", "/api/user-input/submit", user, json=body)
        assert done.json() == {"status": "success", "message": "User input submitted successfully"}
        await wire.until("chat.text", agent="Assistant")
        assert runtime.request("POST", "/api/user-input/submit", user, json=body).status_code == 404
        empty = body | {"user_input": ""}
        assert runtime.request("POST", "/api/user-input/submit", user, json=empty).status_code == 400


def test_health_shape(runtime: Any) -> None:
    health = runtime.request("GET", "/api/health").json()
    assert health["status"] == "healthy"
    assert health["workflows"] == ["Assistant", "ProjectBrief", "CompareOptions"]
