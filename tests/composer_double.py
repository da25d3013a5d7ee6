"""A runtime for the tests of the composer, on the wire of the published one.

    python -m tests.composer_double PORT

``stream 500 at 50`` streams as :mod:`tests.double`; ``choose``, ``secret``, ``file`` and ``name it`` make it ask a question
of that kind, ``hurry`` one that it withdraws. Anything else is echoed. It takes files; one named ``virus.txt`` it refuses,
and one named ``slow…`` takes two seconds. ``GET /heard`` tells every frame and file, ``user.cancel`` ends what streams.
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
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.double import WISH, frame, health, meta, start, workflows

QUESTIONS: dict[str, dict[str, Any]] = {
    "choose": {"prompt": "Which one shall it be?", "choices": ["The red one", {"label": "The blue one", "value": "blue"}]},
    "secret": {"prompt": "What is the password?", "password": True},
    "file": {"prompt": "Which file shall I read?", "component_type": "file"},
    "name it": {"prompt": "What shall it be called?"},
    "hurry": {"prompt": "Quick: red or green?", "choices": ["Red", "Green"]},
}
heard: list[Any] = []
files: list[dict[str, Any]] = []


async def ears(_: Request) -> JSONResponse:
    """Texts and cancels in order, and the files."""
    return JSONResponse({"frames": heard, "files": files})


async def upload(request: Request) -> JSONResponse:
    """A file for a chat."""
    form = await request.form()
    file = form["file"]
    content = await file.read()  # type: ignore[union-attr]
    name = str(file.filename)  # type: ignore[union-attr]
    if name.startswith("slow"):
        await asyncio.sleep(2)
    if name == "virus.txt":
        return JSONResponse({"detail": "not this"}, 400)
    files.append({"name": name, "size": len(content), "chat": form["chatId"]})
    return JSONResponse({"success": True})


async def talk(socket: WebSocket) -> None:
    """Ask, answer, ask again."""
    await socket.accept()
    await socket.send_text(frame("chat_meta", chat_id=socket.path_params["chat"], status=0, chat_exists=True))
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    cancelled = asyncio.Event()

    async def listen() -> None:
        while True:
            message = json.loads(await socket.receive_text())
            heard.append({"type": message["type"], "text": message.get("text", "")})
            if message["type"] == "user.cancel":
                cancelled.set()
            else:
                await said.put(message)

    listening = asyncio.create_task(listen())
    question: dict[str, Any] = {"prompt": ""}
    try:
        while True:
            asked, hurried = uuid4().hex, question.get("prompt", "").startswith("Quick")
            await socket.send_text(frame("chat.input_request", request_id=asked, **{"password": False, **question}))
            text = ""
            while not text:
                turn = asyncio.create_task(said.get())
                done, _ = await asyncio.wait([turn, listening], timeout=3 if hurried else None, return_when="FIRST_COMPLETED")
                if not done:
                    turn.cancel()
                    await socket.send_text(frame("chat.input_timeout", request_id=asked))
                    break
                if turn not in done:
                    turn.cancel()
                    return
                text = turn.result().get("text", "")
            question = dict(QUESTIONS.get(text, {"prompt": ""}))
            if not text:
                continue
            await socket.send_text(frame("chat.input_ack", request_id=asked))
            if question["prompt"]:
                continue
            cancelled.clear()
            wish = WISH.search(text)
            written = await stream(socket, cancelled, int(wish[1]), int(wish[2])) if wish else f"You said: {text}"
            more = {"metadata": {"cancelled": True}} if cancelled.is_set() else {}
            await socket.send_text(frame("chat.text", content=written, **more))
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        listening.cancel()
        with contextlib.suppress(BaseException):
            await listening


async def stream(socket: WebSocket, cancelled: asyncio.Event, count: int, rate: int) -> str:
    """Send numbered tokens until they are all sent or somebody cancels; what was sent."""
    tokens: list[str] = []
    for number in range(count):
        tokens.append(f"t{number:06d} ")
        await socket.send_text(frame("chat.print", content=tokens[-1]))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1 / rate):
                await cancelled.wait()
                break
    return "".join(tokens)


app = Starlette(
    routes=[
        Route("/api/chats/{app}/{workflow}/start", start, methods=["POST"]),
        Route("/api/chats/meta/{app}/{workflow}/{chat}", meta),
        Route("/api/chat/upload", upload, methods=["POST"]),
        Route("/api/workflows", workflows),
        Route("/api/health", health),
        Route("/heard", ears),
        WebSocketRoute("/ws/{workflow}/{app}/{chat}/{user}", talk),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
