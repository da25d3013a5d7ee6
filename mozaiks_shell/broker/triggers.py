"""Events and the clock start workflows, by the rules of ``triggers.json`` (F-156, F-157).

What happened is written down with the job that makes the call, under a key that names rule and event: whoever hears the
event twice, in whichever process, writes nothing the second time. An event that was published along with its effect
(:func:`mozaiks_shell.foundation.outbox.along`) is told again when the process died before it was heard. A call is marked before
it is sent and is repeated only when the runtime certainly did not get it; one whose fate is unknown is left at that. Loops are
cut: what a workflow's own call into the app causes, and what happens while a call is made, triggers nothing, and each rule has a
limit per minute.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update

from mozaiks_shell.appconfig.triggers_config import TriggerRule, triggers_config
from mozaiks_shell.broker import service, tokens
from mozaiks_shell.broker.errors import NotSent
from mozaiks_shell.broker.models import TriggerRun
from mozaiks_shell.foundation import clock, events, jobs, outbox
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import NotFound, NotSignedIn, ShellError, TimedOut, TooMany, Unavailable, Upstream
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.models import Schedule
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Every
from mozaiks_shell.identity import service as identity

log = get_logger("broker")

CALL: Final = "broker.trigger"
LARGEST: Final = 64_000  # bytes of data, as JSON
SECONDS: Final = 120.0  # for one call
SAY_SECONDS: Final = 10.0
KEPT: Final = timedelta(days=30)
_LOOK: Final = 2.0  # seconds between two looks at the rules
_SLOT: Final = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_]+)*)\}")
_inside: ContextVar[bool] = ContextVar("mozaiks_inside_trigger", default=False)


@events.subscribe("*")
async def hear(event: events.Event) -> None:
    """Write down the calls that the rules make of an event. Cheap when no rule names it."""
    if get_settings().ai_enabled and (event.kept or triggers_config().listening(event.name)):
        await _hear(event, event.moment or _moment())


def wanted(event: events.Event) -> outbox.Facts | None:
    """What has to be known of the moment of an event that a rule names; None for one that no rule names."""
    return _moment() if get_settings().ai_enabled and triggers_config().listening(event.name) else None


def _moment() -> outbox.Facts:
    return {"inside": _inside.get(), "program": identity.current_app_caller() is not None}


async def _hear(event: events.Event, moment: outbox.Facts) -> None:
    told = {key: value for key, value in event.data.items() if key != outbox.KEY}
    facts = {"event": event.name, "user_id": event.user_id, "app_id": event.app_id, "at": event.at.isoformat(), "data": told}
    for rule in triggers_config().listening(event.name) if get_settings().ai_enabled else ():
        if not _fits(rule, facts):
            continue
        if moment["inside"] or (moment["program"] and not rule.from_programs):
            log.info("a trigger's loop was cut", rule=rule.id, event_name=event.name)
            continue
        if await _too_often(rule):
            continue
        await _note(rule, _cause(event), facts)
    if event.kept:
        async with system_session(event.app_id) as db:
            await outbox.done(db, event)


async def catch_up() -> None:
    """Hear the events that were kept and that nobody heard."""
    await outbox.retell(get_settings().app_id, _hear)


def fill(template: Any, facts: dict[str, Any]) -> Any:
    """The template with its ``{data.path}`` filled in. One that stands alone keeps its type; what is missing is null, or
    empty within a text. Text that came with the event is never looked at for more of them.
    """
    if isinstance(template, dict):
        return {key: fill(value, facts) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    if whole := _SLOT.fullmatch(template):
        return _at(facts, whole[1])
    return _SLOT.sub(lambda slot: _text(_at(facts, slot[1])), template)


def _at(facts: Any, path: str) -> Any:
    for part in path.split("."):
        facts = facts.get(part) if isinstance(facts, dict) else None
    return facts


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fits(rule: TriggerRule, facts: dict[str, Any]) -> bool:
    return all(_at(facts, path) == wanted for path, wanted in rule.when.items())


def _cause(event: events.Event) -> str:
    """The same for every time the same event is told."""
    if kept := event.row or event.kept or event.data.get(outbox.KEY):
        return str(kept)[:64]
    whole = [event.name, event.app_id, event.user_id, event.at.isoformat(), event.data]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


async def _too_often(rule: TriggerRule) -> bool:
    try:
        await hit("trigger", rule.id, rule.max_per_minute)
    except TooMany:
        log.error("a trigger fires too often; its call is dropped", rule=rule.id, max_per_minute=rule.max_per_minute)
        return True
    return False


async def _note(rule: TriggerRule, cause: str, facts: dict[str, Any]) -> str:
    """Write the call and its job down, together; returns its id, empty when it was there before."""
    data = fill(rule.data, facts) if rule.data is not None else facts["data"]
    if len(json.dumps(data, default=str)) > LARGEST:
        log.error("a trigger's data is too large; its call is dropped", rule=rule.id)
        return ""
    data = json.loads(json.dumps(data, default=str))
    row = TriggerRun(
        app_id=facts["app_id"], user_id=facts["user_id"], rule=rule.id, cause=cause, event=facts["event"][:200],
        workflow=rule.workflow, run_as=rule.run_as, data=data,
    )  # fmt: skip
    behalf = facts["user_id"] if rule.run_as == "person" else ""
    run_id = row.id
    try:
        async with system_session(facts["app_id"]) as db:
            db.add(row)
            await db.flush()
            await jobs.enqueue(CALL, {"run": run_id}, app_id=facts["app_id"], user_id=behalf, within=db)
    except IntegrityError:
        return ""
    return run_id


async def _call(payload: dict[str, Any]) -> Any:
    """The job: make the call, once."""
    run_id = str(payload["run"])
    async with system_session() as db:
        run = (await db.execute(select(TriggerRun).where(col(TriggerRun.id) == run_id))).scalars().first()
    if run is None or run.state == "done":
        return None
    if run.state == "sent":
        await _set(run_id, "unknown", "the process ended while the call was made")
    if run.state != "queued":
        raise jobs.GiveUp("the call was made before, and nobody knows how it ended")
    inside = _inside.set(True)
    try:
        if run.run_as == "person":
            await _allowed(run.workflow)
        if not await _set(run_id, "sent", "", was="queued"):
            return None
        await _make(run)
    except (NotSent, TooMany) as error:
        await _set(run_id, "queued", f"{error.code}: {error.message}")
        raise
    except (TimedOut, Upstream) as error:
        await _set(run_id, "unknown", f"{error.code}: {error.message}")
        raise jobs.GiveUp(f"{error.code}: {error.message}") from error
    except ShellError as error:
        await _set(run_id, "failed", f"{error.code}: {error.message}")
        raise jobs.GiveUp(f"{error.code}: {error.message}") from error
    finally:
        _inside.reset(inside)
    await _set(run_id, "done", "")
    return None


async def _given_up(payload: dict[str, Any], reason: str) -> None:
    """The job will not be tried again: its call ends with it."""
    run_id = str(payload["run"])
    if not await _set(run_id, "failed", reason, was="queued"):
        await _set(run_id, "unknown", reason, was="sent")


async def _make(run: TriggerRun) -> None:
    """``POST /api/workflows/execute``; at a runtime without that route (the published one, the embedded one) a chat with
    one message, the event and its data as JSON.
    """
    try:
        await service.execute(run.workflow, run.data, trigger=run.event, seconds=SECONDS)
    except (NotFound, Unavailable) as error:
        if error.code not in {"RUNTIME_NOT_FOUND", "WORKFLOWS_NOT_CONFIGURED"}:
            raise
        await _by_chat(run)


async def _by_chat(run: TriggerRun) -> None:
    """The run begins with the message, over the runtime's HTTP input route. Its chat is the person's, or of nobody."""
    person = current_principal()
    if run.run_as != "person" or person is None:
        person = Principal("svc-triggers", run.app_id, "Triggers", roles=frozenset({"service"}))
    try:
        client = await service.runtime()
    except Unavailable as error:
        raise NotSent from error
    token = await tokens.mint(person, workflow=run.workflow, plan="")
    known = await client.workflows(token)
    if known and run.workflow not in known:
        raise NotFound(tr("There is no such workflow."), code="WORKFLOW_NOT_FOUND")
    chat_id = await client.start(run.app_id, run.workflow, person.user_id, token, run.id)
    token = await tokens.mint(person, workflow=run.workflow, plan="", chat_id=chat_id)
    message = json.dumps({"trigger": run.event, "data": run.data}, ensure_ascii=False)
    with suppress(TimedOut):  # the published runtime answers when the run pauses or ends
        await client.say(run.app_id, run.workflow, chat_id, person.user_id, message, token, SAY_SECONDS)


async def _allowed(workflow: str) -> None:
    person = current_principal()
    if person is None or not person.user_id:
        raise NotSignedIn(tr("Sign in to continue."))
    await service.authorize_launch(person, workflow)


async def _set(run_id: str, state: str, error: str, *, was: str = "") -> bool:
    ended = clock.now() if state in {"done", "failed", "unknown"} else None
    change: Any = update(TriggerRun).where(col(TriggerRun.id) == run_id)
    if was:
        change = change.where(col(TriggerRun.state) == was)
    change = change.values(state=state, error=error[:500], finished_at=ended)
    async with system_session() as db:
        done: Any = await db.execute(change.execution_options(synchronize_session=False))
    return bool(done.rowcount)


# -- the clock ----------------------------------------------------------------------------------------------


def sync() -> None:
    """Make the schedules of the rules known to the jobs of this process. Cheap when nothing changed."""
    for rule in triggers_config().triggers:
        name = f"broker.schedule.{rule.id}"
        before = jobs.known(name)
        timing = rule.timing
        if timing is None or (before is not None and before.timing is not None and before.timing.text == timing.text):
            continue
        jobs.define(jobs.Definition(name, partial(_tick, rule.id), timing=timing, ready=partial(_current, rule.id)))


def _rule(rule_id: str) -> TriggerRule | None:
    return next((one for one in triggers_config().triggers if one.id == rule_id and one.enabled and one.schedule), None)


def _current(rule_id: str) -> bool:
    return get_settings().ai_enabled and _rule(rule_id) is not None


async def _tick(rule_id: str, _: dict[str, Any]) -> None:
    """The job of a tick. However often it is repeated, the tick has one name: the time the schedule gave it away."""
    rule, app_id = _rule(rule_id), get_settings().app_id
    if rule is None:
        return
    async with system_session(app_id) as db:
        query = select(Schedule.last_at).where(col(Schedule.name) == f"broker.schedule.{rule_id}")
        last = (await db.execute(query)).scalars().first()
    at = aware(last or clock.now()).isoformat()
    await _note(rule, at, {"event": "schedule", "user_id": "", "app_id": app_id, "at": at, "data": {"rule": rule_id, "at": at}})


async def _sweep(_: dict[str, Any]) -> None:
    async with system_session() as db:
        old = delete(TriggerRun).where(col(TriggerRun.created_at) < clock.now() - KEPT)
        await db.execute(old.execution_options(synchronize_session=False))
    await outbox.forget(get_settings().app_id, clock.now() - KEPT)


async def runs(app_id: str, limit: int = 100) -> list[dict[str, Any]]:
    """The latest calls of all rules, newest first, for operators. Without their data."""
    async with system_session(app_id) as db:
        query = select(TriggerRun).order_by(col(TriggerRun.created_at).desc(), col(TriggerRun.id).desc())
        rows = list((await db.execute(query.limit(max(1, min(limit, 500))))).scalars())
    return [
        {
            "id": row.id, "rule": row.rule, "event": row.event, "workflow": row.workflow, "run_as": row.run_as,
            "state": row.state, "error": row.error, "created_at": aware(row.created_at).isoformat(),
            "finished_at": aware(row.finished_at).isoformat() if row.finished_at else None,
        }
        for row in rows
    ]  # fmt: skip


async def start_triggers() -> Callable[[], Awaitable[None]]:
    """Lifespan step: follow the rules' schedules. Returns its undo."""
    define()

    async def follow() -> None:
        while True:
            try:
                sync()
            except Exception:  # a file is being written; what was good before stays in use
                log.exception("the schedules of triggers.json could not be read")
            try:
                await catch_up()
            except Exception as error:  # noqa: BLE001 - the database may be away for a while; this must outlive it
                log.warning("events that were kept could not be looked at", error=repr(error)[:200])
            await asyncio.sleep(_LOOK)

    task = asyncio.create_task(follow(), name="triggers")

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return stop


def define() -> None:
    """Make the jobs of this module known."""
    outbox.keep_if(wanted)
    jobs.define(jobs.Definition(CALL, _call, retries=12, seconds=SECONDS + 30, given_up=_given_up))
    jobs.define(jobs.Definition("broker.triggers.sweep", _sweep, timing=Every(timedelta(days=1))))


define()
