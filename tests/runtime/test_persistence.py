"""Chats in the database: a runtime that was killed goes on where it was, and two apps never see each other."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from mozaiks_shell.runtime.models import RuntimeChat, RuntimeLine, RuntimePending, RuntimeThread
from tests.servers import create_database, postgres

TABLES = [table.__table__ for table in (RuntimeChat, RuntimeLine, RuntimePending, RuntimeThread)]  # type: ignore[attr-defined]


def _make_tables(url: str) -> None:
    engine = create_engine(url.replace("+aiosqlite", ""))
    SQLModel.metadata.create_all(engine, tables=TABLES)
    engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL for this file."""
    with postgres() as url:
        yield url


both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, user: str) -> str:
    """An empty database with the runtime's tables."""
    if getattr(request, "param", "sqlite") == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'runtime.db'}"
    else:
        created: str = create_database(request.getfixturevalue("server"), user.replace("-", "_"))
        url = created.replace("postgresql://", "postgresql+psycopg://")
    _make_tables(url)
    return url


@pytest.fixture
def reborn(spawn: Any, database: str) -> Callable[..., Any]:
    """Start a runtime on the database; given one, kill it first, as hard as can be."""

    def start(before: Any = None, **config: Any) -> Any:
        if before is not None:
            before.process.send_signal(signal.SIGKILL)
            before.process.wait(60)
        return spawn(database_url=database, **config)

    return start


@both
async def test_a_pending_question_survives_kill(reborn: Any, user: str) -> None:
    first = reborn()
    async with first.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        said = (await wire.say("help"))["data"]["content"]
        asked = await wire.until("chat.input_request")
    second = reborn(first)
    meta = second.request("GET", f"/api/chats/meta/app1/Assistant/{chat}", user).json()
    assert (meta["exists"], meta["status"], meta["last_sequence"]) == (True, 0, 3)
    async with second.socket("Assistant", chat, user) as wire:
        again = await wire.until("chat.input_request")
        assert again == asked
        assert [t["data"]["index"] for t in wire.all("chat.text")] == [0, 1, 2]
        assert wire.all("chat.text")[2]["data"]["content"] == said
        assert await wire.drain() == []  # nothing is said twice, nobody answers for the user
        await wire.answer(asked, "list pages")
        assert (await wire.until("ack.input"))["data"]["status"] == "accepted"
        echo = await wire.until("chat.text", agent="user")
        reply = await wire.until("chat.text", agent="Assistant")
        assert (echo["data"]["index"], reply["data"]["index"]) == (3, 4)
        assert reply["data"]["sequence"] > 5000  # numbers that were given before the kill are not given again


async def test_an_answer_over_http_after_the_kill_takes_the_run_up(reborn: Any, user: str) -> None:
    first = reborn()
    async with first.chat("ProjectBrief", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        tool = await wire.until("chat.tool_call")
    second = reborn(first)
    body = {"event_id": tool["data"]["corr"], "response_data": {"status": "cancelled"}}
    assert second.request("POST", "/api/ui-tool/submit", "thief", json=body).status_code == 404
    assert second.request("POST", "/api/ui-tool/submit", user, json=body).status_code == 200
    await second.wait_for(f"/api/chats/meta/app1/ProjectBrief/{chat}", user, lambda meta: meta["status"] == 1)
    third = reborn(second)
    async with third.socket("ProjectBrief", chat, user) as wire:
        assert (await wire.next())["data"]["status"] == 1
        await wire.until("chat.run_complete")  # nobody had been told yet
        assert await wire.drain() == []


async def test_a_waiting_artifact_beside_a_question_survives_kill(reborn: Any, user: str) -> None:
    first = reborn()
    async with first.chat("CompareOptions", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.answer(await wire.until("chat.input_request"), "backup")
        tool = await wire.until("chat.tool_call")
        asked = await wire.until("chat.input_request")
    second = reborn(first)
    async with second.socket("CompareOptions", chat, user) as wire:
        meta = await wire.next()
        assert meta["data"]["last_artifact"]["event_id"] == tool["data"]["corr"]
        assert await wire.until("chat.tool_call") == tool
        assert await wire.until("chat.input_request") == asked
        await wire.answer(asked, "price")
        await wire.until("chat.text", agent="user")
    third = reborn(second)
    async with third.socket("CompareOptions", chat, user) as wire:
        shown = await wire.until("chat.tool_call")
        await wire.until("chat.input_request")
        await wire.send("ui_tool_response", eventId=shown["data"]["corr"], response={"status": "success"})
        await wire.until("chat.run_complete")


async def test_a_run_that_was_writing_says_so_and_goes_on(reborn: Any, user: str) -> None:
    slow = reborn(token_delay_ms=200)
    async with slow.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.until("chat.print")
        seen = (await wire.until("chat.print"))["data"]["sequence"]
        quick = reborn(slow)
    async with quick.socket("Assistant", chat, user) as wire:
        told = await wire.until("chat.error")
        assert told["data"]["error_code"] == "RUN_INTERRUPTED"
        assert (await wire.until("chat.print"))["data"]["sequence"] > seen
        await wire.until("chat.input_request")
        assert [t["data"]["index"] for t in wire.all("chat.text")] == [0]


async def test_a_workflow_folder_survives_kill(reborn: Any, user: str) -> None:
    first = reborn(sample_workflows=True)
    async with first.chat("HelloWorld", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = await wire.until("chat.input_request")
        said = [frame["data"]["content"] for frame in wire.all("chat.text")]
    second = reborn(first, sample_workflows=True)
    async with second.socket("HelloWorld", chat, user) as wire:
        assert await wire.until("chat.input_request") == asked
        assert [frame["data"]["content"] for frame in wire.all("chat.text")] == said
        assert await wire.drain() == []
        await wire.answer(asked, "Ada")
        assert (await wire.until("ack.input"))["data"]["status"] == "accepted"
        await wire.until("chat.text", agent="user")
        await wire.until("chat.tool_call", agent="GreeterAgent")  # the run went on with the answer


async def test_ask_threads_survive_kill(reborn: Any, user: str) -> None:
    first = reborn()
    async with first.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.until("chat.input_request")
        await wire.send("chat.enter_general_mode")
        thread = (await wire.until("chat.mode_changed"))["data"]["general_chat_id"]
        await wire.send("user.input.submit", chat_id=chat, text="hello")
        await wire.until("chat.text", agent="Assistant")
        await wire.until("chat.input_ack")
    path = f"/api/general_chats/transcript/app1/{thread}"
    before = first.request("GET", path, user).json()
    second = reborn(first)
    after = second.request("GET", path, user).json()
    assert [m["role"] for m in after["messages"]] == ["user", "assistant"]
    assert after == before
    assert second.request("GET", path, "thief").status_code == 404
    async with second.socket("Assistant", chat, user) as wire:
        await wire.send("chat.start_general_chat")
        assert (await wire.until("chat.general_session_created"))["data"]["general_chat_sequence"] == 2


@both
async def test_two_apps_never_see_each_other(reborn: Any, user: str) -> None:
    one = reborn()
    elsewhere = one.headers(user, app_id="app2")
    async with one.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = (await wire.until("chat.input_request"))["data"]["request_id"]
    answer = one.request("POST", "/api/chats/app2/Assistant/start", headers=elsewhere, json={"force_new": True}).json()
    for step in range(2):
        runtime = reborn(one) if step else one
        mine = runtime.request("GET", "/api/chats/app1/Assistant", user).json()["chat_ids"]
        theirs = runtime.request("GET", "/api/chats/app2/Assistant", headers=elsewhere).json()["chat_ids"]
        assert (mine, theirs) == ([chat], [answer["chat_id"]])
        found = runtime.request("GET", f"/api/chats/exists/app2/Assistant/{chat}", headers=elsewhere).json()
        assert found == {"exists": False}
        body = {"input_request_id": asked, "user_input": "exit"}
        assert runtime.request("POST", "/api/user-input/submit", headers=elsewhere, json=body).status_code == 404


@both
async def test_a_chat_another_process_took_is_let_go(reborn: Any, spawn: Any, user: str, database: str) -> None:
    first = reborn()
    async with first.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        asked = await wire.until("chat.input_request")
        other = spawn(database_url=database)
        async with other.socket("Assistant", chat, user) as there:
            await there.until("chat.input_request")
            await there.answer(asked, "help")
            await there.until("chat.text", agent="Assistant")
        await wire.answer(asked, "list pages")
        await wire.connection.wait_closed()
        assert wire.connection.close_code == 1012
        assert not [f for f in wire.frames if f["type"] == "chat.text" and f["data"]["content"] == "list pages"]
    texts = other.request("GET", f"/api/chats/meta/app1/Assistant/{chat}", user).json()["last_sequence"]
    assert texts == 3


def test_health_says_whether_the_database_answers(reborn: Any, user: str) -> None:
    runtime = reborn()
    runtime.start("Assistant", user)
    health = runtime.request("GET", "/api/health", user).json()
    assert (health["status"], health["mongodb"]) == ("healthy", "connected")
    assert health["runtime"]["stored"] == {"chats": 1, "pending": 0}


def test_without_a_reachable_database_nothing_is_promised(spawn: Any, user: str) -> None:
    lost = spawn(database_url="postgresql+psycopg://nobody@127.0.0.1:9/none")
    health: httpx.Response = lost.request("GET", "/api/health", user)
    assert (health.json()["status"], health.json()["mongodb"]) == ("degraded", "unreachable")
    answer = lost.request("POST", "/api/chats/app1/Assistant/start", user, json={})
    assert (answer.status_code, answer.json()) == (503, {"detail": "The database is not available"})
    assert "nobody" not in json.dumps(health.json())
