"""Use cases of the broker: who may launch what, starting and resuming runs, where the runtime is (F-140 to F-152).

Authority comes first, always: a refused start makes no upstream call. A workflow that no capability names is
an operator's experiment: only admins may start it, everybody else is told that it does not exist.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from mozaiks_shell.appconfig.capabilities import Capability, capabilities_now, load_capabilities
from mozaiks_shell.billing import service as billing
from mozaiks_shell.broker import claims, keys, registry, tokens
from mozaiks_shell.broker.adapters.runtime_http import HttpRuntime
from mozaiks_shell.broker.admission import Offer as Offer
from mozaiks_shell.broker.admission import authorize_launch as authorize_launch
from mozaiks_shell.broker.admission import capability_of as capability_of
from mozaiks_shell.broker.admission import count_start
from mozaiks_shell.broker.admission import offers as offers
from mozaiks_shell.broker.errors import ai_disabled, runtime_unavailable
from mozaiks_shell.broker.ports import Budget, ChatKeeper, KnownChat, Runtime
from mozaiks_shell.broker.runtime_share import SharedRuntime
from mozaiks_shell.foundation import jobs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Forbidden, NotFound, ShellError, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.leases import Leases
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Every


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


MustCount = Callable[[Principal], Awaitable[bool]]


class _Broker:
    """What this process holds: connections, the child, starts under way."""

    keeper: ChatKeeper | None = None
    budget: Budget | None = None
    must_count: MustCount | None = None
    embedded: SharedRuntime | None = None
    client: HttpRuntime | None = None


_broker = _Broker()


def use_keeper(keeper: ChatKeeper) -> None:
    """Name who keeps the chats. The chat room calls it when it starts."""
    _broker.keeper = keeper


def use_leases(leases: Leases) -> None:
    """Name what decides which process keeps the embedded runtime. The chat room calls it when it starts."""
    if _broker.embedded is not None:
        _broker.embedded.join(leases)


def use_budget(budget: Budget | None) -> None:
    """Name who knows what a person may still spend. The front door does so for the usage room."""
    _broker.budget = budget


def reload() -> None:
    """Look at the capability files now; :func:`capabilities` does so every half second by itself.

    Raises:
        ConfigError: they have an error; what was good before stays in use.
    """
    load_capabilities()


def use_counting(must_count: MustCount | None) -> None:
    """Name who knows whether a person's use has to be counted: limited by a budget, or billed. The usage room does so."""
    _broker.must_count = must_count


async def must_count(principal: Principal) -> bool:
    """Whether this person's use has to be counted, so that no client may talk to the runtime past us."""
    return _broker.must_count is not None and await _broker.must_count(principal)


def capabilities() -> list[Capability]:
    """Every capability of this app as of now, in the operator's order."""
    return capabilities_now()


async def start_runtime(port: int = 0) -> Callable[[], Awaitable[None]]:
    """Lifespan step: have an embedded runtime unless another one is configured or AI is off. Returns its undo.

    It starts once the chats lend their leases (:func:`use_leases`), in one of the processes. Nobody waits here until it
    listens; the first caller does. Also makes the first signing keys and has them replaced in time.

    Args:
        port: Port this process serves on; 0 for the public one.
    """
    settings = get_settings()
    with suppress(Unavailable):  # the database may come later; whoever needs a key then asks again
        await keys.ring()
    await registry.refresh(at_once=True)
    jobs.define(jobs.Definition("broker.keys", keys.rotate_when_due, timing=Every(timedelta(hours=1))))
    if settings.ai_enabled and not settings.ai_url:
        _broker.embedded = SharedRuntime(port or settings.port)
    return _stop_runtime


async def _stop_runtime() -> None:
    embedded, client = _broker.embedded, _broker.client
    _broker.embedded = _broker.client = None
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


def present_client() -> HttpRuntime | None:
    """The client that was used last; None before the first call. For :mod:`.standing`."""
    return _broker.client


def embedded_runtime() -> SharedRuntime | None:
    """The embedded runtime of this installation, if it has one. For :mod:`.standing`."""
    return _broker.embedded


async def available(principal: Principal) -> list[tuple[Offer, bool, str]]:
    """Every capability this person may know about: whether a start would work now, and the reason if not (F-160).

    What we allow is asked of the runtime too, whose packs may demand another workflow first. Without an answer ours counts.
    """
    found = await offers(principal)
    asked = await asyncio.gather(*(_runtime_allows(principal, one.capability.workflow_id) for one in found if one.allowed))
    answers = iter(asked)
    return [(one, *(next(answers) if one.allowed else (False, one.reason))) for one in found]


async def _runtime_allows(principal: Principal, workflow: str) -> tuple[bool, str]:
    token = await tokens.mint(principal, workflow=workflow, plan=await plan_of(principal))
    try:
        return await (await runtime()).available(principal.app_id, workflow, principal.user_id, token)
    except ShellError as error:
        return (False, error.message) if isinstance(error, Unavailable) else (True, "")


async def entries() -> list[registry.Entry]:
    """Every capability of the app with where it comes from, switched-off ones too; for operators (F-159)."""
    return await registry.entries()


async def register_workflow(principal: Principal, definition: dict[str, Any], version: str = "") -> tuple[Capability, bool]:
    """Keep a workflow for this app; see :func:`mozaiks_shell.broker.registry.register`."""
    return await registry.register(principal, definition, version)


async def unregister_workflow(principal: Principal, name: str) -> None:
    """Forget a registered workflow; see :func:`mozaiks_shell.broker.registry.unregister`."""
    await registry.unregister(principal, name)


async def signing_keys() -> list[keys.Standing]:
    """The keys of the runtime's tokens, for operators: active, next, retired. Makes the first ones."""
    await keys.ring()
    return await keys.standings()


async def rotate_signing_key(*, at_once: bool = False, revoke: bool = False) -> str:
    """Let the next key sign; see :func:`mozaiks_shell.broker.keys.rotate`."""
    return await keys.rotate(at_once=at_once, revoke=revoke)


async def plan_of(principal: Principal) -> str:
    """Name of the person's plan."""
    return (await billing.plan_of(principal)).name


async def start(
    principal: Principal,
    workflow: str,
    *,
    chat_id: str | None = None,
    idempotency_key: str | None = None,
    capability_id: str = "",
) -> Session:
    """Start a chat, or resume ``chat_id``, for this person: authorise, ask the runtime, keep the chat (F-140, F-141).

    Args:
        idempotency_key: Repeating it within this person's chats returns the same chat (F-151). Without one every
            call makes a chat.
        capability_id: Under this capability, and no other that names the workflow (F-142).

    Raises:
        PlanNeeded, RoleNeeded, Forbidden, NotFound: see :func:`authorize_launch`; ``chat_id`` unknown or not theirs.
        TooMany: more starts within a minute than one person, or all together, may make (F-166).
        Conflict: the key was used for another workflow, or the chat is of another one.
        TokensNeeded, Conflict: the budget is used up (:func:`use_budget`), or the runtime refused, with its reason (F-152).
        Unavailable, TimedOut, Upstream: the runtime is not there or broken.
    """
    if not get_settings().ai_enabled:
        raise ai_disabled()
    known = await _owned(principal, chat_id) if chat_id else None
    if known is not None and workflow not in {"", known.workflow}:
        raise Conflict(tr("This chat belongs to another workflow."), code="CHAT_OF_ANOTHER_WORKFLOW")
    workflow = known.workflow if known else workflow
    capability = await authorize_launch(principal, workflow, capability_id)
    if known is not None and _broker.budget is not None:
        await _broker.budget.check(principal, workflow, known.chat_id)
    named, plan = capability.id if capability else "", await plan_of(principal)
    if known is None:
        known = await _new(principal, workflow, named, plan, idempotency_key)
    return await _connect(principal, known, plan, named, resumed=chat_id is not None)


async def connect(principal: Principal, chat: KnownChat, *, capability_id: str = "", resumed: bool = True) -> Session:
    """A fresh token and the addresses for a chat this person owns. Checks nothing; the caller did."""
    return await _connect(principal, chat, await plan_of(principal), capability_id, resumed=resumed)


async def _connect(principal: Principal, chat: KnownChat, plan: str, capability_id: str, *, resumed: bool) -> Session:
    settings = get_settings()
    token = await tokens.mint(
        principal,
        workflow=chat.workflow,
        plan=plan,
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


async def execute(workflow: str, data: dict[str, Any], *, trigger: str = "", seconds: float = 60.0) -> dict[str, Any]:
    """Have the runtime run a workflow on behalf of the app itself, and wait for its answer (F-154). One request, never repeated.

    The caller has checked that it may: no person's plan or role is asked here.

    Raises:
        Unavailable: ``WORKFLOWS_NOT_CONFIGURED``, ``AI_DISABLED``, or the runtime is not there.
        Invalid: the runtime refused the data, with its reason.
        NotFound, TokensNeeded, Conflict, TooMany, TimedOut, Upstream: as :func:`start`.
    """
    settings = get_settings()
    if not settings.ai_enabled:
        raise ai_disabled()
    if not settings.ai_url or not settings.ai_token.get_secret_value():
        missing = "MOZAIKS_AI_URL" if not settings.ai_url else "MOZAIKS_AI_TOKEN"
        raise Unavailable(f"Workflows cannot be run from here: {missing} is not set.", code="WORKFLOWS_NOT_CONFIGURED")
    body: dict[str, Any] = {"workflow": workflow, "data": data} | ({"trigger": trigger} if trigger else {})
    return await (await runtime()).execute(body, settings.ai_token.get_secret_value(), seconds)


async def runtime_status(principal: Principal, chat: KnownChat) -> int | None:
    """The runtime's status of a chat: 0 in progress, 1 completed, None when it does not know the chat.

    Raises:
        Unavailable, TimedOut, Upstream: it could not be asked.
    """
    token = await tokens.mint(principal, workflow=chat.workflow, plan="", chat_id=chat.runtime_chat_id)
    meta = await (await runtime()).meta(principal.app_id, chat.workflow, chat.runtime_chat_id, token)
    status = meta.get("status")
    return status if meta.get("exists") and isinstance(status, int) else None


async def health(principal: Principal) -> dict[str, Any]:
    """The runtime's health report, for operators."""
    return await (await runtime()).health(await tokens.mint(principal, workflow="", plan=""))


def _keeper() -> ChatKeeper:
    if _broker.keeper is None:
        raise RuntimeError("no chat keeper: call broker.service.use_keeper first")
    return _broker.keeper


async def _owned(principal: Principal, chat_id: str) -> KnownChat:
    known = await _keeper().find(chat_id)
    if known is None:
        raise NotFound(tr("There is no such chat."), code="CHAT_NOT_FOUND")
    if known.user_id != principal.user_id:
        raise Forbidden(tr("This chat belongs to somebody else."), code="CHAT_NOT_YOURS")
    return known


async def _new(principal: Principal, workflow: str, capability_id: str, plan: str, key: str | None) -> KnownChat:
    def create(claim: claims.Claim | None = None) -> Awaitable[KnownChat]:
        return _create(principal, workflow, capability_id, plan, key, claim)

    if key is None:
        return await create()
    known = await claims.once(principal, key, lambda db: _keeper().find_started(db, principal, key), create)
    if known.workflow != workflow:
        raise Conflict(tr("This key was used for a start of another workflow."), code="IDEMPOTENCY_KEY_REUSED")
    return known


async def _create(
    principal: Principal, workflow: str, capability_id: str, plan: str, key: str | None, claim: claims.Claim | None
) -> KnownChat:
    await count_start(principal)
    budget = _broker.budget
    if budget is not None:
        await budget.check(principal, workflow)
    try:
        chat_id = await _ask_runtime(principal, workflow, capability_id, plan, key)
        along = [claim.end()] if claim is not None else []
        known = await _keeper().add(principal, chat_id, workflow, key, capability_id=capability_id, along=along)
    except BaseException:
        if budget is not None:
            await budget.give_back(principal, workflow)
        raise
    if claim is not None:
        claim.ended = known.chat_id == chat_id
    return known


async def _ask_runtime(principal: Principal, workflow: str, capability_id: str, plan: str, key: str | None) -> str:
    token = await tokens.mint(principal, workflow=workflow, plan=plan, capability_id=capability_id)
    client = await runtime()
    if not await client.knows(workflow, token):
        raise NotFound(tr("There is no such workflow."), code="WORKFLOW_NOT_FOUND")
    return await client.start(principal.app_id, workflow, principal.user_id, token, key or new_id("req"))
