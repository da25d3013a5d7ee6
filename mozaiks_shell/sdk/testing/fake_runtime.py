"""A MozaiksAI runtime without intelligence: the documented HTTP contract, answers as told."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mozaiks_shell.foundation.settings import get_settings

TOKEN = "fake-runtime-token"


@dataclass(frozen=True)
class Call:
    """A request the runtime got. ``token`` is what came as bearer."""

    method: str
    path: str
    body: dict[str, Any]
    token: str


@dataclass
class FakeRuntime:
    """Listens on this machine while it is open; ``MOZAIKS_AI_URL`` and ``MOZAIKS_AI_TOKEN`` point to it.

        runtime.answers["Summary"] = {"summary": "Buy milk."}
        await app.execute(action="summarise", id=note["id"])
        assert runtime.calls[-1].body["data"] == {"text": "..."}

    Attributes:
        answers: By workflow: a dict, a function of the request's data that gives one, or a number, the HTTP status of a refusal.
        calls: Every request, oldest first.
        url: Where it listens.
    """

    answers: dict[str, dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]] | int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> "FakeRuntime":
        routes = [
            Route("/api/workflows/execute", self._execute, methods=["POST"]),
            Route("/api/workflows", self._workflows),
            Route("/api/health", self._health),
            Route("/api/chats/{app}/{workflow}/start", self._start, methods=["POST"]),
            Route("/api/chats/meta/{app}/{workflow}/{chat}", self._meta),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._running = asyncio.create_task(self._server._serve([listening]))  # serve() would take the signals from pytest
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv("MOZAIKS_AI_URL", self.url)
        self._patch.setenv("MOZAIKS_AI_TOKEN", TOKEN)
        get_settings.cache_clear()
        return self

    async def __aexit__(self, *_: Any) -> None:
        from mozaiks_shell.broker import service as broker

        self._patch.undo()
        get_settings.cache_clear()
        client, broker._broker.client = broker._broker.client, None
        if client is not None:
            await client.close()
        self._server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def _note(self, request: Request) -> dict[str, Any]:
        body = await request.json() if request.method == "POST" and await request.body() else {}
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.calls.append(Call(request.method, request.url.path, body, token))
        return body

    async def _execute(self, request: Request) -> JSONResponse:
        body = await self._note(request)
        answer = self.answers.get(str(body.get("workflow")), {})
        if isinstance(answer, int):
            return JSONResponse({"detail": f"{body.get('workflow')} was refused"}, answer)
        return JSONResponse(answer(body.get("data") or {}) if callable(answer) else answer)

    async def _workflows(self, request: Request) -> JSONResponse:
        await self._note(request)
        return JSONResponse({name: {} for name in self.answers})

    async def _health(self, request: Request) -> JSONResponse:
        return JSONResponse({"status": "healthy"})

    async def _start(self, request: Request) -> JSONResponse:
        body = await self._note(request)
        app, workflow, chat = request.path_params["app"], request.path_params["workflow"], str(uuid4())
        where = f"/ws/{workflow}/{app}/{chat}/{body.get('user_id')}"
        facts = {"chat_id": chat, "workflow_name": workflow, "app_id": app, "websocket_url": where}
        return JSONResponse({"success": True, **facts, "reused": False})

    async def _meta(self, request: Request) -> JSONResponse:
        await self._note(request)
        return JSONResponse({"exists": True, "status": 0, "chat_id": request.path_params["chat"]})
