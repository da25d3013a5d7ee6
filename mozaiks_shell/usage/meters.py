"""What customers are billed for by use (F-255): counted with the ledger, told to the payment service every hour, once.

A call is added to the hour it was made in, in the transaction that writes it to the ledger. An hour is closed in the update
that first takes it to be told, so no call is told twice and none is left out; one that comes later makes another part. Each
part keeps its identifier, which the payment service tells apart for a day, so telling it again within a day is harmless.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, delete, select, update

from mozaiks_shell.appconfig.usage_config import Meter, UsageConfig
from mozaiks_shell.billing import service as billing
from mozaiks_shell.billing.errors import UsageRefused
from mozaiks_shell.foundation import jobs, outbox
from mozaiks_shell.foundation.clock import aware, now
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Every
from mozaiks_shell.usage import notices, prices
from mozaiks_shell.usage.models import UsageEntry, UsageReport

log = get_logger("usage")

JOB: Final = "usage.report"
HOUR: Final = timedelta(hours=1)
SETTLE: Final = timedelta(minutes=2)  # calls of an hour that ended may still be under way
SURE: Final = timedelta(hours=23)  # after a day the payment service may count an identifier again
OLDEST: Final = timedelta(days=34)  # it takes calls of the last 35 days
KEEP: Final = timedelta(days=100)
_KEY: Final = ("app_id", "user_id", "customer_id", "event_name", "hour")
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_PAGE: Final = 100
_SHOWN: Final = {"open": "waiting", "due": "waiting", "refused": "failed"}
_IN_A_ROW: Final = 3  # failures after which the rest waits: the service is away

UNSURE = msg(
    "The payment service gave no certain answer within 23 hours. Look there whether it was counted before sending it again."
)
TOO_OLD = msg("The payment service takes calls of the last 35 days only. Bill it by hand.")


async def customer_of(entry: UsageEntry, config: UsageConfig) -> billing.Customer | None:
    """Who is billed for the call; None where nothing is billed by use."""
    return await billing.customer_of(entry.app_id, entry.user_id) if config.meters else None


async def billed(app_id: str, user_id: str, config: UsageConfig) -> bool:
    """Whether some meter wants what this person uses."""
    customer = await billing.customer_of(app_id, user_id) if config.meters else None
    return customer is not None and any(not one.plans or customer.plan in one.plans for one in config.meters)


async def add(db: ScopedSession, entry: UsageEntry, customer: billing.Customer, config: UsageConfig) -> None:
    """Count a call for every meter that wants it, within the transaction that writes it to the ledger."""
    for meter in sorted(config.meters, key=lambda one: one.event_name):  # in one order, so that two writers never cross
        if meter.wants(entry.model, customer.plan) and (amount := _amount(meter, entry)) > 0:
            await _add(db, entry, customer.customer_id, meter.event_name, amount)


def _amount(meter: Meter, entry: UsageEntry) -> int:
    if meter.counts == "cost_micros":
        return prices.micro(entry.cost_pico or 0)
    read, written = entry.prompt_tokens, entry.completion_tokens
    return {"tokens": read + written, "input_tokens": read, "output_tokens": written, "calls": 1}[meter.counts]


async def _add(db: ScopedSession, entry: UsageEntry, customer_id: str, event_name: str, amount: int) -> None:
    at = aware(entry.at)
    hour = at.replace(minute=0, second=0, microsecond=0)
    key = dict(zip(_KEY, (entry.app_id, entry.user_id, customer_id, event_name, hour), strict=True))
    same = [getattr(UsageReport, name) == value for name, value in key.items()]
    last = col(UsageReport.last_at)
    grown = {"value": col(UsageReport.value) + amount, "last_at": case((last < at, at), else_=last)}
    make = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert(UsageReport)
    while True:
        added: Any = await db.execute(_plain(update(UsageReport).where(*same, col(UsageReport.state) == "open").values(**grown)))
        if added.rowcount:
            return
        is_open = func.coalesce(func.sum(case((col(UsageReport.state) == "open", 1), else_=0)), 0)
        parts, opened = (await db.execute(select(func.count(col(UsageReport.id)), is_open).where(*same))).one()
        if opened:  # made by another writer since; two open parts would both grow
            continue
        row = {
            **key, "id": new_id("mtr"), "part": parts, "value": amount, "last_at": at, "state": "open", "tries": 0,
            "due_at": max(hour + HOUR, now()) + SETTLE, "error": "",
        }  # fmt: skip
        made = await db.execute(make.values(row).on_conflict_do_nothing().returning(col(UsageReport.id)))
        if made.first() is not None:
            return


def _plain(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)


async def report(_: dict[str, Any] | None = None) -> dict[str, int]:
    """The job: tell what is due, oldest first, until nothing is left or the payment service is away."""
    app_id, told, failures = get_settings().app_id, {"sent": 0, "failed": 0, "waiting": 0}, 0
    while failures < _IN_A_ROW:
        async with system_session(app_id) as db:
            due = col(UsageReport.state).in_(("open", "due")) & (col(UsageReport.due_at) <= now())
            query = select(UsageReport.id, UsageReport.tries).where(due).order_by(col(UsageReport.due_at)).limit(_PAGE)
            found = (await db.execute(query)).all()
        if not found:
            break
        for report_id, tries in found:
            became = await _tell(app_id, report_id, tries)
            told[became] += 1 if became else 0
            failures = failures + 1 if became == "waiting" else 0
            if failures >= _IN_A_ROW:
                break
    await _forget(app_id)
    return told


async def _tell(app_id: str, report_id: str, tries: int) -> str:
    """One report: close it, and plan the next try before this one, for the process may die in between."""
    moment = now()
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(tries, 10))
    mine = (col(UsageReport.id) == report_id) & (col(UsageReport.tries) == tries)
    mine &= col(UsageReport.state).in_(("open", "due")) & (col(UsageReport.due_at) <= moment)
    first = func.coalesce(col(UsageReport.first_try_at), moment)
    taken = {"state": "due", "tries": tries + 1, "due_at": moment + wait, "first_try_at": first}
    async with system_session(app_id) as db:
        if not (await db.execute(_plain(update(UsageReport).where(mine).values(**taken)))).rowcount:
            return ""  # another process was first
        row = (await db.execute(select(UsageReport).where(col(UsageReport.id) == report_id))).scalars().one()
    if moment - aware(row.last_at) > OLDEST:
        return await _fail(row, TOO_OLD)
    if row.first_try_at is not None and moment - aware(row.first_try_at) > SURE:
        return await _fail(row, UNSURE)
    metered = billing.Metered(row.id, row.event_name, row.customer_id, row.value, aware(row.last_at))
    try:
        await billing.report_usage(metered)
    except UsageRefused as refused:
        return await _fail(row, refused.message)
    except ShellError as error:
        log.warning("usage not reported", report=row.id, tries=row.tries, reason=error.message)
        await _change(row, "due", error=error.message[:500])
        return "waiting"
    await _change(row, "sent", error="")
    return "sent"


async def _change(row: UsageReport, state: str, **values: Any) -> None:
    """Write what became of a try, unless an operator or another process decided since."""
    mine = (col(UsageReport.id) == row.id) & (col(UsageReport.state) == "due") & (col(UsageReport.tries) == row.tries)
    async with system_session(row.app_id) as db:
        await db.execute(_plain(update(UsageReport).where(mine).values(state=state, **values)))


async def _fail(row: UsageReport, reason: str) -> str:
    """Nobody tries again by himself: the operator decides. Administrators hear of the first one only."""
    log.error("usage report failed", report=row.id, meter=row.event_name, value=row.value, reason=reason)
    async with system_session(row.app_id) as db:
        before = (await db.execute(select(UsageReport.id).where(_is_failed()).limit(1))).first()
        mine = (col(UsageReport.id) == row.id) & (col(UsageReport.tries) == row.tries)
        await db.execute(_plain(update(UsageReport).where(mine).values(state="failed", error=reason[:500])))
        if before is None:
            await notices.queue_report_failed(db, row.app_id)
    return "failed"


async def refused(event: Event) -> None:
    """Reports that were taken are refused after all: nothing of them was counted. The operator decides, as for :func:`_fail`.

    The service may name only some of them; then administrators are told how many it did not.
    """
    named: list[dict[str, str]] = event.data["named"]
    ours = 0
    async with system_session(event.app_id) as db:
        before = (await db.execute(select(UsageReport.id).where(_is_failed()).limit(1))).first()
        for one in named:
            mine = (col(UsageReport.id) == one["identifier"]) & col(UsageReport.state).in_(("sent", "due"))
            change = update(UsageReport).where(mine).values(state="refused", error=one["reason"][:500])
            changed: Any = await db.execute(_plain(change))
            ours += changed.rowcount
        unnamed = max(0, int(event.data["count"]) - len(named))
        if unnamed or (ours and before is None):
            await notices.queue_report_failed(db, event.app_id, unnamed)
        await outbox.done(db, event)
    log.error("usage reports refused later", count=event.data["count"], ours=ours, unnamed=unnamed)


def _is_failed() -> Any:
    return col(UsageReport.state).in_(("failed", "refused"))


async def _forget(app_id: str) -> None:
    old = col(UsageReport.state).in_(("sent", "dropped", "retold")) & (col(UsageReport.hour) < now() - KEEP)
    async with system_session(app_id) as db:
        await db.execute(_plain(delete(UsageReport).where(old)))


async def counts(app_id: str) -> dict[str, int]:
    """Reports by state: ``waiting`` (for the end of the hour, or another try), ``sent``, ``failed``, ``dropped``."""
    async with system_session(app_id) as db:
        state = col(UsageReport.state)
        rows = (await db.execute(select(state, func.count(col(UsageReport.id))).group_by(state))).all()
    found = {"waiting": 0, "sent": 0, "failed": 0, "dropped": 0}
    for name, count in rows:
        if name != "retold":
            found[_SHOWN.get(name, name)] += count
    return found


async def listing(app_id: str, state: str = "", limit: int = 100) -> list[UsageReport]:
    """Reports, the newest hour first; ``state`` as in :func:`counts`. For operators."""
    wanted = [name for name in ("open", "due", "sent", "failed", "refused", "dropped") if state in {"", _SHOWN.get(name, name)}]
    query = select(UsageReport).where(col(UsageReport.state).in_(wanted))
    query = query.order_by(col(UsageReport.hour).desc(), col(UsageReport.id).desc())
    async with system_session(app_id) as db:
        return list((await db.execute(query.limit(max(1, min(limit, 500))))).scalars())


async def send_again(app_id: str, report_id: str) -> bool:
    """An operator has a failed report told again, under its identifier; False when there is no such failed one.

    One that was taken and refused later goes under a new one: the service would take the old one for a repetition.
    """
    anew: dict[str, Any] = {"state": "due", "tries": 0, "first_try_at": None, "due_at": now(), "error": ""}
    if await _decide(app_id, report_id, col(UsageReport.state) == "failed", anew):
        return True
    taken = (col(UsageReport.id) == report_id) & (col(UsageReport.state) == "refused")
    async with system_session(app_id) as db:
        change = update(UsageReport).where(taken).values(state="retold").returning(UsageReport)
        old = (await db.execute(_plain(change))).scalars().first()
        if old is None:
            return False
        same = [getattr(UsageReport, name) == getattr(old, name) for name in _KEY]
        parts = (await db.execute(select(func.max(col(UsageReport.part))).where(*same))).scalar_one()
        kept: dict[str, Any] = {name: getattr(old, name) for name in (*_KEY, "value", "last_at")}
        db.add(UsageReport(**kept, part=parts + 1, **anew))
    return True


async def drop(app_id: str, report_id: str) -> bool:
    """An operator will not have a failed report told; False when there is no such failed one."""
    return await _decide(app_id, report_id, _is_failed(), {"state": "dropped"})


async def _decide(app_id: str, report_id: str, which: Any, values: dict[str, Any]) -> bool:
    mine = (col(UsageReport.id) == report_id) & which
    async with system_session(app_id) as db:
        done: Any = await db.execute(_plain(update(UsageReport).where(mine).values(**values)))
    return bool(done.rowcount)


def as_json(row: UsageReport) -> dict[str, Any]:
    """A report for the API."""
    return {
        "id": row.id, "user_id": row.user_id, "customer_id": row.customer_id, "event_name": row.event_name,
        "hour": aware(row.hour).isoformat(), "part": row.part, "value": row.value,
        "state": _SHOWN.get(row.state, row.state), "tries": row.tries,
        "next_try_at": aware(row.due_at).isoformat() if row.state in {"open", "due"} else None, "error": row.error,
    }  # fmt: skip


def define() -> None:
    """Have the job run every minute."""
    jobs.define(jobs.Definition(JOB, report, retries=0, timing=Every(timedelta(minutes=1))))
