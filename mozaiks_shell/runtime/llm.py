"""A streaming client for any OpenAI-compatible ``/chat/completions`` server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from .config import RuntimeConfig
from .streaming import AnswerError, Meter

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_PAUSES = (0.25, 0.75)  # seconds before the second and the third attempt
_LONGEST_PAUSE = 10.0  # seconds a server may ask for
_AGAIN = ("LLM_UNREACHABLE", "LLM_RATE_LIMITED", "LLM_FAILED")


@dataclass
class ToolRequest:
    """A tool the model wants called; ``arguments`` is JSON as the model wrote it."""

    id: str
    name: str = ""
    arguments: str = ""


class LanguageModel:
    """One configured server and model."""

    def __init__(self, config: RuntimeConfig, http: httpx.AsyncClient) -> None:
        self._http = http
        self.base_url = config.openai_base_url or DEFAULT_BASE_URL
        self.api_key = config.openai_api_key
        self._url = f"{self.base_url}/chat/completions"
        self._headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        self.name = config.openai_model

    async def complete(
        self,
        messages: Sequence[dict[str, Any]],
        meter: Meter,
        *,
        tools: Sequence[dict[str, Any]] = (),
        calls: list[ToolRequest] | None = None,
        response_format: dict[str, Any] | None = None,
    ) -> AsyncIterator[str]:
        """Yield the answer as it is written and put the reported counts into ``meter``.

        What cannot be reached, is over its limit or fails before its first event is asked again, twice; a stream that
        broke in the middle is not.

        Args:
            tools: Offered to the model, as in the Chat Completions API.
            calls: Filled with the calls it asks for.
            response_format: Passed on.

        Raises:
            AnswerError: LLM_UNREACHABLE, LLM_TIMEOUT, LLM_AUTH, LLM_RATE_LIMITED, LLM_REFUSED,
                LLM_FAILED (the server's fault) or LLM_PROTOCOL (not the expected stream).
        """
        body: dict[str, Any] = {"model": self.name, "messages": list(messages), "stream": True}
        body["stream_options"] = {"include_usage": True}
        body |= {"tools": list(tools)} if tools else {}
        body |= {"response_format": response_format} if response_format else {}
        asked: list[ToolRequest] = [] if calls is None else calls
        for pause in (*_PAUSES, None):
            begun = False
            try:
                async for event in self._events(body):
                    begun = True
                    if piece := _read_event(event, meter, asked):
                        yield piece
                return
            except AnswerError as error:
                if begun or pause is None or error.code not in _AGAIN:
                    raise
                wait = error.retry_after if isinstance(error, _Refused) and error.retry_after is not None else pause
                if wait > _LONGEST_PAUSE:
                    raise
            await asyncio.sleep(wait)

    async def _events(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The events of one request, up to ``[DONE]`` or the end of a finished answer."""
        finished = False
        try:
            async with self._http.stream("POST", self._url, json=body, headers=self._headers, timeout=_TIMEOUT) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer.status_code, (await answer.aread())[:2000], answer.headers.get("retry-after"))
                async for line in answer.aiter_lines():
                    if not line.startswith("data:"):
                        continue
                    payload = line[5:].strip()
                    if payload == "[DONE]":
                        return
                    event = _event(payload)
                    finished = finished or _is_last(event)
                    yield event
        except httpx.TimeoutException:
            raise AnswerError("LLM_TIMEOUT", "The language model server did not answer in time.") from None
        except httpx.HTTPError:
            raise AnswerError("LLM_UNREACHABLE", "The language model server cannot be reached.") from None
        if not finished:
            raise AnswerError("LLM_PROTOCOL", "The language model server ended its answer early.")


class _Refused(AnswerError):
    """The server answered with an error; ``retry_after`` are the seconds it asks for."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


def _unreadable() -> AnswerError:
    return AnswerError("LLM_PROTOCOL", "The language model server sent something unreadable.")


def _event(payload: str) -> dict[str, Any]:
    try:
        event: Any = json.loads(payload)
    except ValueError:
        raise _unreadable() from None
    if not isinstance(event, dict):
        raise _unreadable()
    if event.get("error"):
        raise AnswerError("LLM_FAILED", f"The language model server failed: {_reason(event)}")
    return event


def _is_last(event: dict[str, Any]) -> bool:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and first.get("finish_reason") is not None


def _read_event(event: dict[str, Any], meter: Meter, calls: list[ToolRequest]) -> str:
    try:
        usage = event.get("usage")
        if usage:
            meter.prompt_tokens = int(usage["prompt_tokens"])
            meter.completion_tokens = int(usage["completion_tokens"])
        choices = event.get("choices") or []
        if not choices:
            return ""
        delta = choices[0].get("delta") or {}
        for part in delta.get("tool_calls") or ():
            _add_call(part, calls)
        content = delta.get("content")
        return content if isinstance(content, str) else ""
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        raise _unreadable() from None


def _add_call(part: dict[str, Any], calls: list[ToolRequest]) -> None:
    """Tool calls come in pieces: the name first, the arguments bit by bit; ``index`` says which call a piece belongs to."""
    index = part.get("index")
    index = len(calls) if index is None and part.get("id") else int(index if index is not None else len(calls) - 1)
    if not 0 <= index <= len(calls):
        raise ValueError("a call was left out")
    if index == len(calls):
        calls.append(ToolRequest(str(part.get("id") or f"call_{index}")))
    told = part.get("function") or {}
    calls[index].name += told.get("name") or ""
    calls[index].arguments += told.get("arguments") or ""


def _refusal(status: int, body: bytes, retry_after: str | None) -> AnswerError:
    try:
        reason = _reason(json.loads(body))
    except ValueError:
        reason = ""
    told = f" It said: {reason}" if reason else ""
    if status in (401, 403):
        return AnswerError("LLM_AUTH", f"The language model server refused the API key (HTTP {status}).")
    if status == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
        return _Refused("LLM_RATE_LIMITED", f"The language model server is over its limit (429).{told}", seconds)
    if status >= 500:
        return AnswerError("LLM_FAILED", f"The language model server failed (HTTP {status}).{told}")
    return AnswerError("LLM_REFUSED", f"The language model server refused the request (HTTP {status}).{told}")


def _reason(document: Any) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return text[:300] if isinstance(text, str) else ""
