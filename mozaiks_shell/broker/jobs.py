"""Long work over HTTP: start it, ask how it stands, fetch what it made (F-155).

A job is a chat of its own with one message in it. It is started like any other chat, so role, plan, budget and rate are
asked first; then the message is sent over the runtime's HTTP input route, once, and the runtime is asked for the chat's
state until that says completed, or the job's time is over. A workflow that asks a person something makes the job
``waiting_for_input`` where the runtime tells so: it goes on when its chat is answered, and ends in time if it is not. Every
step is a short background job, so nothing is held open and a restart loses nothing.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from mozaiks_shell.broker import service, tokens
from mozaiks_shell.broker.errors import NotSent
from mozaiks_shell.broker.models import WorkflowJob
from mozaiks_shell.broker.ports import Runtime
from mozaiks_shell.foundation import clock, events, live
from mozaiks_shell.foundation import jobs as queue
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError, TimedOut, TooMany, Upstream
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings

STEP: Final = "broker.workflow_job"
SHORTEST: Final = 10.0  # seconds a job may have
LONGEST: Final = 86_400.0
LARGEST: Final = 8_000_000  # bytes of an artifact that is fetched
_KEPT: Final = 1_000_000  # characters of artifacts that are kept in the row
_SAY_SECONDS: Final = 10.0  # the published runtime holds the request open while it works
_OPEN: Final = ("pending", "running", "waiting")
_TOLD: Final = {"waiting": "waiting_for_input"}  # the column holds 16 characters
FRAME: Final = "workflow_job"  # what open tabs of the person are told, with the id, whenever a job has changed
_NAME: Final = re.compile(r"[^A-Za-z0-9_. -]+")


@dataclass(frozen=True, slots=True)
class File:
    """An artifact. ``name`` is safe in a header and on a disk."""

    name: str
    content_type: str
    content: bytes


async def start(person: Principal, workflow: str, message: str, *, seconds: float = 3600.0, key: str = "") -> dict[str, Any]:
    """Start long work for this person; answers the job as :func:`find` does.

    Args:
        message: What the workflow is asked.
        seconds: Until then it must be done, 10 to 86,400; after it the job is ``timed_out``.
        key: Repeating it returns the same job.

    Raises:
        Invalid: no message, or no such time.
        ShellError: whatever forbids a start, see :func:`mozaiks_shell.broker.service.start`.
    """
    if not message.strip() or len(message) > 32_000:
        raise Invalid(
            tr("Say what is to be done, in at most 32,000 characters."), errors=[{"field": "message", "message": "1 to 32000"}]
        )
    if not SHORTEST <= seconds <= LONGEST:
        told = tr("The time for a job is {shortest} to {longest} seconds.", shortest=int(SHORTEST), longest=int(LONGEST))
        raise Invalid(told, errors=[{"field": "timeout_seconds", "message": told}])
    scope = Scope(person.app_id, person.user_id)
    if key and (earlier := await _with_key(scope, key)) is not None:
        return _described(earlier)
    row = WorkflowJob(
        workflow=workflow, message=message, key=key or None, deadline=clock.now() + timedelta(seconds=seconds)
    )  # fmt: skip
    chat = await service.start(person, workflow, idempotency_key=f"job:{key}" if key else f"job:{row.id}")
    row.chat_id, row.runtime_chat_id = chat.chat_id, chat.runtime_chat_id
    try:
        async with session(scope) as db:
            db.add(row)
            await db.flush()
            told_id = row.id
            await queue.enqueue(STEP, {"id": told_id, "n": 0}, app_id=person.app_id, user_id=person.user_id, within=db)
    except IntegrityError:
        earlier = await _with_key(scope, key)
        if earlier is None:
            raise
        return _described(earlier)
    await events.publish(events.Event("workflow_job.started", person.app_id, person.user_id, {"id": told_id}))
    await _tell(person.app_id, person.user_id, told_id)
    return await find(person, told_id)


async def find(person: Principal, job_id: str) -> dict[str, Any]:
    """One job of this person.

    Raises:
        NotFound: they have none with this id.
    """
    return _described(await _row(Scope(person.app_id, person.user_id), job_id))


async def listing(person: Principal, limit: int = 50) -> list[dict[str, Any]]:
    """This person's jobs, newest first."""
    query = select(WorkflowJob).order_by(col(WorkflowJob.created_at).desc(), col(WorkflowJob.id).desc())
    async with session(Scope(person.app_id, person.user_id)) as db:
        return [_described(row) for row in (await db.execute(query.limit(max(1, min(limit, 200))))).scalars()]


async def has_any(person: Principal) -> bool:
    """Whether this person ever started long work."""
    async with session(Scope(person.app_id, person.user_id)) as db:
        return (await db.execute(select(WorkflowJob.id).limit(1))).first() is not None


async def cancel(person: Principal, job_id: str) -> dict[str, Any]:
    """Wait for a job no longer. What the runtime does by then stays in its chat.

    Raises:
        NotFound: as :func:`find`.
        Conflict: it has ended.
    """
    scope = Scope(person.app_id, person.user_id)
    await _row(scope, job_id)
    if not await _end(scope, job_id, "cancelled"):
        raise Conflict(tr("This job has ended already."), code="JOB_ENDED")
    return await find(person, job_id)


async def artifact(person: Principal, job_id: str, name: str) -> File:
    """What a job made, by name.

    Raises:
        NotFound: no such job or artifact, or the runtime does not have it any more.
        Unavailable, TimedOut, Upstream: the runtime keeps it and is not there.
    """
    row = await _row(Scope(person.app_id, person.user_id), job_id)
    found = next((one for one in row.artifacts if one["name"] == name), None)
    if found is None:
        raise NotFound(tr("There is no such artifact."), code="ARTIFACT_NOT_FOUND")
    if "content" in found:
        return File(name, found["content_type"], str(found["content"]).encode("utf-8", "replace"))
    client, token = await _runtime(person, row)
    status, content = await client.fetch(found["path"], token, LARGEST)
    if status == 404:
        raise NotFound(tr("There is no such artifact."), code="ARTIFACT_NOT_FOUND")
    if status >= 300:
        raise Upstream(tr("The assistant's server reported an error."), code="RUNTIME_ERROR")
    return File(name, "application/octet-stream", content)


# -- the steps ----------------------------------------------------------------------------------------------


async def _step(payload: dict[str, Any]) -> None:
    """Say the message if that was not done, else look how it stands; then again later."""
    person = current_principal()
    if person is None or not person.user_id:
        raise queue.GiveUp("a job without a person")
    scope, job_id, number = Scope(person.app_id, person.user_id), str(payload["id"]), int(payload["n"])
    try:
        row = await _row(scope, job_id)
    except NotFound:
        return
    if row.state not in _OPEN:
        return
    if clock.now() >= aware(row.deadline):
        waited = row.state == "waiting"
        why = tr("Nobody answered what it asked in its chat.") if waited else tr("It was not done in time.")
        await _end(scope, job_id, "timed_out", why)
        return
    try:
        if not row.said:
            await _say(scope, person, row)
        elif await _look(scope, person, row):
            return
    except (NotSent, TooMany, TimedOut, Upstream) as error:
        await _note(scope, job_id, f"{error.code}: {error.message}")
    except ShellError as error:
        await _end(scope, job_id, "failed", f"{error.code}: {error.message}")
        return
    due = min(clock.now() + timedelta(seconds=min(10.0, 1.0 + number)), aware(row.deadline))
    following = {"id": job_id, "n": number + 1}
    await queue.enqueue(
        STEP, following, app_id=person.app_id, user_id=person.user_id, run_at=due, key=f"{job_id}:{number + 1}"
    )  # fmt: skip


async def _say(scope: Scope, person: Principal, row: WorkflowJob) -> None:
    """Send the message. It is marked first: one that may have arrived is never sent again."""
    if not await _mark(scope, row.id, said=True):
        return
    client, token = await _runtime(person, row)
    try:
        await client.say(
            person.app_id, row.workflow, row.runtime_chat_id, person.user_id, row.message, token, _SAY_SECONDS
        )  # fmt: skip
    except NotSent:
        await _mark(scope, row.id, said=False)
        raise
    except TimedOut:
        return  # the published runtime answers when the run pauses or ends


async def _look(scope: Scope, person: Principal, row: WorkflowJob) -> bool:
    """Ask the runtime; True when the job ended."""
    client, token = await _runtime(person, row)
    meta = await client.meta(person.app_id, row.workflow, row.runtime_chat_id, token)
    if not meta.get("exists"):
        return await _end(scope, row.id, "failed", tr("The assistant's server does not know this."))
    if meta.get("failed"):
        return await _end(scope, row.id, "failed", str(meta.get("error") or meta.get("status_text") or "")[:500])
    if meta.get("status") == 1:
        return await _end(scope, row.id, "done", artifacts=artifacts_in(meta))
    waits, steps = bool(meta.get("waiting_for")), meta.get("last_sequence")
    if isinstance(steps, int) and row.steps < steps < 1_000_000:
        grown: Any = update(WorkflowJob).where(col(WorkflowJob.id) == row.id).values(steps=steps)
        await _change(scope, row.id, grown)
    if waits != (row.state == "waiting") or (row.error and not waits):
        told = tr("It asks something. Answer it in its chat.") if waits else ""
        await _note(scope, row.id, told, state="waiting" if waits else "running")
    return False


async def _given_up(payload: dict[str, Any], reason: str) -> None:
    """Its next step will not be taken: the person left, or the steps fail for good."""
    await _end(Scope(get_settings().app_id, None), str(payload["id"]), "failed", reason)


def artifacts_in(meta: dict[str, Any]) -> list[dict[str, Any]]:
    """What a chat's state says of artifacts, under names that are safe and different: files that were generated, a list
    of ``artifacts``, and the last UI tool with its payload. Paths of the runtime are kept as paths; other addresses are not.
    """
    found: list[dict[str, Any]] = []
    room = _KEPT

    def add(name: str, kind: str, content: str | None = None, path: str | None = None) -> None:
        nonlocal room
        clean = _NAME.sub("_", name.replace("/", "_")).strip(". ")[:100] or "artifact"
        taken = {one["name"] for one in found}
        final = next(one for one in (clean, *(f"{number}-{clean}" for number in range(2, 500))) if one not in taken)
        if path is not None:
            if path.startswith("/") and not path.startswith("//"):
                found.append({"name": final, "content_type": kind, "path": path[:500]})
        elif content is not None and len(content) <= room:
            room -= len(content)
            found.append({"name": final, "content_type": kind, "content": content})

    def files(tree: Any, prefix: str = "") -> None:
        for name, value in tree.items() if isinstance(tree, dict) and len(found) < 200 else ():
            if isinstance(value, dict):
                files(value, f"{prefix}{name}/")
            elif isinstance(value, str) and len(found) < 200:
                add(f"{prefix}{name}", "text/plain; charset=utf-8", value)

    files(meta.get("generated_files"))
    for one in meta["artifacts"][:200] if isinstance(meta.get("artifacts"), list) else ():
        if isinstance(one, dict):
            name = str(one.get("name") or one.get("id") or "artifact")
            where, content = one.get("path") or one.get("url"), one.get("content")
            if isinstance(content, str):
                add(name, "text/plain; charset=utf-8", content)
            elif isinstance(content, dict | list):
                add(name, "application/json", json.dumps(content))
            elif isinstance(where, str):
                add(name, "application/octet-stream", path=where)
    last = meta.get("last_artifact")
    if isinstance(last, dict) and last.get("payload") is not None:
        payload = last["payload"]
        files(payload.get("generated_files") if isinstance(payload, dict) else None)
        add(f"{last.get('ui_tool_id') or 'artifact'}.json", "application/json", json.dumps(payload))
    return found


async def _runtime(person: Principal, row: WorkflowJob) -> tuple[Runtime, str]:
    token = await tokens.mint(
        person, workflow=row.workflow, plan=await service.plan_of(person), chat_id=row.runtime_chat_id
    )  # fmt: skip
    return await service.runtime(), token


async def _row(scope: Scope, job_id: str) -> WorkflowJob:
    async with session(scope) as db:
        row = (await db.execute(select(WorkflowJob).where(col(WorkflowJob.id) == job_id))).scalars().first()
    if row is None:
        raise NotFound(tr("There is no such job."), code="JOB_NOT_FOUND")
    return row


async def _with_key(scope: Scope, key: str) -> WorkflowJob | None:
    async with session(scope) as db:
        return (await db.execute(select(WorkflowJob).where(col(WorkflowJob.key) == key))).scalars().first()


async def _mark(scope: Scope, job_id: str, *, said: bool) -> bool:
    change: Any = update(WorkflowJob).where(col(WorkflowJob.id) == job_id, col(WorkflowJob.said).is_(not said))
    return await _change(scope, job_id, change.values(said=said, state="running" if said else "pending"))


async def _note(scope: Scope, job_id: str, error: str, **more: str) -> None:
    change: Any = update(WorkflowJob).where(col(WorkflowJob.id) == job_id, col(WorkflowJob.state).in_(_OPEN))
    await _change(scope, job_id, change.values(error=error[:500], **more))


async def _end(scope: Scope, job_id: str, state: str, error: str = "", artifacts: list[dict[str, Any]] | None = None) -> bool:
    change: Any = update(WorkflowJob).where(col(WorkflowJob.id) == job_id, col(WorkflowJob.state).in_(_OPEN))
    values = {"state": state, "error": error[:500], "finished_at": clock.now(), "artifacts": artifacts or []}
    return await _change(scope, job_id, change.values(**values))


async def _change(scope: Scope, job_id: str, statement: Any) -> bool:
    whose = select(WorkflowJob.user_id).where(col(WorkflowJob.id) == job_id)
    async with session(scope) as db:
        done: Any = await db.execute(statement.execution_options(synchronize_session=False))
        user_id = scope.user_id or (await db.execute(whose)).scalars().first()
    if done.rowcount and user_id:
        await _tell(scope.app_id, user_id, job_id)
    return bool(done.rowcount)


async def _tell(app_id: str, user_id: str, job_id: str) -> None:
    await live.push(app_id, user_id, {"type": FRAME, "data": {"id": job_id}})


def _described(row: WorkflowJob) -> dict[str, Any]:
    def time(moment: datetime | None) -> str | None:
        return aware(moment).isoformat() if moment else None

    made = [{"name": one["name"], "content_type": one["content_type"]} for one in row.artifacts]
    return {
        "id": row.id, "workflow_name": row.workflow, "state": _TOLD.get(row.state, row.state), "error": row.error,
        "title": " ".join(row.message.split())[:120], "steps": row.steps,
        "chat_id": row.chat_id, "artifacts": made, "created_at": time(row.created_at), "deadline": time(row.deadline),
        "finished_at": time(row.finished_at),
    }  # fmt: skip


def define() -> None:
    """Make the steps known to the jobs of this process."""
    queue.define(queue.Definition(STEP, _step, retries=20, seconds=60, given_up=_given_up))


define()
