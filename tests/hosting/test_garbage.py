"""The whole memory is searched for garbage in calm moments, and not by Python in the middle of something."""

import asyncio
import gc
import time
import weakref

import pytest

from mozaiks_shell.hosting import garbage


class Knot:
    """Garbage that only a search finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
async def quickly(monkeypatch):
    monkeypatch.setattr(garbage, "LOOK", 0.05)
    monkeypatch.setattr(garbage, "EVERY", 0.2)
    monkeypatch.setattr(garbage, "CALM", 100.0)  # whatever else this process does meanwhile
    stop = await garbage.start_collecting()
    yield
    await stop()


def old() -> weakref.ref[Knot]:
    """A knot that survived two searches, and is garbage now."""
    knot = Knot()
    gc.collect()
    return weakref.ref(knot)


async def gone(knot: weakref.ref[Knot]) -> None:
    async with asyncio.timeout(30):
        while knot() is not None:  # noqa: ASYNC110 - nothing tells when it is collected
            await asyncio.sleep(0.05)


async def test_what_is_made_meanwhile_starts_no_full_search(quickly):
    full = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(300_000)]  # of a process that keeps as much Python would search three times
    assert gc.get_stats()[2]["collections"] == full and len(kept) == 300_000
    young = weakref.ref(Knot())
    filler = [[number] for number in range(50_000)]
    assert young() is None and filler, "the younger generations are searched as ever"


async def test_a_calm_process_is_searched(quickly):
    await gone(old())


async def test_a_busy_process_is_left_alone_until_it_has_to_be(quickly, monkeypatch):
    monkeypatch.setattr(garbage, "CALM", -1.0)
    monkeypatch.setattr(garbage, "AT_LATEST", 1.5)
    began, knot = time.monotonic(), old()
    await gone(knot)
    assert time.monotonic() - began > 1.0


async def test_afterwards_all_is_as_it_was():
    before = gc.get_threshold()
    stop = await garbage.start_collecting()
    assert gc.get_threshold() != before
    await stop()
    assert gc.get_threshold() == before
    gc.disable()
    try:
        await (await garbage.start_collecting())()
        assert gc.get_threshold() == before
    finally:
        gc.enable()
