"""One turn of one agent in AG2 1.x. Import it only where AG2 is installed.

AG2 drives the turn; a middleware around its model call streams the words into the chat and remembers what the model asked
for, and every tool is a stand-in that calls the folder's tool. So the frames, and what a restart finds, are the same as with
the other engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import openai
from ag2 import Agent as Ag2Agent
from ag2 import MemoryStream, ToolResult
from ag2.config import OpenAIConfig
from ag2.events import (
    ModelMessage,
    ModelMessageChunk,
    ModelRequest,
    ModelResponse,
    ToolCallEvent,
    ToolCallsEvent,
    ToolResultEvent,
)
from ag2.middleware import BaseMiddleware
from ag2.tools.final import FunctionTool, tool

from ..folders.models import Agent
from ..llm import LanguageModel, ToolRequest
from ..streaming import AnswerError, Meter
from .openai import ROUNDS, conversation, offers, remembered, transfers
from .session import Session

_ATTEMPTS = 3
_TIMEOUT = httpx2.Timeout(60.0, connect=10.0)


class _Stop(Exception):
    """The turn is over: cancelled, failed and told, handed over, or too long."""


class Turn:
    """What the middleware and the tools of one turn share."""

    def __init__(self, session: Session, agent: Agent, model: LanguageModel) -> None:
        self.session, self.agent, self.model = session, agent, model
        self.transfers = transfers(session, agent)
        self.one_at_a_time = asyncio.Lock()
        self.rounds = 0

    async def play(self) -> None:
        """Have the turn."""
        async with httpx2.AsyncClient(trust_env=False, timeout=_TIMEOUT) as http:
            config = OpenAIConfig(
                model=self.model.name,
                base_url=self.model.base_url,
                api_key=self.model.api_key or "none",
                streaming=True,
                http_client=http,
                timeout=_TIMEOUT,
            )
            try:
                await self._talk(config)
            except _Stop:
                return

    async def _talk(self, config: OpenAIConfig) -> None:
        system, *said = conversation(self.session, self.agent)
        last = said.pop()["content"] if said and said[-1]["role"] == "user" else "Go on."
        stream = MemoryStream()
        await stream.history.replace([_event(message) for message in said])
        thinker: Ag2Agent[Any] = Ag2Agent(
            self.agent.name,
            system["content"],
            config=config,
            tools=[_Offered(self, offer["function"]) for offer in offers(self.session, self.agent)],
            middleware=[lambda event, context: _Streaming(event, context, self)],
        )
        reply = await thinker.ask(last, stream=stream)
        output = self.session.output_of(self.agent)
        for attempt in range(_ATTEMPTS if output is not None else 0):
            try:
                structured = self.session.validated(self.agent, reply.body or "")
            except ValueError as error:
                if attempt + 1 < _ATTEMPTS:
                    reply = await reply.ask(f"That does not fit. Answer again, as JSON alone:\n{error}")
                continue
            if structured is not None:
                await self.session.use_output(self.agent, structured)
            return
        if output is not None:
            told = f"{self.agent.name} gave no answer that fits {output.__name__}."
            self.session.run.error("STRUCTURED_OUTPUT_INVALID", told)

    async def call(self, event: ToolCallEvent) -> ToolResult:
        """A tool the model asked for. Calls of one answer run one after the other, in the order they were made."""
        async with self.one_at_a_time:
            if event.name in self.transfers:
                self.session.chosen = self.transfers[event.name]
                return ToolResult(f"{self.session.chosen} goes on.", final=True)
            return ToolResult(await self.session.calls.model(self.agent, event.name, event.arguments, event.id))


class _Streaming(BaseMiddleware):
    """Stands around AG2's model call."""

    def __init__(self, event: Any, context: Any, turn: Turn) -> None:
        super().__init__(event, context)
        self._turn = turn

    async def on_llm_call(self, call_next: Any, events: Sequence[Any], context: Any) -> ModelResponse:
        turn, session = self._turn, self._turn.session
        turn.rounds += 1
        if turn.rounds > ROUNDS or session.chosen:
            raise _Stop
        meter = Meter(turn.model.name, "\n".join(line.content for line in session.lines))
        calls: list[ToolRequest] = []
        answer = await session.speak(turn.agent, _words(call_next, events, context, meter, calls), meter)
        if session.stopped:
            raise _Stop
        asked = await remembered(session, calls)
        message = ModelMessage(answer.text) if answer.text else None
        wanted = [ToolCallEvent(id=call.id, name=call.name, arguments=call.arguments or "{}") for call in asked]
        return ModelResponse(message, tool_calls=ToolCallsEvent(wanted), model=turn.model.name, provider="openai")


async def _words(
    call_next: Any, events: Sequence[Any], context: Any, meter: Meter, calls: list[ToolRequest]
) -> AsyncIterator[str]:
    """The words of one model call as AG2 receives them; fills ``meter`` and ``calls``. Raises AnswerError."""
    chunks: asyncio.Queue[str | None] = asyncio.Queue()

    async def heard(event: ModelMessageChunk) -> None:
        chunks.put_nowait(event.content)

    async def ask() -> ModelResponse:
        try:
            return await call_next(events, context)  # type: ignore[no-any-return]
        finally:
            chunks.put_nowait(None)

    with context.stream.where(ModelMessageChunk).sub_scope(heard):
        asking = asyncio.create_task(ask())
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            response = await asking
        except openai.OpenAIError as error:
            raise _told(error) from None
        finally:
            asking.cancel()
    calls += [ToolRequest(call.id, call.name, call.arguments) for call in response.tool_calls.calls]
    if response.usage:
        meter.prompt_tokens = int(response.usage.prompt_tokens or 0)
        meter.completion_tokens = int(response.usage.completion_tokens or 0)


def _told(error: openai.OpenAIError) -> AnswerError:
    match error:
        case openai.APITimeoutError():
            return AnswerError("LLM_TIMEOUT", "The language model server did not answer in time.")
        case openai.APIConnectionError():
            return AnswerError("LLM_UNREACHABLE", "The language model server cannot be reached.")
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            status = error.status_code
            return AnswerError("LLM_AUTH", f"The language model server refused the API key (HTTP {status}).")
        case openai.RateLimitError():
            return AnswerError("LLM_RATE_LIMITED", "The language model server is over its limit (429).")
        case openai.APIStatusError(status_code=status):
            code = "LLM_FAILED" if status >= 500 else "LLM_REFUSED"
            verb = "failed" if status >= 500 else "refused the request"
            return AnswerError(code, f"The language model server {verb} (HTTP {status}).")
    return AnswerError("LLM_FAILED", "The language model server failed.")


class _Offered(FunctionTool):
    """A tool as AG2 offers it to the model; calling it calls the folder's tool."""

    __slots__ = ("_turn",)

    def __init__(self, turn: Turn, offer: dict[str, Any]) -> None:
        made = tool(_nothing, name=offer["name"], description=offer["description"], schema=offer["parameters"])
        super().__init__(made.model, name=offer["name"], description=offer["description"], schema=offer["parameters"])
        self._turn = turn

    def __deepcopy__(self, _: dict[int, Any]) -> _Offered:
        return self  # AG2 copies tools; this one belongs to one turn and must keep its session

    async def __call__(self, event: ToolCallEvent, context: Any) -> ToolResultEvent:
        return ToolResultEvent.from_call(event, result=await self._turn.call(event))


async def _nothing() -> str:
    return ""


def _event(message: dict[str, Any]) -> ModelRequest | ModelResponse:
    if message["role"] == "assistant":
        return ModelResponse(ModelMessage(message["content"]))
    return ModelRequest.ensure_request([message["content"]])
