"""F-186: after a kill -9 in the middle of an answer, a client that comes back is sent what it lacks and nothing else."""

import asyncio
import json
import os
import signal

import pytest

from tests.chat.conftest import Browser, Shell
from tests.chat.test_restart import worker
from tests.live import free_port

PIECES = [f"wörd{number} 😀 " for number in range(500)]  # of one to four bytes a character


async def interrupted(upstream, ada, seen: int) -> tuple[Browser, str]:
    """A browser that went away after ``seen`` pieces of an answer whose shell was killed after all 250 that had come."""
    left = asyncio.Event()

    async def play(line):
        await line.meta()
        for piece in PIECES[:seen]:
            await line.send("chat.print", agent="Helper", content=piece)
        await left.wait()
        for piece in PIECES[seen:250]:
            await line.send("chat.print", agent="Helper", content=piece)
        await line.idle()

    upstream.plays = [play]
    port = free_port()
    shell = Shell(f"http://127.0.0.1:{port}")
    async with worker(port) as process, shell.browser(ada) as other:
        async with shell.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(lambda: "".join(tab.live.values()) == "".join(PIECES[:seen]))
            chat = tab.chat["chat"]
        await other.open(chat=chat)
        left.set()
        await other.until(lambda: "".join(other.live.values()) == "".join(PIECES[:250]))
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    return tab, chat


async def come_back(running: Shell, ada, chat: str, offset: int, live: str | None) -> list[str]:
    """What a client is sent that opens the chat from there, up to the last that happened before."""
    async with running.browser(ada) as tab:
        tab.offset = offset
        await tab.send(t="open", chat=chat, workflow=None, new=False, live=live, **{"from": offset})
        await tab.until(lambda: tab.caught_up)
        items = [frame for frame in tab.frames if "k" in frame or isinstance(frame, list)]
    return [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in items]


@pytest.mark.parametrize("seen", [1, 100, 250])
async def test_f186_only_the_missing_suffix_is_sent(upstream, ada, shell, seen):
    tab, chat = await interrupted(upstream, ada, seen)
    (live,), offset = tab.live, tab.offset
    async with shell() as running:
        sent = await come_back(running, ada, chat, offset, live)
        message = json.loads(sent[0])
        missing = "".join(PIECES[seen:250])
        assert (message["k"], message["id"], message["rest"], message["text"]) == ("message", live, True, missing)
        assert tab.live[live] + message["text"] == "".join(PIECES[:250])
        envelope = len(json.dumps({**message, "text": ""}, ensure_ascii=False, separators=(",", ":")).encode())
        assert len(sent[0].encode()) == envelope + len(missing.encode()) and envelope < 250
        assert {json.loads(one)["k"] for one in sent[1:]} <= {"message", "choice"}
        assert all("wörd" not in one for one in sent[1:]), "a part of the answer was sent again"
        # A client that holds nothing, or does not say so, gets the whole of it, once.
        for known in (None, "msg_of_somebody_else"):
            (whole,) = [one for one in await come_back(running, ada, chat, offset, known) if "wörd" in one]
            assert json.loads(whole)["text"] == "".join(PIECES[:250]) and "rest" not in json.loads(whole)
        (fresh,) = [one for one in await come_back(running, ada, chat, -1, live) if "wörd" in one]
        assert json.loads(fresh)["text"] == "".join(PIECES[:250]) and "rest" not in json.loads(fresh)


async def test_f186_two_hundred_clients_come_back_for_their_suffixes(upstream, ada, shell):
    tab, chat = await interrupted(upstream, ada, 125)
    (live,), offset = tab.live, tab.offset
    async with shell() as running:
        gate = asyncio.Semaphore(4)  # of a person at a time

        async def one() -> int:
            async with gate:
                first, *more = await come_back(running, ada, chat, offset, live)
                assert not any("wörd" in item for item in more)  # what became of the run comes after the answer
                return len(first.encode())

        sizes = await asyncio.gather(*(one() for _ in range(200)))
    missing = len("".join(PIECES[125:250]).encode())
    assert len(set(sizes)) == 1 and missing < sizes[0] < missing + 250


async def test_f186_who_comes_back_before_the_end_is_sent_the_rest_at_the_end(upstream, ada, shell):
    """As where the death of a process is noticed only after its people are back."""
    left, back = asyncio.Event(), asyncio.Event()

    async def play(line):
        await line.meta()
        for piece in PIECES[:50]:
            await line.send("chat.print", agent="Helper", content=piece)
        await left.wait()
        for piece in PIECES[50:100]:
            await line.send("chat.print", agent="Helper", content=piece)
        await back.wait()
        await line.text("".join(PIECES[:101]), agent="Helper", sequence=2)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running:
        async with running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(lambda: "".join(tab.live.values()) == "".join(PIECES[:50]))
        (live,), chat = tab.live, tab.chat["chat"]
        left.set()
        async with running.browser(ada) as again:
            again.offset, again.live, again.writing = tab.offset, dict(tab.live), live
            await again.send(t="open", chat=chat, workflow=None, new=False, live=live, **{"from": tab.offset})
            await again.until(lambda: again.live.get(live) == "".join(PIECES[:100]))
            back.set()
            (message,) = await again.until(lambda: again.kind("message"))
    assert message["id"] == live and message["text"] in (PIECES[100], "".join(PIECES[:101]))
    assert message.get("rest", False) is (message["text"] == PIECES[100])
