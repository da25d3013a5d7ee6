"""Which budgets a person's spending counts in (F-253), and how they stand."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from mozaiks_shell.appconfig.usage_config import Enforcement, TokenBudget, UsageConfig, usage_config
from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage.models import UsageBudget, UsageHold
from mozaiks_shell.usage.periods import Window, window
from mozaiks_shell.usage.prices import MICRO, dearest, limit_in_micro, plain

WARN_AT = (100, 80)  # percent


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit and the period it counts in now. Amounts are tokens, or micro units of ``currency``.

    Attributes:
        user_id: Whose; empty for the whole app.
        limit: None when nothing is limited.
        chunk: What is put aside for one run.
    """

    app_id: str
    user_id: str
    unit: str
    period: str
    window: Window
    limit: int | None
    enforcement: Enforcement
    chunk: int
    currency: str

    @property
    def scope(self) -> str:
        """``person`` or ``app``."""
        return "person" if self.user_id else "app"


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget, and what of it is spent and put aside."""

    budget: Budget
    used: int
    reserved: int

    @property
    def remaining(self) -> int | None:
        """What may still be spent, never below zero; None without a limit."""
        return None if self.budget.limit is None else max(0, self.budget.limit - self.used - self.reserved)

    @property
    def percent(self) -> int:
        """Share that is spent, rounded down; 0 without a limit."""
        if self.budget.limit is None:
            return 0
        return 100 * self.used // self.budget.limit if self.budget.limit else 100

    def described(self) -> dict[str, Any]:
        """For the API: money as decimal texts, tokens as numbers."""
        one = self.budget
        return {
            "scope": one.scope,
            "unit": one.unit,
            "currency": one.currency if one.unit == "money" else None,
            "period": one.period,
            "starts_at": one.window.start.isoformat() if one.period != "never" else None,
            "resets_at": one.window.end.isoformat() if one.window.end else None,
            "enforcement": one.enforcement,
            "limit": amount(one, one.limit),
            "used": amount(one, self.used),
            "reserved": amount(one, self.reserved),
            "remaining": amount(one, self.remaining),
            "percent": self.percent,
            "warned_at": [level for level in reversed(WARN_AT) if one.limit is not None and self.percent >= level],
        }


def amount(budget: Budget, value: int | None) -> int | str | None:
    """An amount of a budget as programs get it."""
    if value is None or budget.unit == "tokens":
        return value
    return plain(Decimal(value).scaleb(-6))


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


async def budgets_of(app_id: str, user_id: str, at: datetime | None = None, config: UsageConfig | None = None) -> list[Budget]:
    """The budgets this person's spending counts in at a moment: the app's first, then their own. Often none.

    The same order everywhere, so that two writers never wait for each other crosswise.
    """
    config = config or usage_config()
    said = config.budgets
    moment = at or now()
    found = [_budget(app_id, "", said.app, moment, config)] if said.app is not None else []
    if user_id and (own := await _own(app_id, user_id, config)) is not None:
        found.append(_budget(app_id, user_id, own, moment, config))
    return found


async def _own(app_id: str, user_id: str, config: UsageConfig) -> TokenBudget | None:
    said = config.budgets
    if user_id in said.people:
        return said.people[user_id]
    if said.plans and (plan := said.plans.get((await billing.plan_of(Principal(user_id, app_id))).name)) is not None:
        return plan
    return said.default


def _budget(app_id: str, user_id: str, said: TokenBudget, moment: datetime, config: UsageConfig) -> Budget:
    settings = get_settings()
    money = said.unit == "money"
    enforcement = said.enforcement
    if settings.token_usage_mode in {"platform", "remote"} and enforcement in {"hard", "soft"}:
        enforcement = "warn"
    limit = None if not said.limited else limit_in_micro(said.limit) if money else int(said.limit)
    price = dearest(config)
    chunk = max(1, limit_in_micro(price.output * config.reserve_tokens / MICRO)) if money and price else config.reserve_tokens
    return Budget(
        app_id, user_id, said.unit, said.period, window(said.period, moment, _zone(settings.default_timezone), said.resets_on),
        limit, enforcement, chunk, config.currency,
    )  # fmt: skip


async def standings(app_id: str, user_id: str, *, whole_app: bool = False) -> list[Standing]:
    """How the budgets of a person stand now, their own first; with ``whole_app`` that of the app alone.

    A person is told of the app's budget without its figures being theirs to see: callers choose what they show.
    """
    every = await budgets_of(app_id, "" if whole_app else user_id)
    found = []
    async with system_session(app_id) as db:
        for budget in reversed(every):
            row = (await db.execute(select(UsageBudget).where(*same(budget)))).scalars().first()
            held = 0
            if row is not None:
                living = (col(UsageHold.budget_id) == row.id) & (col(UsageHold.expires_at) > now())
                held = (await db.execute(select(func.coalesce(func.sum(col(UsageHold.amount)), 0)).where(living))).scalar_one()
            found.append(Standing(budget, row.used if row else 0, int(held)))
    return found


def same(budget: Budget) -> tuple[Any, ...]:
    """Conditions that pick the row of a budget's period."""
    return (
        col(UsageBudget.app_id) == budget.app_id,
        col(UsageBudget.user_id) == budget.user_id,
        col(UsageBudget.unit) == budget.unit,
        col(UsageBudget.period) == budget.period,
        col(UsageBudget.starts) == budget.window.start,
    )
