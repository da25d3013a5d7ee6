"""A runtime on the wire of the published one that does nothing by itself: a test says over HTTP what it sends.

    python -m tests.puppet PORT

``POST /play`` with a list of frames sends them on the newest socket (of ``?chat=``, where that is said); ``GET /heard`` is what
came in, ``GET /chats`` the chats that are open, the newest last. ``POST /set`` with ``{"meta": {..}, "refuse": [409, ".."],
"cached": {..}, "asks": false}`` changes what it answers.
"""

import asyncio
import contextlib
import json
import sys
from typing import Any
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

sockets: list[WebSocket] = []
heard: list[dict[str, Any]] = []
answers: dict[str, Any] = {"meta": {}, "refuse": None, "cached": {}, "asks": True, "health": 200}


async def start(request: Request) -> Response:
    """A new chat, unless it is to be refused."""
    app, workflow = request.path_params["app"], request.path_params["workflow"]
    if answers["refuse"]:
        status, detail = answers["refuse"]
        return JSONResponse({"detail": detail}, status)
    chat, user = f"pup-{uuid4().hex[:12]}", (await request.json())["user_id"]
    where = f"/ws/{workflow}/{app}/{chat}/{user}"
    told = {"success": True, "chat_id": chat, "workflow_name": workflow, "app_id": app, "user_id": user, "websocket_url": where}
    return JSONResponse({**told, "reused": False})


async def meta(request: Request) -> Response:
    """The chat goes on, unless something else was set."""
    return JSONResponse({"exists": True, "status": 0, "chat_id": request.path_params["chat"], **answers["meta"]})


async def workflows(_: Request) -> Response:
    """Nothing to tell about them."""
    return JSONResponse({name: {} for name in ("Assistant", "ProjectBrief", "CompareOptions")})


async def health(_: Request) -> Response:
    """As it was set."""
    return JSONResponse({"status": "healthy"}, answers["health"])


async def cached(request: Request) -> Response:
    """An artifact as a whole."""
    heard.append({"type": "GET cached", "artifact_id": request.path_params["artifact"]})
    state = answers["cached"].get(request.path_params["artifact"])
    return JSONResponse({"state": state}) if state is not None else JSONResponse({"detail": "Cache miss"}, 404)


async def ears(request: Request) -> Response:
    """What came in; DELETE forgets."""
    if request.method == "DELETE":
        heard.clear()
    return JSONResponse(heard)


async def chats(_: Request) -> Response:
    """Ids of the chats that are open."""
    return JSONResponse([one.path_params["chat"] for one in sockets])


async def change(request: Request) -> Response:
    """What it answers from now on."""
    answers.update(await request.json())
    return JSONResponse(answers)


async def play(request: Request) -> Response:
    """Send these frames; ``{"close": code}`` among them hangs up, ``{"wait": seconds}`` waits."""
    chat = request.query_params.get("chat", "")
    mine = [one for one in sockets if chat in ("", one.path_params["chat"])]
    if not mine:
        return JSONResponse({"detail": "no socket"}, 409)
    for frame in await request.json():
        if "close" in frame:
            await mine[-1].close(frame["close"])
        elif "wait" in frame:
            await asyncio.sleep(frame["wait"])
        else:
            await mine[-1].send_text(json.dumps(frame))
    return JSONResponse({"chat": mine[-1].path_params["chat"]})


async def talk(socket: WebSocket) -> None:
    """Say which chat it is, ask once, and listen."""
    await socket.accept()
    sockets.append(socket)
    names = {"chat_id": socket.path_params["chat"], "app_id": socket.path_params["app"], "user_id": socket.path_params["user"]}
    told = {"kind": "chat_meta", "status": 0, "chat_exists": True, **names}
    await socket.send_text(json.dumps({"type": "chat_meta", "data": told, "agent": "Agent"}))
    if answers["asks"]:
        asked = {"request_id": uuid4().hex, "prompt": "", "password": False}
        await socket.send_text(json.dumps({"type": "chat.input_request", "data": asked, "agent": "Agent"}))
    try:
        while True:
            heard.append({**json.loads(await socket.receive_text()), "_user": names["user_id"]})
    except WebSocketDisconnect:
        pass
    finally:
        with contextlib.suppress(ValueError):
            sockets.remove(socket)


app = Starlette(
    routes=[
        Route("/api/chats/{app}/{workflow}/start", start, methods=["POST"]),
        Route("/api/chats/meta/{app}/{workflow}/{chat}", meta),
        Route("/api/artifacts/{artifact}/cached", cached),
        Route("/api/workflows", workflows),
        Route("/api/health", health),
        Route("/heard", ears, methods=["GET", "DELETE"]),
        Route("/chats", chats),
        Route("/set", change, methods=["POST"]),
        Route("/play", play, methods=["POST"]),
        WebSocketRoute("/ws/{workflow}/{app}/{chat}/{user}", talk),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
