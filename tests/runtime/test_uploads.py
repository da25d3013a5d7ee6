"""Attachments and the other routes around a chat (protocol §1.2, §1.3): size cap, kinds, owners, and what is buffered."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime's files."""
    found: Path = tmp_path_factory.mktemp("files")
    workflows = found / "workflows" / "Demo"
    workflows.mkdir(parents=True)
    (workflows / "notes.txt").write_text("inside")
    (workflows / ".env").write_text("SECRET=1")
    (found / "outside.txt").write_text("outside")
    (workflows / "link.txt").symlink_to(found / "outside.txt")
    return found


@pytest.fixture(scope="module")
def runtime_with_files(spawn: Any, folder: Path) -> Any:
    """A runtime that takes small files, for ProjectBrief and Assistant only."""
    return spawn(
        uploads_path=str(folder / "uploads"),
        workflows_path=str(folder / "workflows"),
        upload_max_bytes=1000,
        upload_workflows=["Assistant"],
    )


def _upload(runtime: Any, chat: str, user: str, name: str = "a.txt", content: bytes = b"hello", **form: str) -> Any:
    data = {"appId": "app1", "userId": user, "chatId": chat, "intent": "context", **form}
    return runtime.request("POST", "/api/chat/upload", user, data=data, files={"file": (name, content)})


def _unannounced(runtime: Any, user: str, pieces: Iterable[bytes]) -> int:
    """Answer to a form that does not say how long it is: a file begun as it should be, then ``pieces`` one by one."""
    begun = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    head = {**runtime.headers(user), "Content-Type": "multipart/form-data; boundary=b"}
    answer = runtime.request("POST", "/api/chat/upload", user, content=chain([begun], pieces), headers=head)
    return int(answer.status_code)


async def test_an_upload_is_stored_and_told(runtime_with_files: Any, user: str, folder: Path) -> None:
    async with runtime_with_files.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        answer = _upload(runtime_with_files, chat, user, "../../etc/pass wd.txt").json()
        assert set(answer) == {"success", "chat_id", "app_id", "user_id", "attachment"}
        told = (await wire.until("chat.attachment_uploaded"))["data"]["attachment"]
        assert told == answer["attachment"]
        assert (told["filename"], told["size_bytes"], told["intent"]) == ("pass_wd.txt", 5, "context")
        assert (folder / told["stored_path"]).read_bytes() == b"hello"
        assert (folder / told["stored_path"]).resolve().is_relative_to(folder / "uploads" / "app1" / chat)
    path = f"/api/chat/upload/app1/{user}"
    by_path = runtime_with_files.request("POST", path, user, data={"chatId": chat}, files={"file": ("b.md", b"x")})
    assert by_path.status_code == 200


def test_what_is_not_taken(runtime_with_files: Any, user: str) -> None:
    runtime = runtime_with_files
    chat = runtime.start("Assistant", user)["chat_id"]
    other = runtime.start("ProjectBrief", user)["chat_id"]
    assert _upload(runtime, chat, user, content=b"x" * 1001).status_code == 413
    assert _upload(runtime, chat, user, content=b"x" * 200_000).status_code == 413
    for piece in (100, 4096, 65536):
        assert _unannounced(runtime, user, (b"x" * piece for _ in range(200_000 // piece))) == 413
    assert _unannounced(runtime, user, [b"x" * 1000, b"\r\n--b--\r\n"]) == 403  # taken whole: it names nobody
    garbage = {**runtime.headers(user), "Content-Type": "multipart/form-data; boundary=b"}
    assert runtime.request("POST", "/api/chat/upload", user, content=b"x" * 1000, headers=garbage).status_code == 400
    for name in ("run.exe", "page.html", "none"):
        assert _upload(runtime, chat, user, name).status_code == 400
    assert _upload(runtime, other, user).status_code == 400  # not a workflow that takes files
    assert _upload(runtime, chat, user, intent="anything").status_code == 400
    assert _upload(runtime, "nothing", user).status_code == 404
    assert _upload(runtime, chat, "thief").status_code == 404
    assert _upload(runtime, chat, user, userId="somebody").status_code == 403
    assert _upload(runtime, chat, user, appId="app2").status_code == 403


def test_without_a_folder_uploads_say_so(runtime: Any, user: str) -> None:
    chat = runtime.start("Assistant", user)["chat_id"]
    answer = _upload(runtime, chat, user)
    assert (answer.status_code, "switched off" in answer.json()["detail"]) == (400, True)


async def test_a_sign_in_elsewhere_waits_for_its_user(runtime: Any, user: str) -> None:
    chat = runtime.start("Assistant", user)["chat_id"]
    hook = {"chatSessionId": chat, "appId": "app1", "userId": user, "platform": "github", "success": True, "accountName": "ada"}
    path, service = "/api/realtime/oauth/completed", runtime.headers("service", scp=None)
    refused = runtime.request("POST", path, user, json=hook)
    detail = "Internal endpoint requires app-only token, not delegated user token"
    assert (refused.status_code, refused.json()) == (403, {"detail": detail})
    early = runtime.request("POST", path, headers=service, json=hook)
    assert (early.status_code, early.json()) == (202, {"accepted": True, "delivered": False})
    async with runtime.socket("Assistant", chat, user) as wire:
        told = (await wire.until("oauth_completed"))["data"]
        assert (told["platform"], told["account_name"], told["correlation_id"]) == ("github", "ada", None)
        now = runtime.request("POST", path, headers=service, json=hook)
        assert (now.status_code, now.json()) == (200, {"accepted": True, "delivered": True})
        await wire.until("oauth_completed")


async def test_component_actions(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        path = f"/chat/app1/{chat}/component_action"
        body = {"component_id": "c1", "action_type": "set", "action_data": {"set": {"name": "Zed"}}}
        answer = runtime.request("POST", path, user, json=body).json()
        assert (answer["status"], answer["applied"]) == ("success", {"name": "Zed"})
        assert (await wire.until("component_action_ack"))["data"]["applied"] == {"name": "Zed"}
        assert runtime.request("POST", path, "thief", json=body).status_code == 404
        flood = body | {"action_data": {"set": {"name": "x" * 200_000}}}
        assert runtime.request("POST", path, user, json=flood).status_code == 400
        assert runtime.request("POST", path, user, json=body | {"action_data": {"set": 1}}).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Demo/notes.txt", 200),
        ("workflows/Demo/notes.txt", 200),
        ("", 400),
        ("../outside.txt", 403),
        ("workflows/../outside.txt", 403),
        ("Demo/link.txt", 403),
        ("/etc/passwd", 403),
        ("Demo/.env", 404),
        ("Demo/nothing", 404),
    ],
)
def test_workflow_files_for_services(runtime_with_files: Any, path: str, status: int) -> None:
    service = runtime_with_files.headers("service", scp=None)
    where = "/api/download/workflow-file"
    answer = runtime_with_files.request("GET", where, headers=service, params={"file_path": path})
    assert answer.status_code == status
    assert runtime_with_files.request("GET", where, params={"file_path": path}).status_code == 403


async def test_figures_are_real_and_ones_own(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.say("help")
        await wire.until("chat.input_request")
        rows = runtime.request("GET", "/metrics/perf/chats", user).json()
        assert [row["chat_id"] for row in rows["chats"]] == [chat]
        one = runtime.request("GET", f"/metrics/perf/chats/{chat}", user).json()
        spent = [f["data"]["total_tokens"] for f in wire.all("chat.usage_delta")]
        assert (one["turns"], one["total_tokens"], one["running"]) == (len(spent), sum(spent), True)
        assert runtime.request("GET", "/metrics/perf/aggregate", user).json()["total_tokens"] == sum(spent)
        assert runtime.request("GET", f"/metrics/perf/chats/{chat}", "thief").status_code == 404
        runs = runtime.request("GET", "/health/active-runs", user).json()
        assert [run["chat_id"] for run in runs["runs"]] == [chat]
        assert runtime.request("GET", "/health/active-runs", "thief").json()["runs"] == []
        counted = runtime.request("GET", "/api/events/metrics", user).json()
        assert counted["by_type"]["chat.usage_delta"] >= len(spent)
        health = runtime.request("GET", "/api/health", user).json()
        assert health["active_connections"]["websocket_connections"] >= 1
        assert health["runtime"]["pending_questions"] >= 1
    theme = runtime.request("GET", "/api/themes/app1", user)
    assert (theme.status_code, theme.json()) == (404, {"detail": "No custom theme"})
