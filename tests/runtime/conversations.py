"""A run of a workflow folder inside the test: its real chat, its real runner, and somebody who listens and answers."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

import httpx

from mozaiks_shell.runtime.assistant import Assistant
from mozaiks_shell.runtime.chat import Chat
from mozaiks_shell.runtime.config import RuntimeConfig
from mozaiks_shell.runtime.folders import load_folder
from mozaiks_shell.runtime.llm import LanguageModel
from mozaiks_shell.runtime.run import Runner
from mozaiks_shell.runtime.workflows.folder import EngineName, FolderWorkflow, from_definition

Frame = dict[str, Any]


def write_folder(root: Path, files: dict[str, str], name: str = "Trip") -> Path:
    """A workflow folder of these files; an orchestrator is added when there is none."""
    folder = root / name
    for file, text in {"orchestrator.yaml": f"workflow_name: {name}\n", **files}.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    return folder


class Talk:
    """A chat with one listener: the test."""

    def __init__(
        self, folder: Path, *, engine: EngineName = "auto", model_url: str | None = None, chat: Chat | None = None
    ) -> None:
        loaded = load_folder(folder)
        assert loaded.definition is not None, [str(problem) for problem in loaded.problems]
        self.workflow: FolderWorkflow = from_definition(loaded.definition, engine, 0.0)
        self.frames: list[Frame] = []
        self._news: asyncio.Queue[Frame] = asyncio.Queue()
        self.chat = chat or Chat("app1", "u1", loaded.definition.name, "c1", keep=400, keep_missed=50)
        self.http = httpx.AsyncClient(trust_env=False)
        config = RuntimeConfig(openai_base_url=model_url, openai_model="tiny")
        self.runner = Runner(Assistant(LanguageModel(config, self.http) if model_url else None, 0.0), 0.0)

    def send(self, frame: Frame) -> None:
        """A frame of the chat."""
        self.frames.append(frame)
        self._news.put_nowait(frame)

    def end(self, code: int, reason: str) -> None:
        """The chat closes the listener."""

    async def __aenter__(self) -> Talk:
        self.chat.attach(self, [])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.chat.detach(self)
        if self.chat.run is not None:
            self.chat.run.cancel()
            await asyncio.gather(self.chat.run, return_exceptions=True)
        await self.http.aclose()

    def start(self, first_input: str | None = None) -> None:
        """Begin the run."""
        self.runner.start(self.chat, self.workflow, first_input)

    async def until(self, type_: str, **data: Any) -> Frame:
        """Read on to the next frame of this type whose data has these values."""
        async with asyncio.timeout(60):
            while True:
                frame = await self._news.get()
                if frame["type"] == type_ and all(frame["data"].get(key) == value for key, value in data.items()):
                    return frame

    async def asked(self) -> Frame:
        """The next question."""
        return await self.until("chat.input_request")

    async def answer(self, text: str) -> None:
        """Answer the next question."""
        assert self.chat.answer_question((await self.asked())["data"]["request_id"], text)

    async def shown(self) -> Frame:
        """The data of the next UI tool."""
        while True:
            frame = await self.until("chat.tool_call")
            if frame["data"].get("component_type"):
                return frame["data"]

    def respond(self, tool: Frame, **response: Any) -> None:
        """Answer a UI tool."""
        assert self.chat.answer_tool(tool["corr"], {"status": "success", **response})

    async def over(self) -> None:
        """Wait for the end of the run."""
        await self.until("chat.run_complete")

    def types(self) -> list[str]:
        """The types so far, prints left out."""
        return [frame["type"] for frame in self.frames if frame["type"] != "chat.print"]

    def texts(self, agent: str | None = None) -> list[str]:
        """What people see: the texts so far, traces left out."""
        seen = [one["data"] for one in self.frames if one["type"] == "chat.text" and "ui_visibility" not in one["data"]]
        return [one["content"] for one in seen if agent in (None, one["agent"])]

    def all(self, type_: str) -> list[Frame]:
        """The data of every frame of a type."""
        return [frame["data"] for frame in self.frames if frame["type"] == type_]
