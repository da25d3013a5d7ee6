"""Nothing is lost, nothing is shown that is not kept: the log with a full, absent, refusing or shared database (29, 61)."""

import ast
import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel import col, select

import mozaiks_shell
from mozaiks_shell.chat.conversation import Conversation, status_frame
from mozaiks_shell.chat.models import Chat, ChatEvent
from mozaiks_shell.chat.transcript import Transcript, dumps
from mozaiks_shell.chat.upstream_frames import Piece, Said
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.settings import get_settings

SCOPE = Scope("dev-app", "usr_ada")


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request, settings, monkeypatch):
    """A migrated database of each kind; the test opens its own transcripts."""
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
        get_settings.cache_clear()
    else:
        request.getfixturevalue("sqlite_migrated")
    yield request.param
    await db.dispose()


@contextlib.asynccontextmanager
async def opened(patience: float = 60.0):
    transcript = Transcript(patience)
    try:
        yield transcript
    finally:
        await transcript.close()


async def hold(transcript, chat_id="c1"):
    async with session(SCOPE) as db_:
        if await db_.get(Chat, chat_id) is None:
            db_.add(Chat(id=chat_id, runtime_chat_id=chat_id, workflow="Assistant"))
    channel = await transcript.hold("dev-app", "usr_ada", chat_id)
    channel.frame = dumps(status_frame(channel, "Assistant", "", "running", ""))
    return channel


async def rows(chat_id="c1"):
    query = select(ChatEvent.offset, ChatEvent.kind, ChatEvent.body).where(col(ChatEvent.chat_id) == chat_id)
    async with session(SCOPE) as db_:
        return [tuple(row) for row in (await db_.execute(query.order_by(col(ChatEvent.offset)))).all()]


class Watcher:
    """What one browser would have been sent."""

    def __init__(self, channel: Any) -> None:
        self.tail = channel.watch()
        self.shown: list[tuple[int, str, str]] = []
        self.told: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            for one in await self.tail.take():
                if one.offset < 0:
                    self.told.append(json.loads(one.body))
                else:
                    self.shown.append((one.offset, one.kind, one.body))

    async def until(self, happened: Any, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not happened():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)


class Outage:
    """Takes the database away for the writer, really: a file that may not grow, a server that lets nobody in."""

    def __init__(self, kind: str, transcript: Transcript) -> None:
        self.kind, self._engine = kind, transcript._writer._engine
        self._full = False

    async def begin(self) -> None:
        if self.kind == "sqlite":
            self._full = True
            event.listen(self._engine, "begin", self._limit)
            return
        name = get_settings().database_url.rpartition("/")[2]
        await self._admin(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await self._admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    async def end(self) -> None:
        if self.kind == "sqlite":
            self._full = False
            return
        name = get_settings().database_url.rpartition("/")[2]
        await self._admin(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def _limit(self, connection: Any) -> None:
        pages = connection.connection.dbapi_connection.execute("PRAGMA page_count").fetchone()[0]
        connection.connection.dbapi_connection.execute(f"PRAGMA max_page_count = {pages if self._full else 10**8}")

    async def _admin(self, statement: str) -> None:
        server = get_settings().database_url.rpartition("/")[0]

        def run() -> None:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(statement)

        await asyncio.to_thread(run)


BIG = "x" * 3000  # a few of these need new pages


async def test_29_a_full_disk_or_an_absent_server_is_told_and_waited_for(kept, monkeypatch):
    monkeypatch.setattr("mozaiks_shell.chat.transcript.STALLED_AFTER", 0.2)
    async with opened() as transcript:
        channel, outage = await hold(transcript), Outage(kept, transcript)
        watcher = Watcher(channel)
        for number in range(10):
            channel.append("d", f"{number} {BIG}")
        await channel.settled()
        await outage.begin()
        for number in range(10, 60):
            channel.append("d", f"{number} {BIG}")
        said = asyncio.create_task(channel.settled())
        await watcher.until(lambda: any(frame.get("delayed") for frame in watcher.told))
        assert "takes longer than usual" in next(frame["detail"] for frame in watcher.told if frame.get("delayed"))
        assert not said.done(), "acknowledged what is not written"
        if kept == "sqlite":  # a full disk can still be read
            assert len(watcher.shown) <= len(await rows())
        await outage.end()
        await said
        await watcher.until(lambda: len(watcher.shown) == 60)
        assert watcher.shown == await rows()
        assert [row[2].split()[0] for row in watcher.shown] == [str(number) for number in range(60)]
        assert not watcher.told[-1].get("delayed"), "still called delayed"
        watcher.task.cancel()


async def test_61_what_is_given_up_leaves_no_hole_and_takes_nothing_along(kept):
    async with opened(patience=0.3) as transcript:
        channel, outage = await hold(transcript), Outage(kept, transcript)
        watcher = Watcher(channel)
        talk = Conversation(channel, "Assistant", "", "Assistant", lambda _: True)
        for word in ("one ", "two "):
            talk.take(Piece("Helper", word))
        await channel.settled()
        await outage.begin()
        for _ in range(20):
            talk.take(Piece("Helper", BIG))
        with pytest.raises(Exception, match="could not be saved"):
            await channel.settled()
        await outage.end()
        talk.take(Piece("Helper", "after the hole"))
        channel.append("message", {"id": "m9", "role": "notice", "who": "", "text": "kept", "at": ""})
        with contextlib.suppress(Exception):
            await channel.settled()
        written = [(kind, body) for _, kind, body in await rows()]
        assert written[:3] == [("live", written[0][1]), ("d", "one "), ("d", "two ")]
        *fitted, last = written[3:]  # a full disk still has room in the pages that are there
        assert last[0] == "message" and set(fitted) <= {("d", BIG)}, "a piece was written after a hole"
        assert watcher.shown == await rows()
        watcher.task.cancel()


async def test_pieces_stay_when_their_message_could_not_be_written(kept):
    async with opened(patience=0.3) as transcript:
        channel, outage = await hold(transcript), Outage(kept, transcript)
        talk = Conversation(channel, "Assistant", "", "Assistant", lambda _: True)
        talk.take(Piece("Helper", "only here"))
        await channel.settled()
        await outage.begin()
        talk.take(Said("Helper", "only here" + BIG * 20, None, False, False))
        with pytest.raises(Exception, match="could not be saved"):
            await channel.settled()
        await outage.end()
        await asyncio.to_thread(transcript._writer._tidy)
        assert [kind for _, kind, _ in await rows()] == ["live", "d"]


async def test_a_commit_whose_answer_was_lost_is_not_taken_for_a_loss(kept):
    async with opened() as transcript:
        channel = await hold(transcript)
        watcher = Watcher(channel)
        async with session(SCOPE) as db_:
            for offset, body in enumerate(("a", "b")):
                db_.add(ChatEvent(chat_id="c1", offset=offset, kind="d", body=body))
        for body in ("a", "b", "c"):
            channel.append("d", body)
        await channel.settled()
        await watcher.until(lambda: len(watcher.shown) == 3)
        assert [body for _, _, body in watcher.shown] == ["a", "b", "c"]
        assert watcher.shown == await rows()
        watcher.task.cancel()


async def test_of_two_processes_that_write_one_chat_one_is_stopped(kept):
    async with opened() as first, opened() as second:
        channels = [await hold(first), await hold(second)]
        watchers = [Watcher(channel) for channel in channels]
        for number in range(300):
            for name, channel in zip("AB", channels, strict=True):
                channel.append("d", f"{name}{number} ")
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*(channel.settled() for channel in channels), return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) <= 1, "both believe that they wrote"
        written = await rows()
        assert [row[0] for row in written] == list(range(len(written))), "a gap"
        for watcher in watchers:
            assert set(watcher.shown) <= set(written), "somebody was shown what is not kept"
            assert watcher.shown == sorted(watcher.shown)
            watcher.task.cancel()


async def test_offsets_of_one_chat_are_dense_whoever_appends(kept):
    async with opened() as transcript:
        channel = await hold(transcript)

        async def speak(name: int) -> None:
            for number in range(50):
                channel.append("d", f"{name}.{number}")
                if number % 7 == name % 7:
                    await channel.settled()

        await asyncio.gather(*(speak(name) for name in range(10)))
        await channel.settled()
        written = await rows()
        assert [offset for offset, _, _ in written] == list(range(500))
        for name in range(10):
            mine = [body for _, _, body in written if body.startswith(f"{name}.")]
            assert mine == [f"{name}.{number}" for number in range(50)]


MAY_DELETE = {
    "chat/activity.py": {"drop"},  # how far a tool was, once it is over
    "chat/artifacts.py": {"_write"},  # that an artifact changed, once a later line says so
    "chat/conversation.py": {"_compact"},  # pieces whose whole message is in the log
    "chat/service.py": {"delete_chat"},
    "chat/retention.py": {"_remove"},
}


def test_the_log_is_append_only_in_code():
    """No code changes a line of the log; only named functions remove any."""
    root = Path(mozaiks_shell.__file__).parent
    for path in root.rglob("*.py"):
        source = path.read_text()
        if "ChatEvent" not in source and "chat_event" not in source:
            continue
        name = path.relative_to(root).as_posix()
        for function in [
            node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]:
            text = ast.unparse(function)
            assert "update(ChatEvent" not in text, f"{name}: {function.name} changes the log"
            assert "update chat_event" not in text.lower(), f"{name}: {function.name} changes the log"
            assert "DO UPDATE" not in text.upper() or "chat_event" not in text, f"{name}: {function.name} changes the log"
            removes = (
                "delete(ChatEvent" in text or "ChatEvent, ChatEvent.chat_id" in text or "delete from chat_event" in text.lower()
            )
            assert not removes or function.name in MAY_DELETE.get(name, ()), f"{name}: {function.name} removes from the log"
