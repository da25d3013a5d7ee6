"""Use cases of the broker: who may launch what, starting and resuming runs, where the runtime is (F-140 to F-152).

Authority comes first, always: a refused start makes no upstream call. A workflow that no capability names is
an operator's experiment: only admins may start it, everybody else is told that it does not exist.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from mozaiks_shell.appconfig.capabilities import Capability, load_capabilities
from mozaiks_shell.billing import service as billing
from mozaiks_shell.broker import tokens
from mozaiks_shell.broker.adapters.runtime_http import HttpRuntime
from mozaiks_shell.broker.errors import ai_disabled, runtime_unavailable
from mozaiks_shell.broker.ports import ChatKeeper, KnownChat, Runtime
from mozaiks_shell.broker.runtime_process import EmbeddedRuntime
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Access, Decision, Principal
from mozaiks_shell.foundation.errors import Forbidden, NotFound, PlanNeeded, RoleNeeded, ShellError
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings

STARTS_PER_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Offer:
    """A capability as one person sees it. ``needed`` is the plan or role that would open it."""

    capability: Capability
    decision: Decision

    @property
    def allowed(self) -> bool:
        """What a launch would answer."""
        return self.capability.enabled and self.decision.allowed


@dataclass(frozen=True, slots=True)
class Session:
    """A started or resumed chat and what it takes to connect to it. ``token`` is a secret."""

    chat_id: str
    runtime_chat_id: str
    workflow: str
    capability_id: str
    token: str
    ws_url: str
    api_url: str
    expires_in: int
    resumed: bool


class _Broker:
    """What this process holds: connections, the child, starts under way."""

    keeper: ChatKeeper | None = None
    embedded: EmbeddedRuntime | None = None
    client: HttpRuntime | None = None
    capabilities: list[Capability] | None = None
    starting: dict[tuple[str, str, str], asyncio.Task[KnownChat]]

    def __init__(self) -> None:
        self.starting = {}


_broker = _Broker()


def use_keeper(keeper: ChatKeeper) -> None:
    """Name who keeps the chats. The chat room calls it when it starts."""
    _broker.keeper = keeper


def reload() -> None:
    """Read the capability files again.

    Raises:
        ConfigError: they are unusable; what was loaded before stays.
    """
    _broker.capabilities = load_capabilities()


def capabilities() -> list[Capability]:
    """Every capability of this app, in the operator's order."""
    if _broker.capabilities is None:
        reload()
    return list(_broker.capabilities or [])


async def start_runtime() -> Callable[[], Awaitable[None]]:
    """Lifespan step: start the embedded runtime unless another one is configured or AI is off. Returns its undo.

    Does not wait until the runtime listens; the first caller does.

    Raises:
        ConfigError: a capability file or a signing key is unusable.
    """
    settings = get_settings()
    reload()
    await asyncio.to_thread(tokens.signing_keys)
    if settings.ai_enabled and not settings.ai_url:
        _broker.embedded = EmbeddedRuntime()
    return _stop_runtime


async def _stop_runtime() -> None:
    embedded, client = _broker.embedded, _broker.client
    _broker.embedded = _broker.client = _broker.capabilities = None
    if client is not None:
        await client.close()
    if embedded is not None:
        await embedded.stop()


async def runtime_url() -> str:
    """HTTP base of the runtime, without a trailing slash.

    Raises:
        Unavailable: AI is off, or the embedded runtime is not up.
    """
    settings = get_settings()
    if not settings.ai_enabled:
        raise ai_disabled()
    if settings.ai_url:
        return settings.ai_url
    if _broker.embedded is None:
        raise runtime_unavailable()
    return await _broker.embedded.url()


async def runtime_ws_url() -> str:
    """WebSocket base of the runtime, without a trailing slash."""
    base = get_settings().ai_ws_url or await runtime_url()
    parts = urlsplit(base)
    return parts._replace(scheme={"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)).geturl()


async def runtime() -> Runtime:
    """The client of the runtime that is configured now."""
    url = await runtime_url()
    if _broker.client is None or _broker.client.base_url != url:
        if _broker.client is not None:
            await _broker.client.close()
        _broker.client = HttpRuntime(url)
    return _broker.client


async def plan_of(principal: Principal) -> str:
    """Name of the person's plan."""
    return (await billing.plan_of(principal)).name


async def offers(principal: Principal) -> list[Offer]:
    """Every enabled capability this person may know about, with the verdict of a launch (F-145).

    Entries for another role stay hidden; entries of another plan are shown locked.
    """
    if not get_settings().ai_enabled:
        return []
    seen = [Offer(one, await _decide(principal, one)) for one in capabilities() if one.enabled]
    return [offer for offer in seen if offer.decision.reason != "role"]


async def _decide(principal: Principal, capability: Capability) -> Decision:
    demands = [Access.signed_in()]
    if capability.requires_superadmin:
        demands.append(Access.role("superadmin"))
    if capability.visibility == "admin":
        demands.append(Access.role("admin"))
    if capability.allowed_plans:
        demands.append(Access.plan(*capability.allowed_plans))
    decision = Decision(True)
    for access in demands:
        decision = await billing.authorize(principal, access)
        if not decision.allowed:
            break
    return decision


async def authorize_launch(principal: Principal, workflow: str) -> Capability | None:
    """The capability under which this person may run the workflow; None for an admin and an unnamed workflow.

    Raises:
        PlanNeeded, RoleNeeded: a capability names it, but not for this person.
        Forbidden: the capability is switched off.
        NotFound: nobody named it, or not for this person's eyes.
    """
    named = [one for one in capabilities() if one.workflow_id == workflow]
    refusal: ShellError | None = None
    for capability in named:
        if not capability.enabled:
            refusal = refusal or Forbidden(f"{capability.display_name} is switched off.", code="CAPABILITY_DISABLED")
            continue
        decision = await _decide(principal, capability)
        if decision.allowed:
            return capability
        refusal = _refused(capability, decision)
    if refusal is not None:
        raise refusal
    if principal.has_role("admin"):
        return None
    raise NotFound("There is no such workflow.", code="WORKFLOW_NOT_FOUND")


def _refused(capability: Capability, decision: Decision) -> ShellError:
    if decision.reason == "plan":
        message = f"{capability.display_name} is part of the plan {decision.needed}."
        return PlanNeeded(message, needed=decision.needed, capability=capability.id)
    return RoleNeeded(f"{capability.display_name} needs the role {decision.needed}.", needed=decision.needed)


async def start(
    principal: Principal, workflow: str, *, chat_id: str | None = None, idempotency_key: str | None = None
) -> Session:
    """Start a chat, or resume ``chat_id``, for this person: authorise, ask the runtime, keep the chat (F-140, F-141).

    Args:
        idempotency_key: Repeating it within this person's chats returns the same chat (F-151). Without one every
            call makes a chat.

    Raises:
        PlanNeeded, RoleNeeded, Forbidden, NotFound: see :func:`authorize_launch`; ``chat_id`` unknown or not theirs.
        TooMany: more than 30 starts within a minute.
        TokensNeeded, Conflict: the runtime refused, with its reason (F-152).
        Unavailable, TimedOut, Upstream: the runtime is not there or broken.
    """
    if not get_settings().ai_enabled:
        raise ai_disabled()
    known = await _owned(principal, chat_id) if chat_id else None
    workflow = known.workflow if known else workflow
    capability = await authorize_launch(principal, workflow)
    if known is None:
        await hit("ai.start", principal.user_id, STARTS_PER_MINUTE)
        known = await _once(principal, workflow, capability, idempotency_key)
    return await connect(principal, known, capability_id=capability.id if capability else "", resumed=chat_id is not None)


async def connect(principal: Principal, chat: KnownChat, *, capability_id: str = "", resumed: bool = True) -> Session:
    """A fresh token and the addresses for a chat this person owns. Checks nothing; the caller did."""
    settings = get_settings()
    token = tokens.mint(
        principal,
        workflow=chat.workflow,
        plan=await plan_of(principal),
        chat_id=chat.runtime_chat_id,
        capability_id=capability_id,
    )
    path = "/".join(quote(part, safe="") for part in (chat.workflow, principal.app_id, chat.runtime_chat_id, principal.user_id))
    return Session(
        chat_id=chat.chat_id,
        runtime_chat_id=chat.runtime_chat_id,
        workflow=chat.workflow,
        capability_id=capability_id,
        token=token,
        ws_url=f"{await runtime_ws_url()}/ws/{path}",
        api_url=await runtime_url(),
        expires_in=settings.execution_token_minutes * 60,
        resumed=resumed,
    )


async def runtime_status(principal: Principal, chat: KnownChat) -> int | None:
    """The runtime's status of a chat: 0 in progress, 1 completed, None when it does not know the chat.

    Raises:
        Unavailable, TimedOut, Upstream: it could not be asked.
    """
    token = tokens.mint(principal, workflow=chat.workflow, plan="", chat_id=chat.runtime_chat_id)
    meta = await (await runtime()).meta(principal.app_id, chat.workflow, chat.runtime_chat_id, token)
    status = meta.get("status")
    return status if meta.get("exists") and isinstance(status, int) else None


async def health(principal: Principal) -> dict[str, Any]:
    """The runtime's health report, for operators."""
    return await (await runtime()).health(tokens.mint(principal, workflow="", plan=""))


def _keeper() -> ChatKeeper:
    if _broker.keeper is None:
        raise RuntimeError("no chat keeper: call broker.service.use_keeper first")
    return _broker.keeper


async def _owned(principal: Principal, chat_id: str) -> KnownChat:
    known = await _keeper().find(chat_id)
    if known is None:
        raise NotFound("There is no such chat.", code="CHAT_NOT_FOUND")
    if known.user_id != principal.user_id:
        raise Forbidden("This chat belongs to somebody else.", code="CHAT_NOT_YOURS")
    return known


async def _once(principal: Principal, workflow: str, capability: Capability | None, key: str | None) -> KnownChat:
    """One chat per idempotency key: callers that come while the first one is under way share its result."""
    if key is None:
        return await _create(principal, workflow, capability, None)
    slot = (principal.app_id, principal.user_id, key)
    task = _broker.starting.get(slot)
    if task is None:
        task = asyncio.create_task(_create(principal, workflow, capability, key))
        _broker.starting[slot] = task
        task.add_done_callback(lambda _: _broker.starting.pop(slot, None))
    return await asyncio.shield(task)


async def _create(principal: Principal, workflow: str, capability: Capability | None, key: str | None) -> KnownChat:
    if key is not None and (earlier := await _keeper().find_started(principal, key)) is not None:
        return earlier
    plan = await plan_of(principal)
    token = tokens.mint(principal, workflow=workflow, plan=plan, capability_id=capability.id if capability else "")
    client = await runtime()
    if capability is None and workflow not in await client.workflows(token):
        raise NotFound("There is no such workflow.", code="WORKFLOW_NOT_FOUND")
    chat_id = await client.start(principal.app_id, workflow, principal.user_id, token, key or new_id("req"))
    known = await _keeper().add(principal, chat_id, workflow, key)
    data = {"chat_id": known.chat_id, "workflow": workflow, "capability": capability.id if capability else ""}
    await events.publish(events.Event("chat.started", principal.app_id, principal.user_id, data))
    return known
