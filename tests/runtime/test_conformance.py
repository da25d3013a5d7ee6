"""Every frame this runtime sends has the shape the published runtime was recorded with.

The recordings are not part of the repository; without them the comparison is skipped.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import mozaiks_shell.runtime as package

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT.parent / "shared" / "protocol" / "captures"

# Read in the published client and documentation, never recorded.
UNRECORDED = {
    "chat.print": {"kind", "agent", "content", "chat_id", "sequence"},
    "chat.navigate": {"kind", "path", "agent"},
}
# Live texts of a run also carry their index, so that a client can tell a replayed text from a new one.
ADDED = {"chat.text": {"index"}}

Shape = tuple[frozenset[str], frozenset[str]]


def _shape(frame: dict[str, Any]) -> Shape:
    return frozenset(frame), frozenset(frame.get("data", {}))


@pytest.fixture(scope="module")
def recorded() -> dict[str, set[Shape]]:
    files = sorted(CAPTURES.glob("*.ndjson"))
    if not files:
        pytest.skip("the recordings of the published runtime (../shared/protocol/captures) are not here")
    shapes: dict[str, set[Shape]] = {}
    for file in files:
        for line in file.read_text().splitlines():
            row = json.loads(line)
            if row.get("dir") == "s2c" and isinstance(row["frame"], dict):
                shapes.setdefault(row["frame"]["type"], set()).add(_shape(row["frame"]))
    return shapes


def _fits(frame: dict[str, Any], shapes: set[Shape]) -> bool:
    envelope, data = _shape(frame)
    added = ADDED.get(frame["type"], set())
    return any(envelope == e and d <= data and data - d <= added for e, d in shapes)


async def _tour(runtime: Any, user: str) -> list[dict[str, Any]]:
    """Make the runtime say everything it can."""
    frames: list[dict[str, Any]] = []
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        context = {"pages": [{"title": "Billing", "path": "/billing"}]}
        await wire.say("open billing", context=context)
        asked = await wire.until("chat.input_request")
        await wire.send("user.input.submit", chat_id=chat, text="free")
        await wire.send("user.input.submit", chat_id=chat, text="x", request_id="unknown")
        await wire.send("nonsense")
        await wire.send("client.resume", chat_id=chat, lastClientIndex=-1)
        await wire.send("chat.enter_general_mode")
        await wire.send("user.input.submit", chat_id=chat, text="hello")
        await wire.until("chat.text", agent="Assistant")
        await wire.send("chat.start_general_chat")
        await wire.send("chat.switch_workflow", chat_id=chat)
        await wire.until("chat.context_switched")
        frames += wire.frames
    async with runtime.socket("Assistant", chat, user) as wire:
        await wire.until("chat.input_request")
        await wire.answer(asked, "exit")
        await wire.until("chat.run_complete")
        frames += wire.frames
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")
        frames += wire.frames
    async with runtime.chat("CompareOptions", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "backup")
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.until("chat.input_request")
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "success"})
        await wire.until("chat.run_complete")
        frames += wire.frames
    async with runtime.socket("Nothing", "c", user) as wire:
        frames.append(await wire.next())
    return frames


async def test_frames_have_the_recorded_shapes(runtime: Any, user: str, recorded: dict[str, set[Shape]]) -> None:
    frames = await _tour(runtime, user)
    types = {frame["type"] for frame in frames}
    assert types >= {
        "chat_meta", "chat.run_start", "chat.select_speaker", "chat.print", "chat.text", "chat.usage_delta",
        "chat.input_request", "chat.input_ack", "ack.input", "chat.navigate", "chat.error",
        "chat.mode_changed",
        "chat.general_session_created", "chat.context_switched", "chat.resume_boundary", "chat.tool_call",
        "ack.ui_tool_response", "chat.ui_tool_complete", "chat.ui_tool_dismiss", "chat.tool_response",
        "chat.run_complete", "unknown", "error",
    }  # fmt: skip
    for frame in frames:
        if frame["type"] in UNRECORDED:
            assert set(frame) == {"type", "data", "timestamp", "agent"}
            assert set(frame["data"]) == UNRECORDED[frame["type"]]
        else:
            assert _fits(frame, recorded[frame["type"]]), frame


async def test_http_answers_have_the_recorded_keys(runtime: Any, user: str) -> None:
    files = sorted(CAPTURES.glob("*.ndjson"))
    if not files:
        pytest.skip("the recordings of the published runtime (../shared/protocol/captures) are not here")
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    answers = [r for r in rows if r.get("dir") == "http" and r["status"] == 200]
    chat = runtime.start("Assistant", user)
    base = f"app1/Assistant/{chat['chat_id']}"
    ours = {
        "/start": chat,
        "/api/chats/meta/": runtime.request("GET", f"/api/chats/meta/{base}", user).json(),
        "/api/health": runtime.request("GET", "/api/health", user).json(),
        "/api/sessions/recent/": runtime.request("GET", f"/api/sessions/recent/app1/{user}", user).json(),
        "/api/sessions/list/": runtime.request("GET", f"/api/sessions/list/app1/{user}", user).json(),
        "/available": runtime.request("GET", "/api/workflows/app1/available", user).json(),
    }
    for part, mine in ours.items():
        recorded_keys = [set(r["response"]) for r in answers if part in r["path"]]
        assert recorded_keys, part
        assert set(mine) in recorded_keys, part


def test_the_runtime_imports_nothing_else_of_the_shell() -> None:
    folder = Path(package.__file__).parent
    for file in folder.rglob("*.py"):
        inside = file.relative_to(folder).parent.parts
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= len(inside) + 1, f"{file.name} reaches out of the runtime"
                names = [node.module or ""] if node.level == 0 else []
            for name in names:
                if name.split(".")[0] == "mozaiks_shell":
                    assert name.startswith("mozaiks_shell.runtime"), f"{file.name} imports {name}"
                assert name.split(".")[0] not in ("reflex", "reflex_base"), f"{file.name} imports {name}"


def test_the_runtime_reads_no_environment_and_prints_nothing() -> None:
    for file in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("environ", "getenv"), file.name
            if isinstance(node, ast.Name):
                assert node.id != "print", file.name
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, file.name
        assert len(file.read_text().splitlines()) <= 400, file.name
