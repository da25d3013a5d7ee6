"""A runtime that gives the answers a test needs: Markdown as a stream, several agents, tools, usage, and very long chats.

    python -m tests.answering PORT

It speaks the wire of the published MozaiksAI (see :mod:`tests.double`). What a text asks for: ``markdown 2000 at 200``
streams so many tokens of Markdown with code, so many a second; ``play NAME`` plays one of :data:`PLAYS`; ``say`` and a
JSON text is answered with that text, ``write`` and a JSON text is streamed. Anything else is echoed.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.double import health, meta, start, workflows

SECTION = """## Step {n}: read the file

The function below reads a **configuration file** and returns a `dict`. It is careful: a file that is missing gives an
empty result, and one that is broken says *where*.

1. Open the file with an explicit encoding.
2. Parse it, and keep the line of the first error.
3. Return what was found, see [the manual](https://example.com/manual).

```python
from pathlib import Path

def read_config_{n}(path: Path) -> dict[str, str]:
    \"\"\"All settings of the file, by name.\"\"\"
    found: dict[str, str] = {{}}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        name, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"line {{number}} has no value: {{line!r}}")
        found[name.strip()] = value.strip()
    return found
```

| setting | default | meaning |
| --- | --- | ---: |
| `timeout` | 30 | seconds |
| `retries` | 3 | tries |

"""
END = "This is the last word."
_SIZE = 4  # characters of a token


def tokens(count: int) -> list[str]:
    """So many tokens of Markdown with headings, lists, tables and code, and :data:`END`; always the same."""
    room = count * _SIZE - len(END)
    sections = ""
    number = 0
    while len(more := SECTION.format(n=number + 1)) + len(sections) <= room:
        number += 1
        sections += more
    text = sections + "word " * ((room - len(sections)) // 5)
    text = text.ljust(room) + END
    return [text[at : at + _SIZE] for at in range(0, len(text), _SIZE)]


class Voice:
    """The runtime's end of a socket."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.chat = socket.path_params["chat"]

    async def send(self, kind: str, agent: str = "Assistant", **data: Any) -> None:
        told = {"kind": kind.removeprefix("chat."), "agent": agent, **data}
        await self.socket.send_text(json.dumps({"type": kind, "data": told, "agent": agent}))

    async def text(self, content: str, agent: str = "Assistant", **data: Any) -> None:
        await self.send("chat.text", agent, content=content, **data)

    async def speaker(self, agent: str) -> None:
        await self.send("chat.select_speaker", agent, source="synthetic", _synthetic=True)

    async def usage(self, prompt: int, completion: int, agent: str = "Assistant", model: str = "gpt-4o-mini") -> None:
        counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        names = {"event_id": uuid4().hex[:12], "agent_name": agent, "model_name": model}
        await self.send("chat.usage_delta", agent, **names, **counts, cached=False, duration_sec=0.5, event_ts="")

    async def stream(self, pieces: list[str], rate: float, agent: str = "Assistant") -> str:
        begun = time.monotonic()
        for number, piece in enumerate(pieces, 1):
            await self.send("chat.print", agent, content=piece)
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        whole = "".join(pieces)
        await self.text(whole, agent)
        return whole


async def handoff(voice: Voice) -> None:
    """Three agents, one of them hidden."""
    await voice.speaker("Planner")
    await voice.text("I will find the facts first.", "Planner")
    await voice.speaker("Auditor")
    hidden = {"ui_visibility": "trace", "trace_agent": "Auditor", "trace_reason": "not visual", "is_visual": False}
    await voice.text("Secret notes of the auditor.", "Auditor", **hidden)
    await voice.speaker("Writer")
    await voice.text("Here is the summary.", "Writer")
    await voice.speaker("Auditor")
    await asyncio.sleep(1.5)
    await voice.speaker("Writer")
    await asyncio.sleep(1.5)
    await voice.text("And here is the end.", "Writer")


async def steps(voice: Voice) -> None:
    """Two tools that tell how far they are, and an answer."""
    await voice.speaker("Researcher")
    call = {"tool_name": "search_web", "tool_call_id": "call-1", "corr": "call-1", "awaiting_response": False}
    await voice.send("chat.tool_call", "Researcher", **call, payload={"interaction_type": "auto_tool", "tool_args": {}})
    for percent in (10, 60):
        told = {"tool_name": "search_web", "corr": "call-1", "progress_percent": percent, "status_message": f"{percent} pages"}
        await voice.send("tool_progress", "Researcher", chat_id=voice.chat, **told)
        await asyncio.sleep(1.0)
    done = {"tool_name": "search_web", "tool_call_id": "call-1", "corr": "call-1", "success": True, "status": "ok"}
    await voice.send("chat.tool_response", "Researcher", **done, content="...", interaction_type="auto_tool")
    told = {"tool_name": "read_page", "progress_percent": 50.0, "status_message": "half way"}
    await voice.send("tool_progress", "Researcher", chat_id=voice.chat, **told)
    await asyncio.sleep(1.0)
    await voice.text("Both tools are done.", "Researcher")


async def costs(voice: Voice) -> None:
    """An answer that took three calls of a model, one before it, one while it is written, one after it."""
    await voice.usage(1000, 200)
    await voice.send("chat.print", content="It took ")
    await voice.usage(300, 40)
    await voice.send("chat.print", content="three calls.")
    await voice.text("It took three calls.")
    await voice.usage(50, 10)


async def long(voice: Voice) -> None:
    """Five thousand messages."""
    for number in range(5000):
        await voice.text(f"Message number {number:04d}. " + "It has some **bold** words and a `name` in it. " * (number % 4 + 1))


PLAYS: dict[str, Callable[[Voice], Awaitable[None]]] = {"handoff": handoff, "steps": steps, "costs": costs, "long": long}


async def answer(voice: Voice, text: str) -> None:
    """Do what the text asks for."""
    verb, _, rest = text.partition(" ")
    if verb == "play" and rest in PLAYS:
        await PLAYS[rest](voice)
    elif verb == "markdown":
        count, _, rate = rest.split()
        await voice.stream(tokens(int(count)), float(rate))
    elif verb == "say":
        await voice.text(json.loads(rest))
    elif verb == "write":
        content = json.loads(rest)
        pieces = list(islice(cycle([7, 3, 5]), len(content)))
        cuts = [sum(pieces[:number]) for number in range(len(pieces) + 1)]
        await voice.stream([content[a:b] for a, b in zip(cuts, cuts[1:], strict=False) if content[a:b]], 20)
    else:
        await voice.text(f"You said: {text}")


async def talk(socket: WebSocket) -> None:
    """Ask, answer, ask again."""
    await socket.accept()
    voice = Voice(socket)
    await voice.send("chat_meta", chat_id=voice.chat, status=0, chat_exists=True)
    try:
        while True:
            question = uuid4().hex
            await voice.send("chat.input_request", request_id=question, prompt="", password=False)
            text = ""
            while not text:
                message = json.loads(await socket.receive_text())
                text = message.get("text", "") if message["type"] == "user.input.submit" else ""
            await voice.send("chat.input_ack", request_id=question)
            await answer(voice, text)
    except WebSocketDisconnect:
        pass


app = Starlette(
    routes=[
        Route("/api/chats/{app}/{workflow}/start", start, methods=["POST"]),
        Route("/api/chats/meta/{app}/{workflow}/{chat}", meta),
        Route("/api/workflows", workflows),
        Route("/api/health", health),
        WebSocketRoute("/ws/{workflow}/{app}/{chat}/{user}", talk),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
