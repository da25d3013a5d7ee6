"""Use cases: what do I have, buy, switch, cancel, set (F-105, F-109 to F-111, F-126, F-128)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from math import ceil
from typing import Any

from sqlmodel import col, select

from mozaiks_shell.appconfig.service import Plan, catalogue
from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.errors import NotForSale, NothingToCancel, SetByAdministrator
from mozaiks_shell.billing.factory import provider
from mozaiks_shell.billing.models import Subscription, SubscriptionChange
from mozaiks_shell.billing.ports import Account, Truth
from mozaiks_shell.billing.standing import LIVE, aware, bought_for_life, end_of_cycle, standing, without_gates
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Conflict, NotFound, Unavailable
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import find_user

TRIES = 10  # a write is stale only when another one went through, so this many losses in a row mean trouble


async def describe(principal: Principal) -> dict[str, Any]:
    """The body of ``GET /api/user-subscription`` (F-105). Dates are ISO 8601 in UTC or None."""
    plans, moment = catalogue(), now()
    row = await ledger.read(_scope(principal))
    view = without_gates() if get_settings().billing_provider == "none" else standing(row, plans, moment)
    plan = plans.get(view.name)
    trial = view.trial_ends
    return {
        "user_id": principal.user_id,
        "plan": view.name,
        "display_name": view.title,
        "billing_cycle": plan.billing_cycle if plan else "lifetime",
        "status": view.status,
        "is_trial": trial is not None,
        "trial_info": {"days_remaining": max(ceil((trial - moment).total_seconds() / 86400), 0), "end_date": trial.isoformat()}
        if trial
        else None,
        "next_billing_date": _iso(view.renews_at),
        "cancel_at_period_end": view.cancel_at_period_end,
        "access_until": _iso(view.ends_at),
        "updated_at": _iso(aware(row.updated_at)) if row else None,
        "provider": get_settings().billing_provider,
    }


async def history(principal: Principal, limit: int = 100) -> list[dict[str, Any]]:
    """The person's changes, newest first, each with the true previous plan and who did it (F-111)."""
    async with session(_scope(principal)) as db:
        query = select(SubscriptionChange).order_by(col(SubscriptionChange.id).desc()).limit(min(max(limit, 1), 500))
        rows = (await db.execute(query)).scalars().all()
    return [
        {
            "changed_at": _iso(aware(row.at)), "previous_plan": row.previous_plan, "new_plan": row.plan,
            "previous_status": row.previous_status, "status": row.status,
            "cancel_at_period_end": row.cancel_at_period_end, "actor": row.actor,
        }
        for row in rows
    ]  # fmt: skip


async def choose_plan(principal: Principal, name: str) -> str:
    """Switch to another plan; returns the checkout's address where one has to pay first, else an empty string (F-109).

    Raises:
        NotFound: no such plan. Conflict: it is the present one. SetByAdministrator: plans are not self-service here.
    """
    if provider().sells:
        if name == catalogue().default.name:
            await cancel(principal)
            return ""
        return await checkout(principal, name)
    if not principal.has_role("admin"):
        raise SetByAdministrator(tr("An administrator sets plans here. Ask one to change yours."))
    await set_plan(principal, principal.user_id, name)
    return ""


async def checkout(principal: Principal, name: str) -> str:
    """Address of the hosted page where this person buys the plan (F-126).

    Raises:
        NotFound: no such plan. Conflict: it is the present one. NotForSale: it has no price, or nothing is sold here.
    """
    plan, seller = _plan(name), provider()
    if not seller.sells or plan == catalogue().default:
        raise NotForSale(f"{plan.title} cannot be bought here.", plan=plan.name)
    row = await _with_customer(principal)
    view = standing(row, catalogue(), now())
    if view.name == name and view.cancel_at_period_end:
        return await portal(principal)  # there the cancellation can be taken back
    if view.name == name and view.status in LIVE:
        raise Conflict(tr("You already have {plan}.", plan=tr(plan.title)), code="SAME_PLAN")
    if view.lifetime and plan.rank < view.rank:
        raise Conflict(tr("{plan} includes {other} for good.", plan=tr(view.title), other=tr(plan.title)), code="INCLUDED")
    rules = catalogue().settings
    trial = rules.trial_period_days if name == rules.trial_plan and not await _tried_before(principal) else 0
    return await seller.create_checkout(_account(principal, row), plan, trial_days=trial, return_url=_plans_page())


async def portal(principal: Principal) -> str:
    """Address of the provider's self-service page for this person's own customer (F-128)."""
    row = await ledger.read(_scope(principal))
    return await provider().create_portal(_account(principal, row), return_url=_plans_page())


async def cancel(principal: Principal) -> None:
    """Cancel at the end of the paid period; access stays until then (F-110).

    Without a payment service, a plan an administrator set runs to the end of its present billing cycle.

    Raises:
        NothingToCancel: no running paid plan, or it is cancelled already.
    """

    async def stop(row: Subscription | None) -> Truth:
        plans, moment = catalogue(), now()
        view = standing(row, plans, moment)
        if row is None or view.name == plans.default.name:
            raise NothingToCancel(tr("There is no paid plan to cancel."))
        if view.cancel_at_period_end:
            raise NothingToCancel(tr("This plan is cancelled already."))
        if (truth := await provider().cancel_subscription(_account(principal, row))) is not None:
            return truth
        started = aware(row.started_at) or moment
        end = aware(row.current_period_end) or end_of_cycle(started, _plan(row.plan).billing_cycle, moment)
        return Truth(row.plan, row.status, end, True)

    await _change(_scope(principal), stop, actor=principal.user_id)


async def set_plan(actor: Principal, user_id: str, name: str, until: datetime | None = None) -> None:
    """An administrator gives somebody a plan, for good or until a date.

    The caller has checked that ``actor`` is an administrator.

    Raises:
        NotFound: no such plan or person. Conflict: plans are bought here, so the payment service would overrule it.
    """
    if get_settings().billing_provider != "manual":
        raise Conflict("Plans are not set by hand with this billing provider.", code="NOT_MANUAL")
    plan = _plan(name)
    await find_user(user_id)

    async def given(row: Subscription | None) -> Truth:
        return Truth(plan.name, "active", until)

    await _change(Scope(actor.app_id, user_id), given, actor=actor.user_id, restart=True)


async def reconcile(principal: Principal) -> bool:
    """Ask the provider what this person has and store it; True when it changed something.

    Heals a webhook that is late or was lost.
    """

    async def asked(row: Subscription | None) -> Truth | None:
        return keep_lifetime(row, await provider().get_subscription_status(_account(principal, row)))

    return await _change(_scope(principal), asked, actor=provider().name)


def keep_lifetime(row: Subscription | None, truth: Truth | None) -> Truth | None:
    """A plan paid once and for all outlives the end of any subscription of a lower or the same rank."""
    if truth is None or row is None or not bought_for_life(row):
        return truth
    own, other = catalogue().get(row.plan), catalogue().get(truth.plan)
    better = own is None or (other is not None and truth.status in LIVE and other.rank > own.rank)
    return truth if better else None


Decide = Callable[[Subscription | None], Awaitable[Truth | None]]


async def _change(scope: Scope, decide: Decide, *, actor: str, restart: bool = False) -> bool:
    for _ in range(TRIES):
        row = await ledger.read(scope)
        truth = await decide(row)
        if truth is None:
            return False
        try:
            return await ledger.write(scope, row, truth, provider=provider().name, actor=actor, restart=restart)
        except ledger.Stale:
            continue
    raise Unavailable(tr("This subscription is being changed elsewhere. Try again."))


async def _with_customer(principal: Principal) -> Subscription | None:
    """The person's row, with their customer id at the provider."""
    scope = _scope(principal)
    for _ in range(TRIES):
        row = await ledger.read(scope)
        if row is not None and row.provider_customer_id:
            return row
        customer = await provider().ensure_customer(_account(principal, row))
        truth = Truth(
            row.plan if row else catalogue().default.name,
            row.status if row else "active",
            aware(row.current_period_end) if row else None,
            row.cancel_at_period_end if row else False,
            customer,
            (row.provider_subscription_id or "") if row else "",
        )
        try:
            await ledger.write(scope, row, truth, provider=row.provider if row else provider().name, actor=principal.user_id)
        except ledger.Stale:
            continue
    raise Unavailable(tr("This subscription is being changed elsewhere. Try again."))


async def _tried_before(principal: Principal) -> bool:
    async with session(_scope(principal)) as db:
        query = select(SubscriptionChange.id).where(col(SubscriptionChange.status) == "trialing").limit(1)
        return (await db.execute(query)).scalars().first() is not None


def _account(principal: Principal, row: Subscription | None) -> Account:
    live = row is not None and row.status in LIVE
    return Account(
        app_id=principal.app_id,
        user_id=principal.user_id,
        email=principal.email,
        name=principal.name,
        customer_id=(row.provider_customer_id or "") if row else "",
        subscription_id=(row.provider_subscription_id or "") if row and live else "",
        plan=row.plan if row else "",
        version=row.version if row else 0,
    )


def _scope(principal: Principal) -> Scope:
    return Scope(principal.app_id, principal.user_id)


def _plan(name: str) -> Plan:
    plan = catalogue().get(name)
    if plan is None:
        known = ", ".join(one.name for one in catalogue().subscription_plans)
        raise NotFound(tr("There is no plan {name}. The plans are {known}.", name=repr(name), known=known), code="NO_SUCH_PLAN")
    return plan


def _plans_page() -> str:
    return f"{get_settings().origin}/plans"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
