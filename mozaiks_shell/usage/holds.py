"""Putting aside and settling: what keeps runs side by side from spending the same rest twice (F-253).

Everything about a budget happens under its row, which is written to first and stays locked until the transaction ends. So
two writers never see the same rest, in as many processes as there are. Where several budgets count, the app's comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, delete, select, update

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.usage.budgets import WARN_AT, Budget, Standing, same
from mozaiks_shell.usage.models import UsageBudget, UsageEntry, UsageHold
from mozaiks_shell.usage.prices import MICRO

LASTS: Final = timedelta(minutes=3)  # a run that measured nothing for so long holds nothing; so does a process that died
_MOST: Final = 2**63 - 1
_BINDERS: Final = 50  # another start of the same person may take the one we found; then there is a next


class UsedUp(Exception):
    """A hard or soft limit is reached. ``standing`` says which."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        super().__init__(standing.budget.scope)


@dataclass(slots=True)
class _Row:
    """The budget's row while we hold its lock."""

    id: str
    used: int
    reserved: int
    warned: int


async def prepare(budgets: Sequence[Budget]) -> None:
    """Make the rows of budgets whose period is new, with what the ledger already knows of it.

    A transaction of its own: whoever writes to the ledger afterwards finds the row and adds to it.
    """
    for budget in budgets:
        async with system_session(budget.app_id) as db:
            if (await db.execute(select(UsageBudget.id).where(*same(budget)))).first() is not None:
                continue
            spent = await _spent(db, budget)
            make = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert(UsageBudget)
            row = {
                "id": new_id("bud"), "app_id": budget.app_id, "user_id": budget.user_id, "unit": budget.unit,
                "period": budget.period, "starts": budget.window.start, "used": spent, "reserved": 0, "warned": 0,
            }  # fmt: skip
            await db.execute(make.values(row).on_conflict_do_nothing())


async def _spent(db: ScopedSession, budget: Budget) -> int:
    tokens = col(UsageEntry.prompt_tokens) + col(UsageEntry.completion_tokens)
    if budget.unit == "tokens":
        query = select(func.coalesce(func.sum(tokens), 0))
    else:
        query = select(func.coalesce(func.sum((col(UsageEntry.cost_pico) + (MICRO - 1)) // MICRO), 0))
    query = query.where(col(UsageEntry.at) >= budget.window.start)
    if budget.window.end is not None:
        query = query.where(col(UsageEntry.at) < budget.window.end)
    if budget.user_id:
        query = query.where(col(UsageEntry.user_id) == budget.user_id)
    return int((await db.execute(query)).scalar_one())


async def _lock(db: ScopedSession, budget: Budget) -> _Row:
    """Lock the row, and give back what runs held that are gone."""
    mine = update(UsageBudget).where(*same(budget)).values(reserved=col(UsageBudget.reserved))
    known = (col(UsageBudget.id), col(UsageBudget.used), col(UsageBudget.reserved), col(UsageBudget.warned))
    found = (await db.execute(_plain(mine.returning(*known)))).one()
    row = _Row(*found)
    row.reserved -= await _take(db, row, col(UsageHold.expires_at) <= now())
    return row


async def _take(db: ScopedSession, row: _Row, which: Any) -> int:
    """Remove holds of a budget; what they held."""
    gone = delete(UsageHold).where(col(UsageHold.budget_id) == row.id, which).returning(col(UsageHold.amount))
    return sum((await db.execute(_plain(gone))).scalars().all())


async def _write(db: ScopedSession, row: _Row) -> None:
    values = {"used": min(row.used, _MOST), "reserved": max(0, row.reserved), "warned": row.warned}
    await db.execute(_plain(update(UsageBudget).where(col(UsageBudget.id) == row.id).values(**values)))


def _plain(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)


def _hold(
    db: ScopedSession, budget: Budget, row: _Row, run: str, user_id: str, workflow: str, chat_id: str, wanted: int = 0
) -> int:
    """Put the next piece aside (``wanted``, default a chunk), or what is left; returns how much, 0 when nothing is left."""
    assert budget.limit is not None
    piece = min(wanted or budget.chunk, budget.limit - row.used - row.reserved)
    if piece <= 0:
        return 0
    row.reserved += piece
    ends = now() + LASTS
    db.add(
        UsageHold(
            user_id=user_id, budget_id=row.id, run=run, chat_id=chat_id, workflow=workflow[:128], amount=piece, expires_at=ends
        )
    )
    return piece


async def reserve(budgets: Sequence[Budget], user_id: str, workflow: str, chat_id: str = "") -> None:
    """Put aside what a run is likely to need first, in every budget or in none.

    Raises:
        UsedUp: one of them has nothing left.
    """
    counting = [one for one in budgets if one.limit is not None and one.enforcement in {"hard", "soft"}]
    if not counting:
        return
    await prepare(counting)
    run = new_id("run")
    async with system_session(counting[0].app_id) as db:
        for budget in counting:
            row = await _lock(db, budget)
            if chat_id:
                row.reserved -= await _take(db, row, col(UsageHold.chat_id) == chat_id)
            standing = Standing(budget, row.used, row.reserved)
            if not standing.remaining or (
                budget.enforcement == "hard" and not _hold(db, budget, row, run, user_id, workflow, chat_id)
            ):
                raise UsedUp(standing)
            await _write(db, row)


async def bind(app_id: str, user_id: str, workflow: str, chat_id: str) -> None:
    """The runtime named the chat: what was put aside for the start is now this chat's."""
    for _ in range(_BINDERS):
        async with system_session(app_id) as db:
            if not (run := await _waiting(db, user_id, workflow)):
                return
            mine = update(UsageHold).where(col(UsageHold.run) == run, col(UsageHold.chat_id) == "")
            bound: Any = await db.execute(_plain(mine.values(chat_id=chat_id, expires_at=now() + LASTS)))
            if bound.rowcount:
                return


async def release(budgets: Sequence[Budget], user_id: str, *, workflow: str = "", chat_id: str = "") -> None:
    """Give back what is put aside for a chat, or (``workflow``) for one start that did not happen."""
    counting = [one for one in budgets if one.enforcement == "hard" and one.limit is not None]
    if not counting:
        return
    async with system_session(counting[0].app_id) as db:
        which: Any = col(UsageHold.chat_id) == chat_id
        if not chat_id:
            if not (run := await _waiting(db, user_id, workflow)):
                return
            which = (col(UsageHold.run) == run) & (col(UsageHold.chat_id) == "")
        if (await db.execute(select(UsageHold.id).where(which))).first() is None:
            return
    await prepare(counting)
    async with system_session(counting[0].app_id) as db:
        for budget in counting:
            row = await _lock(db, budget)
            row.reserved -= await _take(db, row, which)
            await _write(db, row)


async def _waiting(db: ScopedSession, user_id: str, workflow: str) -> str:
    """The oldest start of this person and workflow whose chat has no name yet."""
    query = select(UsageHold.run).where(
        col(UsageHold.user_id) == user_id, col(UsageHold.workflow) == workflow[:128], col(UsageHold.chat_id) == ""
    )
    return (await db.execute(query.order_by(col(UsageHold.id)).limit(1))).scalars().first() or ""


async def cover(budgets: Sequence[Budget], user_id: str, workflow: str, chat_id: str, writing: dict[str, int]) -> Standing | None:
    """Put as much aside for a chat as the answer that is being written needs; the budget that has not got it, else None.

    Args:
        writing: What it needs so far, by unit as in :func:`settle`.
    """
    counting = [one for one in budgets if one.limit is not None and one.enforcement == "hard" and one.window.holds(now())]
    if not counting or await _covered(counting, chat_id, writing):
        return None
    await prepare(counting)
    short, run = None, new_id("run")
    async with system_session(counting[0].app_id) as db:
        for budget in counting:
            row = await _lock(db, budget)
            row.reserved -= await _take(db, row, col(UsageHold.chat_id) == chat_id)
            need = writing[budget.unit]
            wanted = (need // budget.chunk + 1) * budget.chunk
            held = _hold(db, budget, row, run, user_id, workflow, chat_id, wanted)
            await _write(db, row)
            if held < need and short is None:
                short = Standing(budget, row.used, row.reserved)
    return short


async def _covered(budgets: Sequence[Budget], chat_id: str, writing: dict[str, int]) -> bool:
    """Whether what is put aside is enough; asked without a lock, because it mostly is."""
    async with system_session(budgets[0].app_id) as db:
        for budget in budgets:
            mine = (col(UsageHold.budget_id) == UsageBudget.id, col(UsageHold.chat_id) == chat_id)
            held = select(func.coalesce(func.sum(col(UsageHold.amount)), 0)).where(
                *mine, *same(budget), col(UsageHold.expires_at) > now()
            )
            if int((await db.execute(held)).scalar_one()) < writing[budget.unit]:
                return False
    return True


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a budget. ``level`` is the percentage to tell people of, 0 when there is nothing new."""

    standing: Standing
    level: int
    exhausted: bool


async def settle(
    db: ScopedSession, budgets: Sequence[Budget], user_id: str, workflow: str, chat_id: str, spent: dict[str, int]
) -> list[Settled]:
    """Count a measured call and put the next piece aside, within the transaction that writes it to the ledger.

    Args:
        spent: By unit: tokens, and micro units of the currency.
    """
    found, run = [], new_id("run")
    for budget in budgets:
        row = await _lock(db, budget)
        row.reserved -= await _take(db, row, col(UsageHold.chat_id) == chat_id)
        row.used += spent[budget.unit]
        exhausted, level = False, 0
        if budget.limit is not None and budget.window.holds(now()):
            if budget.enforcement == "hard":
                exhausted = _hold(db, budget, row, run, user_id, workflow, chat_id) == 0
            share = Standing(budget, row.used, row.reserved).percent
            reached = next((one for one in WARN_AT if share >= one), 0)
            if reached > row.warned and budget.enforcement != "none":
                row.warned = level = reached
        await _write(db, row)
        found.append(Settled(Standing(budget, row.used, row.reserved), level, exhausted))
    return found


async def sweep(app_id: str) -> int:
    """Give back what was put aside for runs that are long gone, also in periods that are over; returns how many there were."""
    gone = 0
    async with system_session(app_id) as db:
        old = select(UsageHold.budget_id).where(col(UsageHold.expires_at) < now() - timedelta(hours=1)).distinct()
        ids = list((await db.execute(old.limit(500))).scalars())
    for budget_id in sorted(ids):
        async with system_session(app_id) as db:
            lock = update(UsageBudget).where(col(UsageBudget.id) == budget_id).values(reserved=col(UsageBudget.reserved))
            found = (await db.execute(_plain(lock.returning(col(UsageBudget.reserved))))).scalars().first()
            expired = (col(UsageHold.budget_id) == budget_id) & (col(UsageHold.expires_at) <= now())
            held = list((await db.execute(_plain(delete(UsageHold).where(expired).returning(col(UsageHold.amount))))).scalars())
            gone += len(held)
            if found is not None:
                change = update(UsageBudget).where(col(UsageBudget.id) == budget_id).values(reserved=max(0, found - sum(held)))
                await db.execute(_plain(change))
    return gone
