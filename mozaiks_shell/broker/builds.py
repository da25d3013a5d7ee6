"""Builds of the app and how far each has come on its way to people (F-165).

    draft -> building -> built -> deployable -> deployed
    error at any time before; from there the build is made again, or deployed again when it had been built

Programs report what happened, and the status follows. An event counts once, by its id. One that is older than what is known
changes nothing. One that leaps ahead is refused, and kept: it counts when what lies between has arrived and it is the
later by its sender's own time. So the order in which events arrive does not decide where a build ends up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from mozaiks_shell.broker import service, tokens
from mozaiks_shell.broker.build_reports import Report
from mozaiks_shell.broker.models import Build, BuildEvent
from mozaiks_shell.foundation import clock, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import Conflict, NotFound, Upstream
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings

LARGEST: Final = 64_000_000  # bytes of a bundle
SECONDS: Final = 60.0  # for the runtime to hand one over
EVENTS: Final = 500  # of one build that are kept
_NEXT: Final = {
    "draft": frozenset({"building", "error"}),
    "building": frozenset({"built", "error"}),
    "built": frozenset({"deployable", "error"}),
    "deployable": frozenset({"deployed", "error"}),
    "deployed": frozenset[str](),
    "error": frozenset({"building"}),
}
_MADE: Final = ("built", "deployable", "deployed")
_BELIEVED: Final = timedelta(days=1)  # how far back a sender's time says when a build began
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report: ``applied``, ``noted`` (it was so already), ``late`` or ``doubled``; and the build since."""

    outcome: str
    build: dict[str, Any]


async def take(sender: Principal, report: Report) -> Taken:
    """Let a report move the status of its build.

    Raises:
        Conflict: ``BUILD_JUMP_REFUSED``, the build is not where this could follow (``build_status``, ``possible``);
            ``EVENT_ID_REUSED``, an event of this id said something else; ``BUILD_FULL``, too many events.
    """
    for _ in range(_TRIES):
        try:
            return await _take(sender, report)
        except IntegrityError:  # another process made the same row first
            continue
    raise Conflict(tr("This event is being taken already. Please send it again."), code="BUILD_EVENT_UNDER_WAY")


async def _take(sender: Principal, report: Report) -> Taken:
    refused: Conflict | None = None
    async with system_session(sender.app_id) as db:
        build = await _locked(db, report.build_id)
        events = await _events(db, report.build_id)
        event = await _noted(db, report)
        if event is not None and event.outcome != "refused":
            return Taken("doubled", _described(build, sender.app_id))
        if event is None:
            if len(events) >= EVENTS:
                raise Conflict(tr("There are too many events of this build."), code="BUILD_FULL")
            event = BuildEvent(
                event_id=report.event_id, build_id=report.build_id, kind=report.kind, status=report.status, outcome="refused",
                told_at=report.told_at, facts=dict(report.facts), sent_by=sender.user_id, received_at=clock.now(),
            )  # fmt: skip
            db.add(event)
            events.append(event)
        before = build.status
        event.outcome = _judged(build, event)
        if event.outcome == "applied":
            _apply(build, event)
            _catch_up(build, events)
        elif event.outcome == "noted":
            _fill(build, event)
        else:
            refused = _refusal(build, event) if event.outcome == "refused" else None
        if build.status != before:
            facts = {"build_id": build.build_id, "status": build.status, "before": before}
            await outbox.along(db, Event("build.status_changed", sender.app_id, sender.user_id, facts))
        await db.flush()
        taken = Taken(event.outcome, _described(build, sender.app_id))
    if refused is not None:
        raise refused
    return taken


async def latest(app_id: str) -> dict[str, Any]:
    """The app as its newest build stands; ``draft`` and no ``build_id`` where there was never one.

    ``deployed_build_id`` is the build that people use by now, which may be an older one.
    """
    async with system_session(app_id) as db:
        newest = (await db.execute(_newest().limit(1))).scalars().first()
        served = select(Build).where(col(Build.status) == "deployed").order_by(col(Build.deployed_at).desc())
        live = (await db.execute(served.limit(1))).scalars().first()
    shown = _described(newest or Build(app_id=app_id, build_id=""), app_id)
    return {**shown, "deployed_build_id": live.build_id if live else None}


async def listing(app_id: str, limit: int = 50) -> list[dict[str, Any]]:
    """The builds of the app, newest first; at most 200."""
    async with system_session(app_id) as db:
        rows = (await db.execute(_newest().limit(max(1, min(limit, 200))))).scalars()
        return [_described(row, app_id) for row in rows]


async def find(app_id: str, build_id: str) -> dict[str, Any]:
    """One build with its events, in the order they arrived.

    Raises:
        NotFound: this app has none of this id.
    """
    async with system_session(app_id) as db:
        row, events = await _row(db, build_id), await _events(db, build_id)
    told = [
        {
            "event_id": one.event_id, "event_type": one.kind, "status": one.status, "outcome": one.outcome,
            "told_at": _iso(one.told_at), "received_at": _iso(one.received_at),
        }
        for one in events
    ]  # fmt: skip
    return {**_described(row, app_id), "events": told}


async def export(app_id: str, build_id: str) -> bytes:
    """The bundle of a build, as the runtime hands it over.

    Raises:
        NotFound: no such build, or the runtime has no bundle of it.
        Conflict: ``BUILD_NOT_READY``, it is not built yet.
        Unavailable, TimedOut, Upstream: the runtime is not there, or broken.
    """
    async with system_session(app_id) as db:
        row = await _row(db, build_id)
    if row.reached not in _MADE:
        raise Conflict(tr("This build is not finished."), code="BUILD_NOT_READY", build_status=row.status)
    client, token = await service.runtime(), await tokens.mint_internal(app_id)
    where = f"/api/apps/{quote(app_id, safe='')}/builds/{quote(row.export_id or build_id, safe='')}/export"
    status, content = await client.fetch(where, token, LARGEST, SECONDS)
    if status == 404:
        raise NotFound(tr("The assistant's server has no files of this build."), code="EXPORT_NOT_FOUND")
    if status >= 300:
        raise Upstream(tr("The assistant's server reported an error."), code="RUNTIME_ERROR")
    return content


# -- judging ------------------------------------------------------------------------------------------------


def _judged(build: Build, event: BuildEvent) -> str:
    if event.status == build.status:
        return "noted"
    if event.told_at is not None and build.told_at is not None and aware(event.told_at) < aware(build.told_at):
        return "late"
    return "applied" if event.status in _possible(build) else "refused"


def _possible(build: Build) -> frozenset[str]:
    again = build.status == "error" and build.reached in _MADE
    return _NEXT[build.status] | ({"deployable"} if again else frozenset())


def _catch_up(build: Build, events: list[BuildEvent]) -> None:
    """What was refused because it came too early, in the order of its senders' times."""
    early = [one for one in events if one.outcome == "refused" and one.told_at is not None]
    for one in sorted(early, key=lambda event: aware(event.told_at)):  # type: ignore[arg-type]
        later = build.told_at is not None and aware(one.told_at) > aware(build.told_at)  # type: ignore[arg-type]
        if later and one.status in _possible(build):
            one.outcome = "applied"
            _apply(build, one)


def _apply(build: Build, event: BuildEvent) -> None:
    moment = clock.now()
    build.status, build.told_at, build.updated_at, build.error = event.status, event.told_at, moment, ""
    build.reached = build.reached if event.status == "error" else event.status
    happened = min(aware(event.told_at), moment) if event.told_at else moment
    match event.status:
        case "building":
            build.created_at = max(happened, moment - _BELIEVED)
            build.completed_at = build.deployed_at = None
        case "built":
            build.completed_at = happened
        case "deployed":
            build.deployed_at = happened
    _fill(build, event)


def _fill(build: Build, event: BuildEvent) -> None:
    facts = dict(event.facts)
    completed = facts.pop("completed_at", "")
    if completed and event.status in {"built", "error"}:
        build.completed_at = datetime.fromisoformat(completed)
    if event.status != "error":
        facts.pop("error", None)
    for name, value in facts.items():
        setattr(build, name, value)


def _refusal(build: Build, event: BuildEvent) -> Conflict:
    said = tr("A build that is {status} cannot become {wanted}.", status=build.status, wanted=event.status)
    possible = sorted(_possible(build))
    return Conflict(said, code="BUILD_JUMP_REFUSED", build_id=build.build_id, build_status=build.status, possible=possible)


# -- rows ---------------------------------------------------------------------------------------------------


async def _locked(db: ScopedSession, build_id: str) -> Build:
    """The build's row, which nobody else changes until this transaction ends; made when there is none.

    Raises:
        IntegrityError: another process makes it just now.
    """
    ours = col(Build.build_id) == build_id
    grown: Any = update(Build).where(ours).values(version=col(Build.version) + 1)
    done: Any = await db.execute(grown.execution_options(synchronize_session=False))
    if not done.rowcount:
        db.add(Build(build_id=build_id, created_at=clock.now(), updated_at=clock.now()))
        await db.flush()
    return (await db.execute(select(Build).where(ours))).scalars().one()


async def _noted(db: ScopedSession, report: Report) -> BuildEvent | None:
    """The event of this id, when it came before.

    Raises:
        Conflict: it said something else then.
    """
    query = select(BuildEvent).where(col(BuildEvent.event_id) == report.event_id)
    found = (await db.execute(query)).scalars().first()
    if found is not None and (found.build_id, found.status) != (report.build_id, report.status):
        raise Conflict(tr("Another event has this id."), code="EVENT_ID_REUSED")
    return found


async def _events(db: ScopedSession, build_id: str) -> list[BuildEvent]:
    """In the order they arrived."""
    query = select(BuildEvent).where(col(BuildEvent.build_id) == build_id)
    rows = (await db.execute(query.order_by(col(BuildEvent.received_at), col(BuildEvent.id)))).scalars()
    return list(rows)


async def _row(db: ScopedSession, build_id: str) -> Build:
    row = (await db.execute(select(Build).where(col(Build.build_id) == build_id))).scalars().first()
    if row is None:
        raise NotFound(tr("There is no such build."), code="BUILD_NOT_FOUND")
    return row


def _newest() -> Any:
    """Builds that began. What only says ``draft`` is none yet."""
    return select(Build).where(col(Build.status) != "draft").order_by(col(Build.created_at).desc(), col(Build.id).desc())


def _iso(moment: datetime | None) -> str | None:
    return aware(moment).isoformat() if moment else None


def _described(row: Build, app_id: str) -> dict[str, Any]:
    there = row.reached in _MADE
    began = bool(row.build_id)
    where = f"{get_settings().origin}/api/apps/{quote(app_id, safe='')}/builds/{quote(row.build_id, safe='')}/export"
    return {
        "app_id": app_id,
        "build_id": row.build_id or None,
        "status": row.status,
        "error": row.error or None,
        "workflow_name": row.workflow,
        "chat_id": row.chat_id,
        "started_at": _iso(row.created_at) if began else None,
        "updated_at": _iso(row.updated_at) if began else None,
        "completed_at": _iso(row.completed_at),
        "deployed_at": _iso(row.deployed_at),
        "preview": {"available": bool(row.preview_url), "url": row.preview_url or None},
        "export": {"available": there, "download_url": where if there else None},
        "logs": {"url": row.logs_url or None},
    }
