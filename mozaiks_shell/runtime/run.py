"""A run: what a workflow can do, and how the runtime keeps it alive until it ends.

A run is a task of the server. Sockets come and go; the run only ever talks to its chat.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any

from . import frames
from .assistant import Assistant
from .chat import Chat, Question, UiTool
from .frames import Frame
from .journal import IN_RUN, PastDiffers
from .messages import UiContext
from .streaming import Answer, AnswerError, Meter, words, write

if TYPE_CHECKING:
    from .children import Nursery
    from .workflows import Workflow

log = logging.getLogger(__name__)


class RunExit(Exception):
    """The user typed ``exit`` (protocol §2.6): the run ends in order."""


class Run:
    """The hands of a workflow. Every method speaks as the workflow's agent unless told otherwise."""

    def __init__(self, chat: Chat, agent: str, assistant: Assistant, delay_ms: float, nursery: Nursery | None = None) -> None:
        self.chat = chat
        self.agent = agent
        self.assistant = assistant
        self.nursery = nursery
        self.context: UiContext | None = None
        self.backlog: deque[str] = deque()
        self._delay_ms = delay_ms
        self._last_input = ""

    async def say(self, text: str, *, agent: str | None = None) -> Answer:
        """Write a finished Markdown text word by word."""
        return await self.stream(words(text, self._delay_ms), agent=agent)

    async def stream(self, source: AsyncIterator[str], *, meter: Meter | None = None, agent: str | None = None) -> Answer:
        """Write a text as it is produced: chat.print frames, one final chat.text, one usage delta.

        Returns also after ``user.cancel`` (``cancelled``) and after a failing source (``error``).
        """
        past = self.chat.recall("said", "failed")
        if past is not None:  # said before this process began
            extra = past.get("extra") or {}
            error = AnswerError(past["code"], past["message"]) if "code" in past else None
            return Answer(past.get("content", ""), bool(extra.get("cancelled")), error)
        speaker = agent or self.agent
        meter = meter or Meter(prompt_text=self._last_input)
        finish = partial(self._finish, speaker)
        answer = await write(self.chat, speaker, source, meter, finish)
        if answer.error is not None and not answer.text:
            self.chat.note("failed", {"code": answer.error.code, "message": answer.error.message})
        return answer

    def _finish(self, speaker: str, text: str, extra: Frame) -> None:
        self.chat.say("assistant", speaker, text, extra)

    def question(self, prompt: str, *, password: bool = False) -> Question:
        """Raise a question without waiting; resolve it with :meth:`answer_of`."""
        return self.chat.ask(prompt, password=password)

    async def ask(self, prompt: str, *, password: bool = False) -> str:
        """Raise a question and wait for the answer. Raises RunExit when the user types ``exit``."""
        if self.backlog:
            return self._taken(self.backlog.popleft(), password)
        return await self.answer_of(self.question(prompt, password=password))

    async def answer_of(self, question: Question) -> str:
        """Wait for a question raised before."""
        return self._taken(await question.answer, question.password)

    def _taken(self, text: str, password: bool) -> str:
        self.chat.echo_answer(text, password=password)
        self._last_input = "" if password else text
        if text.strip().casefold() == "exit" and not password:
            raise RunExit
        return text

    def show(self, component: str, payload: Frame, *, display: str = "inline") -> UiTool:
        """Show a UI tool without waiting; resolve it with :meth:`response_of`."""
        return self.chat.show(component, payload, display, self.agent)

    async def ui_tool(self, component: str, payload: Frame, *, display: str = "inline") -> Frame:
        """Show a UI tool and wait for its response, without limit of time (protocol §2.6)."""
        return await self.response_of(self.show(component, payload, display=display))

    async def response_of(self, tool: UiTool) -> Frame:
        """Wait for a UI tool shown before."""
        response = await tool.answer
        if tool.display == "inline":
            status = response.get("status")
            status = status if isinstance(status, str) else "success"
            self.chat.emit(frames.ui_tool_complete(tool.id, tool.component, status))
        self.chat.emit(frames.tool_response(tool.id, response))
        return response

    async def either(self, question: Question, tool: UiTool) -> str | Frame:
        """Whichever comes first: the answer (text) or the response (object). The other keeps waiting."""
        waiting: list[asyncio.Future[Any]] = [question.answer, tool.answer]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if tool.answer.done():
            return await self.response_of(tool)
        return await self.answer_of(question)

    def dismiss(self, tool: UiTool) -> None:
        """Take a UI tool off the screen."""
        self.chat.dismiss(tool)

    def withdraw(self, question: Question) -> None:
        """Forget a question."""
        self.chat.withdraw(question)

    def navigate(self, path: str) -> None:
        """Ask the shell to open a page of the app."""
        self.chat.emit(frames.navigate(path, self.agent))

    def error(self, code: str, message: str) -> None:
        """Tell the user what did not work."""
        self.chat.emit(frames.failure(message, code))


class Runner:
    """Starts and ends runs."""

    def __init__(self, assistant: Assistant, delay_ms: float) -> None:
        self._assistant = assistant
        self._delay_ms = delay_ms
        self._runs: dict[Chat, Run] = {}
        self.nursery: Nursery | None = None

    def start(self, chat: Chat, workflow: Workflow, first_input: str | None = None) -> None:
        """Begin a run of a chat that has none. ``first_input`` answers the run's first question."""
        first_input = chat.begin_run(first_input)
        run = Run(chat, workflow.agent, self._assistant, self._delay_ms, self.nursery)
        if first_input is not None:
            run.backlog.append(first_input)
        self._runs[chat] = run
        chat.run = asyncio.create_task(self._live(run, workflow), name=f"run {chat.chat_id}")
        chat.run.add_done_callback(lambda _: self._forget(run))

    def _forget(self, run: Run) -> None:
        if self._runs.get(run.chat) is run:  # the chat may have a new run already
            del self._runs[run.chat]

    async def stop(self, chat: Chat, reason: str) -> None:
        """End a run that nobody waits for any longer, as failed; nothing for a chat without one."""
        if chat.run is None or chat.run.done():
            return
        chat.run.cancel()
        await asyncio.gather(chat.run, return_exceptions=True)
        self._fail(chat, reason)

    def tell(self, chat: Chat, raw_context: Frame | None) -> None:
        """Give the running workflow what the shell said about the screen."""
        context = UiContext.read(raw_context)
        if context is not None and chat in self._runs:
            self._runs[chat].context = context

    async def _live(self, run: Run, workflow: Workflow) -> None:
        chat = run.chat
        IN_RUN.set(True)
        chat.emit(frames.run_start())
        try:
            await workflow.body(run)
        except RunExit:
            pass
        except PastDiffers as problem:
            log.warning("workflow %s cannot take up chat %s: %s", workflow.name, chat.chat_id, problem)
            self._fail(chat, "A restart interrupted this workflow, and it cannot go on. Start it again.")
            return
        except Exception:
            log.exception("workflow %s failed in chat %s", workflow.name, chat.chat_id)
            self._fail(chat, "The workflow stopped because of an internal error.")
            return
        if chat.family:
            said = next((one.content for one in reversed(chat.messages) if one.role == "assistant"), "")
            chat.result = {"text": said, **chat.result}
        self._end(chat)
        chat.emit(frames.termination())
        chat.emit(frames.run_complete())

    def _fail(self, chat: Chat, reason: str) -> None:
        chat.result = {"error": reason}
        self._end(chat, failed=True)
        chat.emit(frames.termination())
        chat.emit(frames.run_failed(reason, chat.chat_id))

    @staticmethod
    def _end(chat: Chat, *, failed: bool = False) -> None:
        for tool in list(chat.tools.values()):
            chat.dismiss(tool)
        for question in list(chat.questions.values()):
            chat.withdraw(question)
        chat.end_run(failed=failed)
