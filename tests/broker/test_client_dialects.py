"""Both dialects of a runtime, probed once or set (F-150, F-153, F-160), and how it stands (F-163, F-164)."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.adapters.runtime_http import HttpRuntime
from mozaiks_shell.broker.standing import standing
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.errors import Conflict
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import listening
from tests.conftest import ADA


class Fake:
    """A runtime of one dialect; ``calls`` are method and path of every request."""

    def __init__(self, dialect: str) -> None:
        self.app, self.calls, self.bodies = FastAPI(), list[str](), list[Any]()
        self.refused: tuple[int, str] | None = None

        @self.app.middleware("http")
        async def note(request: Request, go_on: Callable[..., Any]) -> Any:
            self.calls.append(f"{request.method} {request.url.path}")
            return await go_on(request)

        getattr(self, dialect)()

    def published(self) -> None:
        @self.app.post("/api/chats/{app}/{wf}/start")
        async def start(app: str, wf: str, request: Request) -> Any:
            return self.made(await request.json(), wf, {"reused": False})

        @self.app.get("/api/chats/meta/{app}/{wf}/{chat}")
        async def meta(app: str, wf: str, chat: str) -> Any:
            return {"exists": chat == "chat-1", **({"status": 1} if chat == "chat-1" else {})}

        @self.app.get("/api/workflows/{app}/available")
        async def available(app: str, user_id: str) -> Any:
            return {"workflows": [{"workflow_name": "Plan", "available": False, "reason": "Finish Value first"}]}

    def founding(self) -> None:
        @self.app.post("/api/sessions")
        async def start(request: Request) -> Any:
            body = await request.json()
            return self.made(body, body["workflow_name"], {})

        @self.app.get("/api/sessions/{chat}")
        async def meta(chat: str) -> Any:
            if chat != "chat-1":
                raise HTTPException(404, "no such session")
            return {"session": {"chat_id": chat, "status": "completed"}}

        @self.app.get("/api/workflows/{name}/eligible")
        async def eligible(name: str, app_id: str, user_id: str) -> Any:
            return {"eligible": name != "Plan", "reason": "Finish Value first"}

    def made(self, body: Any, workflow: str, more: dict[str, Any]) -> Any:
        self.bodies.append(body)
        if self.refused:
            raise HTTPException(*self.refused)
        return {"chat_id": "chat-1", "workflow_name": workflow, **more}


@pytest.fixture(params=["published", "founding"])
async def fake(request) -> AsyncIterator[tuple[Fake, str]]:
    one = Fake(request.param)
    async with listening(one.app) as base:
        yield one, base


@pytest.fixture
async def client(settings, fake) -> AsyncIterator[HttpRuntime]:
    one = HttpRuntime(fake[1])
    yield one
    await one.close()


async def test_f150_the_same_calls_work_in_both_dialects_and_one_probe_is_enough(client, fake):
    assert await client.start("app", "Plan", "usr", "t", "req-1") == "chat-1"
    assert {name: fake[0].bodies[0][name] for name in ("user_id", "client_request_id", "force_new")} == {
        "user_id": "usr", "client_request_id": "req-1", "force_new": True,
    }  # fmt: skip
    probing = len(fake[0].calls)
    assert (await client.meta("app", "Plan", "chat-1", "t"))["status"] == 1
    assert (await client.meta("app", "Plan", "chat-9", "t"))["exists"] is False
    assert await client.available("app", "Plan", "usr", "t") == (False, "Finish Value first")
    assert await client.available("app", "Other", "usr", "t") == (True, "")
    assert len(fake[0].calls) == probing + 4, "it went on probing"
    assert probing == (1 if client.dialect == "published" else 2)


async def test_f150_any_first_call_finds_the_dialect(client, fake):
    assert await client.available("app", "Plan", "usr", "t") == (False, "Finish Value first")
    assert client.dialect in {"published", "founding"}


async def test_f150_a_setting_asks_nobody(settings, fake, monkeypatch):
    one, base = fake
    spoken = "published" if any("/start" in route.path for route in one.app.routes) else "founding"
    monkeypatch.setenv("MOZAIKS_AI_DIALECT", spoken)
    get_settings.cache_clear()
    client = HttpRuntime(base)
    assert client.dialect == spoken
    await client.start("app", "Plan", "usr", "t", "req-1")
    assert len(one.calls) == 1
    await client.close()


async def test_f152_a_refusal_is_not_asked_for_in_the_other_dialect(client, fake):
    fake[0].refused = (409, "Finish Value first")
    with pytest.raises(Conflict, match="Finish Value first"):
        await client.start("app", "Plan", "usr", "t", "req-1")
    assert len(fake[0].bodies) == 1


async def test_f150_the_broker_starts_and_resumes_in_both(database, fake, monkeypatch):
    monkeypatch.setenv("MOZAIKS_AI_URL", fake[1])
    get_settings.cache_clear()
    stop_runtime, stop_chats = await broker.start_runtime(), await chats.start_chats()
    try:
        assert standing().state == "unknown"
        session = await broker.start(ADA, "Assistant", idempotency_key="k")
        again = await broker.start(ADA, "", chat_id=session.chat_id)
        assert again.runtime_chat_id == "chat-1"
        assert standing().state == "up" and standing().dialect in {"published", "founding"}
    finally:
        await stop_chats()
        await stop_runtime()


async def test_f163_every_state_has_a_calm_sentence(settings, monkeypatch):
    assert (standing().state, standing().calm) == ("not_configured", "No assistant is connected to this app.")
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    client = await broker.runtime()
    try:
        for _ in range(3):
            with pytest.raises(Exception, match="not reachable"):
                await client.meta("app", "x", "y", "t")
        seen = standing()
        assert seen.state == "down" and seen.retry_in >= 1 and seen.since and "not reachable" in seen.calm
    finally:
        await broker._stop_runtime()
    monkeypatch.setenv("MOZAIKS_AI_ENABLED", "false")
    get_settings.cache_clear()
    assert standing().state == "off"
