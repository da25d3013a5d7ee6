"""What a stored subscription means at this moment (F-105, F-106). Pure: no database, no clock of its own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mozaiks_shell.appconfig.service import Catalogue, Cycle, Plan
from mozaiks_shell.billing.models import Subscription

# A renewal reaches us by webhook a little after the period's end; a paying customer must not be
# locked out meanwhile. Applies only to a subscription the provider renews by itself.
RENEWAL_SLACK = timedelta(hours=1)
BY_HAND = frozenset({"manual", "none"})  # providers that renew nothing by themselves
LIVE = frozenset({"active", "trialing", "past_due"})

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class PlanView:
    """A person's plan now.

    Attributes:
        name: The plan that counts; the default plan once a paid one has ended.
        rank: Position in the catalogue; a higher one includes the lower ones.
        status: active, trialing, past_due, canceled or inactive (F-105).
        trial_ends: End of the running trial.
        renews_at: Next charge; None when nothing renews.
        ends_at: When access stops if nothing happens; None when it does not stop.
        cancel_at_period_end: Cancelled, and paid for until ``ends_at``.
        lifetime: Paid once; it neither renews nor ends.
    """

    name: str
    title: str
    rank: int
    status: str = "active"
    trial_ends: datetime | None = None
    renews_at: datetime | None = None
    ends_at: datetime | None = None
    cancel_at_period_end: bool = False
    lifetime: bool = False


def aware(moment: datetime | None) -> datetime | None:
    """SQLite forgets the zone; what we store is UTC."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def without_gates() -> PlanView:
    """The plan of everybody when ``MOZAIKS_BILLING_PROVIDER=none`` (F-107)."""
    return PlanView("unlimited", "Unlimited", UNLIMITED)


def standing(row: Subscription | None, plans: Catalogue, moment: datetime) -> PlanView:
    """The plan that counts at ``moment``.

    active keeps access to the period's end (plus :data:`RENEWAL_SLACK` where the provider renews), cancelled at
    period end likewise but without slack; trialing to the trial's end; past_due to the period's end; canceled and
    inactive have ended. After the end, and for a plan the catalogue no longer has, the default plan counts.
    """
    if row is None:
        return _view(plans.default)
    plan = plans.get(row.plan)
    end = aware(row.current_period_end)
    renewing = row.provider not in BY_HAND and row.status == "active" and not row.cancel_at_period_end
    over = end is not None and moment >= end + (RENEWAL_SLACK if renewing else timedelta(0))
    if plan is None or row.status not in LIVE or over:
        ended = "canceled" if row.status == "canceled" or row.cancel_at_period_end else "inactive"
        never_had_one = plan == plans.default and not row.provider_subscription_id
        return _view(plans.default, status="active" if never_had_one else ended)
    return _view(
        plan,
        status=row.status,
        trial_ends=end if row.status == "trialing" else None,
        renews_at=end if renewing or (row.status == "trialing" and not row.cancel_at_period_end) else None,
        ends_at=None if renewing else end,
        cancel_at_period_end=row.cancel_at_period_end,
        lifetime=bought_for_life(row),
    )


def bought_for_life(row: Subscription) -> bool:
    """True for a running one-time purchase: its reference is the checkout (``cs_…``), not a subscription."""
    return row.status == "active" and (row.provider_subscription_id or "").startswith("cs_")


def _view(
    plan: Plan,
    *,
    status: str = "active",
    trial_ends: datetime | None = None,
    renews_at: datetime | None = None,
    ends_at: datetime | None = None,
    cancel_at_period_end: bool = False,
    lifetime: bool = False,
) -> PlanView:
    return PlanView(plan.name, plan.title, plan.rank, status, trial_ends, renews_at, ends_at, cancel_at_period_end, lifetime)


def end_of_cycle(started: datetime, cycle: Cycle, moment: datetime) -> datetime:
    """The first end of a period after ``moment``, counted from ``started`` (31 January + 1 month is 28 or 29 February).

    A lifetime plan has no periods: it ends at ``moment``.
    """
    if cycle == "lifetime":
        return moment
    if cycle in ("daily", "weekly"):
        step = timedelta(days=1 if cycle == "daily" else 7)
        return started + step * ((moment - started) // step + 1)
    per_period = 1 if cycle == "monthly" else 12
    months = (moment.year - started.year) * 12 + moment.month - started.month
    periods = max(months // per_period, 0)
    while (end := _plus_months(started, periods * per_period)) <= moment:
        periods += 1
    return end


def _plus_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + year, month=month + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (following - timedelta(days=1)).day))
