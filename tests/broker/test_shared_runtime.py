"""One embedded runtime for all shell processes of a machine: who keeps it, who uses it, and what comes after (D11)."""

import asyncio
from collections.abc import Callable

import pytest

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker import standing as standings
from mozaiks_shell.broker.runtime_share import SharedRuntime
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.settings import get_settings


@pytest.fixture(params=["sqlite", "postgresql"])
async def shared_database(request, settings, monkeypatch):
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
        get_settings.cache_clear()
    else:
        request.getfixturevalue("sqlite_migrated")
    yield
    await db.dispose()
    get_settings.cache_clear()


class Child:
    """Stands for the child process: it listens when it is told to."""

    alive: list["Child"]

    def __init__(self, port: int, changed: Callable[[], None]) -> None:
        self.port, self.changed, self.address, self.pid = port, changed, "", 1
        self.alive.append(self)

    def listen(self, address: str) -> None:
        self.address = address
        self.changed()

    async def stop(self) -> None:
        self.alive.remove(self)


class Party:
    """One shell process as the sharing sees it: its leases and its view of the runtime."""

    def __init__(self, port: int, make: type[Child]) -> None:
        self.leases = Leases(1.0)
        self.runtime = SharedRuntime(port, make)

    async def come(self) -> "Party":
        async def orphans(_: object) -> None:
            return None

        await self.leases.start(lambda _: None, orphans)
        self.runtime.join(self.leases)
        return self

    async def die(self) -> None:
        """As a killed process: nobody tidies up. Its child ends with it, as a pipe breaks."""
        for task in (self.leases._task, self.runtime._keeper):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.leases._lock.close()
        await self.runtime._end_child()

    async def go(self) -> None:
        await self.leases.stop()
        await self.runtime.stop()


@pytest.fixture
def children() -> type[Child]:
    return type("Children", (Child,), {"alive": []})


async def test_one_of_them_keeps_the_child_and_all_use_it(shared_database, children):
    parties = await asyncio.gather(*(Party(port, children).come() for port in (1, 2, 3)))
    try:
        asked = [asyncio.create_task(one.runtime.url(60)) for one in parties]
        await until(lambda: children.alive)
        (child,) = children.alive
        assert not any(one.runtime.up for one in parties)
        child.listen("http://127.0.0.1:4711")
        assert await asyncio.gather(*asked) == ["http://127.0.0.1:4711"] * 3
        await until(lambda: all(one.runtime.up for one in parties))
        assert len(children.alive) == 1
        keeper = next(one for one in parties if one.runtime.pid)
        assert child.port == parties.index(keeper) + 1, "it asks its own process for keys"
        # It ends and comes back elsewhere: nobody is sent to the old address.
        child.listen("")
        await until(lambda: not any(one.runtime.up for one in parties))
        for one in parties:
            with pytest.raises(Unavailable) as refused:
                await one.runtime.url(0.2)
            assert (refused.value.code, refused.value.details["retry_after"]) == ("RUNTIME_STARTING", 1)
        child.listen("http://127.0.0.1:4712")
        assert {await one.runtime.url(60) for one in parties} == {"http://127.0.0.1:4712"}
    finally:
        for one in parties:
            await one.go()
    assert children.alive == []


@pytest.mark.parametrize("how", ["die", "go"])
async def test_another_takes_over(shared_database, children, how):
    first = await Party(1, children).come()
    await until(lambda: children.alive)
    other = await Party(2, children).come()
    try:
        children.alive[0].listen("http://127.0.0.1:4711")
        assert await other.runtime.url(60) == "http://127.0.0.1:4711"
        await getattr(first, how)()
        await until(lambda: children.alive and children.alive[0].port == 2)
        children.alive[0].listen("http://127.0.0.1:4712")
        await until(lambda: other.runtime.up)
        assert await other.runtime.url(60) == "http://127.0.0.1:4712"
    finally:
        await other.go()


async def test_who_was_frozen_for_too_long_ends_its_child(shared_database, children):
    frozen = await Party(1, children).come()
    await until(lambda: children.alive)
    old = children.alive[0]
    old.listen("http://127.0.0.1:4711")
    frozen.leases._task.cancel()  # it renews nothing any more
    frozen.leases._lock.close()
    other = await Party(2, children).come()
    try:
        await until(lambda: len(children.alive) == 2)
        children.alive[1].listen("http://127.0.0.1:4712")
        await frozen.leases._look()  # it wakes up
        await until(lambda: old not in children.alive)
        assert await frozen.runtime.url(60) == "http://127.0.0.1:4712"
    finally:
        await other.go()
        await frozen.go()


async def test_a_database_that_is_away_does_not_take_the_runtime_along(shared_database, children, monkeypatch):
    first, other = await Party(1, children).come(), Party(2, children)
    try:
        await until(lambda: children.alive)
        await other.come()
        children.alive[0].listen("http://127.0.0.1:4711")
        assert await other.runtime.url(60) == "http://127.0.0.1:4711"

        async def away(*_: object) -> str:
            raise OSError("away")

        for one in (first, other):
            monkeypatch.setattr(one.leases, "note_of_holder", away)
            monkeypatch.setattr(one.leases, "acquire", away)
        assert await first.runtime.url(1) == await other.runtime.url(1) == "http://127.0.0.1:4711"
    finally:
        await first.go()
        await other.go()


async def test_before_the_chats_there_is_none_and_the_app_says_so(database):
    stop = await broker.start_runtime(4711)
    try:
        assert (standings.standing().state, standings.standing().calm) == ("starting", "The assistant is starting.")
        with pytest.raises(Unavailable, match="is starting"):
            await broker.embedded_runtime().url(0)
    finally:
        await stop()


async def until(happened: Callable[[], object]) -> None:
    """Wait for something another task, or the database's clock, brings about."""
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
