"""The Assistant workflow, streaming, cancelling and ask mode over a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

CONTEXT = {
    "user": {"name": "Ada"},
    "plan": {"name": "pro", "title": "Pro"},
    "pages": [
        {"title": "Dashboard", "path": "/", "description": "Figures of the day"},
        {"title": "Settings", "path": "/settings", "description": ""},
    ],
    "workflows": [{"name": "ProjectBrief", "title": "Project brief"}],
}


def _prints(frames: list[dict[str, Any]]) -> str:
    return "".join(f["data"]["content"] for f in frames if f["type"] == "chat.print")


async def test_greeting_then_question(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        types = [frame["type"] for frame in wire.frames]
        assert types[:4] == ["chat_meta", "chat.run_start", "chat.select_speaker", "chat.print"]
        assert types[-3:] == ["chat.text", "chat.usage_delta", "chat.input_request"]
        final = wire.all("chat.text")[0]
        assert final["agent"] == "Assistant"
        assert _prints(wire.frames) == final["data"]["content"]
        assert len(wire.all("chat.print")) > 5
        assert asked["data"]["password"] is False
        sequences = [f["data"]["sequence"] for f in wire.frames if f["type"] in ("chat.print", "chat.text")]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_answer_turn(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        seen = len(wire.frames)
        await wire.answer(asked, "what can you do?", context=CONTEXT)
        await wire.until("chat.input_request")
        turn = wire.frames[seen:]
        head = ["chat.input_ack", "ack.input", "chat.select_speaker", "chat.text", "chat.select_speaker"]
        assert [f["type"] for f in turn[:5]] == head
        assert turn[1]["data"] == {"input_request_id": asked["data"]["request_id"], "status": "accepted"}
        assert "agent" not in turn[1]
        assert (turn[3]["data"]["agent"], turn[3]["data"]["content"]) == ("user", "what can you do?")
        final = [f for f in turn if f["type"] == "chat.text"][-1]
        assert _prints(turn) == final["data"]["content"]
        usage = turn[-2]["data"]
        assert turn[-2]["type"] == "chat.usage_delta"
        assert usage["completion_tokens"] == -(-len(final["data"]["content"]) // 4)
        assert usage["prompt_tokens"] == 4
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert usage["model_name"] == "offline"


async def test_it_shows_the_user_around(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        pages = await wire.say("list pages", context=CONTEXT)
        assert "[Settings](/settings)" in pages["data"]["content"]
        assert "**Pro**" in (await wire.say("show my plan"))["data"]["content"]
        assert "Project brief" in (await wire.say("which workflows are there?"))["data"]["content"]
        assert "OPENAI_BASE_URL" in (await wire.say("why is the sky blue?"))["data"]["content"]
        await wire.say("please open the settings page")
        moved = await wire.until("chat.navigate")
        assert moved["data"]["path"] == "/settings"


async def test_exit_completes_the_run(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), " Exit ")
        ended = await wire.until("chat.run_complete")
        assert ended["data"]["status"] == 1
        assert wire.frames[-2]["data"]["event_type"] == "TerminationEvent"
        chat = wire.frames[0]["data"]["chat_id"]
        meta = runtime.request("GET", f"/api/chats/meta/app1/Assistant/{chat}", user).json()
        assert meta["status"] == 1
        assert meta["last_sequence"] == 2
        assert runtime.request("GET", f"/api/sessions/list/app1/{user}", user).json()["count"] == 0
    async with runtime.socket("Assistant", chat, user) as wire:
        meta_frame = await wire.next()
        assert meta_frame["data"]["status"] == 1
        await wire.until("chat.resume_boundary")
        assert [frame["data"]["index"] for frame in wire.all("chat.text")] == [0, 1]
        assert await wire.drain() == []  # a completed chat is shown, not run again


async def test_cancel_in_the_middle(spawn: Any, user: str) -> None:
    slow = spawn(token_delay_ms=40)
    async with slow.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request", 20)
        await wire.answer(asked, "how do I connect a model?")
        await wire.until("chat.print")
        await wire.until("chat.print")
        seen = len(wire.frames)
        await wire.send("user.cancel", chat_id="any")
        final = await wire.until("chat.text")
        assert final["data"]["metadata"]["cancelled"] is True
        turn = wire.frames[wire.frames.index(asked) :]
        assert _prints(turn) == final["data"]["content"]
        assert len(wire.frames) - seen < 6
        assert (await wire.next())["type"] == "chat.usage_delta"
        again = await wire.next()
        assert again["type"] == "chat.input_request"
        await wire.send("user.cancel", chat_id="any")  # nothing to stop: nothing happens
        assert await wire.drain() == []


async def test_free_text_is_stored_and_echoed_only(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        await wire.send("user.input.submit", chat_id="any", text="hello?")
        echo = await wire.next()
        assert echo["data"]["index"] == 1
        assert "chat_id" not in echo["data"]
        ack = await wire.next()
        assert ack["type"] == "chat.input_ack"
        assert ack["data"] == {"chat_id": wire.frames[0]["data"]["chat_id"], "status": "accepted"}
        assert await wire.drain() == []
        await wire.answer(asked, "help")
        assert (await wire.until("ack.input"))["data"]["status"] == "accepted"


async def test_stale_ids_are_rejected(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        await wire.send("user.input.submit", chat_id="c", text="x", request_id="unknown")
        assert (await wire.next())["data"] == {"input_request_id": "unknown", "status": "rejected"}
        await wire.send("ui_tool_response", eventId="nope", response={"status": "success"})
        assert (await wire.next())["data"] == {"eventId": "nope", "status": "rejected"}
        await wire.answer(asked, "help", request_id=None, input_request_id=asked["data"]["request_id"])
        await wire.until("ack.input", status="accepted")
        await wire.answer(asked, "help")
        await wire.until("ack.input", status="rejected")


async def test_schema_errors(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        await wire.until("chat.input_request")
        bad: list[str] = [
            '{"no": "type"}', '{"type": "totally.unknown", "chat_id": "c"}', '{"type": "ping"}', "[1, 2]",
            '"x"',
            '{"type": "user.input.submit", "text": "no chat id"}',
            '{"type": "user.input.submit", "chat_id": "c", "text": 7}',
            '{"type": "client.resume", "chat_id": "c", "lastClientIndex": "0"}',
            '{"type": "chat.artifact_action", "chat_id": "c"}',
            '{"type": "ui_tool_response", "eventId": "x"}',
            '{"type": "user.cancel"}',
        ]  # fmt: skip
        for raw in bad:
            await wire.connection.send(raw)
            error = await wire.next()
            assert error["type"] == "chat.error", raw
            assert error["data"] == {
                "message": "Invalid message schema", "error_code": "SCHEMA_VALIDATION_FAILED",
            }  # fmt: skip
        await wire.connection.send("this is not json")
        await wire.connection.send(b"\x00\x01")
        await wire.connection.send("[" * 100_000)
        assert await wire.drain() == []


async def test_ask_mode(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        await wire.until("chat.tool_call")
        await wire.send("chat.enter_general_mode")
        mode = await wire.until("chat.mode_changed")
        assert mode["data"] == {
            "mode": "general", "general_chat_id": f"generalchat-app1-{user}-0001",
            "general_chat_label": "General Chat #1", "general_chat_sequence": 1,
        }  # fmt: skip
        await wire.send("user.input.submit", chat_id="g", text="list pages", context=CONTEXT)
        echo = await wire.until("chat.text", agent="user")
        assert echo["data"]["metadata"]["source"] == "general_agent"
        assert echo["data"]["metadata"]["ui_context"] == CONTEXT
        answer = await wire.until("chat.text", agent="Assistant")
        assert "/settings" in answer["data"]["content"]
        await wire.until("chat.input_ack", status="accepted")
        await wire.send("user.input.submit", chat_id="g", text="")
        assert (await wire.next())["data"]["error_code"] == "GENERAL_MODE_EMPTY_MESSAGE"
        await wire.send("chat.start_general_chat")
        created = await wire.until("chat.general_session_created")
        assert created["data"]["general_chat_sequence"] == 2
        await wire.send("chat.switch_workflow", chat_id="does-not-exist")
        assert (await wire.next())["data"]["error_code"] == "SWITCH_WORKFLOW_FAILED"
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.send("chat.switch_workflow", chat_id=chat)
        assert (await wire.until("chat.context_switched"))["data"]["to_chat_id"] == chat
    listed = runtime.request("GET", f"/api/general_chats/list/app1/{user}", user).json()
    assert [row["sequence"] for row in listed["sessions"]] == [2, 1]
    path = f"/api/general_chats/transcript/app1/generalchat-app1-{user}-0001"
    transcript = runtime.request("GET", path, user).json()
    assert [m["role"] for m in transcript["messages"]] == ["user", "assistant"]
    later = runtime.request("GET", path + "?after_sequence=1", user).json()["messages"]
    assert [m["sequence"] for m in later] == [2]
    assert runtime.request("GET", path, "u2").status_code == 404
    meta = runtime.request("GET", f"/api/chats/meta/app1/ProjectBrief/{chat}", user).json()
    assert meta["last_sequence"] == 1  # ask mode is not part of the workflow's messages


async def test_two_chats_of_one_user_do_not_mix(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as first, runtime.chat("Assistant", user) as second:
        assert first.frames[0]["data"]["chat_id"] != second.frames[0]["data"]["chat_id"]
        await asyncio.gather(first.until("chat.input_request"), second.until("chat.input_request"))
        await first.say("help")
        assert not [f for f in await second.drain() if f["type"] == "chat.text"]


async def test_ping(spawn: Any, user: str) -> None:
    lively = spawn(ping_seconds=0.2)
    async with lively.chat("Assistant", user) as wire:
        while (await wire.next())["type"] != "ping":
            pass
        assert set(wire.frames[-1]) == {"type", "timestamp"}


async def test_ask_mode_answers_in_order_and_survives_a_reconnect(spawn: Any, user: str) -> None:
    slow = spawn(token_delay_ms=10)
    async with slow.chat("ProjectBrief", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.until("chat.tool_call")
        await wire.send("chat.enter_general_mode")
        await wire.send("user.input.submit", chat_id="g", text="help")
        await wire.send("user.input.submit", chat_id="g", text="thanks")
        await wire.until("chat.print")
    path = f"/api/general_chats/transcript/app1/generalchat-app1-{user}-0001"
    await slow.wait_for(path, user, lambda transcript: len(transcript["messages"]) == 4)
    async with slow.socket("ProjectBrief", chat, user) as wire:
        await wire.until("chat.tool_call")

        def said() -> list[str]:
            return [f["data"]["content"] for f in wire.all("chat.text") if not f["data"].get("replay")]

        while len(said()) < 3:
            await wire.next()
        assert [text.split()[0] for text in said()] == ["I", "thanks", "You"]


async def test_a_password_is_neither_echoed_nor_stored() -> None:
    from mozaiks_shell.runtime.assistant import Assistant
    from mozaiks_shell.runtime.chat import Chat
    from mozaiks_shell.runtime.run import Run

    chat = Chat("a", "u", "W", "c", keep=10, keep_missed=10)
    run = Run(chat, "Agent", Assistant(None, 0), 0)
    task = asyncio.create_task(run.ask("Password?", password=True))
    await asyncio.sleep(0)
    (request_id,) = chat.questions
    assert chat.answer_question(request_id, "hunter2")
    assert await task == "hunter2"
    assert "hunter2" not in repr(chat.messages)
    assert "hunter2" not in repr(chat.take_missed())


async def test_a_broken_workflow_ends_its_chat_and_nothing_else() -> None:
    from mozaiks_shell.runtime.assistant import Assistant
    from mozaiks_shell.runtime.chat import Chat
    from mozaiks_shell.runtime.run import Run, Runner
    from mozaiks_shell.runtime.workflows import Workflow

    async def body(run: Run) -> None:
        run.question("?")
        run.show("core.table", {}, display="artifact")
        raise RuntimeError("boom")

    chat = Chat("a", "u", "W", "c", keep=10, keep_missed=10)
    Runner(Assistant(None, 0), 0).start(chat, Workflow("W", "W", "", "Agent", body, "hi"))
    assert chat.run is not None
    await chat.run
    assert (chat.status, chat.questions, chat.tools) == (1, {}, {})
    types = [frame["type"] for frame in chat.take_missed()]
    assert types == ["chat.run_start", "chat.ui_tool_dismiss", "unknown", "error"]
