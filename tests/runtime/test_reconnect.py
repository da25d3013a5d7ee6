"""Sockets come and go; nothing is lost, doubled, answered or repeated behind the user's back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.runtime.chat import Chat
from mozaiks_shell.runtime.config import RuntimeConfig
from mozaiks_shell.runtime.replay import snapshot
from mozaiks_shell.runtime.store import ChatStore


class Reader:
    """A client that dedups by sequence (prints) and by index (texts), across connections."""

    def __init__(self) -> None:
        self.seen = 0
        self.texts: dict[int, str] = {}
        self.writing = ""

    def take(self, frame: dict[str, Any]) -> None:
        data = frame.get("data", {})
        if frame["type"] == "chat.print" and data["sequence"] > self.seen:
            self.seen = data["sequence"]
            self.writing += data["content"]
        if frame["type"] == "chat.text" and data["index"] not in self.texts:
            if data["agent"] != "user" and self.writing:
                assert data["content"].startswith(self.writing)
                self.writing = ""
            self.texts[data["index"]] = data["content"]
            self.seen = max(self.seen, data.get("sequence", 0))


async def test_reconnect_in_the_middle_of_an_answer(spawn: Any, user: str) -> None:
    slow = spawn(token_delay_ms=120)
    chat = slow.start("Assistant", user)["chat_id"]
    reader = Reader()
    partial = ""
    async with slow.socket("Assistant", chat, user) as wire:
        for _ in range(6):
            reader.take(await wire.next())
        partial = reader.writing
        assert partial
    await asyncio.sleep(0.1)  # the run goes on without us
    async with slow.socket("Assistant", chat, user) as wire:
        while wire.last("chat.input_request") is None:
            reader.take(await wire.next())
        head = [f["type"] for f in wire.frames[:4]]
        assert head == ["chat_meta", "chat.resume_boundary", "chat.select_speaker", "chat.print"]
        assert wire.frames[3]["data"]["sequence"] == 1  # a newcomer gets the answer from its beginning
        final = wire.all("chat.text")[-1]["data"]
        assert "".join(f["data"]["content"] for f in wire.all("chat.print")) == final["content"]
    assert reader.texts == {0: final["content"]}
    assert final["content"].startswith(partial)
    assert not reader.writing


async def test_answer_finished_while_away(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = await wire.until("chat.input_request")
        await wire.answer(asked, "help")
        await wire.until("chat.print")
    path = f"/api/chats/meta/app1/Assistant/{chat}"
    await runtime.wait_for(path, user, lambda meta: meta["last_sequence"] == 3)
    async with runtime.socket("Assistant", chat, user) as wire:
        pending = await wire.until("chat.input_request")
        texts = wire.all("chat.text")
        assert [t["data"]["index"] for t in texts] == [0, 1, 2]
        assert all(t["data"]["replay"] for t in texts)
        assert "sequence" not in texts[0]["data"]
        costs = [f["data"]["event_id"] for f in wire.all("chat.usage_delta")]  # also what the first socket may not have heard
        assert costs and len(set(costs)) == len(costs) and wire.frames[1]["type"] == "chat.usage_delta"
        assert [f["type"] for f in wire.frames if f["type"] != "chat.usage_delta"] == [
            "chat_meta", "chat.text", "chat.text", "chat.text", "chat.resume_boundary", "chat.input_request",
        ]  # fmt: skip
        assert not wire.all("chat.print")
        assert pending["data"]["request_id"] != asked["data"]["request_id"]


async def test_f247_what_was_measured_just_before_a_shell_died_is_told_to_the_next_one_under_its_id(
    runtime: Any, user: str
) -> None:
    """Nobody can know what a socket that broke had read; who counts leaves out an id that came before."""
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        first = await wire.until("chat.usage_delta")
        await wire.until("chat.input_request")
    async with runtime.socket("Assistant", chat, user) as wire:
        again = await wire.until("chat.usage_delta")
        await wire.until("chat.input_request")
        assert wire.all("chat.usage_delta") == [again] and again == first
    async with runtime.socket("Assistant", chat, user) as wire:
        await wire.until("chat.input_request")
        assert wire.all("chat.usage_delta") == [], "told once more, not for ever"


async def test_pending_question_survives_under_its_id(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = await wire.until("chat.input_request")
    for _ in range(3):
        async with runtime.socket("Assistant", chat, user) as wire:
            again = await wire.until("chat.input_request")
            assert again == asked
            assert await wire.drain() == []  # nobody answers for the user
    async with runtime.socket("Assistant", chat, user) as wire:
        await wire.until("chat.input_request")
        await wire.answer(asked, "help")
        assert (await wire.until("ack.input"))["data"]["status"] == "accepted"
        await wire.until("chat.input_request")


async def test_pending_ui_tool_survives_under_its_id(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        tool = await wire.until("chat.tool_call")
    async with runtime.socket("ProjectBrief", chat, user) as wire:
        meta = await wire.next()
        assert meta["data"]["last_artifact"]["event_id"] == tool["data"]["corr"]
        assert await wire.until("chat.tool_call") == tool
        types = [f["type"] for f in wire.frames]
        assert types.index("chat.resume_boundary") < types.index("chat.tool_call")
        await wire.send("ui_tool_response", eventId=tool["data"]["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")


async def test_a_run_that_ended_while_away_is_reported_once(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        tool = await wire.until("chat.tool_call")
    body = {"event_id": tool["data"]["corr"], "response_data": {"status": "cancelled"}}
    assert runtime.request("POST", "/api/ui-tool/submit", user, json=body).status_code == 200
    path = f"/api/chats/meta/app1/ProjectBrief/{chat}"
    await runtime.wait_for(path, user, lambda meta: meta["status"] == 1)
    async with runtime.socket("ProjectBrief", chat, user) as wire:
        await wire.until("chat.run_complete")
        assert "No problem" in wire.all("chat.text")[-1]["data"]["content"]
        assert wire.all("chat.ui_tool_complete")
        assert wire.frames[-1]["type"] == "chat.run_complete"
        assert await wire.drain() == []  # and it is not run again


async def test_an_unknown_chat_id_leads_to_the_newest_chat(runtime: Any, user: str) -> None:
    old = runtime.start("Assistant", user)["chat_id"]
    new = runtime.start("Assistant", user)["chat_id"]
    for asked, given in (("invented", new), (old, old), (new, new)):
        async with runtime.socket("Assistant", asked, user) as wire:
            assert (await wire.next())["data"]["chat_id"] == given
    async with runtime.socket("Assistant", "bound", user, chat_id="bound") as wire:
        meta = (await wire.next())["data"]
        assert (meta["chat_id"], meta["chat_exists"]) == ("bound", False)


async def test_unknown_workflow_fails_after_accept(runtime: Any, user: str) -> None:
    async with runtime.socket("Nothing", "c", user) as wire:
        failed = await wire.next()
        assert (failed["type"], failed["data"]["error_code"]) == ("error", "WORKFLOW_EXECUTION_FAILED")
        with pytest.raises(ConnectionClosed):
            await wire.next()


async def test_client_resume(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.say("help")
        await wire.until("chat.input_request")
        live = {f["data"]["index"]: f["data"]["sequence"] for f in wire.all("chat.text")}
        for last, expected in ((-1, [0, 1, 2]), (1, [2]), (99, [])):
            await wire.send("client.resume", chat_id=chat, lastClientIndex=last)
            before = len(wire.frames)
            await wire.until("chat.resume_boundary")
            frames = wire.frames[before:]
            texts = [f["data"] for f in frames[:-1]]
            assert [t["index"] for t in texts] == expected
            assert all(t["replay"] and t["sequence"] == live[t["index"]] for t in texts)
            boundary = frames[-1]["data"]
            assert boundary["replayed_messages"] == len(expected)
            assert boundary["last_message_index"] == (expected[-1] if expected else last)
            assert boundary["message_count"] == 3
            assert boundary["ag2_resume"]["start_index"] == last + 1
        await wire.send("client.resume", chat_id="other", lastClientIndex=0)
        assert (await wire.next())["data"]["error_code"] == "RESUME_FAILED"


async def test_two_sockets_on_one_chat_both_hear_it(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as first:
        chat = first.frames[0]["data"]["chat_id"]
        asked = await first.until("chat.input_request")
        async with runtime.socket("Assistant", chat, user) as second:
            await second.until("chat.input_request")
            await second.answer(asked, "help")
            here, there = await asyncio.gather(
                first.until("chat.text", agent="Assistant"), second.until("chat.text", agent="Assistant")
            )
            assert here == there
        next_question = await first.until("chat.input_request")
        await first.answer(next_question, "help")  # the first still works after the second left
        await first.until("chat.text", agent="Assistant")


def test_memory_is_bounded() -> None:
    store = ChatStore(RuntimeConfig(max_chats=3, max_messages_per_chat=10, max_missed_frames=5))
    chats = [store.create("a", "u", "W", f"c{n}") for n in range(3)]
    store.get("a", "c0")  # used again: c1 is now the oldest
    chats[2].attach(Collector(), [])
    store.create("a", "u", "W", "c3")
    assert [store.get("a", f"c{n}") is not None for n in range(4)] == [True, False, True, True]
    for number in range(25):
        chats[0].say("assistant", "A", f"text {number}")
        chats[0].emit({"type": "note", "data": {"n": number}})
    assert len(chats[0].messages) == 10
    assert chats[0].message_count == 25
    frames = snapshot(chats[0], existed=True)
    assert [f["data"]["n"] for f in frames if f["type"] == "note"] == [20, 21, 22, 23, 24]
    assert [f["data"]["index"] for f in frames if f["type"] == "chat.text"] == list(range(15, 25))


class Collector:
    """A listener that forgets."""

    def send(self, frame: dict[str, Any]) -> None:
        """Nothing to do."""

    def end(self, code: int, reason: str) -> None:
        """Nothing to do."""


def test_runaway_answers_are_cut() -> None:
    from mozaiks_shell.runtime import chat as module

    chat = Chat("a", "u", "W", "c", keep=10, keep_missed=10)
    draft = chat.open_draft("A")
    for _ in range(3):
        chat.append(draft, "x" * module.MAX_ANSWER_CHARS)
    assert len(draft.text) == module.MAX_ANSWER_CHARS
