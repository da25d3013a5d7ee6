"""One start per idempotency key, in all processes of the app (F-151; abuse number 25).

In this process, callers that come while the first is under way share its result. Between processes a row is claimed: who
gets it asks the runtime, the others wait until the chat is there. A claim whose process died is taken over after a while.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete

from mozaiks_shell.broker.models import StartClaim
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import TimedOut
from mozaiks_shell.foundation.i18n import tr

LIFE: Final = 90.0  # seconds; longer than any start takes
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4)

_here: dict[tuple[str, str, str], asyncio.Task[KnownChat]] = {}


async def once(
    principal: Principal, key: str, find: Callable[[], Awaitable[KnownChat | None]], make: Callable[[], Awaitable[KnownChat]]
) -> KnownChat:
    """The chat of this key: found, or made by one caller for all.

    Raises:
        TimedOut: another process has been at it for too long.
        Whatever ``make`` raises, to everybody who waits in this process.
    """
    slot = (principal.app_id, principal.user_id, key)
    task = _here.get(slot)
    if task is None or task.done():
        task = asyncio.create_task(_once(principal, key, find, make))
        _here[slot] = task
        task.add_done_callback(lambda ended: _here.pop(slot, None) if _here.get(slot) is ended else None)
    return await asyncio.shield(task)


async def _once(
    principal: Principal, key: str, find: Callable[[], Awaitable[KnownChat | None]], make: Callable[[], Awaitable[KnownChat]]
) -> KnownChat:
    pauses = iter(_PAUSES)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIFE):
            while True:
                if (earlier := await find()) is not None:
                    return earlier
                async with _claimed(principal, key) as ours:
                    if ours:
                        return await find() or await make()
                await asyncio.sleep(next(pauses, _PAUSES[-1]))
    raise TimedOut(tr("This start is still under way. Please look for the chat in a moment."), code="START_UNDER_WAY")


@contextlib.asynccontextmanager
async def _claimed(principal: Principal, key: str) -> AsyncIterator[bool]:
    """Whether the claim of this key is ours; given back at the end."""
    scope, claim = Scope(principal.app_id, principal.user_id), StartClaim(key=key, created_at=clock.now())
    try:
        async with session(scope) as db:
            dead = col(StartClaim.created_at) < clock.now() - timedelta(seconds=LIFE)
            await db.execute(delete(StartClaim).where(col(StartClaim.key) == key, dead))
            db.add(claim)
    except IntegrityError:
        yield False
        return
    try:
        yield True
    finally:
        async with session(scope) as db:
            await db.execute(delete(StartClaim).where(col(StartClaim.id) == claim.id))
