"""Sums over the ledger (F-247, F-251): one query each, exact also where amounts are added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import case, func
from sqlmodel import col, select

from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.usage.models import UsageEntry
from mozaiks_shell.usage.prices import MICRO, as_decimal, cost, dearest, micro, plain, price_of

GroupBy = Literal["day", "workflow", "model", "agent", "chat", "person"]
MOST_GROUPS: Final = 1000
MOST_DAYS: Final = 366
_COLUMNS: Final = {
    "workflow": col(UsageEntry.workflow), "model": col(UsageEntry.model), "agent": col(UsageEntry.agent),
    "chat": col(UsageEntry.chat_id), "person": col(UsageEntry.user_id),
}  # fmt: skip
_PROMPT, _COMPLETION = col(UsageEntry.prompt_tokens), col(UsageEntry.completion_tokens)
_SUMS: Final = (
    func.coalesce(func.sum(_PROMPT), 0),
    func.coalesce(func.sum(_COMPLETION), 0),
    func.count(col(UsageEntry.id)),
    # In two halves: SQLite's sum of whole numbers ends at 64 bits.
    func.coalesce(func.sum(func.coalesce(col(UsageEntry.cost_pico), 0) // MICRO), 0),
    func.coalesce(func.sum(func.coalesce(col(UsageEntry.cost_pico), 0) % MICRO), 0),
    func.coalesce(func.sum(case((col(UsageEntry.cost_pico).is_(None), 1), else_=0)), 0),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Tokens, and the number of model calls they came from."""

    prompt_tokens: int
    completion_tokens: int
    calls: int


@dataclass(frozen=True, slots=True)
class Sum:
    """Tokens, calls and exact cost of a group. ``unpriced_calls`` are in none of the cost: their model has no price."""

    key: str
    prompt_tokens: int
    completion_tokens: int
    calls: int
    cost: Decimal
    unpriced_calls: int

    def described(self) -> dict[str, Any]:
        """For the API; the cost as a decimal text."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "calls": self.calls,
            "cost": plain(self.cost),
            "unpriced_calls": self.unpriced_calls,
        }


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` up to and without ``end``; None: without bound."""

    start: datetime | None = None
    end: datetime | None = None

    def conditions(self) -> list[Any]:
        """For a query over the ledger."""
        at = col(UsageEntry.at)
        found = [] if self.start is None else [at >= self.start.astimezone(UTC)]
        return found if self.end is None else [*found, at < self.end.astimezone(UTC)]


async def totals(app_id: str, user_id: str | None = None) -> Totals:
    """Tokens of one person, or of the whole app when ``user_id`` is None (admins)."""
    found = await total(Scope(app_id, user_id), Span())
    return Totals(found.prompt_tokens, found.completion_tokens, found.calls)


async def total(scope: Scope, span: Span, *, chat_id: str = "") -> Sum:
    """One sum over what the scope may see in that time."""
    query = select(*_SUMS).where(*span.conditions())  # type: ignore[call-overload]
    if chat_id:
        query = query.where(col(UsageEntry.chat_id) == chat_id)
    async with session(scope) as db:
        return _sum("", (await db.execute(query)).one())


async def grouped(scope: Scope, span: Span, by: GroupBy, zone: ZoneInfo) -> list[Sum]:
    """Sums by group: days in order, everything else the most tokens first. At most :data:`MOST_GROUPS`.

    Days begin at midnight in ``zone``; days without use are left out.
    """
    if by == "day":
        return await _days(scope, span, zone)
    key = _COLUMNS[by]
    most = (_SUMS[0] + _SUMS[1]).desc()
    query = select(key, *_SUMS).where(*span.conditions()).group_by(key).order_by(most, key).limit(MOST_GROUPS)  # type: ignore[call-overload]
    async with session(scope) as db:
        return [_sum(str(row[0]), row[1:]) for row in (await db.execute(query)).all()]


async def _days(scope: Scope, span: Span, zone: ZoneInfo) -> list[Sum]:
    """Databases cut days differently and none knows every zone, so each day's edges are given to it."""
    at = col(UsageEntry.at)
    async with session(scope) as db:
        first, last = (await db.execute(select(func.min(at), func.max(at)).where(*span.conditions()))).one()
        if first is None:
            return []
        day, until = _local(first, zone), _local(last, zone)
        days = min((until - day).days + 1, MOST_DAYS)
        day = until - timedelta(days=days - 1)
        found: list[Sum] = []
        for offset in range(days):
            start, end = (
                datetime(one.year, one.month, one.day, tzinfo=zone)
                for one in (day + timedelta(offset), day + timedelta(offset + 1))
            )
            query = select(*_SUMS).where(*span.conditions(), *Span(start, end).conditions())  # type: ignore[call-overload]
            one = _sum((day + timedelta(offset)).isoformat(), (await db.execute(query)).one())
            found += [one] if one.calls else []
    return found


def _local(moment: datetime, zone: ZoneInfo) -> Any:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(zone).date()


def _sum(key: str, row: Sequence[Any]) -> Sum:
    prompt, completion, calls, micro, rest, unpriced = (int(value) for value in row)
    return Sum(key, prompt, completion, calls, as_decimal(micro * MICRO + rest), unpriced)


async def estimate(app_id: str, chat_id: str, tokens: int) -> dict[str, int]:
    """What an answer of so many tokens costs by unit (tokens, micro units), by the price of the chat's last call; where that
    has none, by the dearest.
    """
    config = usage_config()
    pico = 0
    if config.prices:
        last = select(UsageEntry.model).where(col(UsageEntry.chat_id) == chat_id).order_by(col(UsageEntry.at).desc()).limit(1)
        async with session(Scope(app_id, None)) as db:
            model = (await db.execute(last)).scalars().first() or ""
        price = price_of(model, now(), config.prices) or dearest(config)
        pico = cost(price, 0, tokens) if price is not None else 0
    return {"tokens": tokens, "money": micro(pico)}


async def between(app_id: str, user_id: str, edges: Sequence[datetime]) -> list[int]:
    """Tokens of one person in the spans between neighbouring ``edges`` (ascending, aware): one fewer than edges, one query."""
    spent, at = _PROMPT + _COMPLETION, col(UsageEntry.at)
    marks = [edge.astimezone(UTC) for edge in edges]
    spans = zip(marks, marks[1:], strict=False)
    sums = [func.coalesce(func.sum(case(((at >= start) & (at < end), spent), else_=0)), 0) for start, end in spans]
    async with session(Scope(app_id, user_id)) as db:
        found = (await db.execute(select(*sums).where(at >= marks[0]))).one()
    return [int(value) for value in found]
