"""28: ``kill -9`` in the middle of streamed answers: all that a browser was sent is in the database, word for word."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import pytest
from sqlmodel import col, select

from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from tests.chat.conftest import Person, Shell, listening
from tests.chat.processes import doomed
from tests.chat.upstream import Upstream
from tests.live import free_port

ROOT = Path(__file__).resolve().parents[2]
WORDS = 'Łódź 𝄞 naïve 👩‍👩‍👧 {brace} "quoted" back\\slash\n\n```py\nx = 1\n``` '


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request, settings, monkeypatch):
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    double = Upstream()
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        get_settings.cache_clear()
        yield double
    get_settings.cache_clear()
    await db.dispose()


@contextlib.asynccontextmanager
async def worker():
    """A shell process; killed with SIGKILL at the latest at the end."""
    settings, port = get_settings(), free_port()
    env = {"MOZAIKS_DATA_DIR": str(settings.data_dir), "MOZAIKS_AI_URL": settings.ai_url}
    env |= {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    async with doomed(port, "-m", "tests.chat.worker", str(port), **env) as process:
        yield process, Shell(f"http://127.0.0.1:{port}")


async def table(person: Person, chat: str) -> list[tuple[int, str, str]]:
    query = select(ChatEvent.offset, ChatEvent.kind, ChatEvent.body).where(col(ChatEvent.chat_id) == chat)
    async with session(Scope(person.principal.app_id, person.principal.user_id)) as opened:
        return [tuple(row) for row in (await opened.execute(query.order_by(col(ChatEvent.offset)))).all()]


def texts(rows: list[tuple[int, str, str]]) -> dict[str, str]:
    """What the log holds of every message, whole or as far as it came."""
    found: dict[str, str] = {}
    writing = ""
    for _, kind, body in rows:
        if kind == "live":
            writing = json.loads(body)["id"]
            found[writing] = ""
        elif kind == "d":
            found[writing] += body
        elif kind == "message":
            found[json.loads(body)["id"]] = json.loads(body)["text"]
    return found


def seen(frames: list) -> dict[str, str]:
    """What was sent to the browser of every message."""
    found: dict[str, str] = {}
    writing = ""
    for frame in frames:
        if isinstance(frame, list):
            found[writing] += frame[1]
        elif frame.get("k") == "live":
            writing = frame["id"]
            found[writing] = ""
        elif frame.get("k") == "message":
            found[frame["id"]] = frame["text"]
    return found


async def test_28_what_a_browser_was_sent_is_a_prefix_of_what_is_kept(kept):
    async def play(line):
        await line.meta()
        answer = 0
        while True:
            for number in range(30):
                await line.send("chat.print", agent="Helper", content=f"{answer}.{number} {WORDS}")
                await asyncio.sleep(0.003)
            await line.text("".join(f"{answer}.{number} {WORDS}" for number in range(30)), sequence=answer + 2)
            answer += 1

    user = await identity.register("ada", "correct horse battery", "ada@example.com")
    ada = Person(identity.principal_of(user), f"{identity.cookie_name()}={await identity.open_session(user)}")
    chats = []
    for kill_after in (20, 150):  # frames: in the first answer, and after some
        kept.plays = [play]
        async with worker() as (process, shell), shell.browser(ada) as tab:
            await tab.send(t="open", workflow="Assistant", new=True, **{"from": -1})
            await tab.until(lambda wanted=kill_after, tab=tab: len(tab.frames) >= wanted, 20)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await tab.hung_up()  # what was under way to the browser counts as seen
            chat, frames = tab.chat["chat"], list(tab.frames)
        rows = await table(ada, chat)
        by_offset = {offset: (kind, body) for offset, kind, body in rows}
        held = texts(rows)
        for message, text in seen(frames).items():
            assert held[message].startswith(text), f"lost: {text[len(os.path.commonprefix([held[message], text])) :]!r}"
        for frame in frames:
            if isinstance(frame, dict) and frame.get("k") == "message":
                kind, body = by_offset[frame["o"]]
                assert {"o": frame["o"], "k": kind, **json.loads(body)} == frame
        assert max((one[0] if isinstance(one, list) else one.get("o", -1)) for one in frames) <= rows[-1][0]
        chats.append((chat, seen(frames), tab.offset))
    async with worker() as (_, shell), shell.browser(ada) as tab, shell.browser(ada) as resumed:
        chat, before, offset = chats[-1]
        await tab.open(chat=chat)
        assert tab.live == {}, "still being written after the end"
        after = {one["id"]: one["text"] for one in tab.kind("message")}
        assert all(after[message].startswith(text) for message, text in before.items())
        assert [one["text"] for one in tab.kind("message")].count(next(iter(before.values()))) == 1
        resumed.offset = offset
        resumed.live = {message: text for message, text in before.items() if text not in after.values()}
        await resumed.open(chat=chat)
        assert resumed.live == {} and tab.chat["status"] == "interrupted"
