"""Long work over HTTP: start, poll, fetch, time out (F-155)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request, Response

from mozaiks_shell.broker import jobs as work
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.job_routes import router
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation import clock, jobs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, Unavailable
from mozaiks_shell.foundation.jobs import Worker
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from tests.chat.conftest import listening
from tests.conftest import ADA, EVE


class Runtime:
    """A published runtime that works until it is told to be done."""

    def __init__(self) -> None:
        self.app, self.said, self.starts, self.done = FastAPI(), list[str](), 0, False
        self.hold: asyncio.Event | None = None
        self.input_error: tuple[int, str] | None = None
        self.more: dict[str, Any] = {}
        self.waits = False

        @self.app.post("/api/chats/{app}/{wf}/start")
        async def start(app: str, wf: str) -> Any:
            self.starts += 1
            return {"chat_id": f"chat-{self.starts}", "reused": False}

        @self.app.post("/chat/{app}/{chat}/{user}/input")
        async def say(app: str, chat: str, user: str, request: Request) -> Any:
            self.said.append((await request.json())["message"])
            if self.input_error:
                raise HTTPException(*self.input_error)
            if self.hold is not None:
                await self.hold.wait()
            return {"status": "ok", "transport": None}

        @self.app.get("/api/chats/meta/{app}/{wf}/{chat}")
        async def meta(app: str, wf: str, chat: str) -> Any:
            asked = {"waiting_for": "input"} if self.waits else {}
            return {"exists": True, "status": int(self.done), **asked, **(self.more if self.done else {})}

        @self.app.get("/files/{name}")
        async def file(name: str, request: Request) -> Response:
            assert request.headers["authorization"].startswith("Bearer ey")
            if name == "gone.bin":
                raise HTTPException(404)
            return Response(b"\x00\x01", media_type="text/html")


@pytest.fixture(autouse=True)
def only_ours(monkeypatch):
    """Jobs of other tests rest; Ada and Eve are there."""

    async def there(app_id: str, user_id: str) -> Principal:
        return Principal(user_id, app_id, "Ada", roles=frozenset({"user"}))

    before = dict(jobs._known)
    jobs._known.clear()
    work.define()
    monkeypatch.setattr(jobs._People, "resolve", staticmethod(there))
    yield
    jobs._known.clear()
    jobs._known.update(before)


@pytest.fixture
async def runtime(database, monkeypatch) -> AsyncIterator[Runtime]:
    one = Runtime()
    async with listening(one.app) as base:
        monkeypatch.setenv("MOZAIKS_AI_URL", base)
        get_settings.cache_clear()
        stop_runtime, stop_chats = await broker.start_runtime(), await chats.start_chats()
        jobs._known.clear()
        work.define()
        yield one
        await stop_chats()
        await stop_runtime()
        if one.hold is not None:
            one.hold.set()


@pytest.fixture
def move(monkeypatch):
    """Let so many seconds pass, and the steps that are due be taken."""
    real, passed = clock.now, [0.0]
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=passed[0]))

    async def on(seconds: float = 0) -> None:
        passed[0] += seconds
        while await Worker().step():
            pass

    return on


async def state(job: dict[str, Any]) -> str:
    return str((await work.find(ADA, job["id"]))["state"])


async def test_pending_running_done_and_the_artifact_is_there(runtime, move):
    runtime.more = {
        "last_artifact": {"ui_tool_id": "plan", "payload": {"title": "P", "generated_files": {"src": {"app.py": "x = 1"}}}},
        "artifacts": [
            {"name": "../../etc/passwd\r\nx: y", "content": "harmless"},
            {"name": "a.bin", "url": "/files/a.bin"},
            {"name": "gone.bin", "path": "/files/gone.bin"},
            {"name": "far", "url": "https://evil.example/x"},
            {"name": "farther", "url": "//evil.example/x"},
        ],
    }
    job = await work.start(ADA, "Assistant", "Make a plan", seconds=600)
    assert job["state"] == "pending"
    await move()
    assert await state(job) == "running" and runtime.said == ["Make a plan"]
    for _ in range(3):
        await move(11)
    assert await state(job) == "running" and len(runtime.said) == 1
    runtime.done = True
    await move(11)
    done = await work.find(ADA, job["id"])
    assert (done["state"], done["error"]) == ("done", "")
    names = [one["name"] for one in done["artifacts"]]
    assert names == ["_.._etc_passwd_x_ y", "a.bin", "gone.bin", "src_app.py", "plan.json"]
    assert (await work.artifact(ADA, job["id"], "src_app.py")).content == b"x = 1"
    assert json.loads((await work.artifact(ADA, job["id"], "plan.json")).content)["title"] == "P"
    fetched = await work.artifact(ADA, job["id"], "a.bin")
    assert (fetched.content, fetched.content_type) == (b"\x00\x01", "application/octet-stream")
    for name in ("gone.bin", "nothing"):
        with pytest.raises(NotFound):
            await work.artifact(ADA, job["id"], name)


async def test_it_times_out_with_a_clear_state(runtime, move):
    job = await work.start(ADA, "Assistant", "Make a plan", seconds=30)
    await move()
    for _ in range(4):
        await move(11)
    told = await work.find(ADA, job["id"])
    assert (told["state"], told["error"]) == ("timed_out", "It was not done in time.")
    runtime.done = True
    await move(60)
    assert await state(job) == "timed_out"


async def test_a_request_that_is_held_open_while_it_works_is_not_waited_for(runtime, move, monkeypatch):
    monkeypatch.setattr(work, "_SAY_SECONDS", 0.2)
    runtime.hold = asyncio.Event()
    job = await work.start(ADA, "Assistant", "Make a plan")
    await move()
    assert await state(job) == "running"
    runtime.done = True
    await move(11)
    assert await state(job) == "done" and len(runtime.said) == 1


async def test_a_runtime_that_goes_away_in_between_is_asked_again(runtime, move, monkeypatch):
    back = get_settings().ai_url
    job = await work.start(ADA, "Assistant", "Make a plan")
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    await move()
    told = await work.find(ADA, job["id"])
    assert told["state"] == "pending" and "RUNTIME_UNAVAILABLE" in told["error"] and runtime.said == []
    monkeypatch.setenv("MOZAIKS_AI_URL", back)
    get_settings.cache_clear()
    await move(11)
    assert runtime.said == ["Make a plan"]
    runtime.done = True
    await move(11)
    assert await state(job) == "done"


async def test_a_refusal_ends_it_with_the_reason(runtime, move):
    runtime.input_error = (500, "Failed to submit user input: 400: no such workflow")
    job = await work.start(ADA, "Assistant", "Make a plan")
    await move()
    told = await work.find(ADA, job["id"])
    assert told["state"] == "failed" and "no such workflow" in told["error"] and len(runtime.said) == 1


async def test_a_key_is_one_job_and_others_see_nothing(runtime, move):
    first, second = [await work.start(ADA, "Assistant", "Make a plan", key="k") for _ in range(2)]
    assert first["id"] == second["id"] and runtime.starts == 1
    other = await work.start(EVE, "Assistant", "Mine", key="k")
    assert other["id"] != first["id"]
    for call in (work.find(EVE, first["id"]), work.cancel(EVE, first["id"]), work.artifact(EVE, first["id"], "x")):
        with pytest.raises(NotFound):
            await call
    assert [one["id"] for one in await work.listing(EVE)] == [other["id"]]


async def test_cancelled_work_is_not_begun(runtime, move):
    job = await work.start(ADA, "Assistant", "Make a plan")
    assert (await work.cancel(ADA, job["id"]))["state"] == "cancelled"
    await move()
    assert runtime.said == []
    with pytest.raises(Conflict):
        await work.cancel(ADA, job["id"])


async def test_what_cannot_start_leaves_no_job(runtime, monkeypatch):
    for message, seconds in (("", 60), ("x" * 32_001, 60), ("x", 1), ("x", float("nan")), ("x", 1e9)):
        with pytest.raises(Invalid):
            await work.start(ADA, "Assistant", message, seconds=seconds)
    with pytest.raises(NotFound):
        await work.start(ADA, "Secret", "x")
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(Unavailable):
        await work.start(ADA, "Assistant", "x")
    assert await work.listing(ADA) == []


async def test_over_http(runtime, move, as_person):
    runtime.more = {"artifacts": [{"name": 'report".md', "content": "# Done"}]}
    api = FastAPI()
    problems.install(api)
    api.include_router(router)
    as_person(ADA)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        started = await client.post("/api/ai/jobs", json={"workflow_name": "Assistant", "message": "Make a report"})
        assert started.status_code == 202
        where = f"/api/ai/jobs/{started.json()['id']}"
        await move()
        assert (await client.get(where)).json()["state"] == "running"
        runtime.done = True
        await move(11)
        as_person(ADA)
        assert [one["state"] for one in (await client.get("/api/ai/jobs")).json()["jobs"]] == ["done"]
        file = await client.get(f"{where}/artifacts/report_.md")
        assert (file.status_code, file.text) == (200, "# Done")
        assert file.headers["content-disposition"] == 'attachment; filename="report_.md"'
        assert (await client.post(f"{where}/cancel")).status_code == 409
        assert (await client.get("/api/ai/jobs/wjb_none")).status_code == 404


async def test_f155_a_workflow_that_asks_a_person_says_so_goes_on_when_it_is_answered_and_ends_in_time(runtime, move):
    answered = await work.start(ADA, "Assistant", "Make a plan", seconds=600)
    forgotten = await work.start(ADA, "Assistant", "Make another", seconds=60)
    await move()
    runtime.waits = True
    await move(11)
    told = await work.find(ADA, answered["id"])
    assert (told["state"], told["chat_id"]) == ("waiting_for_input", answered["chat_id"]) and "Answer it" in told["error"]
    await move(50)
    told = await work.find(ADA, forgotten["id"])
    assert told["state"] == "timed_out" and "Nobody answered" in told["error"]
    runtime.waits = False
    await move(11)
    told = await work.find(ADA, answered["id"])
    assert (told["state"], told["error"]) == ("running", "")
    runtime.done = True
    await move(11)
    assert await state(answered) == "done"


async def test_the_job_of_a_person_who_left_ends_with_that_reason(runtime, move, monkeypatch):
    job = await work.start(ADA, "Assistant", "Make a plan", seconds=600)

    async def gone(app_id: str, user_id: str) -> None:
        return None

    monkeypatch.setattr(jobs._People, "resolve", staticmethod(gone))
    await move()
    told = await work.find(ADA, job["id"])
    assert (told["state"], told["error"]) == ("failed", "the person is gone")
