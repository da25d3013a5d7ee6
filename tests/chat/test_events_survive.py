"""F-202: that a chat began or ended is told once to everybody who listens, although the process dies before it can say so."""

import asyncio
import contextlib
import signal
from datetime import timedelta

import pytest
from sqlalchemy import select

from mozaiks_shell.audit import service as audit
from mozaiks_shell.audit.models import AuditEntry
from mozaiks_shell.broker import triggers
from mozaiks_shell.foundation import clock, events, outbox
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.models import OutboxEvent
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.conftest import Shell
from tests.chat.processes import doomed
from tests.chat.test_restart import worker
from tests.live import free_port

# A shell that dies (-9) when the event is told: its transaction is committed, and no listener has heard it yet.
DIES = """
import asyncio, os, signal, sys
import mozaiks_shell.audit.service
from mozaiks_shell.foundation import events
from tests.chat.worker import main

async def die(event):
    os.kill(os.getpid(), signal.SIGKILL)

events._listeners[sys.argv[2]].insert(0, die)
asyncio.run(main(int(sys.argv[1])))
"""


@contextlib.asynccontextmanager
async def dying(port: int, event: str):
    """That process, answering on the port."""
    settings = get_settings()
    env = {"MOZAIKS_DATA_DIR": str(settings.data_dir), "MOZAIKS_AI_URL": settings.ai_url}
    async with doomed(port, "-c", DIES, str(port), event, **env) as process:
        yield process


@pytest.fixture
def heard():
    """What a listener of this process hears of chats."""
    told: list[events.Event] = []

    async def listen(event: events.Event) -> None:
        told.append(event)

    events.subscribe("chat.started", "chat.ended")(listen)
    yield told
    events.drop([listen])


@pytest.fixture
def later():
    """A minute has passed."""
    then = clock.now() + timedelta(minutes=1)
    clock.use(lambda: then)
    yield
    clock.use(None)


async def rows(table, **wanted) -> list:
    async with system_session() as db:
        query = select(table).where(*(getattr(table, name) == value for name, value in wanted.items()))
        return list((await db.execute(query)).scalars())


@pytest.mark.parametrize("event", ["chat.started", "chat.ended"])
async def test_f202_killed_between_the_commit_and_the_telling(upstream, ada, heard, event, request):
    async def play(line):
        await line.meta()
        await line.text("All there is.")
        await line.send("chat.run_complete", status=1)
        await line.idle()

    upstream.plays = [play]
    port = free_port()
    async with dying(port, event) as process, Shell(f"http://127.0.0.1:{port}").browser(ada) as tab:
        await tab.send(t="open", chat=None, workflow="Assistant", **{"from": -1})
        async with asyncio.timeout(60):
            await process.wait()
    assert process.returncode == -signal.SIGKILL
    (kept,) = await rows(OutboxEvent, name=event)
    app_id, started = get_settings().app_id, event == "chat.started"
    assert await outbox.deliver(app_id, event) == 0, "whoever reported it may be telling it at this moment"
    request.getfixturevalue("later")
    assert await asyncio.gather(outbox.deliver(app_id, event), outbox.deliver(app_id, event)) in ([1, 0], [0, 1])
    assert audit.record in events._listeners["chat.started"]
    (told,) = heard
    assert (told.name, told.user_id, told.row) == (event, ada.principal.user_id, kept.id)
    assert told.data["workflow"] == "Assistant" and told.data.get("status") == (None if started else "completed")
    assert await rows(OutboxEvent, name=event) == [] and await outbox.deliver(app_id, event) == 0
    assert len(await rows(AuditEntry, act=event)) == (1 if started else 0), "on record in the transaction, and once"
    assert len(heard) == 1


async def test_f202_one_that_was_told_twice_is_on_record_once_and_calls_once(database, ada, heard, later):
    """The process died after the listeners heard it, before it could note that they had."""
    at = events.Event("chat.started", get_settings().app_id, ada.principal.user_id, {"chat_id": "c1", "workflow": "W"})
    told, keep = outbox.lasting(at)
    async with system_session(at.app_id) as db:
        await db.execute(keep)
    await events.publish(told)
    later_told = clock.now() + timedelta(minutes=1)
    clock.use(lambda: later_told)
    assert await outbox.deliver(at.app_id, "chat.started") == 1
    assert [one.row for one in heard] == [told.row] * 2
    assert triggers._cause(heard[0]) == triggers._cause(heard[1]), "a rule's call is one call"
    assert [one.facts for one in await rows(AuditEntry, act="chat.started")] == [{"chat_id": "c1", "workflow": "W"}]


async def test_f202_when_nobody_dies_it_is_told_once_and_nothing_waits(upstream, shell, ada, heard):
    async def play(line):
        await line.meta()
        await line.send("chat.run_complete", status=1)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.saw_status("completed"))
        async with asyncio.timeout(60):
            while len(heard) < 2 or await rows(OutboxEvent):  # noqa: ASYNC110 - the table rings no bell
                await asyncio.sleep(0.05)
    assert [one.name for one in heard] == ["chat.started", "chat.ended"]
    assert [one.data["chat_id"] for one in heard] == [tab.chat["chat"]] * 2


async def test_f202_a_run_whose_process_died_has_ended_and_that_is_told(upstream, ada, shell, heard):
    async def play(line):
        await line.meta()
        await line.text("Half of it.")
        await line.idle()

    upstream.plays = [play]
    port = free_port()
    async with worker(port), Shell(f"http://127.0.0.1:{port}").browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: len(tab.messages()) == 1)
    async with shell():
        async with asyncio.timeout(60):
            while not [one for one in heard if one.name == "chat.ended"]:  # noqa: ASYNC110 - the bus rings no bell
                await asyncio.sleep(0.05)
    (ended,) = [one for one in heard if one.name == "chat.ended"]
    assert (ended.data["chat_id"], ended.data["status"]) == (tab.chat["chat"], "interrupted")
