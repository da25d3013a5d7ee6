"""A WebSocket that passes on what another one says, both ways, and does nothing else. RUNTIME is the other one's address.

What a bridge between runtime and browser cannot be cheaper than in this language: no session, no transcript, one viewer.
"""

import asyncio
import contextlib
import os

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

RUNTIME = os.environ["RUNTIME"].replace("http", "ws", 1)


async def talk(socket: WebSocket) -> None:
    """Frames as they come."""
    await socket.accept()
    async with connect(RUNTIME + socket.url.path, compression=None, proxy=None) as upstream:

        async def onward() -> None:
            try:
                while True:
                    await upstream.send(await socket.receive_text())
            except WebSocketDisconnect:
                await upstream.close()

        speaking = asyncio.create_task(onward())
        with contextlib.suppress(WebSocketDisconnect):
            async for frame in upstream:
                await socket.send_text(str(frame))
        speaking.cancel()


async def home(_: Request) -> JSONResponse:
    """Alive."""
    return JSONResponse({})


app = Starlette(routes=[Route("/", home), WebSocketRoute("/ws/{workflow}/{app}/{chat}/{user}", talk)])

if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", ws="websockets-sansio",
        ws_per_message_deflate=False,
    )  # fmt: skip
