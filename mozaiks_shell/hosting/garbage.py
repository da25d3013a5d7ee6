"""When a server process looks through its whole memory for garbage: in a calm moment, not in the middle of an answer.

Python does so whenever a quarter of what it keeps is new, and stands still meanwhile: 0.5 to 1.2 s with a thousand open
conversations, every three to six seconds while they are opened and answered. What is made and dropped at once is still
found at once (the two younger generations), and what has no cycle needs no search.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from typing import Final

from mozaiks_shell.foundation.logging import get_logger

log = get_logger("hosting")

LOOK: Final = 5.0  # seconds between two looks at whether it is calm
EVERY: Final = 120.0  # seconds between two searches, at least
AT_LATEST: Final = 900.0  # then also when it is not calm
CALM: Final = 0.25  # share of one core that the process uses at most
_NEVER: Final = 1_000_000_000


async def start_collecting() -> Callable[[], Awaitable[None]]:
    """Take the full search over from Python until the returned function is called; a process without it stays without."""
    if not gc.isenabled():
        return _nothing
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], _NEVER)
    task = asyncio.create_task(_collect())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.set_threshold(*before)

    return stop


async def _collect() -> None:
    last = time.monotonic()
    while True:
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(LOOK)
        now = time.monotonic()
        calm = (time.process_time() - used) / (now - began) < CALM
        if now - last > (EVERY if calm else AT_LATEST):
            found = gc.collect()
            last = time.monotonic()
            log.debug("memory searched", seconds=round(last - now, 3), unreachable=found, calm=calm)


async def _nothing() -> None:
    pass
