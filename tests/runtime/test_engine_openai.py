"""Workflow folders with an OpenAI-compatible server: a real HTTP server that speaks the streaming protocol."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.runtime.chat import Question

from .conversations import Talk, write_folder

Event = dict[str, Any]

FILES = {
    "orchestrator.yaml": "workflow_name: Trip\ninitial_message: Begin.\n",
    "agents.yaml": """
        agents:
        - {name: Planner, system_message: You plan trips.}
        - {name: Booker, system_message: You book.}
    """,
    "handoffs.yaml": """
        handoff_rules:
        - source_agent: Planner
          target_agent: Booker
          handoff_type: condition
          condition_type: string_llm
          condition: When everything is decided.
        - {source_agent: Planner, target_agent: user}
        - {source_agent: Booker, target_agent: terminate}
    """,
    "context_variables.yaml": "definitions: [{name: city, source: {default: Oslo}}, {name: rate, source: {default: 7}}]\n"
    "agents: {Booker: {variables: [rate]}}\n",
    "tools.yaml": """
        tools:
        - {agent: Planner, file: t.py, function: price, description: Price of a night.}
        - {agent: Planner, tool_type: UI_Tool, ui: {component: core.card}}
    """,
    "tools/t.py": """
        from typing import Annotated
        def price(*, city: Annotated[str, "Where"], nights: int = 1) -> dict:
            if city == "Atlantis": raise LookupError("sunk")
            return {"eur": 90 * nights}
    """,
}


def text(*pieces: str, usage: tuple[int, int] | None = None) -> list[Event]:
    """An answer in words."""
    out: list[Event] = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
    return [*out, *_end("stop", usage)]


def call(name: str, arguments: Event | str, id_: str = "call_1", usage: tuple[int, int] | None = None) -> list[Event]:
    """A tool call, its arguments in three pieces."""
    told = arguments if isinstance(arguments, str) else json.dumps(arguments)
    first = {"index": 0, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}}
    parts = [first, *({"index": 0, "function": {"arguments": piece}} for piece in (told[:3], told[3:9], told[9:]))]
    out: list[Event] = [{"choices": [{"index": 0, "delta": {"tool_calls": [part]}, "finish_reason": None}]} for part in parts]
    return [*out, *_end("tool_calls", usage)]


def _end(reason: str, usage: tuple[int, int] | None) -> list[Event]:
    out: list[Event] = [{"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}]
    if usage is not None:
        told = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        out.append({"choices": [], "usage": told})
    return out


class Server:
    """Answers requests in turn: a list of events, or an HTTP status."""

    def __init__(self, serve: Any) -> None:
        self.answers: list[list[Event] | int] = []
        self.seen: list[Event] = []
        self.hold = threading.Event()
        self.url: str = serve(self._handle) + "/v1"

    def _handle(self, request: Any, body: bytes) -> None:
        self.seen.append(json.loads(body))
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            request.send_response(answer)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        for event in answer:
            if event == {"hold": True}:
                self.hold.wait(60)
                continue
            request.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            request.wfile.flush()
        request.wfile.write(b"data: [DONE]\n\n")


@pytest.fixture
def server(http_server: Any) -> Server:
    """The model's server."""
    return Server(http_server)


@pytest.fixture(params=["openai", "ag2"])
def engine(request: Any) -> str:
    """Both engines keep the same promises; AG2's are skipped where it is not installed."""
    if request.param == "ag2":
        pytest.importorskip("ag2.config.openai", reason="the runtime extra is not installed")
    return str(request.param)


async def test_words_tools_hand_over_and_exact_usage(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [
        text("Where ", "to?", usage=(50, 3)),
        call("price", {"city": "Oslo", "nights": 2}, usage=(60, 9)),
        text("180 ", "euro.", usage=(70, 4)),
        call("core_card", {"title": "Sure?"}, usage=(80, 5)),
        call("hand_over_to_Booker", {}, "call_2", usage=(90, 2)),
        text("Booked.", usage=(95, 1)),
    ]
    async with Talk(write_folder(tmp_path, FILES), engine=engine, model_url=server.url) as talk:
        talk.start()
        await talk.answer("Oslo, two nights")
        await talk.answer("good")
        tool = await talk.shown()
        assert (tool["component_type"], tool["payload"]["title"]) == ("core.card", "Sure?")
        talk.respond(tool, action="yes")
        await talk.over()
    assert talk.texts() == ["Begin.", "Where to?", "Oslo, two nights", "180 euro.", "good", "Booked."]
    prints = [one["content"] for one in talk.all("chat.print")]
    assert prints == ["Where ", "to?", "180 ", "euro.", "Booked."]
    deltas = talk.all("chat.usage_delta")
    assert [(one["agent_name"], one["prompt_tokens"], one["completion_tokens"]) for one in deltas] == [
        ("Planner", 50, 3), ("Planner", 60, 9), ("Planner", 70, 4), ("Planner", 80, 5), ("Planner", 90, 2), ("Booker", 95, 1),
    ]  # fmt: skip
    assert len({one["event_id"] for one in deltas}) == 6 and {one["model_name"] for one in deltas} == {"tiny"}
    assert '"eur": 180' in talk.all("chat.tool_response")[0]["result"]["content"]
    first, second, third = server.seen[:3]
    assert (first["model"], first["stream"], first["stream_options"]) == ("tiny", True, {"include_usage": True})
    assert "You plan trips." in first["messages"][0]["content"] and "Oslo" in first["messages"][0]["content"]
    assert "Oslo" not in server.seen[-1]["messages"][0]["content"] and "rate" in server.seen[-1]["messages"][0]["content"]
    offered = {one["function"]["name"]: one["function"] for one in first["tools"]}
    assert set(offered) >= {"price", "hand_over_to_Booker"}
    assert offered["price"]["parameters"]["properties"]["city"]["description"] == "Where"
    assert "When everything is decided." in offered["hand_over_to_Booker"]["description"]
    roles = [message["role"] for message in second["messages"]]
    assert roles[-3:] == ["user", "assistant", "user"]
    assert third["messages"][-2]["tool_calls"][0]["function"]["name"] == "price"
    assert "180" in str(third["messages"][-1]["content"]) and third["messages"][-1]["role"] == "tool"


async def test_a_wrong_call_is_told_to_the_model_and_the_person(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [
        call("price", {"city": "Atlantis"}),
        call("price", {"nights": "many"}, "call_2"),
        text("It sank."),
    ]
    async with Talk(write_folder(tmp_path, FILES), engine=engine, model_url=server.url) as talk:
        talk.start()
        await talk.answer("exit")
        await talk.over()
    assert [one["status"] for one in talk.all("chat.tool_response")] == ["error", "error"]
    assert [one["error_code"] for one in talk.all("chat.error")] == ["TOOL_FAILED", "TOOL_FAILED"]
    assert "LookupError: sunk" in server.seen[1]["messages"][-1]["content"]
    assert talk.texts("Planner") == ["It sank."]


STRUCTURED = {
    "agents.yaml": "agents: [{name: Shaper, structured_outputs_required: true}]\n",
    "handoffs.yaml": "handoff_rules: [{source_agent: Shaper, target_agent: terminate}]\n",
    "structured_outputs.yaml": """
        models: {Out: {type: model, fields: {agent_message: str, n: {type: int}}}}
        registry: {Shaper: Out}
    """,
}


async def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [
        text('{"n": "x"}'),
        text("```json\n", '{"agent_message": "Three.", "n": 3}', "\n```"),
    ]
    async with Talk(write_folder(tmp_path, STRUCTURED), engine=engine, model_url=server.url) as talk:
        talk.start("three")
        await talk.over()
    shown = talk.all("chat.text")[-1]
    assert (shown["content"], shown["structured_output"]["n"]) == ("Three.", 3)
    assert "agent_message" in str(server.seen[1]["messages"][-1]["content"])
    assert talk.all("chat.print") == []


async def test_a_model_that_never_fits_is_given_up(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [text("no"), text("no"), text("no")]
    async with Talk(write_folder(tmp_path, STRUCTURED), engine=engine, model_url=server.url) as talk:
        talk.start("three")
        await talk.over()
    assert talk.all("chat.error")[-1]["error_code"] == "STRUCTURED_OUTPUT_INVALID"
    assert server.answers == []


async def test_a_server_that_stumbles_is_asked_again_and_one_that_refuses_is_not(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mozaiks_shell.runtime.llm._PAUSES", (0.01, 0.01))
    server.answers = [503, 429, text("Where to?"), 500, 500, 500, text("Better."), 401]
    async with Talk(write_folder(tmp_path, FILES), engine="openai", model_url=server.url) as talk:
        talk.start()
        await talk.answer("Oslo")
        await talk.answer("again")  # the failed turn leads back to the question
        await talk.answer("and again")
        await talk.answer("exit")
        await talk.over()
    assert [one["error_code"] for one in talk.all("chat.error")] == ["LLM_FAILED", "LLM_AUTH"]
    assert talk.texts("Planner") == ["Where to?", "Better."]
    assert len(talk.all("chat.usage_delta")) == 2


async def test_a_refused_key_is_told_once_and_leads_back_to_the_person(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [401, text("Where to?")]
    async with Talk(write_folder(tmp_path, FILES), engine=engine, model_url=server.url) as talk:
        talk.start()
        await talk.answer("again")
        await talk.answer("exit")
        await talk.over()
    assert [one["error_code"] for one in talk.all("chat.error")] == ["LLM_AUTH"]
    assert talk.texts("Planner") == ["Where to?"]


async def test_a_model_that_only_calls_tools_is_stopped(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [call("price", {"city": "Oslo"}, f"call_{number}") for number in range(20)]
    async with Talk(write_folder(tmp_path, FILES), engine=engine, model_url=server.url) as talk:
        talk.start()
        await talk.answer("exit")
        await talk.over()
    assert len(server.seen) == 12


async def test_cancel_keeps_the_words_and_returns_to_the_person(tmp_path: Path, server: Server, engine: Any) -> None:
    server.answers = [[*text("half ")[:1], {"hold": True}]]
    async with Talk(write_folder(tmp_path, FILES), engine=engine, model_url=server.url) as talk:
        talk.start()
        await talk.until("chat.print", content="half ")
        assert talk.chat.cancel_drafts()
        final = await talk.until("chat.text", agent="Planner")
        assert (final["data"]["content"], final["data"]["metadata"]["cancelled"]) == ("half ", True)
        await talk.answer("exit")
        await talk.over()
    server.hold.set()


async def test_without_a_model_every_engine_follows_the_script(tmp_path: Path, engine: Any) -> None:
    async with Talk(write_folder(tmp_path, FILES), engine=engine) as talk:
        talk.start()
        await talk.answer("exit")
        await talk.over()
    assert "No language model is connected" in talk.texts("Planner")[0]


async def test_a_restarted_run_does_not_ask_the_model_twice(tmp_path: Path, server: Server) -> None:
    server.answers = [call("price", {"city": "Oslo"}, usage=(5, 5)), text("90 euro.", usage=(6, 6)), text("Bye.")]
    folder = write_folder(tmp_path, FILES)
    async with Talk(folder, engine="openai", model_url=server.url) as first:
        first.chat.journal.kept = True
        first.start()
        asked = await first.asked()
    async with Talk(folder, engine="openai", model_url=server.url) as second:
        second.chat.journal.kept = True
        second.chat.journal.steps = list(first.chat.journal.steps)
        again = Question(asked, asyncio.get_running_loop().create_future())
        second.chat.questions = {again.id: again}
        second.start()
        async with asyncio.timeout(60):
            while second.chat.journal.replaying:  # noqa: ASYNC110 - nothing is sent that one could wait for
                await asyncio.sleep(0)
        assert (len(server.seen), second.frames) == (2, [])
        assert second.chat.answer_question(again.id, "thanks")
        await second.until("chat.text", content="Bye.")
    told = server.seen[2]["messages"]
    assert [message["content"] for message in told if message["role"] == "assistant"] == ["90 euro."]
