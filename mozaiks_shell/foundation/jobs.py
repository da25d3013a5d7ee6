"""Background and scheduled work, durable in the database and run once across all workers.

A job is a row. A worker takes one by moving its state on in a single guarded update and keeps it by renewing a lease;
when a process dies, the lease runs out and another worker takes the job again. So a job runs at least once, and never
twice at a time unless a process was frozen for longer than the lease. What it stores must bear a repetition.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, delete, or_, select, update

from mozaiks_shell.foundation import clock, i18n
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.db import Scope, ScopedSession, system_session
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Job, Schedule
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Timing

log = get_logger("jobs")

POLL: Final = 1.0  # seconds between looks for work that other processes queued
FIRST_WAIT: Final = 5.0  # seconds before the first repetition; each further one waits twice as long
LONGEST_WAIT: Final = 3600.0
ENDED: Final = ("done", "failed", "cancelled")
GONE: Final = "the person is gone"
_SWEEP: Final = timedelta(hours=1)


class GiveUp(Exception):
    """Raised by a job that repeating cannot help: it fails at once, with this message."""


class PersonGone(Exception):
    """The person on whose behalf a job should run is disabled or has left."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of job.

    Attributes:
        name: Stable over restarts: ``tasks.remind``.
        run: What it does with the payload; what it returns is kept if it is JSON.
        owner: The plugin it belongs to, empty for the shell's own.
        retries: Repetitions after a failure.
        seconds: Time limit of one attempt.
        ready: False leaves its jobs waiting (the plugin is out of service).
        timing: When it is due by itself; None for jobs that are only enqueued.
        each_person: A regular job for every person of the app, on their behalf, instead of one for the app.
        given_up: Told, with the payload and the reason, when a job will not be tried again although it is not done: it
            failed for good, or its person is gone. It may be told twice.
    """

    name: str
    run: Callable[[dict[str, Any]], Awaitable[Any]]
    owner: str = ""
    retries: int = 5
    seconds: float = 300.0
    ready: Callable[[], bool] = lambda: True
    timing: Timing | None = None
    each_person: bool = False
    given_up: Callable[[dict[str, Any], str], Awaitable[None]] | None = None


Resolve = Callable[[str, str], Awaitable[Principal | None]]
Everybody = Callable[[str], Awaitable[Sequence[str]]]

_known: dict[str, Definition] = {}
_workers: set["Worker"] = set()


class _People:
    """Who tells a user id from a person; set once by whoever knows both rooms."""

    resolve: Resolve | None = None
    everybody: Everybody | None = None


def use_people(resolve: Resolve, everybody: Everybody) -> None:
    """Name who finds people: ``resolve(app_id, user_id)`` (None: gone), ``everybody(app_id)`` (user ids)."""
    _People.resolve, _People.everybody = staticmethod(resolve), staticmethod(everybody)


def define(definition: Definition) -> None:
    """Make a kind of job known to this process; one of the same name replaces it."""
    _known[definition.name] = definition
    _wake()


def forget(owner: str) -> None:
    """Forget what belongs to a plugin. Its rows stay and wait."""
    for name in [name for name, one in _known.items() if owner and one.owner == owner]:
        del _known[name]


def known(name: str) -> Definition | None:
    """The kind of job of this name."""
    return _known.get(name)


async def enqueue(
    name: str, payload: dict[str, Any], *, app_id: str, user_id: str = "", owner: str = "", run_at: datetime | None = None,
    key: str = "", within: ScopedSession | None = None,
) -> str:  # fmt: skip
    """Queue a job and return its id.

    Args:
        run_at: Not before this time; default at once.
        key: While a job of this name, person and key waits or runs, no second one is queued: its id is returned.
        within: Queue it in this session's transaction, so that it exists exactly if the rest of it does.
    """
    job = Job(
        app_id=app_id, user_id=user_id, name=name, owner=owner, payload=payload, key=key or None, run_at=run_at or clock.now()
    )
    if within is not None:
        return await _add_within(within, job)
    try:
        async with system_session(app_id) as db:
            db.add(job)
    except IntegrityError:
        async with system_session(app_id) as db:
            earlier = await _same(db, job)
        return earlier or await enqueue(
            name, payload, app_id=app_id, user_id=user_id, owner=owner, run_at=run_at, key=key
        )  # it ended in between
    _wake()
    return job.id


async def _add_within(db: ScopedSession, job: Job) -> str:
    """In somebody's own session, whose scope does not reach our table: what they did is written under theirs, the job not."""
    await db.flush()
    theirs = db.info["scope"]
    db.info["scope"] = Scope(job.app_id, None)
    try:
        if job.key and (earlier := await _same(db, job)):
            return earlier
        db.add(job)
        await db.flush()
        db.expunge(job)
        return job.id
    finally:
        db.info["scope"] = theirs


async def _same(db: ScopedSession, job: Job) -> str:
    mine = (col(Job.user_id) == job.user_id) & (col(Job.name) == job.name) & (col(Job.key) == job.key)
    return (await db.execute(select(Job.id).where(mine))).scalars().first() or ""


async def find(app_id: str, job_id: str) -> Job | None:
    """The job with this id. The caller checks who may ask."""
    async with system_session(app_id) as db:
        return (await db.execute(select(Job).where(col(Job.id) == job_id))).scalars().first()


async def listing(app_id: str, owner: str | None = None, *, limit: int = 100) -> list[Job]:
    """Jobs, newest first, of everybody or of one plugin. For operators."""
    query = select(Job).order_by(col(Job.created_at).desc(), col(Job.id).desc()).limit(max(1, min(limit, 1000)))
    if owner is not None:
        query = query.where(col(Job.owner) == owner)
    async with system_session(app_id) as db:
        return list((await db.execute(query)).scalars())


async def cancel(app_id: str, job_id: str) -> bool:
    """Stop a job: one that waits never runs, one that runs is cancelled soon. False when it had ended."""
    async with system_session(app_id) as db:
        change = update(Job).where(col(Job.id) == job_id, col(Job.state).in_(("queued", "running")))
        done: Any = await db.execute(_plain(change.values(state="cancelled", key=None, finished_at=clock.now())))
    for worker in _workers:
        worker.lost(job_id)
    return bool(done.rowcount)


def _plain(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)


def _wake() -> None:
    for worker in _workers:
        worker.wake()


class Worker:
    """Runs jobs in this process. ``start`` and ``stop`` belong to the lifespan; tests call :meth:`step` themselves."""

    def __init__(self) -> None:
        settings = get_settings()
        self.app_id, self.lease = settings.app_id, timedelta(seconds=settings.jobs_lease_seconds)
        self.places, self.keep = settings.jobs_concurrency, timedelta(days=settings.jobs_keep_days)
        self.id = new_id("wrk")
        self._running: dict[str, asyncio.Task[None]] = {}
        self._lost: set[str] = set()
        self._due: dict[str, tuple[str, datetime]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._swept: datetime | None = None

    async def start(self) -> Callable[[], Awaitable[None]]:
        """Begin to look for work. Returns :meth:`stop`."""
        self._loop = asyncio.get_running_loop()
        _workers.add(self)
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._keep_leases())]
        return self.stop

    async def stop(self) -> None:
        """Stop taking jobs and interrupt those that run; they are queued again and cost no attempt."""
        self._stopping = True
        _workers.discard(self)
        for task in (*self._tasks, *self._running.values()):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._running.values(), return_exceptions=True)

    def wake(self) -> None:
        """Look for work now. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def lost(self, job_id: str) -> None:
        """A job of ours was cancelled or is somebody else's now."""
        if (task := self._running.get(job_id)) is not None:
            self._lost.add(job_id)
            task.cancel()

    async def step(self) -> int:
        """Take what is due and run it to its end; returns how many jobs that were."""
        await self._make_regular()
        taken = await self._take()
        await asyncio.gather(*(self._begin(job) for job in taken))
        return len(taken)

    # -- looking for work --------------------------------------------------------------------------------

    async def _serve(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                if _known:
                    await self._make_regular()
                    for job in await self._take():
                        self._begin(job)
                await self._sweep()
            except Exception:  # the database may be away for a while; the worker must outlive it
                log.exception("looking for jobs failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()

    async def _take(self) -> list[Job]:
        """Claim due jobs, as many as there are places. One guarded update each: of two workers one wins."""
        names, moment = [name for name, one in _known.items() if one.ready()], clock.now()
        places = self.places - len(self._running)
        if not names or places <= 0:
            return []
        due = or_(
            and_(col(Job.state) == "queued", col(Job.run_at) <= moment),
            and_(col(Job.state) == "running", col(Job.lease_until) < moment),
        )
        query = select(Job).where(col(Job.name).in_(names), due).order_by(col(Job.run_at), col(Job.id)).limit(places)
        async with system_session(self.app_id) as db:
            found = list((await db.execute(query)).scalars())
        taken = []
        for job in found:
            values = {
                "state": "running", "attempts": job.attempts + 1, "worker": self.id, "lease_until": moment + self.lease
            }  # fmt: skip
            async with system_session(self.app_id) as db:
                same = (col(Job.id) == job.id) & (col(Job.attempts) == job.attempts) & (col(Job.worker) == job.worker)
                won: Any = await db.execute(_plain(update(Job).where(same, due).values(**values)))
            if won.rowcount:
                job.attempts, job.worker = job.attempts + 1, self.id
                taken.append(job)
        return taken

    async def _make_regular(self) -> None:
        """Queue what is due by the clock. Occurrences that were missed while nobody ran count as one."""
        moment = clock.now()
        for one in [one for one in _known.values() if one.timing is not None and one.ready()]:
            rule = one.timing.text  # type: ignore[union-attr]
            noted, due = self._due.get(one.name, ("", moment))
            if noted != rule or due <= moment:
                self._due[one.name] = rule, await self._occur(one, rule, moment)

    async def _occur(self, one: Definition, rule: str, moment: datetime) -> datetime:
        assert one.timing is not None
        following = one.timing.after(moment)
        mine = col(Schedule.name) == one.name
        async with system_session(self.app_id) as db:
            found = (await db.execute(select(Schedule).where(mine))).scalars().first()
        if found is None or found.rule != rule:
            try:
                async with system_session(self.app_id) as db:
                    if found is None:
                        db.add(Schedule(name=one.name, rule=rule, next_at=following))
                    else:
                        await db.execute(_plain(update(Schedule).where(mine).values(rule=rule, next_at=following)))
            except IntegrityError:
                pass  # another worker was first
            return following
        planned = clock.aware(found.next_at)
        if planned > moment:
            return planned
        people = [""]
        if one.each_person:
            people = list(await _People.everybody(self.app_id)) if _People.everybody else []
        async with system_session(self.app_id) as db:
            same = mine & (col(Schedule.next_at) == found.next_at)
            won: Any = await db.execute(_plain(update(Schedule).where(same).values(next_at=following, last_at=moment)))
            if won.rowcount:
                for user_id in people:
                    db.add(Job(name=one.name, owner=one.owner, user_id=user_id, payload={}, run_at=moment))
        return following

    async def _sweep(self) -> None:
        """Forget jobs that ended long ago, once an hour."""
        moment = clock.now()
        if self._swept is not None and moment - self._swept < _SWEEP:
            return
        self._swept = moment
        old = col(Job.state).in_(ENDED) & (col(Job.finished_at) < moment - self.keep)
        async with system_session(self.app_id) as db:
            await db.execute(_plain(delete(Job).where(old)))

    # -- keeping and running -----------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        pause = self.lease.total_seconds() / 3
        while True:
            await asyncio.sleep(pause)
            for job_id in list(self._running):
                try:
                    mine = (col(Job.id) == job_id) & (col(Job.worker) == self.id) & (col(Job.state) == "running")
                    async with system_session(self.app_id) as db:
                        kept: Any = await db.execute(_plain(update(Job).where(mine).values(lease_until=clock.now() + self.lease)))
                except Exception:
                    log.exception("a lease could not be renewed", job=job_id)
                    continue
                if not kept.rowcount:
                    self.lost(job_id)

    def _begin(self, job: Job) -> asyncio.Task[None]:
        task = asyncio.create_task(self._attempt(job), name=f"job:{job.name}")
        self._running[job.id] = task
        task.add_done_callback(lambda _: self._ended(job.id))
        return task

    def _ended(self, job_id: str) -> None:
        self._running.pop(job_id, None)
        self._lost.discard(job_id)
        self._woken.set()

    async def _attempt(self, job: Job) -> None:
        definition = _known.get(job.name)
        if definition is None:
            await self._end(job, {"state": "queued", "attempts": job.attempts - 1})
            return
        if job.attempts > definition.retries + 1:
            await self._fail(job, definition, f"its process ended {definition.retries + 1} times while it ran", final=True)
            return
        try:
            await self._become(job)
            async with asyncio.timeout(definition.seconds):
                result = await definition.run(dict(job.payload))
        except asyncio.CancelledError:
            if self._stopping and job.id not in self._lost:
                await asyncio.shield(self._end(job, {"state": "queued", "attempts": job.attempts - 1, "run_at": clock.now()}))
            elif job.id not in self._lost:  # the job's own code raised it
                await self._fail(job, definition, "CancelledError")
            return
        except PersonGone:
            await self._tell_given_up(job, definition, GONE)
            await self._end(job, {"state": "cancelled", "error": GONE, "finished_at": clock.now(), "key": None})
        except GiveUp as error:
            await self._fail(job, definition, str(error) or "gave up", final=True)
        except TimeoutError as error:
            await self._fail(job, definition, str(error) or f"not done within {definition.seconds:g} seconds")
        except Exception as error:  # noqa: BLE001 - whatever a job raises is written down and tried again
            await self._fail(job, definition, f"{type(error).__name__}: {error}")
        else:
            done = {"state": "done", "error": "", "result": result, "finished_at": clock.now(), "key": None}
            await self._end(job, done)

    async def _become(self, job: Job) -> None:
        """Act as the person of the job, as they are now; for a job of the app, as nobody in particular."""
        person: Principal | None = Principal("", job.app_id)
        if job.user_id:
            person = await _People.resolve(job.app_id, job.user_id) if _People.resolve else Principal(job.user_id, job.app_id)
            if person is None:
                raise PersonGone
        assert person is not None
        set_principal(person)
        i18n.speak(i18n.choose(person.locale, "", ""), person.timezone)

    async def _fail(self, job: Job, definition: Definition, reason: str, *, final: bool = False) -> None:
        final = final or job.attempts > definition.retries
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(job.attempts - 1, 20)) * random.uniform(0.9, 1.1)
        log.warning("job failed", job=job.id, name=job.name, plugin=job.owner, attempt=job.attempts, final=final, reason=reason)
        if final:
            await self._tell_given_up(job, definition, reason)
            change = {"state": "failed", "error": reason[:1000], "finished_at": clock.now(), "key": None}
        else:
            change = {"state": "queued", "error": reason[:1000], "run_at": clock.now() + timedelta(seconds=wait)}
        ours = await self._end(job, change)
        if ours and final:
            facts = {"job": job.id, "name": job.name, "plugin": job.owner, "attempts": job.attempts, "reason": reason[:300]}
            await publish(Event("job.failed", job.app_id, job.user_id, facts))

    async def _tell_given_up(self, job: Job, definition: Definition, reason: str) -> None:
        if definition.given_up is None:
            return
        try:
            await definition.given_up(dict(job.payload), reason)
        except Exception:
            log.exception("that a job was given up could not be told", job=job.id, name=job.name)

    async def _end(self, job: Job, change: dict[str, Any]) -> bool:
        """Write what became of an attempt, unless it is no longer ours."""
        mine = (col(Job.id) == job.id) & (col(Job.attempts) == job.attempts) & (col(Job.worker) == self.id)
        for pause in (0.1, 1.0, 5.0, None):
            try:
                async with system_session(self.app_id) as db:
                    done: Any = await db.execute(
                        _plain(update(Job).where(mine, col(Job.state) == "running").values(lease_until=None, **change))
                    )
                return bool(done.rowcount)
            except Exception:
                if pause is None:
                    log.exception("the end of a job could not be written; it will run again", job=job.id, name=job.name)
                    return False
                await asyncio.sleep(pause)
        return False


async def start_jobs() -> Callable[[], Awaitable[None]] | None:
    """Lifespan step: run jobs in this process unless ``MOZAIKS_JOBS=false``. Returns its undo."""
    return await Worker().start() if get_settings().jobs_enabled else None
