"""No event that a rule names is lost when its process dies, and every call has an end (F-156)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from mozaiks_shell.appconfig.triggers_config import TRIGGERS
from mozaiks_shell.broker import triggers
from mozaiks_shell.broker.models import TriggerRun
from mozaiks_shell.foundation import clock, db, events, jobs, outbox
from mozaiks_shell.foundation.access import set_principal
from mozaiks_shell.foundation.jobs import Worker
from mozaiks_shell.foundation.models import OutboxEvent
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import app_tokens
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.service import register
from mozaiks_shell.sdk import events as told
from tests.conftest import ADA

RULE = {"id": "welcome", "on": "user.signed_up", "workflow": "Welcome"}

# Signs somebody up and dies: while the event is told, before any trigger heard it.
DIES = """
import asyncio, os, signal
from mozaiks_shell.foundation import events
from mozaiks_shell.broker import triggers
from mozaiks_shell.identity.service import register

async def die(event):
    os.kill(os.getpid(), signal.SIGKILL)

events._listeners["user.signed_up"].insert(0, die)
asyncio.run(register("ada", "Correct-horse-7", "ada@example.com"))
"""


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
def rules(database, tmp_path, monkeypatch) -> Callable[..., None]:
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    get_settings.cache_clear()

    def write(*given: dict[str, Any]) -> None:
        (folder / "triggers.json").write_text(json.dumps({"triggers": list(given)}))
        TRIGGERS.current(fresh=True)

    return write


@pytest.fixture
def ada():
    """Ada is there."""
    set_principal(ADA)
    yield
    set_principal(None)


@pytest.fixture
def later(monkeypatch):
    """A minute has passed."""
    monkeypatch.setattr(clock, "now", lambda now=clock.now: now() + timedelta(minutes=1))


async def calls() -> list[TriggerRun]:
    async with db.system_session() as opened:
        return list((await opened.execute(select(TriggerRun).order_by(col(TriggerRun.created_at)))).scalars())


async def left_over() -> int:
    async with db.system_session() as opened:
        return len((await opened.execute(select(OutboxEvent.id))).all())


def run_and_die(script: str) -> int:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", script], env=environment, timeout=120, check=False).returncode


async def test_f156_killed_between_the_effect_and_the_event_the_call_is_made_all_the_same(rules, later):
    rules(RULE)
    assert await asyncio.to_thread(run_and_die, DIES) == -signal.SIGKILL
    async with db.system_session() as opened:
        user = (await opened.execute(select(User))).scalars().one()
    assert await calls() == [] and await left_over() == 1
    await asyncio.gather(triggers.catch_up(), triggers.catch_up())  # two processes look at once
    await triggers.catch_up()
    (call,) = await calls()
    assert (call.rule, call.event, call.user_id, call.data["username"]) == ("welcome", "user.signed_up", user.id, "ada")
    assert await left_over() == 0


async def test_an_event_that_was_heard_leaves_nothing_and_one_without_a_rule_is_not_kept(rules, later):
    rules(RULE)
    await register("ada", "Correct-horse-7", "ada@example.com")
    assert len(await calls()) == 1 and await left_over() == 0
    rules({**RULE, "on": "tasks:created"})
    await register("eve", "Correct-horse-7", "eve@example.com")
    await triggers.catch_up()
    assert len(await calls()) == 1 and await left_over() == 0


async def test_what_is_rolled_back_is_neither_told_nor_kept(rules, ada, later):
    rules({**RULE, "on": "app:created"})
    heard: list[str] = []

    async def hear(event: events.Event) -> None:
        heard.append(event.name)

    events.subscribe("app:created")(hear)
    try:
        with pytest.raises(RuntimeError):
            async with db.session() as session:
                await told.publish("created", within=session, task="1")
                raise RuntimeError
        assert (heard, await left_over(), await calls()) == ([], 0, [])
        async with db.session() as session:
            await told.publish("created", within=session, task="2")
            assert heard == [], "told before it is so"
        assert heard == ["app:created"] and [one.data for one in await calls()] == [{"task": "2"}]
    finally:
        events.drop([hear])


async def test_a_loop_stays_cut_when_the_event_is_told_again(rules, ada, later):
    rules({**RULE, "on": "app:created"}, {**RULE, "id": "open", "on": "app:created", "from_programs": True})
    caller = app_tokens._caller.set(app_tokens.AppCaller("tok", "workflow", "", frozenset()))
    try:
        async with db.session() as session:
            await outbox.along(session, events.Event("app:created", "dev-app", "usr_ada", {}))
            session.info["after"].clear()  # the process is gone
    finally:
        app_tokens._caller.reset(caller)
    assert await left_over() == 1
    await triggers.catch_up()
    assert [one.rule for one in await calls()] == ["open"] and await left_over() == 0


async def test_the_call_of_a_person_who_left_ends_with_that_reason(rules, monkeypatch):
    rules({**RULE, "run_as": "person"})

    async def gone(app_id: str, user_id: str) -> None:
        return None

    monkeypatch.setattr(jobs._People, "resolve", staticmethod(gone))
    await register("ada", "Correct-horse-7", "ada@example.com")
    while await Worker().step():
        pass
    (call,) = await calls()
    assert (call.state, call.error) == ("failed", "the person is gone") and call.finished_at is not None


async def test_a_call_that_is_never_taken_ends_with_the_last_reason(rules, monkeypatch):
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MOZAIKS_AI_TOKEN", "of-the-app")
    get_settings.cache_clear()
    rules(RULE)
    await register("ada", "Correct-horse-7", "ada@example.com")
    passed = [0]
    monkeypatch.setattr(clock, "now", lambda now=clock.now: now() + timedelta(hours=passed[0]))
    for hour in range(14):
        passed[0] = hour * 2
        await Worker().step()
    (call,) = await calls()
    assert call.state == "failed" and call.error and call.finished_at is not None
