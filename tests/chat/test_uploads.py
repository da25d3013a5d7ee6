"""F-190 and 36: a file into a chat: who may, what may, where it lies, what the run and the transcript are told."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import HTTPException, Request
from sqlmodel import select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.file_models import StoredFile
from mozaiks_shell.foundation.file_store import place
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.account import export_stream
from tests.chat.conftest import running_shell

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
async def talking(upstream, ada, monkeypatch) -> Any:
    """Ada in an open chat of a workflow that takes files; what the runtime was sent is in ``upstream.uploads``."""
    monkeypatch.setenv("CHAT_ATTACHMENTS_ALLOWED_WORKFLOWS", "Assistant")
    monkeypatch.setenv("UPLOAD_MAX_BYTES", "100000")
    monkeypatch.setenv("MAX_BODY_BYTES", "1000")
    get_settings.cache_clear()
    upstream.uploads, upstream.upload_refusal = [], None

    @upstream.app.post("/api/chat/upload")
    async def upload(request: Request) -> dict[str, Any]:
        if upstream.upload_refusal:
            raise HTTPException(*upstream.upload_refusal)
        form = await request.form()
        file = form["file"]
        fields = {name: value for name, value in form.items() if name != "file"}
        sent = {"name": file.filename, "type": file.content_type, "content": await file.read()}
        upstream.uploads.append({**fields, **sent, "token": request.headers["authorization"].removeprefix("Bearer ")})
        return {"success": True}

    async def play(line: Any) -> None:
        await line.meta()
        await line.ask("q1", "What shall I look at?")
        await line.idle()

    upstream.plays = [play, play, play]
    async with running_shell() as shell, shell.browser(ada) as tab, httpx.AsyncClient(base_url=shell.url) as client:
        await tab.open(workflow="Assistant")

        async def put(content: bytes = b"hello", name: str = "a.txt", person: Any = ada, path: str = "", **fields: str) -> Any:
            data = {"chatId": tab.chat["chat"], "intent": "context", **fields}
            headers = {"cookie": person.cookie, "origin": get_settings().origin} if person else {}
            return await client.post(path or "/api/chat/upload", data=data, files={"file": (name, content)}, headers=headers)

        yield upstream, tab, put, client


async def files() -> list[StoredFile]:
    async with system_session() as db:
        return list((await db.execute(select(StoredFile))).scalars())


async def test_f190_a_file_reaches_the_run_and_the_transcript(talking, ada):
    upstream, tab, put, _ = talking
    answer = await put(PNG, "Plan ü.png", intent="bundle", bundle_path="src/plan.png", appId=ada.principal.app_id)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    attachment = told["attachment"]
    assert (told["success"], told["chat_id"], told["user_id"]) == (True, tab.chat["chat"], ada.principal.user_id)
    assert (attachment["filename"], attachment["content_type"], attachment["size_bytes"]) == ("Plan ü.png", "image/png", len(PNG))
    assert (
        "path" not in {name for name in attachment if name != "bundle_path"} and str(get_settings().data_dir) not in answer.text
    )
    (sent,) = upstream.uploads
    assert sent["token"].count(".") == 2 and sent.pop("token") not in answer.text
    assert sent == {
        "appId": ada.principal.app_id, "userId": ada.principal.user_id, "chatId": tab.chat["chat"], "intent": "bundle",
        "bundle_path": "src/plan.png", "name": "Plan ü.png", "type": "image/png", "content": PNG,
    }  # fmt: skip
    (item,) = await tab.until(lambda: tab.kind("attachment"))
    assert (item["id"], item["name"], item["type"], item["size"]) == (
        attachment["attachment_id"],
        "Plan ü.png",
        "image/png",
        len(PNG),
    )
    (row,) = await files()
    assert place(row).read_bytes() == PNG and place(row).stat().st_mode & 0o077 == 0
    assert place(row).parent.name == ada.principal.user_id and place(row).parent.parent.name == ada.principal.app_id
    exported = "".join([part async for part in export_stream(ada.principal)])
    assert row.id in exported and "iVBORw0KGgo" in exported


async def test_f190_it_goes_with_its_chat(talking, ada):
    _, tab, put, client = talking
    await put()
    (row,) = await files()
    gone = await client.delete(f"/api/chats/{tab.chat['chat']}", headers={"cookie": ada.cookie, "origin": get_settings().origin})
    assert gone.status_code == 204
    assert await files() == [] and not place(row).exists()


async def test_36_what_is_refused_is_neither_kept_nor_sent(talking, ada, sign_up):
    upstream, tab, put, _ = talking
    eve = await sign_up("eve")
    here = f"/api/chat/upload/{ada.principal.app_id}/{ada.principal.user_id}"
    tries: dict[str, tuple[Callable[[], Any], int, str]] = {
        "somebody else's chat": (lambda: put(person=eve), 404, "CHAT_NOT_FOUND"),
        "no chat": (lambda: put(chatId="never"), 404, "CHAT_NOT_FOUND"),
        "in another's name": (lambda: put(userId=eve.principal.user_id), 404, "CHAT_NOT_FOUND"),
        "of another app": (lambda: put(appId="other-app"), 404, "CHAT_NOT_FOUND"),
        "at another's address": (lambda: put(person=eve, path=here), 404, "CHAT_NOT_FOUND"),
        "not signed in": (lambda: put(person=None), 401, "NOT_SIGNED_IN"),
        "empty": (lambda: put(b""), 422, "EMPTY_FILE"),
        "too large": (lambda: put(b"x" * 100_001), 413, "FILE_TOO_LARGE"),
        "far too large": (lambda: put(b"x" * 1_000_000), 413, "TOO_LARGE"),
        "a path for a name": (lambda: put(name="../../etc/passwd"), 422, "FILE_NAME"),
        "a hidden sign in the name": (lambda: put(name="a\u202egnp.exe"), 422, "FILE_NAME"),
        "a bad intent": (lambda: put(intent="evil"), 422, "BAD_INTENT"),
        "out of the bundle": (lambda: put(bundle_path="../x"), 422, "BAD_BUNDLE_PATH"),
        "an absolute place": (lambda: put(bundle_path="/etc/x"), 422, "BAD_BUNDLE_PATH"),
        "a Windows place": (lambda: put(bundle_path="C:\\x"), 422, "BAD_BUNDLE_PATH"),
    }
    for what, (attempt, status, code) in tries.items():
        answer = await attempt()
        assert (answer.status_code, answer.json()["code"]) == (status, code), what
    for refusal, status, code in [
        ((403, "not in the list"), 403, "UPLOADS_NOT_ALLOWED"),
        ((413, "too big"), 413, "FILE_TOO_LARGE"),
        ((500, "Upload failed: 413: too big"), 413, "FILE_TOO_LARGE"),
        ((500, "secret trace"), 502, "RUNTIME_ERROR"),
    ]:
        upstream.upload_refusal = refusal
        answer = await put()
        assert (answer.status_code, answer.json()["code"]) == (status, code), refusal
        assert "secret" not in answer.text
    assert upstream.uploads == [] and await files() == [] and tab.kind("attachment") == []
    root = get_settings().data_dir / "files"
    assert not [one for one in await asyncio.to_thread(lambda: list(root.rglob("*"))) if one.is_file()]


async def test_36_a_name_cannot_make_a_picture_of_something_else(talking):
    _, _, put, _ = talking
    answer = await put(b"<script>alert(1)</script>", "innocent.png")
    assert answer.json()["attachment"]["content_type"] == "application/octet-stream"


async def test_f190_only_workflows_on_the_list_and_open_runs(talking, monkeypatch):
    upstream, tab, put, _ = talking
    monkeypatch.setattr(get_settings(), "upload_workflows", ["Other"])
    assert (await put()).json()["code"] == "UPLOADS_NOT_ALLOWED"
    monkeypatch.setattr(get_settings(), "upload_workflows", ["*"])
    assert (await put()).status_code == 200
    monkeypatch.setattr(get_settings(), "file_quota_bytes", 7)
    assert (await put()).json()["code"] == "FILE_QUOTA"
    assert len(await files()) == 1
    await upstream.lines[0].send("chat.run_complete", status=1)
    await tab.until(lambda: tab.saw_status("completed"))
    answer = await put()
    assert (answer.status_code, answer.json()["code"]) == (409, "RUN_ENDED")
