"""A runtime on the wire of the published MozaiksAI, with a few talents: above all it streams exactly what it is asked for.

    python -m tests.double PORT

Saying ``stream 500 at 50`` gives 500 tokens of 8 bytes (``t000000 ``, ``t000001 ``, ...) at 50 a second; ``stream 500 at
50 as 07`` marks them (``0700000 ``). ``hang up`` ends the connection, ``turn it down`` rejects the text. Anything else is
echoed. ``GET /sent`` tells when each token was sent, by mark (monotonic clock of this machine, in seconds); ``GET /heard``
the latest frames that came in, and the credentials of the latest handshakes.
"""

import asyncio
import json
import re
import sys
import time
from collections import deque
from typing import Any
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

WISH = re.compile(r"stream (\d+) at (\d+)(?: as (\w\w))?")
sent: dict[str, list[float]] = {}
heard: deque[str] = deque(maxlen=200)
shown: deque[str] = deque(maxlen=200)


async def start(request: Request) -> JSONResponse:
    """A new chat."""
    app, workflow = request.path_params["app"], request.path_params["workflow"]
    chat, user = str(uuid4()), (await request.json())["user_id"]
    where = f"/ws/{workflow}/{app}/{chat}/{user}"
    answer = {"success": True, "chat_id": chat, "workflow_name": workflow, "app_id": app, "user_id": user, "websocket_url": where}
    return JSONResponse({**answer, "reused": False})


async def meta(request: Request) -> JSONResponse:
    """Every chat goes on."""
    return JSONResponse({"exists": True, "status": 0, "chat_id": request.path_params["chat"]})


async def workflows(_: Request) -> JSONResponse:
    """Nothing to tell about them."""
    return JSONResponse({"Assistant": {}})


async def health(_: Request) -> JSONResponse:
    """Alive."""
    return JSONResponse({"status": "healthy"})


async def times(request: Request) -> JSONResponse:
    """When the tokens of each mark were sent; DELETE forgets."""
    if request.method == "DELETE":
        sent.clear()
    return JSONResponse(sent)


async def ears(_: Request) -> JSONResponse:
    """What came in, and with which credentials."""
    return JSONResponse({"frames": list(heard), "tokens": list(shown)})


def frame(kind: str, **data: Any) -> str:
    """A frame as the runtime writes it."""
    return json.dumps(
        {"type": kind, "data": {"kind": kind.removeprefix("chat."), "agent": "Assistant", **data}, "agent": "Assistant"}
    )


async def talk(socket: WebSocket) -> None:
    """Ask, answer, ask again."""
    await socket.accept()
    bearer = socket.headers.get("authorization", "").removeprefix("Bearer ")
    shown.append(bearer or socket.query_params.get("access_token", ""))
    chat = socket.path_params["chat"]
    await socket.send_text(frame("chat_meta", chat_id=chat, status=0, chat_exists=True))
    try:
        while True:
            question = uuid4().hex
            await socket.send_text(frame("chat.input_request", request_id=question, prompt="", password=False))
            text = ""
            while not text:
                heard.append(await socket.receive_text())
                message = json.loads(heard[-1])
                text = message.get("text", "") if message["type"] == "user.input.submit" else ""
            if text == "hang up":
                return await socket.close(1011)
            if text == "turn it down":
                await socket.send_text(frame("ack.input", input_request_id=question, status="rejected"))
                continue
            await socket.send_text(frame("chat.input_ack", request_id=question))
            wish = WISH.search(text)
            if wish is None:
                await socket.send_text(frame("chat.text", content=f"You said: {text}"))
                continue
            written = await stream(socket, int(wish[1]), int(wish[2]), wish[3] or "t0")
            await socket.send_text(frame("chat.text", content=written))
    except WebSocketDisconnect:
        pass


async def stream(socket: WebSocket, count: int, rate: int, mark: str) -> str:
    """Send the tokens on time; what was sent."""
    begun, moments, tokens = time.monotonic(), sent.setdefault(mark, []), []
    moments.clear()
    for number in range(count):
        tokens.append(f"{mark}{number:05d} ")
        text = frame("chat.print", content=tokens[-1])
        moments.append(time.monotonic())
        await socket.send_text(text)
        await asyncio.sleep(max(0.0, begun + (number + 1) / rate - time.monotonic()))
    return "".join(tokens)


app = Starlette(
    routes=[
        Route("/api/chats/{app}/{workflow}/start", start, methods=["POST"]),
        Route("/api/chats/meta/{app}/{workflow}/{chat}", meta),
        Route("/api/workflows", workflows),
        Route("/api/health", health),
        Route("/heard", ears),
        Route("/sent", times, methods=["GET", "DELETE"]),
        WebSocketRoute("/ws/{workflow}/{app}/{chat}/{user}", talk),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
