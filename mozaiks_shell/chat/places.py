"""How many chat sockets a person may hold over all processes (F-198): each has one of so many numbered leases.

A process that dies gives back its places with its other leases. While a process knows of no other, it counts by itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.chat.ownership import PLACE
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")


@asynccontextmanager
async def place(leases: Leases, user_id: str, limit: int) -> AsyncIterator[bool]:
    """A place for a socket of this person; False when all of them are taken."""
    name: str | None = ""
    if not leases.alone:
        try:
            name = await _free(leases, user_id, limit)
        except SQLAlchemyError as error:  # the chat itself will say that the database is away
            log.warning("sockets counted in this process only", error=str(error)[:200])
    try:
        yield name is not None
    finally:
        if name:
            try:
                await leases.release(name)
            except SQLAlchemyError as error:
                log.warning("place given back later", error=str(error)[:200])


async def _free(leases: Leases, user_id: str, limit: int) -> str | None:
    names = [f"{PLACE}{user_id}:{number}" for number in range(limit)]
    taken = await leases.holders(names)
    for name in names:
        if name not in taken and await leases.acquire(name, user_id) is not None:
            return name
    return None
