"""``workflow_client``: let MozaiksAI work. Permission ``workflows``.

    answer = await workflow_client.execute(workflow="send-notification", data={"taskId": task.id, "userId": user.id})

The runtime and the app's key for it are ``MOZAIKS_AI_URL`` and ``MOZAIKS_AI_TOKEN``. Awaited in ``async`` code, called
plainly in ``def``.
"""

import json
from dataclasses import dataclass
from typing import Any

from mozaiks_shell.broker import jobs as _work
from mozaiks_shell.broker import service as _broker
from mozaiks_shell.foundation import jobs as _queue
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.errors import Forbidden, Invalid, NotSignedIn, ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import calling, either_way

_LATER = "sdk.workflow_client.execute"


@dataclass(frozen=True, slots=True)
class StartedChat:
    """A chat the person can go on with. ``path`` is the page where it is."""

    chat_id: str
    workflow: str
    path: str


@dataclass(frozen=True, slots=True)
class LongWork:
    """Work of a workflow that takes its time. ``state``: ``pending``, ``running``, ``done``, ``failed``, ``timed_out`` or
    ``cancelled``; ``artifacts`` are the names of what it made.
    """

    id: str
    workflow: str
    state: str
    error: str
    artifacts: tuple[str, ...]
    path: str


def execute(workflow: str, data: dict[str, Any] | None = None, *, trigger: str = "", timeout: float = 60.0) -> Any:
    """Run a workflow and wait for its answer, a dict: one ``POST /api/workflows/execute``, never repeated (F-295).

    Args:
        workflow: Its name at the runtime.
        data: What it gets, as JSON.
        trigger: The event behind it, for the runtime's log: ``task.created``.
        timeout: Seconds to wait.

    Raises:
        Forbidden: ``PERMISSION_MISSING``; ``WORKFLOW_RESTRICTED``, it is for operators and somebody else is signed in.
        Unavailable: ``WORKFLOWS_NOT_CONFIGURED`` (the message names the setting), ``AI_DISABLED``, ``RUNTIME_UNAVAILABLE``.
        Invalid: the data is not JSON, or the runtime refused it (``WORKFLOW_REFUSED``).
        TimedOut, NotFound, Conflict, TooMany, Upstream: what the runtime answered instead.

    Example:
        >>> answer = await sdk.workflow_client.execute(workflow="Summary", data={"text": note.text})
        >>> answer["summary"]
        'Buy milk.'
    """
    demand(Permission.WORKFLOWS)
    _not_restricted(workflow)
    return either_way(_broker.execute(workflow, _json(data), trigger=trigger, seconds=timeout))


def execute_later(workflow: str, data: dict[str, Any] | None = None, *, trigger: str = "", key: str = "") -> Any:
    """Queue a run whose answer nobody waits for; returns the job's id. While the runtime is down it is tried again, six times.

    Args:
        workflow, data, trigger: As :func:`execute`.
        key: While a run of this key waits, no second one is queued.

    Raises:
        Forbidden, Invalid: as :func:`execute`.

    Example:
        >>> await sdk.workflow_client.execute_later("send-notification", {"taskId": task.id}, trigger="task.created")
    """
    demand(Permission.WORKFLOWS)
    _not_restricted(workflow)
    plugin, person = calling(), current_principal()
    payload = {"workflow": workflow, "data": _json(data), "trigger": trigger}
    app_id, user_id = (person.app_id, person.user_id) if person else (get_settings().app_id, "")
    owner = plugin.name if plugin else ""
    return either_way(
        _queue.enqueue(_LATER, payload, app_id=app_id, user_id=user_id, owner=owner, key=f"{owner}:{key}"[:160] if key else "")
    )


def start(workflow: str) -> Any:
    """Start a chat with a workflow for the current person, with all that the app asks of them: role, plan, budget.

    Returns:
        A :class:`StartedChat`; send the person to its ``path``.

    Raises:
        NotSignedIn: nobody is signed in.
        PlanNeeded, RoleNeeded, Forbidden, NotFound: not for this person.
        TooMany, Unavailable, TimedOut, Upstream: not now.

    Example:
        >>> chat = await sdk.workflow_client.start("AgentGenerator")
        >>> return sdk.rx.redirect(chat.path)
    """
    demand(Permission.WORKFLOWS)
    return either_way(_start(_person(), workflow))


def start_long(workflow: str, message: str, *, timeout: float = 3600.0, key: str = "") -> Any:
    """Start long work for the current person and return at once, with a :class:`LongWork` to ask about later (F-155).

    Args:
        workflow: Its name at the runtime.
        message: What it is asked.
        timeout: Seconds after which nobody waits for it any more, 10 to 86,400.
        key: Repeating it returns the same work.

    Raises:
        NotSignedIn, Invalid: nobody is signed in; no message, or no such time.
        PlanNeeded, RoleNeeded, Forbidden, NotFound, TooMany, Unavailable, TimedOut, Upstream: as :func:`start`.

    Example:
        >>> work = await sdk.workflow_client.start_long("Report", "The figures of May", timeout=1800)
        >>> work.state
        'pending'
    """
    demand(Permission.WORKFLOWS)
    return either_way(_start_long(_person(), workflow, message, timeout, key))


def long_work(work_id: str) -> Any:
    """How long work of the current person stands: a :class:`LongWork`.

    Raises:
        NotSignedIn, NotFound: nobody is signed in; they have none with this id.

    Example:
        >>> (await sdk.workflow_client.long_work(work.id)).artifacts
        ('report.md',)
    """
    demand(Permission.WORKFLOWS)
    return either_way(_long_work(_person(), work_id))


def artifact(work_id: str, name: str) -> Any:
    """The content of what long work made, as bytes.

    Raises:
        NotSignedIn, NotFound: nobody is signed in; no such work or artifact.
        Unavailable, TimedOut, Upstream: the runtime keeps it and is not there.

    Example:
        >>> text = (await sdk.workflow_client.artifact(work.id, "report.md")).decode()
    """
    demand(Permission.WORKFLOWS)
    return either_way(_artifact(_person(), work_id, name))


def _person() -> Principal:
    person = current_principal()
    if person is None or not person.user_id:
        raise NotSignedIn(tr("Sign in to continue."))
    return person


def _not_restricted(workflow: str) -> None:
    """Workflows for operators stay theirs, also by way of a plugin that acts for somebody else (F-162)."""
    person = current_principal()
    restricted = workflow in get_settings().restricted_workflows
    if restricted and person is not None and person.user_id and not person.has_role("superadmin"):
        raise Forbidden(tr("This workflow is for operators only."), code="WORKFLOW_RESTRICTED")


async def _start_long(person: Principal, workflow: str, message: str, seconds: float, key: str) -> LongWork:
    return _as_work(await _work.start(person, workflow, message, seconds=seconds, key=key))


async def _long_work(person: Principal, work_id: str) -> LongWork:
    return _as_work(await _work.find(person, work_id))


async def _artifact(person: Principal, work_id: str, name: str) -> bytes:
    return (await _work.artifact(person, work_id, name)).content


def _as_work(told: dict[str, Any]) -> LongWork:
    made = tuple(one["name"] for one in told["artifacts"])
    return LongWork(told["id"], told["workflow_name"], told["state"], told["error"], made, f"/chat?chat_id={told['chat_id']}")


async def _start(person: Principal, workflow: str) -> StartedChat:
    session = await _broker.start(person, workflow)
    return StartedChat(session.chat_id, session.workflow, f"/chat?chat_id={session.chat_id}")


async def _run_later(payload: dict[str, Any]) -> Any:
    try:
        _not_restricted(payload["workflow"])
        answer = await _broker.execute(payload["workflow"], payload["data"], trigger=payload["trigger"])
    except ShellError as error:
        if error.status < 429 or error.code == "WORKFLOWS_NOT_CONFIGURED":
            raise _queue.GiveUp(f"{error.code}: {error.message}") from error
        raise
    return answer if len(json.dumps(answer)) <= 64_000 else None


def _json(data: dict[str, Any] | None) -> dict[str, Any]:
    try:
        return dict(checked(json.loads(json.dumps(data or {}, allow_nan=False))))
    except (TypeError, ValueError) as error:
        raise Invalid(f"A workflow's data must be JSON: {error}") from error


_queue.define(_queue.Definition(_LATER, _run_later))

__all__ = ["LongWork", "StartedChat", "artifact", "execute", "execute_later", "long_work", "start", "start_long"]
