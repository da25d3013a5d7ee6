"""Leases: what one of several server processes has at a time, by name, with a fencing token in the database.

A process is alive while it renews one row. What it has is taken by another once it is not, and every change of hands gives a
higher ``fence``: whoever writes on the strength of a lease checks the fence inside the same transaction, so a process that was
frozen and wakes up can write nothing any more. On one machine a process that is gone is seen at once, by its lock file.
"""

import asyncio
import contextlib
import fcntl
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import CursorResult, delete, func, literal, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql import ColumnElement
from sqlmodel import col, exists, select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Lease, Process
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("leases")

SECONDS: Final = 15.0  # a process that renews nothing for so long has lost what it had
_BEATS = 5  # renewals in that time
_KEPT = 3600.0  # seconds a dead process's row is kept


@dataclass(frozen=True, slots=True)
class Orphan:
    """A lease whose holder is not alive."""

    name: str
    user_id: str
    holder: str
    fence: int


class Leases:
    """What this process has. Use one per process.

    Args:
        seconds: How long the process counts as alive after a renewal.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.id = new_id("prc")
        self.seconds = seconds
        self.others: frozenset[str] = frozenset()  # processes that were alive at the last beat, without this one
        self._held: dict[str, int] = {}
        self._asking: set[str] = set()
        self._strays: set[str] = set()  # ours in the database only, at the last look: whoever took them was cancelled
        self._lost: Callable[[str], None] = lambda _: None
        self._orphans: Callable[[list[Orphan]], Awaitable[None]]
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None
        self._host = ""

    @property
    def alone(self) -> bool:
        """Whether no other process was alive when this one last looked."""
        return not self.others

    @property
    def machine(self) -> str:
        """Name of this machine, the same for all processes on it."""
        return _this_machine()

    def has(self, name: str) -> bool:
        """Whether this lease is ours, as far as we know."""
        return name in self._held

    async def start(self, lost: Callable[[str], None], orphans: Callable[[list[Orphan]], Awaitable[None]]) -> None:
        """Be alive.

        Args:
            lost: Called with the name of a lease that another process took.
            orphans: Awaited with leases whose holders died; take those that are yours to take, with :meth:`acquire`.
        """
        self._lost, self._orphans = lost, orphans
        await self._enrol()
        await self._others(tell=False)
        self._task = asyncio.create_task(self._beat(), name="leases")

    async def stop(self) -> None:
        """Be gone: what this process has may be taken at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._held.clear()
        try:
            await _bury(self.id)
        except DBAPIError as error:
            log.warning("others have to wait until the leases of this process end", error=str(error.orig)[:200])
        self._unlock()

    def wake(self) -> None:
        """Look now at who is alive and what was lost."""
        self._woken.set()

    # -- having ------------------------------------------------------------------------------------------

    async def acquire(self, name: str, user_id: str = "") -> int | None:
        """The fence of the lease, which is now ours; None while a live process has it, this one included."""
        if name in self._held or name in self._asking:
            return None
        self._asking.add(name)
        try:
            return await self._ask(name, user_id)
        finally:
            self._asking.discard(name)

    async def _ask(self, name: str, user_id: str) -> int | None:
        self._strays.discard(name)
        for _ in range(3):
            async with system_session() as db:
                row = await db.get(Lease, name)
            if row is None:
                try:
                    async with system_session() as db:
                        db.add(Lease(name=name, user_id=user_id, holder=self.id, fence=1))
                except IntegrityError:
                    continue  # another process was first
                self._held[name] = 1
                return 1
            if row.holder and row.holder != self.id and await self._lives(row.holder):
                return None
            if await self._take(row):
                return row.fence + 1
        return None

    async def acquire_within(self, seconds: float, name: str, user_id: str = "") -> int | None:
        """The same, tried for so many seconds while another process has it."""
        end = asyncio.get_running_loop().time() + seconds
        while (fence := await self.acquire(name, user_id)) is None and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return fence

    async def _take(self, row: Lease) -> bool:
        same = (col(Lease.name) == row.name, col(Lease.fence) == row.fence, col(Lease.holder) == row.holder)
        dead = ~exists().where(col(Process.id) == row.holder, col(Process.id) != self.id, col(Process.until) > _moment())
        async with system_session() as db:
            change = update(Lease).where(*same, dead).values(holder=self.id, fence=row.fence + 1, note="")
            result: CursorResult[Any] = await db.execute(change.execution_options(synchronize_session=False))
        if result.rowcount == 1:
            self._held[row.name] = row.fence + 1
        return bool(result.rowcount == 1)

    async def release(self, name: str) -> None:
        """Have it no more. The fence stays, so that the next holder gets a higher one."""
        fence = self._held.pop(name, None)
        if fence is not None:
            mine = (col(Lease.name) == name, col(Lease.fence) == fence, col(Lease.holder) == self.id)
            async with system_session() as db:
                await db.execute(update(Lease).where(*mine).values(holder="").execution_options(synchronize_session=False))

    async def holder(self, name: str) -> str:
        """The live process that has this lease; empty for none."""
        return (await self.holders([name])).get(name, "")

    async def holders(self, names: Iterable[str]) -> dict[str, str]:
        """The live process of each of these leases that has one."""
        alive = exists().where(col(Process.id) == col(Lease.holder), col(Process.until) > _moment())
        query = select(col(Lease.name), col(Lease.holder)).where(col(Lease.name).in_(list(names)), alive)
        async with system_session() as db:
            return dict((await db.execute(query)).all())

    async def count(self, user_id: str, prefix: str) -> int:
        """How many leases of this person that begin so are held, by whomever."""
        query = select(func.count()).select_from(Lease).where(col(Lease.user_id) == user_id, col(Lease.holder) != "")
        async with system_session() as db:
            return int((await db.execute(query.where(col(Lease.name).startswith(prefix, autoescape=True)))).scalar_one())

    async def note(self, name: str) -> str:
        """What the last holder wanted others to know."""
        async with system_session() as db:
            return (await db.execute(select(col(Lease.note)).where(col(Lease.name) == name))).scalar_one_or_none() or ""

    async def note_of_holder(self, name: str) -> str:
        """What the live process that has this lease wants others to know; empty where none has it."""
        alive = exists().where(col(Process.id) == col(Lease.holder), col(Process.until) > _moment())
        async with system_session() as db:
            row = (await db.execute(select(col(Lease.note)).where(col(Lease.name) == name, alive))).scalar_one_or_none()
        return row or ""

    async def tell(self, name: str, note: str) -> None:
        """Leave a note on a lease we have; nothing happens when it is another's by now."""
        mine = (col(Lease.name) == name, col(Lease.holder) == self.id, col(Lease.fence) == self._held.get(name))
        async with system_session() as db:
            await db.execute(update(Lease).where(*mine).values(note=note).execution_options(synchronize_session=False))

    # -- being alive -------------------------------------------------------------------------------------

    async def _enrol(self) -> None:
        await asyncio.to_thread(self._lock_file)
        async with system_session() as db:
            db.add(Process(id=self.id, host=self._host, until=0.0))
            await db.flush()
            await db.execute(update(Process).where(col(Process.id) == self.id).values(until=_moment() + self.seconds))

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.seconds / _BEATS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - a database that is away comes back; this process must not end for it
                log.warning("a lease could not be renewed", error=str(error)[:200])

    async def _look(self) -> None:
        """Renew, see what was lost, and see who died."""
        async with system_session() as db:
            mine = update(Process).where(col(Process.id) == self.id, col(Process.until) > 0.0)
            renewed: CursorResult[Any] = await db.execute(mine.values(until=_moment() + self.seconds))
            kept = dict((await db.execute(select(col(Lease.name), col(Lease.fence)).where(col(Lease.holder) == self.id))).all())
        for name in [name for name, fence in self._held.items() if kept.get(name) != fence]:
            # Taken or released while we asked: only what is still held by this account is lost.
            if self._held.get(name) != kept.get(name) and await self._is_lost(name):
                log.warning("lease lost", lease=name)
                self._held.pop(name, None)
                self._lost(name)
        strays = {name for name in kept if name not in self._held and name not in self._asking}
        for name in strays & self._strays - self._asking:
            self._held.setdefault(name, kept[name])
            await self.release(name)
        self._strays = strays
        if renewed.rowcount == 0:
            log.warning("this process was taken for dead; it begins anew", process=self.id)
            await self._begin_anew()
        await self._others()

    async def _is_lost(self, name: str) -> bool:
        async with system_session() as db:
            row = await db.get(Lease, name)
        held = self._held.get(name)
        return held is not None and (row is None or row.holder != self.id or row.fence != held)

    async def _begin_anew(self) -> None:
        for name in list(self._held):
            self._held.pop(name)
            self._lost(name)
        self._unlock()
        self.id = new_id("prc")
        await self._enrol()

    async def _others(self, *, tell: bool = True) -> None:
        alive = col(Process.until) > _moment()
        async with system_session() as db:
            rows = (await db.execute(select(Process.id, Process.host).where(alive, col(Process.id) != self.id))).all()
        gone = await asyncio.to_thread(self._gone, [row[0] for row in rows if row[1] == self._host])
        for one in gone:
            await _bury(one)
        self.others = frozenset(row[0] for row in rows) - gone
        if not tell:
            return
        live = exists().where(col(Process.id) == col(Lease.holder), col(Process.until) > _moment())
        query = select(Lease).where(col(Lease.holder) != "", col(Lease.holder) != self.id, ~live)
        async with system_session() as db:
            await db.execute(delete(Process).where(col(Process.until) < _moment() - _KEPT))
            lost = (await db.execute(query.limit(500))).scalars().all()
        if lost:
            await self._orphans([Orphan(row.name, row.user_id, row.holder, row.fence) for row in lost])

    async def _lives(self, process: str) -> bool:
        async with system_session() as db:
            query = select(Process.host).where(col(Process.id) == process, col(Process.until) > _moment())
            host = (await db.execute(query)).scalar_one_or_none()
        if host is None:
            return False
        if host == self._host and await asyncio.to_thread(self._gone, [process]):
            await _bury(process)
            return False
        return True

    # -- lock files --------------------------------------------------------------------------------------

    def _lock_file(self) -> None:
        """Hold a lock that ends with this process. Without one the end of the lease must be waited for."""
        path = self._file(self.id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = path.open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._host = _this_machine()
        except OSError as error:
            log.info("no lock file", error=str(error))
            self._host = ""

    def _unlock(self) -> None:
        if self._lock is not None:
            self._file(self.id).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _gone(self, processes: list[str]) -> set[str]:
        """Those of these processes of this machine whose lock is free. Where there is no file, nothing is known."""
        found: set[str] = set()
        for process in processes if self._host else ():
            path = self._file(process)
            with contextlib.suppress(OSError), path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.add(process)
                path.unlink(missing_ok=True)
        return found

    def _file(self, process: str) -> Path:
        return get_settings().data_dir / "processes" / f"{process}.lock"


async def _bury(process: str) -> None:
    async with system_session() as db:
        await db.execute(update(Process).where(col(Process.id) == process).values(until=0.0))


def _moment() -> ColumnElement[float]:
    """The time by one clock for all processes: the database's, or the machine's where the database is a file on it."""
    if get_settings().sql_url.startswith("sqlite"):
        return literal(time.time())
    return func.date_part("epoch", func.clock_timestamp())


def _this_machine() -> str:
    with contextlib.suppress(OSError):
        return socket.gethostname() + " " + Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return socket.gethostname()
