"""Leases: one holder at a time, a fence that only grows, and a process that is taken for dead begins anew."""

import asyncio

import pytest

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.models import Process
from mozaiks_shell.foundation.settings import get_settings


@pytest.fixture(params=["sqlite", "postgresql"])
async def rows(request, settings, monkeypatch):
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    get_settings.cache_clear()
    yield
    await db.dispose()
    get_settings.cache_clear()


class Member(Leases):
    """A process of the test, with what it was told."""

    def __init__(self) -> None:
        super().__init__(60.0)
        self.lost: list[str] = []
        self.orphaned: list[str] = []

    async def join(self) -> "Member":
        async def orphans(found):
            self.orphaned += [one.name for one in found]

        await self.start(self.lost.append, orphans)
        return self


@pytest.fixture
async def three(rows):
    members = [await Member().join() for _ in range(3)]
    yield members
    for one in members:
        await one.stop()


async def test_of_many_that_ask_at_once_one_gets_it(three):
    fences = await asyncio.gather(*(one.acquire("chat:1", "usr_ada") for one in three * 3))
    assert [fence for fence in fences if fence is not None] == [1]
    holder = await three[0].holder("chat:1")
    owner = next(one for one in three if one.id == holder)
    await owner.release("chat:1")
    assert await three[0].holder("chat:1") == ""
    again = await asyncio.gather(*(one.acquire("chat:1") for one in three))
    assert [fence for fence in again if fence is not None] == [2], "the fence must grow"
    assert await three[0].count("usr_ada", "chat:") == 1


async def test_what_a_dead_process_had_is_told_and_can_be_taken(three):
    one, other, _ = three
    assert await one.acquire("chat:1", "usr_ada") == 1
    assert await other.acquire("chat:1") is None
    await one.stop()
    other.wake()
    async with asyncio.timeout(60):
        while "chat:1" not in other.orphaned:  # noqa: ASYNC110 - another task's work
            await asyncio.sleep(0.01)
    assert await other.acquire("chat:1") == 2


async def test_a_process_taken_for_dead_learns_what_it_lost(three):
    one, other, _ = three
    before = one.id
    assert (await one.acquire("chat:1"), await one.acquire("chat:2")) == (1, 1)
    async with system_session() as opened:
        row = await opened.get(Process, one.id)
        row.until = 1.0  # the clock went on while it was frozen
    assert await other.acquire("chat:1") == 2
    one.wake()
    async with asyncio.timeout(60):
        while not one.lost:  # noqa: ASYNC110 - another task's work
            await asyncio.sleep(0.01)
    assert one.lost == ["chat:1"], "what nobody took is still its own"
    assert await other.holder("chat:2") == before
    assert await other.acquire("chat:2") is None
