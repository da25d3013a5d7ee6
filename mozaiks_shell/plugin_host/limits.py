"""Counters of what people used of a plugin's limits (F-115..F-117).

A consumable has one row per period, so a new period begins at zero by itself, for readers and for writers (F-116). The
check and the increment are one conditional UPDATE, so that two calls never take the same last piece.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, ScopedSession, session
from mozaiks_shell.plugin_host.entitlements import UNLIMITED, Limit
from mozaiks_shell.plugin_host.models import PluginUsage

KEPT: Final = timedelta(days=400)  # counters of periods that ended longer ago are forgotten
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Take:
    """So much of one limit, in one period, of so many allowed."""

    limit: str
    period: str
    amount: int
    allowed: int


class Exhausted(Exception):
    """Nothing was taken: ``take`` does not fit, ``used`` is what was used before."""

    def __init__(self, take: Take, used: int) -> None:
        self.take, self.used = take, used
        super().__init__(f"{take.limit}: {used} of {take.allowed} used, {take.amount} more wanted")


def period_of(limit: Limit, moment: datetime | None = None) -> str:
    """The period that counts at this moment: ``2026-11``, ``2026-W47``, ``2026-11-21``; empty where nothing resets."""
    moment = (moment or now()).astimezone(UTC)
    if limit.type == "cap" or limit.reset == "never":
        return ""
    if limit.reset == "weekly":
        year, week, _ = moment.isocalendar()
        return f"{year}-W{week:02d}"
    return moment.strftime("%Y-%m-%d" if limit.reset == "daily" else "%Y-%m")


def resets_at(limit: Limit, moment: datetime | None = None) -> datetime | None:
    """When the period of this moment ends (UTC); None where nothing resets."""
    moment = (moment or now()).astimezone(UTC)
    if not period_of(limit, moment):
        return None
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if limit.reset == "daily":
        return day + timedelta(days=1)
    if limit.reset == "weekly":
        return day + timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


async def used(scope: Scope, plugin: str, periods: Mapping[str, str]) -> dict[str, int]:
    """How much this person used of each limit, in the given period of each: one query."""
    counted = dict.fromkeys(periods, 0)
    if not counted:
        return counted
    query = select(PluginUsage.name, PluginUsage.period, PluginUsage.used).where(
        col(PluginUsage.plugin) == plugin, col(PluginUsage.period).in_(set(periods.values()))
    )
    async with session(scope) as db:
        for limit, period, count in (await db.execute(query)).all():
            if periods.get(limit) == period:
                counted[limit] = count
    return counted


async def take(scope: Scope, plugin: str, takes: Iterable[Take]) -> None:
    """Take all of it, or nothing.

    Raises:
        Exhausted: one does not fit.
    """
    wanted = sorted((one for one in takes if one.amount), key=lambda one: one.limit)  # one order, so that no two wait in a ring
    if not wanted:
        return
    for attempt in range(_TRIES):
        try:
            async with session(scope) as db:
                for one in wanted:
                    await _take(db, plugin, one)
            return
        except IntegrityError:  # somebody else made the period's first row a moment ago
            if attempt == _TRIES - 1:
                raise


async def give_back(scope: Scope, plugin: str, takes: Iterable[Take]) -> None:
    """Undo a :func:`take`, in the periods it was taken from; no counter falls below zero."""
    async with session(scope) as db:
        for one in sorted(takes, key=lambda one: one.limit):
            counter = _counter(plugin, one)
            enough = counter.where(col(PluginUsage.used) >= one.amount).values(used=col(PluginUsage.used) - one.amount)
            changed: Any = await db.execute(enough.execution_options(synchronize_session=False))
            if not changed.rowcount:
                await db.execute(counter.values(used=0).execution_options(synchronize_session=False))


async def _take(db: ScopedSession, plugin: str, one: Take) -> None:
    """The first statement of the transaction is a write, so SQLite queues the writers instead of refusing them."""
    counter = _counter(plugin, one).values(used=col(PluginUsage.used) + one.amount, updated_at=now())
    if one.allowed != UNLIMITED:
        counter = counter.where(col(PluginUsage.used) + one.amount <= one.allowed)
    changed: Any = await db.execute(counter.execution_options(synchronize_session=False))
    if changed.rowcount:
        return
    query = select(PluginUsage.used).where(
        col(PluginUsage.plugin) == plugin, col(PluginUsage.name) == one.limit, col(PluginUsage.period) == one.period
    )
    before = (await db.execute(query)).scalars().first()
    if before is not None or (one.allowed != UNLIMITED and one.amount > one.allowed):
        raise Exhausted(one, before or 0)
    old = delete(PluginUsage).where(
        col(PluginUsage.plugin) == plugin, col(PluginUsage.name) == one.limit, col(PluginUsage.updated_at) < now() - KEPT,
        col(PluginUsage.period) != "",
    )  # fmt: skip
    await db.execute(old.execution_options(synchronize_session=False))
    db.add(PluginUsage(plugin=plugin, name=one.limit, period=one.period, used=one.amount))
    await db.flush()


def _counter(plugin: str, one: Take) -> Any:
    return update(PluginUsage).where(
        col(PluginUsage.plugin) == plugin, col(PluginUsage.name) == one.limit, col(PluginUsage.period) == one.period
    )
