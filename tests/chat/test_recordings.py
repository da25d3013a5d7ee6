"""Contract replay: every recording of the published runtime through the real bridge, transcript and browser socket.

A recorded socket becomes one chat. What the recorded client did is done by a person at the chat socket, as far as
the pane can do it; what she then sees is compared with an independent, naive reading of the recording.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "protocol" / "captures"
PROGRAMMERS_WORDS = ("asyncio", "'pm'", "local variable", "Traceback", "auto-reply", "SYSTEM_RESUME_SIGNAL")


@dataclass
class Session:
    """One recorded socket."""

    name: str
    workflow: str
    chat_id: str
    events: list[dict[str, Any]] = field(default_factory=list)
    meta_status: int = 0

    def frames(self, *types: str) -> list[dict[str, Any]]:
        """Data of the server's frames of these types."""
        return [e["frame"].get("data", {}) for e in self.events if e["dir"] == "s2c" and e["frame"]["type"] in types]


def sessions() -> list[Session]:
    found: list[Session] = []
    for file in sorted(CAPTURES.glob("*.ndjson")):
        running: dict[Any, Session] = {}
        last_done: dict[str, Session] = {}
        early: dict[Any, list[dict[str, Any]]] = {}
        for event in map(json.loads, file.read_text().splitlines()):
            sock = event.get("sock")
            if event["dir"] == "ws_open" and event["ok"]:
                _, _, workflow, _, chat_id, _ = event["path"].split("?")[0].split("/")
                session = Session(f"{file.stem}-{len(found)}", workflow, chat_id, early.pop(sock, []))
                running[sock] = session
                found.append(session)
            elif event["dir"] in {"s2c", "c2s"}:
                # The recorder wrote a frame or two of a new socket before it wrote that the socket was open.
                (running[sock].events if sock in running else early.setdefault(sock, [])).append(event)
            elif event["dir"] == "ws_close":
                done = running.pop(sock)
                last_done[done.chat_id] = done
            elif event["dir"] == "http" and "/chats/meta/" in event["path"]:
                chat_id = event["path"].rsplit("/", 1)[1]
                if chat_id in last_done:
                    last_done[chat_id].meta_status = event["response"]["status"]
    return found


SESSIONS = sessions() if CAPTURES.is_dir() else []


@dataclass
class Expected:
    """What a person should have seen, read off the recording."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    notices: int = 0


def reading(session: Session) -> Expected:
    seen = Expected()
    echoes: list[str] = []
    seeds: set[str] = set()
    asked: set[str] = set()
    spoke = False
    for event in session.events:
        frame = event["frame"]
        if event["dir"] == "c2s":
            if isinstance(frame, dict) and sayable(frame, asked):
                seen.messages.append(("user", frame["text"]))
                echoes.append(frame["text"])
                spoke = True
            continue
        data, kind = frame.get("data", {}), frame["type"].removeprefix("chat.")
        if kind == "input_request":
            asked.add(data["request_id"])
        elif kind == "input_ack" and data.get("request_id"):
            spoke = True
        elif kind in {"error", "prereq_blocked"}:
            seen.notices += 1
        elif kind == "tool_call" and data.get("component_type"):
            seen.tools.append(data["corr"])
        elif kind == "text" and data.get("ui_visibility") != "trace" and "SYSTEM_RESUME_SIGNAL" not in data["content"]:
            line = (data["agent"], data["content"])
            if data.get("replay"):
                if line not in seen.messages and line[1] not in seeds:
                    if line[0] == "user" and data["index"] == 0:
                        seeds.add(line[1])
                    else:
                        seen.messages.append(line)
            elif line[0] != "user":
                seen.messages.append(line)
            elif line[1] in echoes:
                echoes.remove(line[1])
            elif not spoke:
                seeds.add(line[1])
            elif seen.messages[-1:] != [line]:
                seen.messages.append(line)
    return seen


def sayable(frame: dict[str, Any], asked: set[str]) -> bool:
    """Whether a person could have said this: a text, and either free or in answer to a question that was asked."""
    if frame.get("type") != "user.input.submit" or not frame.get("chat_id") or not frame["text"].strip():
        return False
    return frame.get("request_id") is None or frame["request_id"] in asked


def outcomes(session: Session) -> set[str]:
    """How the chat may end."""
    ended = session.frames("chat.run_complete") or [
        one for one in session.frames("unknown") if one.get("event_type") == "TerminationEvent"
    ]
    if ended:
        return {"completed"}
    if any(one.get("error_code") == "WORKFLOW_PREREQS_NOT_MET" for one in session.frames("chat.error")):
        return {"failed"}
    last = [e["frame"]["type"] for e in session.events if e["dir"] == "s2c" and e["frame"]["type"] in LIFE]
    if last[-1:] == ["error"]:
        return {"failed"}
    return {"completed"} if session.meta_status == 1 else {"interrupted"}


LIFE = {"chat.text", "chat.input_request", "chat.tool_call", "error"}


async def replay(session: Session, upstream: Any, tab: Any) -> None:
    """Play the session; every act of the recorded client is done at the chat socket and must arrive as recorded."""
    asked: set[str] = set()
    open_asks: list[str] = []
    tools: set[str] = set()
    stray: list[Any] = []

    async def act(frame: dict[str, Any], line: Any) -> None:
        if sayable(frame, asked):
            expects = open_asks.pop(0) if open_asks else None
            await tab.until(lambda: expects is None or tab.asked())
            mine = ("user", "user", frame["text"])
            before = tab.messages().count(mine)
            await tab.send(t="say", text=frame["text"])
            await tab.until(lambda: tab.messages().count(mine) > before)
            if expects is not None:
                got = await line.receive()
                assert (got["type"], got["text"], got["request_id"]) == ("user.input.submit", frame["text"], expects)
                assert got["chat_id"] == session.frames("chat_meta")[0]["chat_id"]
        elif frame.get("type") == "ui_tool_response" and frame["eventId"] in tools:
            await tab.until(lambda: any(one["id"] == frame["eventId"] for one in tab.kind("tool")))
            for _ in range(2):  # a double click
                await tab.send(t="answer", tool=frame["eventId"], response=frame["response"])
            got = await line.receive()
            assert (got["type"], got["eventId"], got["response"]) == ("ui_tool_response", frame["eventId"], frame["response"])

    async def play(line: Any) -> None:
        for event in session.events:
            frame = event["frame"]
            if event["dir"] == "c2s":
                if isinstance(frame, dict):
                    await act(frame, line)
                continue
            data = frame.get("data", {})
            if frame["type"] == "chat_meta":  # the same meeting, with our person in the recorded one's place
                frame = {**frame, "data": {**data, "app_id": line.app_id, "user_id": line.user_id}}
            if frame["type"] == "chat.input_request":
                asked.add(data["request_id"])
                open_asks.append(data["request_id"])
            elif frame["type"] == "chat.input_ack" and data.get("request_id") in open_asks:
                open_asks.remove(data["request_id"])
            elif frame["type"] == "chat.tool_call" and data.get("component_type"):
                tools.add(data["corr"])
            await line.frame(frame)
        for odd in ({"type": "chat.invented", "data": {"x": 1}}, {"type": 7}, [], "not json", {"data": None}):
            await line.frame(odd)
        await line.frame({"type": "ping", "timestamp": "2026-11-20T12:38:26+00:00"})
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # silent or gone: both are right
            async with asyncio.timeout(0.05):
                stray.append(await line.receive())
        await line.hang_up()

    upstream.chat_ids = [session.chat_id]
    upstream.status[session.chat_id] = session.meta_status
    upstream.plays = [play]
    await tab.open(workflow="Assistant", new=True)
    await tab.until(lambda: tab.saw_status("completed", "failed", "interrupted"))
    assert stray == []


@pytest.mark.skipif(not SESSIONS, reason=f"no recordings at {CAPTURES.name}/: they are not part of this repository")
@pytest.mark.parametrize("session", SESSIONS, ids=lambda one: one.name)
async def test_the_visible_conversation_is_the_recorded_one(session, upstream, shell, ada):
    expected = reading(session)
    async with shell() as running, running.browser(ada) as tab:
        await replay(session, upstream, tab)
        assert upstream.failures == []
        said = [(who, text) for role, who, text in tab.messages() if role != "notice"]
        notices = [text for role, _, text in tab.messages() if role == "notice"]
        assert said == expected.messages
        assert [one["id"] for one in tab.kind("tool")] == expected.tools
        assert tab.chat["status"] in outcomes(session)
        lost = sum("connection to the run was lost" in text for text in notices)
        unsent = sum(text.startswith("Not sent") for text in notices)
        assert len(notices) - lost - unsent == expected.notices
        everything = json.dumps(tab.items)
        assert not [word for word in PROGRAMMERS_WORDS if word in everything]

        # Somebody who comes later, or comes back, sees exactly the same.
        async with running.browser(ada) as later:
            await later.open(chat=tab.chat["chat"])
            assert later.messages() == tab.messages()
            assert later.kind("tool", "tool_done") == tab.kind("tool", "tool_done")
            assert later.live == {}
