"""Telling people that a budget runs out: at 80 and at 100 percent, once per period (F-253).

Queued as a job in the transaction that noticed it, so that it is told although the process may die right after.
"""

from datetime import datetime
from typing import Any, Final

from mozaiks_shell.foundation import i18n, jobs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.identity import service as identity
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.usage.budgets import Budget
from mozaiks_shell.usage.holds import Settled

JOB: Final = "usage.warn"
REPORT_JOB: Final = "usage.report_failed"
_ADMINS_AT_MOST: Final = 50

_USED_UP = {
    "daily": msg("Your budget for today is used up."),
    "monthly": msg("Your budget for this month is used up."),
    "never": msg("Your budget is used up."),
}
_RUNS_OUT = {
    "daily": msg("{percent} of your budget for today is used."),
    "monthly": msg("{percent} of your budget for this month is used."),
    "never": msg("{percent} of your budget is used."),
}
_UNNAMED = msg("Reports that the payment service refused without naming them: {count}. Look there which they are.")
_APP_USED_UP = msg("The budget of the whole app is used up.")
_APP_RUNS_OUT = msg("{percent} of the budget of the whole app is used.")


def used_up(scope: str, period: str, resets_at: datetime | None) -> str:
    """Why nothing runs any more, and the way out, for the person who wanted to."""
    said = tr(_APP_USED_UP) if scope == "app" else tr(_USED_UP[period])
    parts = [said]
    if resets_at is not None:
        parts.append(tr("It starts again on {date}.", date=i18n.moment(resets_at)))
    parts.append(
        tr("An administrator can raise it.") if scope == "app" else tr("A larger plan or an administrator can raise it.")
    )
    return " ".join(parts)


def reason(budget: Budget) -> str:
    """:func:`used_up` of a budget."""
    return used_up(budget.scope, budget.period, budget.window.end)


async def queue(db: ScopedSession, settled: Settled) -> None:
    """Have people told, if the transaction of this session commits."""
    told = settled.standing.described()
    owner = settled.standing.budget
    payload = {"level": settled.level, "app_id": owner.app_id, "user_id": owner.user_id, **told}
    key = f"{told['scope']}:{told['unit']}:{told['starts_at']}:{settled.level}"
    await jobs.enqueue(JOB, payload, app_id=owner.app_id, user_id=owner.user_id, key=key[:160], within=db)


async def _tell(payload: dict[str, Any]) -> None:
    """The job: a notification to the person, or to the administrators for the budget of the app, and the event."""
    app_id, owner = str(payload.pop("app_id")), str(payload.pop("user_id"))
    level, scope = int(payload.pop("level")), str(payload["scope"])
    people = [owner] if owner else await _admins(app_id)
    resets_at = datetime.fromisoformat(payload["resets_at"]) if payload.get("resets_at") else None
    for user_id in people:
        title, message = _words(level, scope, str(payload["period"]), resets_at)
        await notifications.create(app_id, user_id, "usage", title, message, link="/usage")
    await publish(Event("usage.warning", app_id, owner, {**payload, "percent": level}))


def _words(level: int, scope: str, period: str, resets_at: datetime | None) -> tuple[str, str]:
    if level >= 100:
        whole = used_up(scope, period, resets_at)
        first = tr(_APP_USED_UP) if scope == "app" else tr(_USED_UP[period])
        return first, whole.removeprefix(first).strip()
    text = _APP_RUNS_OUT if scope == "app" else _RUNS_OUT[period]
    rest = tr("It starts again on {date}.", date=i18n.moment(resets_at)) if resets_at else ""
    return tr(text, percent=i18n.percent(level / 100)), rest


async def queue_report_failed(db: ScopedSession, app_id: str, unnamed: int = 0) -> None:
    """Have administrators told that use could not be billed, if the transaction of this session commits.

    Args:
        unnamed: So many reports were refused that the payment service did not name.
    """
    key = "unnamed" if unnamed else "failed"
    await jobs.enqueue(REPORT_JOB, {"app_id": app_id, "unnamed": unnamed}, app_id=app_id, key=key, within=db)


async def _tell_report_failed(payload: dict[str, Any]) -> None:
    app_id, unnamed = str(payload["app_id"]), int(payload.get("unnamed", 0))
    for user_id in await _admins(app_id):
        title, message = tr("Use could not be billed"), tr("The payment service refused a report of what a customer used.")
        if unnamed:
            message = tr(_UNNAMED, count=i18n.number(unnamed))
        await notifications.create(app_id, user_id, "usage", title, message, link="/usage")


async def _admins(app_id: str) -> list[str]:
    found: list[str] = []
    for user_id in await identity.everybody(app_id):
        person: Principal | None = await identity.person_now(app_id, user_id)
        if person is not None and person.has_role("admin"):
            found.append(user_id)
        if len(found) == _ADMINS_AT_MOST:
            break
    return found


jobs.define(jobs.Definition(JOB, _tell))
jobs.define(jobs.Definition(REPORT_JOB, _tell_report_failed))
