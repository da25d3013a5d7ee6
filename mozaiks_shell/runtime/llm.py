"""A streaming client for any OpenAI-compatible ``/chat/completions`` server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from .config import RuntimeConfig
from .streaming import AnswerError, Meter

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class LanguageModel:
    """One configured server and model."""

    def __init__(self, config: RuntimeConfig, http: httpx.AsyncClient) -> None:
        self._http = http
        self._url = f"{config.openai_base_url or DEFAULT_BASE_URL}/chat/completions"
        self._headers = {"Authorization": f"Bearer {config.openai_api_key}"} if config.openai_api_key else {}
        self.name = config.openai_model

    async def complete(self, messages: list[dict[str, str]], meter: Meter) -> AsyncIterator[str]:
        """Yield the answer as it is written and put the reported counts into ``meter``.

        Raises AnswerError: LLM_UNREACHABLE, LLM_TIMEOUT, LLM_AUTH, LLM_RATE_LIMITED, LLM_REFUSED,
        LLM_FAILED (the server's fault) or LLM_PROTOCOL (not the expected stream).
        """
        body = {"model": self.name, "messages": messages, "stream": True}
        body["stream_options"] = {"include_usage": True}
        try:
            async with self._http.stream("POST", self._url, json=body, headers=self._headers, timeout=_TIMEOUT) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer.status_code, (await answer.aread())[:2000])
                finished = False
                async for line in answer.aiter_lines():
                    if not line.startswith("data:"):
                        continue
                    payload = line[5:].strip()
                    if payload == "[DONE]":
                        return
                    piece, done = _read_event(payload, meter)
                    finished = finished or done
                    if piece:
                        yield piece
                if not finished:
                    raise AnswerError("LLM_PROTOCOL", "The language model server ended its answer early.")
        except httpx.TimeoutException:
            raise AnswerError("LLM_TIMEOUT", "The language model server did not answer in time.") from None
        except httpx.HTTPError:
            raise AnswerError("LLM_UNREACHABLE", "The language model server cannot be reached.") from None


def _read_event(payload: str, meter: Meter) -> tuple[str, bool]:
    try:
        event: Any = json.loads(payload)
        if event.get("error"):
            raise AnswerError("LLM_FAILED", f"The language model server failed: {_reason(event)}")
        usage = event.get("usage")
        if usage:
            meter.prompt_tokens = int(usage["prompt_tokens"])
            meter.completion_tokens = int(usage["completion_tokens"])
        choices = event.get("choices") or []
        if not choices:
            return "", False
        content = (choices[0].get("delta") or {}).get("content")
        return content if isinstance(content, str) else "", choices[0].get("finish_reason") is not None
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        raise AnswerError("LLM_PROTOCOL", "The language model server sent something unreadable.") from None


def _refusal(status: int, body: bytes) -> AnswerError:
    try:
        reason = _reason(json.loads(body))
    except ValueError:
        reason = ""
    told = f" It said: {reason}" if reason else ""
    if status in (401, 403):
        return AnswerError("LLM_AUTH", f"The language model server refused the API key (HTTP {status}).")
    if status == 429:
        return AnswerError("LLM_RATE_LIMITED", f"The language model server is over its limit (429).{told}")
    if status >= 500:
        return AnswerError("LLM_FAILED", f"The language model server failed (HTTP {status}).{told}")
    return AnswerError("LLM_REFUSED", f"The language model server refused the request (HTTP {status}).{told}")


def _reason(document: Any) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return text[:300] if isinstance(text, str) else ""
