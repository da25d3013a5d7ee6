"""A model server on the wire the embedded runtime speaks (Chat Completions, streamed), for tests of what an answer costs.

``python -m tests.chat.model PORT``: one whose answers never end.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

LINE = "and so on and on, word by word, line after line. "  # 48 characters: about 12 tokens


class Model:
    """``endless``: an answer goes on until somebody hangs up; else each has one line and reports what it ``costs``.

    ``served`` answers were written to their end, ``left`` is set when somebody hung up.
    """

    def __init__(self, *, endless: bool = False, costs: tuple[int, int] = (0, 0), pause: float = 0.02) -> None:
        self.app, self.left = FastAPI(), asyncio.Event()
        self.asked = self.served = 0
        self._endless, self._costs, self._pause = endless, costs, pause
        self.app.post("/v1/chat/completions")(self._answer)

    async def _answer(self) -> StreamingResponse:
        self.asked += 1
        return StreamingResponse(self._pieces(), media_type="text/event-stream")

    async def _pieces(self) -> AsyncIterator[str]:
        try:
            yield _event(_choice("Once upon a time "))
            while self._endless:
                yield _event(_choice(LINE))
                await asyncio.sleep(self._pause)
            await asyncio.sleep(self._pause)
            yield _event(_choice(LINE, "stop"))
            read, written = self._costs
            yield _event({"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": written}})
            self.served += 1
            yield "data: [DONE]\n\n"
        finally:
            if self._endless:
                self.left.set()


def _choice(content: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


if __name__ == "__main__":
    uvicorn.run(Model(endless=True).app, port=int(sys.argv[1]), log_level="warning")
