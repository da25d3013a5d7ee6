"""The one place that writes a subscription (D9).

A write carries the version its writer had read. If somebody wrote in between, it is refused as stale and the
writer asks the provider again. So the newest answer of the provider wins, whatever order events arrive in, and
no lock is held while the network is waited for. The event's row and its effect commit together.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing.models import BillingEvent, Subscription, SubscriptionChange
from mozaiks_shell.billing.ports import Notice, Truth
from mozaiks_shell.billing.standing import LIVE, aware, standing
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, ScopedSession, session, system_session

FINAL = frozenset({"applied", "unchanged", "ignored"})


class Stale(Exception):
    """Somebody else wrote since the row was read: read again."""


class AlreadySeen(Exception):
    """This event has had its effect."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A webhook to be marked as done in the transaction of its effect."""

    provider: str
    notice: Notice


async def read(scope: Scope) -> Subscription | None:
    """The person's row, by the unique (app_id, user_id) index."""
    async with system_session(scope.app_id) as db:  # half the price of a person's session, and every page and start asks
        query = select(Subscription).where(col(Subscription.app_id) == scope.app_id, col(Subscription.user_id) == scope.user_id)
        return (await db.execute(query)).scalars().first()


async def owner_of(app_id: str, customer_id: str) -> str:
    """The person whose customer id this is, or an empty string."""
    if not customer_id:
        return ""
    async with system_session(app_id) as db:
        query = select(Subscription.user_id).where(col(Subscription.provider_customer_id) == customer_id)
        return (await db.execute(query)).scalars().first() or ""


async def seen(app_id: str, claim: Claim) -> bool:
    """True when this event has had its effect."""
    async with system_session(app_id) as db:
        query = select(BillingEvent.outcome).where(
            col(BillingEvent.provider) == claim.provider, col(BillingEvent.event_id) == claim.notice.event_id
        )
        return (await db.execute(query)).scalars().first() in FINAL


async def write(
    scope: Scope, before: Subscription | None, truth: Truth, *, provider: str, actor: str, claim: Claim | None = None,
    restart: bool = False,
) -> bool:  # fmt: skip
    """Make ``truth`` the person's subscription; True when something a person can notice changed.

    Args:
        before: The row as read before the provider was asked; None when there was none.
        actor: User id, or the provider's name for its events.
        claim: The event this is the effect of.
        restart: Periods count from now (an administrator set the plan).

    Raises:
        Stale: ``before`` is no longer the newest.
        AlreadySeen: the claimed event has had its effect.
    """
    plans, moment = catalogue(), now()
    if before is not None and not truth.plan:
        truth = replace(truth, plan=before.plan)
    values: dict[str, Any] = {
        "plan": truth.plan or plans.default.name,
        "status": truth.status,
        "provider": provider,
        "provider_customer_id": truth.customer_id or (before.provider_customer_id if before else None),
        "provider_subscription_id": truth.subscription_id or None,
        "current_period_end": truth.period_end,
        "cancel_at_period_end": truth.cancel_at_period_end,
    }
    after = Subscription(user_id=scope.user_id or "", app_id=scope.app_id, **values)
    kept = before is not None and not restart and before.plan == after.plan
    after.started_at = (aware(before.started_at) if before and kept else None) or moment
    noticed = _face(after) != (_face(before) if before else (plans.default.name, "active", False, None))
    if before is not None and not noticed and _ids(before) == _ids(after) and claim is None:
        return False
    step = SubscriptionChange(
        previous_plan=before.plan if before and before.status in LIVE else plans.default.name,
        plan=standing(after, plans, moment).name,
        previous_status=before.status if before else "active",
        status=after.status,
        cancel_at_period_end=after.cancel_at_period_end,
        actor=actor,
    )
    try:
        async with session(scope) as db:
            if claim is not None:
                await _mark(db, claim, "applied" if noticed else "unchanged")
            if before is None:
                db.add(after)
                try:
                    await db.flush()
                except IntegrityError as error:
                    raise Stale from error
            else:
                changed: Any = await db.execute(
                    update(Subscription)
                    .where(col(Subscription.id) == before.id, col(Subscription.version) == before.version)
                    .values(**values, started_at=after.started_at, updated_at=moment, version=before.version + 1)
                    .execution_options(synchronize_session=False)
                )
                if changed.rowcount != 1:
                    raise Stale
            if noticed:
                db.add(step)
                plan = plans.get(step.plan)
                data = {
                    "previous_plan": step.previous_plan, "plan": step.plan, "title": plan.title if plan else step.plan,
                    "status": step.status, "cancel_at_period_end": step.cancel_at_period_end, "actor": actor,
                }  # fmt: skip
                await outbox.along(db, events.Event("subscription.updated", scope.app_id, scope.user_id or "", data))
    except IntegrityError as error:  # two deliveries of one event, or two rows for one customer: the other one won
        if claim is not None and await seen(scope.app_id, claim):
            raise AlreadySeen from error
        raise Stale from error
    return noticed


async def note(app_id: str, claim: Claim, outcome: str, detail: str = "") -> None:
    """Remember an event that has no effect (``ignored``, ``unchanged``) or could not have it (``failed``)."""
    try:
        async with system_session(app_id) as db:
            await _mark(db, claim, outcome, detail)
    except (AlreadySeen, IntegrityError):
        return


async def pass_on(claim: Claim, event: events.Event) -> bool:
    """Mark a webhook as done and publish ``event``, which is kept until its listener saw to it; False when it was done before."""
    told, keep = outbox.kept(event)
    try:
        async with system_session(event.app_id) as db:
            await _mark(db, claim, "applied")
            await db.execute(keep)
    except IntegrityError:
        return False
    await events.publish(told)
    return True


async def _mark(db: ScopedSession, claim: Claim, outcome: str, detail: str = "") -> None:
    """Write the event's row, or take over one that failed before. The unique index lets one writer through.

    It is the transaction's first statement and a write, so SQLite queues the writers instead of refusing them.
    """
    taken: Any = await db.execute(
        update(BillingEvent)
        .where(
            col(BillingEvent.provider) == claim.provider,
            col(BillingEvent.event_id) == claim.notice.event_id,
            col(BillingEvent.outcome) == "failed",
        )
        .values(outcome=outcome, detail=detail[:2000], received_at=now())
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount:
        return
    db.add(
        BillingEvent(
            provider=claim.provider,
            event_id=claim.notice.event_id,
            type=claim.notice.type[:80],
            outcome=outcome,
            detail=detail[:2000],
        )  # fmt: skip
    )
    await db.flush()


def _face(row: Subscription) -> tuple[str, str, bool, datetime | None]:
    return row.plan, row.status, row.cancel_at_period_end, aware(row.current_period_end)


def _ids(row: Subscription) -> tuple[str, str | None, str | None]:
    return row.provider, row.provider_customer_id, row.provider_subscription_id
