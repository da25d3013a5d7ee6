"""What a person's tier lets them do with a plugin, and taking it (F-069, F-096, F-113, F-116..F-119). Fails closed (F-118).

The tier is what ``plugins`` of the plan says, else the tier named like the plan, else that of the nearest plan below it.
With ``MOZAIKS_BILLING_PROVIDER=none`` nothing is gated and nothing counted.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from inspect import signature
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.appconfig.service import Plan, catalogue
from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import NotSignedIn, PlanNeeded, ShellError, TooMany, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import entitlements, limits, worker
from mozaiks_shell.plugin_host.entitlements import UNLIMITED, Book, Grant
from mozaiks_shell.plugin_host.execution import RequestData, call
from mozaiks_shell.plugin_host.limits import Exhausted, Take
from mozaiks_shell.plugin_host.registry import Plugin

log = get_logger("plugin_host")


class LimitReached(ShellError):
    """A limit that nothing resets is reached: only a bigger plan, or less of it, helps."""

    status = 429
    code = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class FeatureCheck:
    """Whether somebody has a feature. True where a truth value is asked for.

    Attributes:
        tier: Their tier in this plugin; empty for none.
        needed: Title of the lowest plan that has it; empty when it is allowed or no plan has it.
    """

    feature: str
    allowed: bool
    tier: str = ""
    needed: str = ""

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """Whether so much of a limit is left. True where a truth value is asked for.

    Attributes:
        granted: It fits (or was taken).
        allowed: What the tier allows; -1 for no limit.
        used: What is used in this period, or how many there are.
        remaining: What is left; -1 for no limit.
        resets_at: When the period ends (UTC); None where nothing resets.
        needed: Title of the lowest plan that allows more; empty when granted or there is none.
    """

    limit: str
    granted: bool
    allowed: int
    used: int
    remaining: int
    resets_at: datetime | None = None
    tier: str = ""
    needed: str = ""

    def __bool__(self) -> bool:
        return self.granted

    def facts(self) -> dict[str, Any]:
        """The same as JSON for the body of a refusal."""
        resets = self.resets_at.isoformat() if self.resets_at else None
        return {
            "limit": self.limit, "allowed": self.allowed, "used": self.used, "remaining": self.remaining, "resets_at": resets,
            "needed": self.needed, "tier": self.tier,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionCheck:
    """Whether somebody may do an action now. True where a truth value is asked for.

    Attributes:
        code: Empty, ``FEATURE_GATED`` or ``LIMIT_EXCEEDED``.
        feature: The first feature that is missing; ``limit`` the first limit that does not suffice.
        would_consume: What doing it takes, by limit.
    """

    action: str
    allowed: bool
    code: str = ""
    feature: FeatureCheck | None = None
    limit: LimitCheck | None = None
    would_consume: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.allowed

    def demand(self) -> None:
        """Go on when it is allowed.

        Raises:
            PlanNeeded: 403 with ``feature`` and ``needed``, the plan that has it.
            TooMany, LimitReached: 429 with ``remaining``, ``resets_at`` and ``needed``, the plan that allows more.
        """
        if self.feature is not None:
            demand_feature(self.feature)
        if self.limit is not None:
            demand_limit(self.limit)


def demand_feature(found: FeatureCheck) -> None:
    """Go on when it is allowed.

    Raises:
        PlanNeeded: see :meth:`ActionCheck.demand`.
    """
    if found.allowed:
        return
    message = tr("This is part of the plan {plan}.", plan=tr(found.needed)) if found.needed else tr("No plan includes this.")
    raise PlanNeeded(message, feature=found.feature, needed=found.needed, tier=found.tier)


def demand_limit(found: LimitCheck) -> None:
    """Go on when it is granted.

    Raises:
        TooMany, LimitReached: see :meth:`ActionCheck.demand`.
    """
    if found.granted:
        return
    more = tr("The plan {plan} allows more.", plan=tr(found.needed)) if found.needed else ""
    said = tr("{used} of {allowed} are used.", used=str(found.used), allowed=str(found.allowed))
    message = f"{said} {more}".strip()
    if found.resets_at is None:
        raise LimitReached(message, **found.facts())
    raise TooMany(message, retry_after=max(1, int((found.resets_at - now()).total_seconds()) + 1), **found.facts())


def closed(plugin: Plugin, error: Exception) -> Unavailable | None:
    """What to raise when entitlement data cannot be used; None when the operator lets gates stand open (F-118)."""
    log.error("entitlements cannot be checked", plugin=plugin.name, reason=f"{type(error).__name__}: {error}"[:500])
    if get_settings().plugin_limits_open:
        return None
    return Unavailable(tr("What your plan includes cannot be checked right now."), code="ENTITLEMENT_ERROR")


class Standing:
    """One person and one plugin, as of now."""

    def __init__(self, plugin: Plugin, principal: Principal | None, book: Book | None, grant: Grant, enforce: bool) -> None:
        self.plugin, self.principal, self.book, self.grant, self.enforce = plugin, principal, book, grant, enforce

    def feature(self, name: str) -> FeatureCheck:
        """Whether they have it. A feature the file does not name is there (C-24)."""
        allowed = self.grant.features.get(name, True)
        needed = "" if allowed else self._plan_with(lambda grant: grant.features.get(name, True))
        return FeatureCheck(name, allowed, self.grant.tier, needed)

    async def limit(self, name: str, amount: int = 1, data: Mapping[str, Any] | None = None) -> LimitCheck:
        """Whether ``amount`` more fits. A limit the file does not name has no bound."""
        used = (await self.used([name], data or {}))[name]
        return self.judged(name, used, amount)

    def judged(self, name: str, used: int, amount: int, taken: bool = False) -> LimitCheck:
        """The answer for a known use; ``taken`` says that ``used`` has the amount in it already."""
        allowed = self.grant.limits.get(name, UNLIMITED)
        declared = self.book.file.limits.get(name) if self.book else None
        resets = limits.resets_at(declared) if declared else None
        granted = taken or allowed == UNLIMITED or used + amount <= allowed
        left = UNLIMITED if allowed == UNLIMITED else max(0, allowed - used)
        needed = "" if granted else self._plan_with(lambda grant: _more(grant.limits.get(name, UNLIMITED), allowed))
        return LimitCheck(name, granted, allowed, used, left, resets, self.grant.tier, needed)

    async def used(self, names: list[str], data: Mapping[str, Any]) -> dict[str, int]:
        """What is used of each of these limits now; a cap with a hook is counted by the hook."""
        book = self.book
        known = [name for name in names if book is not None and name in book.file.limits]
        if book is None or not known or not self.enforce:
            return dict.fromkeys(names, 0)
        periods = {name: limits.period_of(book.file.limits[name]) for name in known if not self.counted_by_hook(name)}
        found = await limits.used(self.scope(), self.plugin.name, periods) if periods else {}
        for name in known:
            if self.counted_by_hook(name):
                found[name] = await self._hook(name, data)
        return {name: found.get(name, 0) for name in names}

    def counted_by_hook(self, name: str) -> bool:
        """Whether the plugin itself counts how many there are."""
        return self.book is not None and name in self.book.file.hooks and self.book.file.limits[name].type == "cap"

    async def action(self, name: str, data: Mapping[str, Any]) -> ActionCheck:
        """Whether they may do it now. An action the file does not name is free."""
        declared = self.book.file.actions.get(name) if self.book and self.enforce else None
        if declared is None:
            return ActionCheck(name, True)
        consumes = dict(declared.consumes)
        for feature in declared.requires_features:
            if not (found := self.feature(feature)):
                return ActionCheck(name, False, "FEATURE_GATED", found, None, consumes)
        wanted = list(dict.fromkeys([*consumes, *declared.checks]))
        used = await self.used(wanted, data)
        for limit in wanted:
            amount = consumes.get(limit, 0) or 1
            if declared.checks.get(limit) == "exact" and limit not in consumes:
                amount = await self._amount(limit, data)
            if not (judged := self.judged(limit, used[limit], amount)):
                return ActionCheck(name, False, "LIMIT_EXCEEDED", None, judged, consumes)
        return ActionCheck(name, True, would_consume=consumes)

    def takes(self, amounts: Mapping[str, int]) -> list[Take]:
        """What has to be written down to take these amounts."""
        if self.book is None or not self.enforce:
            return []
        file, grant = self.book.file, self.grant
        counted = [name for name in amounts if name in file.limits and not self.counted_by_hook(name)]
        return [
            Take(name, limits.period_of(file.limits[name]), amounts[name], grant.limits.get(name, UNLIMITED)) for name in counted
        ]

    async def summary(self) -> dict[str, Any]:
        """``_entitlements`` of a call (§3.8). ``used`` is None for a cap that the plugin counts itself."""
        shown: dict[str, dict[str, int | None]] = {}
        if self.book is not None:
            names = [name for name in self.grant.limits if not self.counted_by_hook(name)]
            used = await self.used(names, {}) if self.principal is not None else {}
            for name, allowed in self.grant.limits.items():
                spent = used.get(name)
                left = UNLIMITED if allowed == UNLIMITED else None if spent is None else max(0, allowed - spent)
                shown[name] = {"allowed": allowed, "used": spent, "remaining": left}
        return {"tier": self.grant.tier, "features": dict(self.grant.features), "limits": shown, "enforce": self.enforce}

    def scope(self) -> Scope:
        """Whose counters.

        Raises:
            NotSignedIn: a limit cannot be counted for nobody.
        """
        if self.principal is None:
            raise NotSignedIn(tr("Sign in to continue."))
        return Scope(self.principal.app_id, self.principal.user_id)

    async def _amount(self, name: str, data: Mapping[str, Any]) -> int:
        """How much a call will use: what the hook of a consumable says, else 1."""
        if self.book is None or name not in self.book.file.hooks or self.counted_by_hook(name):
            return 1
        return max(0, await self._hook(name, data))

    async def _hook(self, name: str, data: Mapping[str, Any]) -> int:
        assert self.book is not None
        answer = await call_hook(self.plugin, self.book.file.hooks[name], data)
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise TypeError(f"the hook of {name} returned {type(answer).__name__}, not a whole number")
        return answer

    def _plan_with(self, fits: Any) -> str:
        """Title of the lowest plan that fits; a person is never sent to the plan they have."""
        if self.book is None:
            return ""
        for plan in catalogue().subscription_plans:
            if fits(grant_of(self.book, self.plugin.name, plan)):
                return plan.title
        return ""


def _more(allowed: int, than: int) -> bool:
    return allowed == UNLIMITED or allowed > than


def grant_of(book: Book, plugin: str, plan: Plan | None) -> Grant:
    """What a plan gives in this plugin. A file without tiers gives its defaults; a plan no tier fits gives nothing (C-24)."""
    if not book.tiers:
        return book.defaults
    plans = [one for one in catalogue().subscription_plans if plan is not None and one.rank <= plan.rank]
    for one in reversed(plans):
        mapped = one.plugins.get(plugin)
        if isinstance(mapped, str) and mapped in book.tiers:
            return book.tiers[mapped]
        if one.name in book.tiers:
            return book.tiers[one.name]
    return book.nothing


async def standing(plugin: Plugin, principal: Principal | None) -> Standing:
    """What counts for this person in this plugin now.

    Raises:
        Unavailable: code ``ENTITLEMENT_ERROR``, the file is broken and the policy is closed.
    """
    enforce = get_settings().billing_provider != "none"
    try:
        book = entitlements.book(plugin.folder)
    except entitlements.Broken as error:
        if enforce and (refusal := closed(plugin, error)) is not None:
            raise refusal from error
        book = None
    if principal is None:
        default = catalogue().default
        plan: Plan | None = default
        name = default.name
    else:
        view = await billing.plan_of(principal)
        plan, name = catalogue().get(view.name), view.name
    if book is None:
        return Standing(plugin, principal, None, Grant(name, {}, {}), enforce)
    grant = grant_of(book, plugin.name, plan) if enforce else book.everything
    return Standing(plugin, principal, book, Grant(grant.tier or name, grant.features, grant.limits), enforce)


@asynccontextmanager
async def checked(plugin: Plugin) -> AsyncIterator[None]:
    """What fails inside because counters or hooks cannot be asked is a refusal, or nothing where gates stand open.

    Raises:
        Unavailable: code ``ENTITLEMENT_ERROR``.
    """
    try:
        yield
    except (SQLAlchemyError, TypeError, ImportError, AttributeError) as error:
        if (refusal := closed(plugin, error)) is not None:
            raise refusal from error
    except ShellError as error:
        if error.status in {500, 504}:  # a hook failed
            if (refusal := closed(plugin, error)) is not None:
                raise refusal from error
        else:
            raise


class Held:
    """What an action has taken, to be given back when it fails."""

    def __init__(self, at: Standing, takes: list[Take]) -> None:
        self._at, self._takes = at, takes

    async def give_back(self) -> None:
        """Undo it, once. A counter that cannot be written is told to the log: the action's own failure matters more."""
        takes, self._takes = self._takes, []
        if not takes:
            return
        try:
            await limits.give_back(self._at.scope(), self._at.plugin.name, takes)
        except SQLAlchemyError as error:
            log.error("nothing was given back", plugin=self._at.plugin.name, error=f"{type(error).__name__}: {error}"[:300])


async def enter(at: Standing, action: str, data: Mapping[str, Any]) -> Held:
    """Check an action and take what it consumes, in one step (F-117).

    Raises:
        PlanNeeded, TooMany, LimitReached: as :meth:`ActionCheck.demand`.
        Unavailable: code ``ENTITLEMENT_ERROR``.
        NotSignedIn: it consumes, and nobody is signed in.
    """
    held = Held(at, [])
    async with checked(at.plugin):
        found = await at.action(action, data)
        found.demand()
        if takes := at.takes(found.would_consume):
            await take(at, takes)
            held = Held(at, takes)
    return held


async def take(at: Standing, takes: list[Take]) -> None:
    """Take these amounts, all or none.

    Raises:
        TooMany, LimitReached: one does not fit any more.
    """
    for _ in range(3):  # when somebody gives something back between the two looks, it fits after all
        try:
            await limits.take(at.scope(), at.plugin.name, takes)
            return
        except Exhausted as error:
            demand_limit(at.judged(error.take.limit, error.used, error.take.amount))
    raise Unavailable(tr("Too many people do this right now. Try again in a moment."))


async def consume(at: Standing, name: str, amount: int) -> LimitCheck:
    """Take so much of one limit, or say that it does not fit."""
    if at.counted_by_hook(name) or not at.enforce:
        return await at.limit(name, amount)
    try:
        await take(at, at.takes({name: amount}))
    except (TooMany, LimitReached):
        used = (await at.used([name], {}))[name]
        return at.judged(name, used, amount)
    used = (await at.used([name], {}))[name]
    return at.judged(name, used, amount, taken=True)


async def call_hook(plugin: Plugin, hook: str, data: Mapping[str, Any]) -> Any:
    """Call ``module.function`` of the plugin with the call's data, if it wants any."""
    if plugin.manifest.isolation == "process" and not worker.here:
        return await worker.call_hook(plugin, hook, dict(data))
    function = hook_function(plugin, hook)
    arguments = (RequestData(data),) if signature(function).parameters else ()
    return await call(plugin, "", function, *arguments)


def hook_function(plugin: Plugin, hook: str) -> Any:
    """The function a hook names, in this process.

    Raises:
        ImportError, AttributeError: there is none.
    """
    from importlib import import_module

    module, _, name = hook.rpartition(".")
    return getattr(import_module(f"{plugin.module}.{module}"), name)
