"""``jobs``: work in the background and by the clock, which survives restarts. Permission ``jobs``.

    @sdk.jobs.job(retries=3)
    async def send_reminder(task_id: str):
        task = await db.tasks.get(task_id)
        ...

    await sdk.jobs.enqueue(send_reminder, task_id=task.id, after="1d")

A job is a row in the database before anybody runs it. It runs once across all workers, as the person who enqueued it and
with what they may do *then*; if they have left or are disabled, it is cancelled. When it raises, it is tried again after
5, 10, 20 … seconds (an hour at most). When the process stops or is killed in the middle, the job starts again from its
beginning, so what it stores must bear a repetition. Functions may be ``async def`` or ``def``; nothing can stop a ``def``
that runs too long, so give slow work to ``async`` code or to small steps.
"""

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from mozaiks_shell.foundation import clock as _clock
from mozaiks_shell.foundation import jobs as _queue
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.db import ScopedSession
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.jobs import GiveUp
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Every, Timing, span
from mozaiks_shell.foundation.timing import cron as _cron
from mozaiks_shell.identity import service as _identity
from mozaiks_shell.plugin_host import faults as _faults
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import calling, either_way
from mozaiks_shell.plugin_host.threads import in_thread
from mozaiks_shell.ui.page import also_forget

Function = TypeVar("Function", bound=Callable[..., Any])

MAX_DATA: Final = 64_000  # bytes of JSON
_OURS: Final = frozenset({"after", "at", "key", "session"})
_NAME: Final = "__mozaiks_job__"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """Where a job stands.

    Attributes:
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        attempts: How often it was started.
        error: Why the last attempt failed; empty when none did.
        result: What the function returned, if that is JSON.
        run_at: When it is due (UTC).
        finished_at: When it ended; None before.
    """

    id: str
    name: str
    state: str
    attempts: int
    error: str
    result: Any
    run_at: datetime
    finished_at: datetime | None


def job(
    function: Function | None = None, /, *, retries: int = 5, timeout: str | float | timedelta = "5m", name: str = ""
) -> Any:  # fmt: skip
    """Decorator: let the function be enqueued. Use it while the plugin is imported.

    Args:
        retries: How often a failed run is repeated.
        timeout: Time limit of one run: ``"90s"``, ``"10m"``, ``"2h"`` or seconds.
        name: Stable name, if the function may be renamed while jobs wait. Default: the function's.

    Raises:
        Forbidden: ``PERMISSION_MISSING``.
        ValueError: no length of time; an argument is named like an option of :func:`enqueue`.

    Example:
        >>> @sdk.jobs.job(retries=3, timeout="2m")
        ... async def import_file(file_id: str):
        ...     ...
    """
    demand(Permission.JOBS)
    plugin = calling()

    def keep(wrapped: Function) -> Function:
        return _define(wrapped, plugin, name, retries, timeout)

    return keep(function) if function is not None else keep


def every(
    interval: str | float | timedelta, *, each_person: bool = False, retries: int = 2, timeout: str | float | timedelta = "5m",
    name: str = "",
) -> Callable[[Function], Function]:  # fmt: skip
    """Decorator: run the function, which takes no arguments, again and again.

    However many workers there are, each occurrence runs once; occurrences missed while nobody ran count as one.
    It runs for the app: ``db.session()`` sees shared rows only, and there is no current user.

    Args:
        interval: ``"30s"``, ``"10m"``, ``"1h30m"``, ``"1d"`` or seconds; one second at least.
        each_person: Run it once for every person of the app instead, as that person.

    Example:
        >>> @sdk.jobs.every("1d", each_person=True)
        ... async def digest():
        ...     await sdk.notifications.send(title=f"{await count_open()} tasks are open")
    """
    demand(Permission.JOBS)
    plugin, rule = calling(), Every(span(interval))
    return lambda function: _define(function, plugin, name, retries, timeout, rule, each_person)


def cron(
    line: str, *, timezone: str = "", each_person: bool = False, retries: int = 2, timeout: str | float | timedelta = "5m",
    name: str = "",
) -> Callable[[Function], Function]:  # fmt: skip
    """Decorator: run the function at the times of a cron line; otherwise as :func:`every`.

    Args:
        line: Minute, hour, day of the month, month, weekday: ``"0 9 * * mon-fri"``. ``@daily`` and the like work.
        timezone: IANA name. Default: ``MOZAIKS_DEFAULT_TIMEZONE``.

    Raises:
        ValueError: not a cron line.

    Example:
        >>> @sdk.jobs.cron("0 6 1 * *")
        ... async def monthly_report():
        ...     ...
    """
    demand(Permission.JOBS)
    plugin, rule = calling(), _cron(line, timezone or get_settings().default_timezone)
    return lambda function: _define(function, plugin, name, retries, timeout, rule, each_person)


def enqueue(
    function: Callable[..., Any] | str, /, *, after: str | float | timedelta = 0, at: datetime | None = None, key: str = "",
    session: ScopedSession | None = None, **data: Any,
) -> Any:  # fmt: skip
    """Queue a job on behalf of the current person and return its id. Awaited in ``async`` code, called plainly in ``def``.

    Args:
        function: What was decorated with :func:`job`, or its name.
        after: Not before this long from now: ``"10m"``.
        at: Not before this moment (a naive one is taken as UTC).
        key: While a job of the same function, person and key waits or runs, no second one is queued; its id is returned.
        session: Queue it in the transaction of this ``db.session()``: if that is rolled back, there is no job.
        **data: The function's arguments, as JSON.

    Raises:
        Forbidden: ``PERMISSION_MISSING``.
        TypeError: the function does not take these arguments, or is no job.
        Invalid: the data is not JSON, or larger than 64 kB.

    Example:
        >>> job_id = await sdk.jobs.enqueue(send_reminder, task_id=task.id, after="1h", key=task.id)
    """
    demand(Permission.JOBS)
    plugin, person = calling(), current_principal()
    owner = plugin.name if plugin else ""
    name = f"{owner or 'app'}.{function}" if isinstance(function, str) else getattr(function, _NAME, "")
    if _queue.known(name) is None:
        raise TypeError(f"{getattr(function, '__name__', function)} is no job: decorate it with sdk.jobs.job")
    if not isinstance(function, str):
        inspect.signature(function).bind(**data)
    due = _clock.now() + span(after)
    if at is not None:
        due = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    app_id, user_id = (person.app_id, person.user_id) if person else (get_settings().app_id, "")
    return either_way(
        _queue.enqueue(
            name, _json(data), app_id=app_id, user_id=user_id, owner=owner, run_at=due, key=key[:160], within=session
        )  # fmt: skip
    )


def status(job_id: str) -> Any:
    """The :class:`JobStatus` of a job this plugin queued for the current person.

    Raises:
        NotFound: there is none, it is somebody else's, or it ended longer than a week ago.

    Example:
        >>> (await sdk.jobs.status(job_id)).state
        'done'
    """
    plugin = calling()
    return either_way(_status(job_id, plugin.name if plugin else ""))


def cancel(job_id: str) -> Any:
    """Stop a job: one that waits never runs, one that runs is interrupted. True unless it had ended.

    Raises:
        NotFound: as :func:`status`.

    Example:
        >>> await sdk.jobs.cancel(job_id)
        True
    """
    plugin = calling()
    return either_way(_cancel(job_id, plugin.name if plugin else ""))


async def _mine(job_id: str, owner: str) -> _queue.Job:
    person = current_principal()
    app_id, user_id = (person.app_id, person.user_id) if person else (get_settings().app_id, "")
    found = await _queue.find(app_id, job_id)
    if found is None or (found.user_id, found.owner) != (user_id, owner):
        raise NotFound("There is no such job.", code="JOB_NOT_FOUND")
    return found


async def _status(job_id: str, owner: str) -> JobStatus:
    found = await _mine(job_id, owner)
    finished = _clock.aware(found.finished_at) if found.finished_at else None
    return JobStatus(
        found.id, found.name.partition(".")[2], found.state, found.attempts, found.error, found.result,
        _clock.aware(found.run_at), finished,
    )  # fmt: skip


async def _cancel(job_id: str, owner: str) -> bool:
    found = await _mine(job_id, owner)
    return await _queue.cancel(found.app_id, found.id)


def _define(
    function: Function, plugin: Any, name: str, retries: int, timeout: str | float | timedelta, timing: Timing | None = None,
    each_person: bool = False,
) -> Function:  # fmt: skip
    owner = plugin.name if plugin else ""
    full = f"{owner or 'app'}.{name or function.__name__}"
    wanted = set(inspect.signature(function).parameters)
    if taken := sorted(wanted & _OURS):
        raise ValueError(f"{full}: a job's argument may not be named {', '.join(taken)}; enqueue has options of that name")
    if timing is not None and wanted:
        raise ValueError(f"{full}: a regular job takes no arguments")
    seconds = span(timeout).total_seconds()

    async def run(payload: dict[str, Any]) -> Any:
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(**payload)
            else:
                result = await in_thread(functools.partial(function, **payload))
        except GiveUp:
            raise
        except (SystemExit, Exception) as error:
            if owner:
                _faults.record(owner, "job", error, full)
            if isinstance(error, SystemExit):  # it must end the job, not the server
                raise RuntimeError(repr(error)) from error
            raise
        return _result(result)

    ready = (lambda: plugin.live) if plugin else (lambda: True)
    _queue.define(_queue.Definition(full, run, owner, retries, seconds, ready, timing, each_person))
    setattr(function, _NAME, full)
    return function


def _json(data: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(f"A job's data must be JSON: {error}") from error
    if len(text) > MAX_DATA:
        raise Invalid(f"A job's data may have {MAX_DATA} bytes. Store it, and hand over its id.")
    return dict(checked(json.loads(text)))


def _result(value: Any) -> Any:
    """What of a return value can be kept."""
    try:
        return value if value is None else _json({"value": value})["value"]
    except Invalid:
        return None


_queue.use_people(_identity.person_now, _identity.everybody)
also_forget(_queue.forget)

__all__ = ["GiveUp", "JobStatus", "cancel", "cron", "enqueue", "every", "job", "status"]
