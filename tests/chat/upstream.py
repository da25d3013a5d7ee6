"""A double of the published runtime: it plays what a recording holds, or what a test writes down."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

Play = Callable[["Line"], Awaitable[None]]


class Line:
    """The runtime's end of one socket."""

    def __init__(self, socket: WebSocket, workflow: str, chat_id: str, app_id: str = "", user_id: str = "") -> None:
        self.socket, self.workflow, self.chat_id = socket, workflow, chat_id
        self.app_id, self.user_id = app_id, user_id
        self.token = socket.query_params.get("access_token", "")

    async def send(self, type_: str, **data: Any) -> None:
        await self.frame(
            {"type": type_, "data": data, "timestamp": "2026-11-20T12:00:00+00:00", "agent": data.get("agent") or "Agent"}
        )

    async def frame(self, frame: Any) -> None:
        await self.socket.send_text(frame if isinstance(frame, str) else json.dumps(frame))

    async def receive(self, seconds: float | None = 60) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            return json.loads(await self.socket.receive_text())

    async def meta(self) -> None:
        ids = {"chat_id": self.chat_id, "app_id": self.app_id, "user_id": self.user_id}
        await self.send("chat_meta", kind="chat_meta", workflow_name=self.workflow, status=0, **ids)

    async def text(self, content: str, agent: str = "Helper", **more: Any) -> None:
        await self.send("chat.text", kind="text", agent=agent, content=content, **more)

    async def ask(self, request_id: str, prompt: str = "", **more: Any) -> None:
        await self.send("chat.input_request", request_id=request_id, prompt=prompt, password=False, **more)

    async def hang_up(self, code: int = 1000) -> None:
        await self.socket.close(code)

    async def idle(self) -> None:
        """Stay until the other side leaves."""
        try:
            while True:
                await self.socket.receive_text()
        except WebSocketDisconnect:
            return


class Upstream:
    """HTTP and WebSocket of the runtime. ``plays`` are taken in order, one per socket."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.plays: list[Play] = []
        self.chat_ids: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[Line] = []
        self.status: dict[str, int] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.known_by_default: dict[str, Any] = {"last_sequence": 2, "last_artifact": None}
        self.modes: dict[str, str] = {}
        self.workflows = {"Assistant", "Secret", "ProjectBrief", "CompareOptions", "AgentGenerator", "Audit", "Power", "Off"}
        self.listed = 0
        self.http_down = False
        self.hears: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self.start_refusal: tuple[int, Any] | None = None
        self.handshake_refused = False
        self.start_delay = asyncio.sleep
        self.failures: list[BaseException] = []
        self._started = 0
        self._routes()

    def _routes(self) -> None:
        @self.app.post("/api/chats/{app_id}/{workflow}/start")
        async def start(app_id: str, workflow: str, request: Request) -> dict[str, Any]:
            body = await request.json()
            self.calls.append(("start", {"app_id": app_id, "workflow": workflow, "token": _bearer(request), **body}))
            await self.start_delay(0.01)
            if self.start_refusal is not None:
                raise HTTPException(self.start_refusal[0], self.start_refusal[1])
            self._started += 1
            chat_id = self.chat_ids.pop(0) if self.chat_ids else f"chat-{self._started}"
            return {"success": True, "chat_id": chat_id, "workflow_name": workflow, "reused": False}

        @self.app.get("/api/chats/meta/{app_id}/{workflow}/{chat_id}")
        async def meta(app_id: str, workflow: str, chat_id: str, request: Request) -> dict[str, Any]:
            self.calls.append(("meta", {"chat_id": chat_id, "token": _bearer(request)}))
            if self.http_down:
                raise HTTPException(503, "down")
            status = self.status.get(chat_id, 0)
            told = {"exists": True, "chat_id": chat_id, "workflow_name": workflow, "status": status}
            return {**told, **self.known_by_default, **self.known.get(chat_id, {})}

        @self.app.post("/chat/{app_id}/{chat_id}/{user_id}/input")
        async def said(app_id: str, chat_id: str, user_id: str, request: Request) -> dict[str, Any]:
            body = {**await request.json(), "chat_id": chat_id, "user_id": user_id}
            self.calls.append(("input", body))
            if self.hears is not None:
                await self.hears(body)
            return {"status": "Message received and is being processed.", "transport": None}

        @self.app.get("/api/workflows")
        async def workflows() -> dict[str, Any]:
            self.listed += 1
            return {name: {"startup_mode": self.modes.get(name, "AgentDriven")} for name in sorted(self.workflows)}

        @self.app.websocket("/ws/{workflow}/{app_id}/{chat_id}/{user_id}")
        async def ws(socket: WebSocket, workflow: str, app_id: str, chat_id: str, user_id: str) -> None:
            self.calls.append(("ws", {"chat_id": chat_id, "user_id": user_id}))
            if self.handshake_refused:
                await socket.close(1008)
                return
            await socket.accept()
            line = Line(socket, workflow, chat_id, app_id, user_id)
            self.lines.append(line)
            try:
                await self.plays.pop(0)(line)
            except WebSocketDisconnect:
                pass
            except BaseException as error:
                self.failures.append(error)
                raise

    def count(self, name: str) -> int:
        """How often something was called: start, meta, ws."""
        return sum(call == name for call, _ in self.calls)


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")
