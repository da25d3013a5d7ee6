"""Something that happens once: whoever waits hears of it, and nobody who gives up takes it from the others."""

import asyncio

from mozaiks_shell.chat.once import Once


async def test_all_who_wait_hear_of_it_and_one_who_gives_up_spoils_nothing():
    once = Once()
    waiting = [asyncio.create_task(once.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    once.set()
    once.set()
    assert await asyncio.gather(*waiting[1:]) == [True, True]
    assert await once.wait() and once.future().done()


async def test_who_waits_for_so_long_is_told_that_it_has_not_happened():
    once = Once()
    assert not await once.wait(0.001)
    once.set()
    assert await once.wait(0.001)


async def test_what_happened_before_anybody_asked_has_happened():
    once = Once()
    once.set()
    assert once.future().done()
