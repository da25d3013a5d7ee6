"""The Assistant in front of a real OpenAI-compatible server over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any


def _sse(request: Any, events: list[Any], *, done: bool = True, pause: float = 0.0) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/event-stream")
    request.end_headers()
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event)
        request.wfile.write(f"data: {text}\n\n".encode())
        request.wfile.flush()
        time.sleep(pause)
    if done:
        request.wfile.write(b"data: [DONE]\n\n")


def _piece(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


async def test_streaming_history_and_reported_usage(spawn: Any, http_server: Any, user: str) -> None:
    seen: list[dict[str, Any]] = []

    def handle(request: Any, body: bytes) -> None:
        seen.append({"body": json.loads(body), "auth": request.headers["Authorization"], "path": request.path})
        usage = {"choices": [], "usage": {"prompt_tokens": 77, "completion_tokens": 5, "total_tokens": 82}}
        _sse(request, [_piece(""), _piece("Hal"), _piece("lo **Ada**"), _piece("", "stop"), usage])

    url = http_server(handle)
    runtime = spawn(openai_base_url=url + "/v1/", openai_api_key="sk-test", openai_model="tiny")
    async with runtime.chat("Assistant", user) as wire:
        final = await wire.say("Who am I?", context={"user": {"name": "Ada"}})
        assert final["data"]["content"] == "Hallo **Ada**"
        usage = (await wire.until("chat.usage_delta"))["data"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (77, 5, 82)
        assert usage["model_name"] == "tiny"
        await wire.until("chat.input_request")
        await wire.say("And again?")
    assert seen[0]["path"] == "/v1/chat/completions"
    assert seen[0]["auth"] == "Bearer sk-test"
    body = seen[1]["body"]
    assert (body["model"], body["stream"]) == ("tiny", True)
    assert body["messages"][0]["role"] == "system"
    assert "Ada" in body["messages"][0]["content"]
    assert [(m["role"], m["content"]) for m in body["messages"][2:]] == [
        ("user", "Who am I?"), ("assistant", "Hallo **Ada**"), ("user", "And again?"),
    ]  # fmt: skip


async def test_usage_is_estimated_when_nobody_reports_it(spawn: Any, http_server: Any, user: str) -> None:
    runtime = spawn(openai_base_url=http_server(lambda r, _: _sse(r, [_piece("12345")])))
    async with runtime.chat("Assistant", user) as wire:
        await wire.say("hi")
        assert (await wire.until("chat.usage_delta"))["data"]["completion_tokens"] == 2


async def test_failures_are_told_truthfully_and_the_talk_goes_on(spawn: Any, http_server: Any, user: str) -> None:
    answers: list[Any] = []

    def handle(request: Any, _: bytes) -> None:
        answer = answers.pop(0)
        if isinstance(answer, int):
            body = json.dumps({"error": {"message": "Incorrect API key sk-secret"}}).encode()
            request.send_response(answer)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        else:
            _sse(request, answer, done=False)

    runtime = spawn(openai_base_url=http_server(handle), openai_api_key="sk-secret")
    expected = [
        (401, "LLM_AUTH"), (429, "LLM_RATE_LIMITED"), (500, "LLM_FAILED"), (404, "LLM_REFUSED"),
        (["not json"], "LLM_PROTOCOL"), (["[]"], "LLM_PROTOCOL"), ([], "LLM_PROTOCOL"),
        ([{"error": {"message": "overloaded"}}], "LLM_FAILED"),
    ]  # fmt: skip
    async with runtime.chat("Assistant", user) as wire:
        asked = await wire.until("chat.input_request")
        for answer, code in expected:
            answers += [answer] * (3 if code in ("LLM_RATE_LIMITED", "LLM_FAILED") else 1)  # those are asked again, twice
            await wire.answer(asked, "hello")
            error = await wire.until("chat.error")
            assert (error["data"]["error_code"], answers) == (code, []), answer
            if code == "LLM_AUTH":
                assert "sk-" not in error["data"]["message"]
            asked = await wire.until("chat.input_request")
        answers.append([_piece("half an "), {"error": {"message": "gone"}}])
        await wire.answer(asked, "hello")
        await wire.until("chat.text", agent="user")
        cut = await wire.until("chat.text")
        assert (cut["data"]["content"], cut["data"]["metadata"]["interrupted"]) == ("half an ", True)
        assert (await wire.until("chat.error"))["data"]["error_code"] == "LLM_FAILED"
        answers.append([_piece("fine", "stop")])
        assert (await wire.say("hello"))["data"]["content"] == "fine"


async def test_unreachable_server(spawn: Any, user: str) -> None:
    runtime = spawn(openai_base_url="http://127.0.0.1:9")
    async with runtime.chat("Assistant", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "hello")
        error = await wire.until("chat.error")
        assert error["data"]["error_code"] == "LLM_UNREACHABLE"
        await wire.until("chat.input_request")
        await wire.send("chat.enter_general_mode")
        await wire.send("user.input.submit", chat_id="g", text="hello")
        assert (await wire.until("chat.error"))["data"]["error_code"] == "LLM_UNREACHABLE"


async def test_cancel_stops_a_server_that_hangs(spawn: Any, http_server: Any, user: str) -> None:
    def handle(request: Any, _: bytes) -> None:
        _sse(request, [_piece("one "), _piece("two ")], pause=0.01, done=False)
        time.sleep(20)

    runtime = spawn(openai_base_url=http_server(handle))
    async with runtime.chat("Assistant", user) as wire:
        await wire.answer(await wire.until("chat.input_request"), "hello")
        await wire.until("chat.print", content="two ")
        await wire.send("user.cancel", chat_id="c")
        final = await wire.until("chat.text", agent="Assistant")
        assert final["data"]["content"] == "one two "
        assert final["data"]["metadata"]["cancelled"] is True
        await wire.until("chat.input_request")
