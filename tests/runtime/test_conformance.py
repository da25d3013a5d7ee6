"""One suite for two runtimes: the rules of :mod:`.contract` against the recordings of the published runtime, and against ours.

The recordings are not part of the repository; without them only ours is held to the rules.
"""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path
from typing import Any

import pytest

import mozaiks_shell.runtime as package
from tests.runtime.contract import AUTH, FRAMES, check_frame, check_order
from tests.runtime.test_children import graph, run_in, when, write_family

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT.parent / "shared" / "protocol" / "captures"

# Of the shell it knows the database's rules alone.
OWN = ("mozaiks_shell.runtime", "mozaiks_shell.foundation.db", "mozaiks_shell.foundation.wall_writes")
CHILDREN = (
    "chat.workflow_child_completed", "chat.mfj_fan_in_started", "chat.mfj_timeout_prompt", "chat.workflow_resumed",
)  # fmt: skip
ADDED_KEYS = {"/api/health": {"runtime"}}
Frame = dict[str, Any]


def _rows(name: str = "*.ndjson") -> list[Frame]:
    files = sorted(CAPTURES.glob(name))
    if not files:
        pytest.skip("the recordings of the published runtime (../shared/protocol/captures) are not here")
    return [json.loads(line) | {"file": file.name} for file in files for line in file.read_text().splitlines()]


def _sockets() -> dict[tuple[str, Any, int], list[Frame]]:
    """The recorded frames of every socket. Where two share a chat, the published runtime mixes them up (protocol §2.9)."""
    sockets: dict[tuple[str, Any, int], list[Frame]] = {}
    opened: dict[tuple[str, Any], int] = {}
    rows = _rows()
    twins = {row["file"] for row in rows if row.get("sock") == "twin"}
    for row in rows:
        key = row["file"], row.get("sock")
        if row["dir"] == "ws_open":
            opened[key] = opened.get(key, 0) + 1
        if row["dir"] == "s2c" and isinstance(row["frame"], dict) and row["file"] not in twins:
            sockets.setdefault((*key, opened.get(key, 0)), []).append(row["frame"])
    return sockets


def test_the_recordings_fit_the_contract() -> None:
    frames = [row["frame"] for row in _rows() if row["dir"] == "s2c" and isinstance(row["frame"], dict)]
    assert len(frames) > 300
    assert [problem for frame in frames for problem in check_frame(frame)] == []
    assert {frame["type"] for frame in frames} <= set(FRAMES)


def test_the_recordings_keep_the_order() -> None:
    sockets = _sockets()
    assert len(sockets) > 10
    assert {key: found for key, frames in sockets.items() if (found := check_order(frames))} == {}


def test_the_recordings_answer_tokens_as_the_table_says() -> None:
    note, checked = "", set()
    for row in _rows("10_*.ndjson"):
        if row["dir"] == "note":
            note = row["text"]
        elif row["dir"] == "http" and note in AUTH and row["path"].endswith("/start"):
            status, detail = AUTH[note]
            assert (row["status"], row["response"].get("detail")) == (status, detail), note
            checked.add(note)
    assert checked == set(AUTH)


def _tokens(keys: Any) -> dict[str, tuple[str | None, str]]:
    """The token of each case, and the user named in the request."""
    return {
        "no token": (None, "u1"),
        "garbage token": ("not-a-token", "u1"),
        "token without kid": (keys.mint(kid=None), "u1"),
        "unknown kid": (keys.mint(kid="other"), "u1"),
        "bad signature": (keys.mint(key=keys.stranger), "u1"),
        "expired": (keys.mint(exp=1), "u1"),
        "wrong audience": (keys.mint(aud="somebody-else"), "u1"),
        "wrong issuer": (keys.mint(iss="https://evil.test"), "u1"),
        "no sub": (keys.mint(None), "u1"),
        "no scp claim (Keycloak style 'scope' only)": (keys.mint(scp=None, scope="openid"), "u1"),
        "scp present, other app_id claim": (keys.mint(app_id="app2"), "u1"),
        "scp present, body user differs": (keys.mint(), "u2"),
        "scp present, no app_id claim at all (legacy token)": (keys.mint(app_id=None), "u1"),
        "good token": (keys.mint(), "u1"),
    }


def test_this_runtime_answers_tokens_as_the_table_says(runtime: Any, keys: Any) -> None:
    for case, (token, user) in _tokens(keys).items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"user_id": user, "force_new": True}
        answer = runtime.request("POST", "/api/chats/app1/Assistant/start", headers=headers, json=body)
        assert (answer.status_code, answer.json().get("detail")) == AUTH[case], case


@pytest.fixture(scope="module")
def equipped(spawn: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A runtime with a folder of uploads and a pack: CompareOptions comes after ProjectBrief."""
    folder = tmp_path_factory.mktemp("equipped")
    pack = folder / "workflow_graph.json"
    needed = {"id": "ProjectBrief", "reason": "Finish ProjectBrief first."}
    rows = [{"id": "ProjectBrief"}, {"id": "CompareOptions", "dependencies": [needed]}]
    pack.write_text(json.dumps({"workflows": rows}))
    return spawn(uploads_path=str(folder / "uploads"), pack_path=str(pack), ping_seconds=0.7)


async def _tour(runtime: Any, user: str) -> list[list[Frame]]:
    """Make the runtime say everything it can; the frames of each socket."""
    sockets: list[list[Frame]] = []
    async with runtime.socket("CompareOptions", "too-early", user) as wire:
        sockets.append([await wire.next()])
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = await wire.until("chat.input_request")
        await wire.until("ping")
        context = {"pages": [{"title": "Billing", "path": "/billing"}]}
        await wire.answer(asked, "open billing", context=context)
        await wire.until("chat.navigate")
        asked = await wire.until("chat.input_request")
        await wire.send("user.input.submit", chat_id=chat, text="free")
        await wire.send("user.input.submit", chat_id=chat, text="x", request_id="unknown")
        await wire.send("nonsense")
        form = {"appId": "app1", "userId": user, "chatId": chat, "intent": "context"}
        attached = runtime.request("POST", "/api/chat/upload", user, data=form, files={"file": ("a.txt", b"hello")})
        assert attached.status_code == 200, attached.text
        action = {"component_id": "c1", "action_type": "set", "action_data": {"set": {"name": "Zed"}}}
        runtime.request("POST", f"/chat/app1/{chat}/component_action", user, json=action)
        hook = {"chatSessionId": chat, "appId": "app1", "userId": user, "platform": "github", "success": True}
        service = runtime.headers("service", scp=None)
        runtime.request("POST", "/api/realtime/oauth/completed", headers=service, json=hook)
        await wire.until("oauth_completed")
        await wire.send("chat.start_workflow", workflow_name="CompareOptions")
        await wire.send("chat.start_workflow_batch", runs=[{"workflow_name": "ProjectBrief", "label": "Brief"}])
        await wire.until("chat.workflow_batch_started")
        await wire.send("client.resume", chat_id=chat, lastClientIndex=-1)
        await wire.send("chat.enter_general_mode")
        await wire.send("user.input.submit", chat_id=chat, text="hello")
        await wire.until("chat.text", agent="Assistant")
        await wire.send("chat.start_general_chat")
        await wire.send("chat.switch_workflow", chat_id=chat)
        await wire.until("chat.context_switched")
        sockets.append([f for f in wire.frames if not (f["type"] == "chat.text" and f["data"].get("replay"))])
        replayed = [f for f in wire.frames if f["type"] == "chat.text" and f["data"].get("replay")]
        assert replayed and [p for f in replayed for p in check_frame(f)] == []
    async with runtime.socket("Assistant", chat, user) as wire:
        await wire.until("chat.input_request")
        await wire.answer(asked, "exit")
        await wire.until("chat.run_complete")
        sockets.append(wire.frames)
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")
        sockets.append(wire.frames)
    async with runtime.chat("CompareOptions", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "backup")
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.until("chat.input_request")
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "success"})
        await wire.until("chat.run_complete")
        sockets.append(wire.frames)
    async with runtime.socket("Nothing", "c", user) as wire:
        assert check_frame(await wire.next()) == []
    return sockets


async def test_this_runtime_fits_the_contract_and_keeps_the_order(equipped: Any, user: str) -> None:
    sockets = await _tour(equipped, user)
    types = {frame["type"] for frames in sockets for frame in frames}
    said_by_folders_only = {"tool_progress", "context_update", *CHILDREN}
    assert types >= set(FRAMES) - said_by_folders_only - {"error"}
    for frames in sockets:
        assert [problem for frame in frames for problem in check_frame(frame)] == []
        assert check_order(frames) == [], [(f["type"], f.get("data", {}).get("agent")) for f in frames][:12]


def _text() -> Frame:
    data = {"kind": "text", "agent": "A", "content": "c", "metadata": None, "sequence": 1}
    flags = {"is_structured_capable": False, "is_visual": True, "is_tool_agent": False}
    return {"type": "chat.text", "data": data | flags, "timestamp": "2026-01-01T00:00:00", "agent": "A"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f: f.update(type="chat.txt"), "'chat.txt' is no type of the contract"),
        (lambda f: f.pop("timestamp"), "chat.text: timestamp is missing"),
        (lambda f: f.update(seq=1), "chat.text: seq is not in the contract"),
        (lambda f: f["data"].pop("sequence"), "chat.text: sequence is missing"),
        (lambda f: f["data"].update(sequence="1"), "chat.text: sequence is str"),
        (lambda f: f["data"].update(sequence=True), "chat.text: sequence is bool"),
        (lambda f: f["data"].update(text="c"), "chat.text: text is not in the contract"),
    ],
)
def test_a_wrong_frame_is_found(change: Any, problem: str) -> None:
    frame = _text()
    assert check_frame(frame) == []
    change(frame)
    assert check_frame(frame) == [problem]


async def test_a_wrong_order_is_found(runtime: Any, user: str) -> None:
    async with runtime.chat("ProjectBrief", user) as wire:
        tool = (await wire.until("chat.tool_call"))["data"]
        await wire.send("ui_tool_response", eventId=tool["corr"], response={"status": "cancelled"})
        await wire.until("chat.run_complete")
    good = wire.frames
    assert check_order(good) == []
    assert check_order([*good[1:], good[0]])[0].endswith("before chat_meta")
    assert check_order([*good, good[0]]) == ["chat_meta comes twice"]
    assert "chat.tool_call" in {f["type"] for f in good}
    assert any("shown twice" in problem for problem in check_order([*good, *(f for f in good if f["type"] == "chat.tool_call")]))
    assert any("speaks without" in p for p in check_order([f for f in good if f["type"] != "chat.select_speaker"]))
    backwards = copy.deepcopy(good)
    [f for f in backwards if f["type"] == "chat.text"][-1]["data"]["sequence"] = 1
    assert any(problem.startswith("sequence 1 after") for problem in check_order(backwards))
    ended = [f for f in good if not (f["type"] == "unknown" and f["data"]["event_type"] == "TerminationEvent")]
    assert "run_complete does not follow TerminationEvent" in check_order(ended)


async def test_http_answers_have_the_recorded_keys(runtime: Any, user: str) -> None:
    answers = [r for r in _rows() if r.get("dir") == "http" and r["status"] == 200]
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
        assert set(mine) - ADDED_KEYS.get(part, set()) in recorded_keys, part


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
                    assert name.startswith(OWN), f"{file.name} imports {name}"
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


async def test_a_run_with_children_fits_the_contract_and_keeps_the_order(spawn: Any, tmp_path: Path, user: str) -> None:
    patience = {"fan_out": {"timeout_seconds": 1}, "fan_in": {"on_partial_failure": "prompt_user"}}
    runtime = run_in(spawn, write_family(tmp_path, text=graph(**patience)))
    async with runtime.chat("Trip", user) as wire:
        _, asker = (await wire.until("chat.workflow_batch_started"))["data"]["workflows"]
        await wire.until("chat.mfj_timeout_prompt")
        heard = await when(runtime, asker, user, "June")
        await wire.until("chat.run_complete")
    good = wire.frames
    assert [problem for frame in [*good, *heard] for problem in check_frame(frame)] == []
    assert check_order(good) == check_order(heard) == []
    types = [frame["type"] for frame in good]
    assert [one for one in types if one in ("chat.workflow_batch_started", *CHILDREN)] == [
        "chat.workflow_batch_started", "chat.workflow_child_completed", "chat.mfj_timeout_prompt",
        "chat.mfj_fan_in_started", "chat.workflow_resumed",
    ]  # fmt: skip

    def without(type_: str) -> list[Frame]:
        return [frame for frame in good if frame["type"] != type_]

    assert "a run goes on that waits for nothing" in check_order(without("chat.workflow_batch_started"))
    assert "the results are merged before all children have ended" in check_order(without("chat.workflow_child_completed"))
    assert "an agent speaks while the run waits for children" in check_order(without("chat.workflow_resumed"))
    (completed,) = (frame for frame in good if frame["type"] == "chat.workflow_child_completed")
    at = good.index(completed)
    assert "a child ends that is not waited for" in check_order([*good[:at], completed, *good[at:]])
