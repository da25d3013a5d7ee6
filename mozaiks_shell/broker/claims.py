"""One start per idempotency key, in all processes of the app (F-151; abuse number 25).

In this process, callers that come while the first is under way share its result. Between processes a row is claimed: who
gets it asks the runtime, the others wait until the chat is there. The claim goes in the transaction that keeps the chat; one
whose process died is taken over after a while.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select

from mozaiks_shell.broker.models import StartClaim
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import TimedOut
from mozaiks_shell.foundation.i18n import tr

LIFE: Final = 90.0  # seconds; longer than any start takes
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4)

Find = Callable[[ScopedSession], Awaitable[KnownChat | None]]

_here: dict[tuple[str, str, str], asyncio.Task[KnownChat]] = {}


@dataclass(slots=True)
class Claim:
    """A key that is ours. Whoever runs :meth:`end` in a transaction that is committed says so in ``ended``."""

    app_id: str
    id: str
    ended: bool = False

    def end(self) -> Executable:
        """The statement that gives the key back; for a session of the system."""
        return delete(StartClaim).where(col(StartClaim.id) == self.id).execution_options(synchronize_session=False)


async def once(principal: Principal, key: str, find: Find, make: Callable[[Claim], Awaitable[KnownChat]]) -> KnownChat:
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


async def _once(principal: Principal, key: str, find: Find, make: Callable[[Claim], Awaitable[KnownChat]]) -> KnownChat:
    pauses = iter(_PAUSES)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIFE):
            while True:
                found = await _claim(principal, key, find)
                if isinstance(found, KnownChat):
                    return found
                if found is not None:
                    try:
                        return await make(found)
                    finally:
                        if not found.ended:
                            async with system_session(principal.app_id) as db:
                                await db.execute(found.end())
                await asyncio.sleep(next(pauses, _PAUSES[-1]))
    raise TimedOut(tr("This start is still under way. Please look for the chat in a moment."), code="START_UNDER_WAY")


async def _claim(principal: Principal, key: str, find: Find) -> Claim | KnownChat | None:
    """The claim of this key, the chat that was started with it, or None while somebody else has the claim.

    The chat is looked for after the claim was got: whoever had it before has given it back together with the chat.
    """
    row = StartClaim(user_id=principal.user_id, key=key, created_at=clock.now())
    try:
        async with system_session(principal.app_id) as db:
            db.add(row)
            await db.flush()
            claim = Claim(principal.app_id, row.id)
            if (earlier := await find(db)) is not None:
                await db.execute(claim.end())
                return earlier
            return claim
    except IntegrityError:
        pass
    async with system_session(principal.app_id) as db:
        if (earlier := await find(db)) is not None:
            return earlier
        theirs = (col(StartClaim.user_id) == principal.user_id) & (col(StartClaim.key) == key)
        dead = theirs & (col(StartClaim.created_at) < clock.now() - timedelta(seconds=LIFE))
        if (await db.execute(select(StartClaim.id).where(dead))).first() is not None:
            await db.execute(delete(StartClaim).where(dead).execution_options(synchronize_session=False))
    return None
