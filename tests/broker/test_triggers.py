"""Rules of ``triggers.json``: one call per event and tick, whoever hears it how often (F-156, F-157)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from mozaiks_shell.appconfig.triggers_config import TRIGGERS, triggers_config
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker import triggers
from mozaiks_shell.broker.models import TriggerRun
from mozaiks_shell.foundation import clock, db, events, jobs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.jobs import Worker
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import app_tokens
from tests.chat.conftest import listening

MONDAY = datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC)


class Runtime:
    """Takes executes; ``answers`` are given in turn, then 200."""

    def __init__(self) -> None:
        self.app, self.got, self.answers = FastAPI(), list[dict[str, Any]](), list[int]()

        @self.app.post("/api/workflows/execute")
        async def execute(request: Request) -> Any:
            self.got.append({**await request.json(), "bearer": request.headers["authorization"]})
            status = self.answers.pop(0) if self.answers else 200
            return JSONResponse({"ok": True} if status == 200 else {"detail": "no"}, status)


@pytest.fixture(autouse=True)
def only_ours():
    """Jobs of other tests rest."""
    before = dict(jobs._known)
    jobs._known.clear()
    triggers.define()
    yield
    jobs._known.clear()
    jobs._known.update(before)


@pytest.fixture
async def runtime(database, monkeypatch) -> AsyncIterator[Runtime]:
    one = Runtime()
    async with listening(one.app) as base:
        monkeypatch.setenv("MOZAIKS_AI_URL", base)
        monkeypatch.setenv("MOZAIKS_AI_TOKEN", "of-the-app")
        get_settings.cache_clear()
        yield one
        await broker._stop_runtime()


@pytest.fixture
def rules(tmp_path, monkeypatch) -> Callable[..., None]:
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    get_settings.cache_clear()

    def write(*given: dict[str, Any]) -> None:
        (folder / "triggers.json").write_text(json.dumps({"triggers": list(given)}))
        TRIGGERS.current(fresh=True)

    return write


def created(task: str = "1", user: str = "usr_ada", **more: Any) -> events.Event:
    return events.Event("tasks:created", "dev-app", user, {"task_id": task, "title": "Buy {data.task_id}", **more})


async def there(app_id: str, user_id: str) -> Principal:
    return Principal(user_id, app_id, "Ada", roles=frozenset({"user"}))


async def states() -> list[tuple[str, str]]:
    async with db.system_session() as opened:
        rows = (await opened.execute(select(TriggerRun).order_by(col(TriggerRun.created_at), col(TriggerRun.id)))).scalars()
        return [(row.rule, row.state) for row in rows]


async def work() -> None:
    while await Worker().step():
        pass


FOLLOW = {"id": "follow", "on": "tasks:created", "workflow": "send-notification"}


async def test_an_event_makes_one_call_with_its_data(rules, runtime):
    rules(FOLLOW, {"id": "other", "on": "tasks:deleted", "workflow": "x"}, {**FOLLOW, "id": "off", "enabled": False})
    await events.publish(created())
    await work()
    assert runtime.got == [
        {"workflow": "send-notification", "trigger": "tasks:created", "data": {"task_id": "1", "title": "Buy {data.task_id}"},
         "bearer": "Bearer of-the-app"}
    ]  # fmt: skip
    assert await states() == [("follow", "done")]


async def test_data_is_mapped_and_text_of_the_event_is_no_template(rules, runtime):
    wanted = {
        "taskId": "{data.task_id}",
        "userId": "{user_id}",
        "text": "New: {data.title}",
        "n": "{data.count}",
        "deep": [{"x": "{data.gone}"}],
    }
    rules({**FOLLOW, "data": wanted, "when": {"data.count": 3}})
    await events.publish(created(count=4))
    await events.publish(created(count=3))
    await work()
    assert [one["data"] for one in runtime.got] == [
        {"taskId": "1", "userId": "usr_ada", "text": "New: Buy {data.task_id}", "n": 3, "deep": [{"x": None}]}
    ]


async def test_the_same_event_told_often_in_several_workers_is_one_call(rules, runtime):
    rules(FOLLOW)
    event = created(outbox_id="obx_1")
    for _ in range(3):
        await asyncio.gather(*(triggers.hear(event) for _ in range(4)))
        await asyncio.gather(Worker().step(), Worker().step(), Worker().step())
    await triggers.hear(event)
    await work()
    assert len(runtime.got) == 1 and "outbox_id" not in runtime.got[0]["data"]


async def test_a_runtime_that_is_down_gets_the_call_when_it_is_back(rules, runtime, monkeypatch):
    rules(FOLLOW)
    back = get_settings().ai_url
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    await events.publish(created())
    await Worker().step()
    assert await states() == [("follow", "queued")] and runtime.got == []
    monkeypatch.setenv("MOZAIKS_AI_URL", back)
    get_settings.cache_clear()
    monkeypatch.setattr(clock, "now", lambda now=clock.now: now() + timedelta(minutes=1))
    await work()
    assert await states() == [("follow", "done")] and len(runtime.got) == 1


@pytest.mark.parametrize(("status", "state"), [(500, "unknown"), (504, "unknown"), (404, "failed"), (400, "failed")])
async def test_a_call_that_may_have_worked_is_never_made_again(rules, runtime, monkeypatch, status, state):
    rules(FOLLOW)
    runtime.answers = [status]
    await events.publish(created())
    await work()
    monkeypatch.setattr(clock, "now", lambda now=clock.now: now() + timedelta(days=1))
    await work()
    assert await states() == [("follow", state)] and len(runtime.got) == 1


async def test_a_process_that_died_in_the_middle_leaves_the_call_alone(rules, runtime):
    rules(FOLLOW)
    await events.publish(created())
    async with db.system_session() as opened:
        (await opened.execute(select(TriggerRun))).scalars().one().state = "sent"
    await work()
    assert await states() == [("follow", "unknown")] and runtime.got == []


@pytest.mark.parametrize("known", [True, False])
async def test_a_runtime_without_execute_gets_a_chat_with_one_message(rules, runtime, known):
    heard: list[Any] = []
    runtime.answers = [404]

    @runtime.app.get("/api/workflows")
    async def workflows() -> Any:
        return {"send-notification" if known else "other": {}}

    @runtime.app.post("/api/chats/{app}/{wf}/start")
    async def start(app: str, wf: str, request: Request) -> Any:
        heard.append((wf, (await request.json())["user_id"]))
        return {"chat_id": "chat-1", "reused": False}

    @runtime.app.post("/chat/{app}/{chat}/{user}/input")
    async def say(app: str, chat: str, user: str, request: Request) -> Any:
        heard.append((chat, user, json.loads((await request.json())["message"])))
        return {"status": "ok"}

    rules({**FOLLOW, "data": {"id": "{data.task_id}"}})
    await events.publish(created())
    await work()
    message = {"trigger": "tasks:created", "data": {"id": "1"}}
    assert heard == ([("send-notification", "svc-triggers"), ("chat-1", "svc-triggers", message)] if known else [])
    assert await states() == [("follow", "done" if known else "failed")]


async def test_loops_are_cut(rules, runtime):
    rules(FOLLOW, {**FOLLOW, "id": "open", "from_programs": True, "max_per_minute": 2})
    caller = app_tokens._caller.set(app_tokens.AppCaller("tok", "workflow", "", frozenset()))
    try:
        for number in range(5):
            await events.publish(created(str(number)))
    finally:
        app_tokens._caller.reset(caller)
    inside = triggers._inside.set(True)
    await events.publish(created("inside"))
    triggers._inside.reset(inside)
    await work()
    assert [rule for rule, _ in await states()] == ["open", "open"], "a workflow's own call set off its own trigger without end"


async def test_on_behalf_of_a_person_who_may_and_of_nobody_else(rules, runtime, monkeypatch, tmp_path):
    (tmp_path / "configs" / "ai_capabilities.json").write_text(
        json.dumps({"capabilities": [{"id": "s", "display_name": "S", "workflow_id": "Summary"}]})
    )
    rules(
        {**FOLLOW, "workflow": "Summary", "run_as": "person"},
        {**FOLLOW, "id": "secret", "workflow": "Secret", "run_as": "person"},
    )
    monkeypatch.setattr(jobs._People, "resolve", staticmethod(there))
    await events.publish(created(user="usr_ada"))
    await events.publish(created(user=""))
    await work()
    assert [one["workflow"] for one in runtime.got] == ["Summary"]
    assert sorted(await states()) == [("follow", "done"), ("follow", "failed"), ("secret", "failed"), ("secret", "failed")]


async def test_without_ai_events_go_on_and_nothing_is_written(rules, runtime, monkeypatch):
    rules(FOLLOW)
    monkeypatch.setenv("MOZAIKS_AI_ENABLED", "false")
    get_settings.cache_clear()
    await events.publish(created())
    assert await states() == []


async def test_f157_a_tick_is_one_call_over_many_workers(rules, runtime, monkeypatch):
    moment = [MONDAY]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    rules({"id": "daily", "schedule": "0 9 * * mon-fri", "workflow": "Report", "data": {"at": "{at}", "kind": "daily"}})
    triggers.sync()
    workers = [Worker() for _ in range(4)]

    async def everybody() -> None:
        for _ in range(3):
            await asyncio.gather(*(one.step() for one in workers))

    await everybody()
    assert runtime.got == []
    for day, calls in ((0, 1), (1, 2), (5, 3)):  # Monday, Tuesday, then the weekend was slept through: one for Saturday
        moment[0] = MONDAY + timedelta(days=day, minutes=1)
        await everybody()
        moment[0] += timedelta(seconds=2)
        await everybody()
        assert len(runtime.got) == calls, day
    assert runtime.got[0]["trigger"] == "schedule" and runtime.got[0]["data"]["kind"] == "daily"
    rules()
    moment[0] = MONDAY + timedelta(days=9)
    await everybody()
    assert len(runtime.got) == 3, "a rule that is gone still fires"


@pytest.mark.parametrize(
    ("rule", "where", "message"),
    [
        ({"id": "a", "workflow": "x"}, "$.triggers[0]", "neither an event nor a schedule"),
        ({**FOLLOW, "schedule": "@daily"}, "$.triggers[0]", "both an event and a schedule"),
        ({"id": "a", "workflow": "x", "schedule": "61 * * * *"}, "$.triggers[0].schedule", "no cron line"),
        ({"id": "a", "workflow": "x", "schedule": "@daily", "timezone": "Mars/Base"}, "$.triggers[0].timezone", "time zone"),
        ({"id": "a", "workflow": "x", "schedule": "@daily", "run_as": "person"}, "$.triggers[0].run_as", "no person"),
        ({**FOLLOW, "max_per_minute": 0}, "$.triggers[0].max_per_minute", ""),
    ],
)
def test_what_is_wrong_is_said_with_file_and_path_and_the_rest_goes_on(settings, rules, rule, where, message):
    rules(rule, {**FOLLOW, "id": "fine"})
    assert [one.id for one in triggers_config().triggers] == ["fine"]
    (problem,) = [one for one in TRIGGERS.problems() if one.level == "error"]
    assert problem.file.endswith("triggers.json") and problem.path == where and message in problem.message
