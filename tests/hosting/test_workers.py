"""Two workers of one server (``WEB_CONCURRENCY=2``): both serve, one chat is one chat, and one that is killed is replaced."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chat.conftest import Browser, Shell
from tests.hosting.test_two_processes import SOON, numbers, runtime
from tests.live import Server, Site, until
from tests.people import People, Person

pytestmark = pytest.mark.live

TRIES = 200  # the kernel gives connections to whichever worker is awake first


@pytest.fixture
def server(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[Server]:
    with runtime() as ai:
        shared = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "MOZAIKS_AI_URL": ai}
        running = Site.copy("workers").serve(tmp_path / "data", WEB_CONCURRENCY="2", **shared)
        try:
            yield running
        finally:
            running.stop()


def workers(server: Server) -> list[int]:
    """Processes that the server has forked."""
    assert server.process is not None
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(one.read_text().rpartition(")")[2].split()[1])
            if parent == server.process.pid and b"reflex" in (one.parent / "cmdline").read_bytes():
                found.append(int(one.parent.name))
    return sorted(found)


def sockets(pid: int) -> int:
    """How many sockets a process holds."""
    with contextlib.suppress(OSError):
        return sum(os.readlink(f"/proc/{pid}/fd/{one}").startswith("socket:") for one in os.listdir(f"/proc/{pid}/fd"))
    return 0


async def tab_of(server: Server, person: Person, pid: int, stack: contextlib.AsyncExitStack) -> Browser:
    """A chat socket that this worker holds."""
    for _ in range(TRIES):
        before = sockets(pid)
        tab = await stack.enter_async_context(Shell(server.base).browser(person, origin=server.base))
        if sockets(pid) > before:
            return tab
        await tab.socket.close()
    raise AssertionError(f"worker {pid} never took one of {TRIES} sockets")


async def test_two_workers_serve_and_a_killed_one_is_replaced(server: Server) -> None:
    await asyncio.to_thread(until, lambda: len(workers(server)) == 2, SOON, f"two workers in {server.log}")
    one, other = workers(server)
    people = await asyncio.to_thread(People, server.base)
    ada = await asyncio.to_thread(lambda: people.ada)
    async with contextlib.AsyncExitStack() as stack:
        tabs = [await tab_of(server, ada, pid, stack) for pid in (one, other)]
        await tabs[0].send(t="open", workflow="Assistant", **{"from": -1})
        await tabs[0].until(tabs[0].asked, SOON)
        chat = tabs[0].chat["chat"]
        await tabs[1].send(t="open", chat=chat, **{"from": -1})
        await tabs[1].until(tabs[1].asked, SOON)
        await tabs[1].send(t="say", text="stream 40 at 200", id="m_1")
        for tab in tabs:
            await tab.until(lambda tab=tab: len(tab.messages()) == 2 and tab.asked(), SOON)
            assert numbers(tab.messages()[1][2]) == list(range(40))
    os.kill(one, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: len(workers(server)) == 2 and one not in workers(server), SOON, "another worker")
    assert other in workers(server)
    async with Shell(server.base).browser(ada, origin=server.base) as tab:
        await tab.send(t="open", chat=chat, **{"from": -1})
        await tab.until(lambda: tab.caught_up, SOON)
        assert [numbers(text) for role, _, text in tab.messages() if role == "agent"] == [list(range(40))], "nothing is lost"
    async with httpx.AsyncClient(base_url=server.base) as client:
        assert (await client.get("/ready")).status_code == 200
