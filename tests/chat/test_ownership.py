"""Two shell processes, one database: one of them owns a chat, either shows it, and an owner that dies or freezes is replaced.

F-186, F-197, numbers 25, 28 and 32 of the abuse list across processes: on SQLite, on PostgreSQL, and with Redis beside it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlmodel import col, select
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.chat.models import ChatCommand, ChatEvent
from mozaiks_shell.chat.ownership import guard, lease_of, prepare
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import Scope, session, system_session
from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.models import Lease, Process
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from tests.chat.conftest import Person, Shell, listening
from tests.chat.upstream import Upstream
from tests.live import clean_environment, free_port

ROOT = Path(__file__).resolve().parents[2]
LEASE = 2.0
LOST = "The connection to the run was lost, because the server process that held it is gone."


@pytest.fixture(params=["sqlite", "postgresql", "postgresql and redis"])
async def runtime(request, settings, monkeypatch):
    if "postgresql" in request.param:
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    if "redis" in request.param:
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_url"))
    double = Upstream()
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        get_settings.cache_clear()
        yield double
    await db.dispose()
    get_settings.cache_clear()


@pytest.fixture
async def ada(runtime):
    user = await identity.register("ada", "correct horse battery", "ada@example.com")
    return Person(identity.principal_of(user), f"{identity.cookie_name()}={await identity.open_session(user)}")


@contextlib.asynccontextmanager
async def processes(count: int = 2, lease: float = LEASE, **more: str):
    """That many shell processes on the database of the settings, each with its :class:`Shell`; killed at the end."""
    settings = get_settings()
    env = clean_environment(MOZAIKS_DATA_DIR=str(settings.data_dir), MOZAIKS_AI_URL=settings.ai_url, PYTHONPATH=str(ROOT))
    env |= {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    env |= {"REDIS_URL": settings.redis_url} if settings.redis_url else {}
    env |= more
    ports = [free_port() for _ in range(count)]
    module = (sys.executable, "-m", "tests.chat.worker")
    made = [await asyncio.create_subprocess_exec(*module, str(port), str(lease), env=env, cwd=ROOT) for port in ports]
    try:
        async with asyncio.timeout(120):
            for port in ports:
                while True:
                    with contextlib.suppress(OSError):
                        (await asyncio.open_connection("127.0.0.1", port))[1].close()
                        break
                    await asyncio.sleep(0.05)
        yield [(process, Shell(f"http://127.0.0.1:{port}")) for process, port in zip(made, ports, strict=True)]
    finally:
        for process in made:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()


async def log_of(person: Person, chat: str) -> list[tuple[int, str, str]]:
    """The chat's rows."""
    query = select(ChatEvent.offset, ChatEvent.kind, ChatEvent.body).where(col(ChatEvent.chat_id) == chat)
    async with session(Scope(person.principal.app_id, person.principal.user_id)) as opened:
        return [tuple(row) for row in (await opened.execute(query.order_by(col(ChatEvent.offset)))).all()]


SAFE = ["reconnect", "restart", "leave"]


async def test_tabs_of_two_processes_share_one_run(runtime, ada):
    told: list[dict] = []
    words = [f"word{number} " for number in range(200)]

    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", component_type="core.form", corr="form_1", payload={}, awaiting_response=True)
        told.append(await line.receive())
        for number, word in enumerate(words):
            await line.send("chat.print", agent="Helper", content=word)
            if number % 10 == 0:
                await asyncio.sleep(0.01)
        await line.text("".join(words))
        await line.ask("q_1", "And now?")
        told.append(await line.receive())
        await line.text("Bye.")
        await line.send("chat.run_complete", status=1)
        with contextlib.suppress(TimeoutError):
            while True:
                told.append(await line.receive())

    runtime.plays = [play]
    async with processes() as [(_, one), (_, other)], contextlib.AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(shell.browser(ada)) for shell in (one, other, one, other)]
        await asyncio.gather(*(tab.open(workflow="Assistant") for tab in tabs))
        assert len({tab.chat["chat"] for tab in tabs}) == 1
        for tab in tabs:
            await tab.until(lambda tab=tab: tab.kind("tool"))
        # Everybody answers at once; one answer reaches the runtime, the others are told.
        await asyncio.gather(*(tab.send(t="answer", tool="form_1", response={"tab": number}) for number, tab in enumerate(tabs)))
        for tab in tabs:
            await tab.until(lambda tab=tab: tab.asked())
        await asyncio.gather(*(tab.until(lambda tab=tab: len(tab.refusals()) == 1 or tab is tabs[told_by(told)]) for tab in tabs))
        assert [tab.refusals() for number, tab in enumerate(tabs) if number != told_by(told)] == [["TOOL_CLOSED"]] * 3
        # The same message from two processes, as a page sends it again that does not know whether it arrived.
        await asyncio.gather(*(tab.send(t="say", text="No more.", id="m_1") for tab in tabs[:2]))
        for tab in tabs:
            await tab.until(lambda tab=tab: tab.saw_status("completed"))
        # A tab that was behind saw the same text, and none of it twice (the tab itself checks the offsets).
        whole = [item for item in tabs[0].messages() if item[0] != "notice"]
        assert whole == [("agent", "Helper", "".join(words)), ("user", "user", "No more."), ("agent", "Helper", "Bye.")]
        assert [tab.messages() for tab in tabs] == [tabs[0].messages()] * 4
        async with asyncio.timeout(60):  # what was handed over is not kept
            while await commands(ada):  # noqa: ASYNC110 - another process deletes it
                await asyncio.sleep(0.05)
    assert (runtime.count("start"), runtime.count("ws")) == (1, 1)
    assert [one["type"] for one in told if "response" in one or "text" in one].count("user.input.submit") == 1


async def commands(person: Person) -> list[ChatCommand]:
    """What is on its way to an owner, or was."""
    async with session(Scope(person.principal.app_id, person.principal.user_id)) as opened:
        return list((await opened.execute(select(ChatCommand))).scalars())


def told_by(told: list[dict]) -> int:
    """Which tab's answer the runtime got."""
    response = next((one[key] for one in told for key in ("response", "response_data") if key in one), {})
    return response.get("tab", -1)


async def test_an_owner_that_is_killed_is_replaced_and_nobody_connects_again(runtime, ada):
    async def play(line):
        await line.meta()
        for number in range(100):
            await line.send("chat.print", agent="Helper", content=f"word{number} ")
        await line.idle()

    runtime.plays = [play]
    async with processes() as [(owner, one), (_, other)], one.browser(ada) as near, other.browser(ada) as far:
        await near.open(workflow="Assistant")
        await far.open(chat=near.chat["chat"])
        await far.until(lambda: "word99" in "".join(far.live.values()))
        written = "".join(far.live.values())
        await far.send(t="say", text="too early", id="m_1")
        await far.until(lambda: len(far.messages()) == 1)
        owner.kill()
        await far.until(lambda: far.saw_status("interrupted"))
        assert [text for role, _, text in far.messages() if role == "agent"] == [written]
        notices = [text for role, _, text in far.messages() if role == "notice"]
        assert notices == ["Not sent, because the server process that held the run is gone: “too early”", LOST]
        await far.send(t="say", text="still there?", id="m_2")
        await far.until(lambda: far.refusals() == ["RUN_ENDED"])
        async with asyncio.timeout(60):
            while not runtime.count("meta"):  # noqa: ASYNC110 - another process asks the runtime how the run stands
                await asyncio.sleep(0.05)
    assert runtime.count("ws") == 1, "a lost run was connected to again"


async def test_an_owner_that_was_frozen_writes_nothing_any_more(runtime, ada):
    frozen, left = asyncio.Event(), asyncio.Event()

    async def play(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="before ")
        await frozen.wait()
        for number in range(50):
            await line.send("chat.print", agent="Helper", content=f"while frozen {number} ")
        await line.ask("q_1", "Still there?")
        await line.idle()
        left.set()

    runtime.plays = [play]
    async with processes() as [(owner, one), (_, other)], one.browser(ada) as near, other.browser(ada) as far:
        await near.open(workflow="Assistant")
        chat = near.chat["chat"]
        await far.open(chat=chat)
        await far.until(lambda: "before" in "".join(far.live.values()))
        os.kill(owner.pid, signal.SIGSTOP)
        frozen.set()
        await near.send(t="say", text="into the void", id="m_1")
        await far.until(lambda: far.saw_status("interrupted") and far.kind("choice"))
        await far.until(lambda: [text for role, _, text in far.messages() if role == "notice"] == [LOST])
        before = await log_of(ada, chat)
        os.kill(owner.pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            await left.wait()  # it lets go of its socket
        assert await near.hung_up() == 1001
        after = await log_of(ada, chat)
        passing = {"live", "d", "choice"}  # pieces go when the whole message is there; what is safe is offered a little later
        assert [row for row in after if row[1] not in passing] == [row for row in before if row[1] not in passing]
        assert not [row for row in after if "while frozen" in row[2] or "into the void" in row[2]]
        assert [text for role, _, text in far.messages() if role == "notice"] == [LOST]
        # The process goes on under a new name, and shows what is there.
        async with one.browser(ada) as again:
            await again.open(chat=chat)
            assert again.messages() == far.messages()
            assert again.chat["status"] == "interrupted"
    assert runtime.count("ws") == 1


async def test_a_line_is_fenced_even_where_its_offset_is_free(runtime, ada):
    who = ada.principal
    transcript = Transcript()
    transcript.prepare = prepare
    transcript.guard(guard)
    async with system_session() as opened:
        for chat, fence in {"mine": 1, "lost": 2}.items():
            opened.add(Lease(user_id=who.user_id, name=lease_of(chat), holder="prc_other", fence=fence))
    mine, lost = [await transcript.hold(who.app_id, who.user_id, chat) for chat in ("mine", "lost")]
    mine.fence = lost.fence = 1
    for channel in (mine, lost):  # in one batch
        channel.append("message", {"id": "msg_1", "text": "Hello."})
    await mine.settled()
    with pytest.raises(Unavailable):
        await lost.settled()
    await transcript.close()
    assert [len(await log_of(ada, chat)) for chat in ("mine", "lost")] == [1, 0]


async def test_f198_sockets_are_counted_over_all_processes(runtime, ada):
    async def play(line):
        await line.meta()
        await line.idle()

    runtime.plays = [play]
    limit = {"WEBSOCKET_MAX_CONNECTIONS_PER_USER": "2"}
    async with processes(**limit) as [(_, one), (dead, other)], contextlib.AsyncExitStack() as stack:
        await acquainted()
        near = await stack.enter_async_context(one.browser(ada))
        await near.open(workflow="Assistant")
        far = await stack.enter_async_context(other.browser(ada))
        await far.open(chat=near.chat["chat"])
        for shell in (one, other):
            async with shell.browser(ada) as third:
                assert await third.hung_up() == 4008
        dead.kill()
        async with asyncio.timeout(60):
            while True:  # the places of the dead are free once the other process has seen it
                async with one.browser(ada) as third:
                    with contextlib.suppress(ConnectionClosed):
                        await third.send(t="open", chat=near.chat["chat"])
                    await asyncio.wait([asyncio.create_task(third.news.wait())])
                    if not third.closed:
                        break


async def acquainted() -> None:
    """Wait until every process has looked for others since the last of them came."""
    async with asyncio.timeout(60):
        first = await alive()
        while not all(until > first[one] + LEASE / 4 for one, until in (await alive()).items()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # another process's beat


async def alive() -> dict[str, float]:
    """Until when each process counts as alive."""
    async with system_session() as opened:
        return dict((await opened.execute(select(Process.id, Process.until))).all())


async def test_a_process_that_starts_leaves_the_chats_of_others_alone(runtime, ada):
    asked = asyncio.Event()

    async def play(line):
        await line.meta()
        await line.ask("q_1", "Yes?")
        assert (await line.receive())["text"] == "From the other side."
        asked.set()
        await line.text("Good.")
        await line.idle()

    runtime.plays = [play]
    async with processes(1) as [(_, one)], one.browser(ada) as near:
        await near.open(workflow="Assistant")
        await near.until(near.asked)
        async with processes(1) as [(_, other)], other.browser(ada) as far:
            await far.open(workflow="Assistant")
            assert far.chat["chat"] == near.chat["chat"]
            assert far.chat["status"] == "waiting"
            await far.send(t="say", text="From the other side.", id="m_1")
            await asyncio.wait_for(asked.wait(), 60)
            await far.until(lambda: ("agent", "Helper", "Good.") in far.messages())
            await near.until(lambda: ("agent", "Helper", "Good.") in near.messages())
            assert near.messages() == far.messages()
    assert (runtime.count("start"), runtime.count("ws")) == (1, 1)


async def test_what_becomes_of_a_lost_run_is_chosen_in_either_process(runtime, ada):
    async def hangs_up(line):
        await line.meta()
        await line.hang_up(1011)

    async def goes_on(line):
        await line.meta()
        await line.text("Here again.")
        await line.idle()

    runtime.plays, runtime.known_by_default = [hangs_up, goes_on], {"last_sequence": 0}
    async with processes() as [(_, one), (_, other)], one.browser(ada) as near, other.browser(ada) as far:
        await near.open(workflow="Assistant")
        await far.open(chat=near.chat["chat"])
        for tab in (near, far):
            await tab.until(lambda tab=tab: [option["id"] for item in tab.kind("choice") for option in item["options"]] == SAFE)
        await asyncio.gather(*(tab.send(t="choose", option="reconnect", id="c_1") for tab in (far, near)))
        for tab in (near, far):
            await tab.until(lambda tab=tab: ("agent", "Helper", "Here again.") in tab.messages())
            assert [item["option"] for item in tab.kind("chosen")] == ["reconnect"]
    assert (runtime.count("start"), runtime.count("ws")) == (1, 2), "one connection for two presses"
