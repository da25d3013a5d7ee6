"""What a person used, what the app used, and what may still be used (F-251, F-253)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import export, meters
from mozaiks_shell.usage.invoice import preview
from mozaiks_shell.usage.periods import window
from mozaiks_shell.usage.service import standings
from mozaiks_shell.usage.sums import GroupBy, Span, grouped, total

router = APIRouter()
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Admin = Annotated[Principal, Depends(needs(Access.role("admin")))]
PeriodName = Literal["today", "month", "all"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The time a caller asked for."""

    span: Span
    zone: ZoneInfo


def _asked(
    period: Annotated[PeriodName, Query(description="Today, this month, or everything; `from` and `to` beat it.")] = "all",
    since: Annotated[date | None, Query(alias="from", description="First day, in the app's time zone.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Last day, in the app's time zone.")] = None,
) -> Asked:
    zone = ZoneInfo(get_settings().default_timezone)
    if any(one is not None and not 1970 <= one.year <= 9000 for one in (since, until)):
        raise Invalid("from, to: name a day between 1970 and 9000.")
    if since is not None and until is not None and until < since:
        raise Invalid("to: is before from. Name the first day first.")
    if since is not None or until is not None:
        start = None if since is None else datetime.combine(since, time(), zone)
        end = None if until is None else datetime.combine(until + timedelta(days=1), time(), zone)
        return Asked(Span(start, end), zone)
    if period == "all":
        return Asked(Span(), zone)
    found = window("daily" if period == "today" else "monthly", now(), zone)
    return Asked(Span(found.start, found.end), zone)


When = Annotated[Asked, Depends(_asked)]
Group = Annotated[GroupBy | None, Query(description="Also sums by this.")]


@router.get("/api/usage")
async def own(person: Person, when: When, group_by: Group = None) -> dict[str, Any]:
    """Tokens and cost of the caller. Costs are decimal texts; ``unpriced_calls`` are in none of them."""
    return await _body(Scope(person.app_id, person.user_id), when, group_by)


@router.get("/api/usage/app")
async def whole_app(person: Admin, when: When, group_by: Group = None) -> dict[str, Any]:
    """Tokens and cost of everybody; admins only."""
    return await _body(Scope(person.app_id, None), when, group_by)


@router.get("/api/app/usage/{enterprise_id}")
async def of_enterprise(enterprise_id: str, person: Admin, when: When, group_by: Group = None) -> dict[str, Any]:
    """The same for the owner, by the id of the app. Another app is not there for them."""
    if enterprise_id != person.app_id:
        raise NotFound(tr("There is no such app."), code="APP_NOT_FOUND")
    body = await _body(Scope(person.app_id, None), when, group_by)
    return {
        "app_id": person.app_id,
        **body,
        "budgets": [one.described() for one in await standings(person.app_id, "", whole_app=True)],
    }


@router.get("/api/usage/budget")
async def budget(person: Person) -> dict[str, Any]:
    """What the caller may still spend. Of the app's budget people see the state, admins the figures."""
    found = []
    for one in await standings(person.app_id, person.user_id):
        told = one.described()
        if told["scope"] == "app" and not person.has_role("admin"):
            told = {key: told[key] for key in ("scope", "unit", "period", "resets_at", "enforcement")} | {
                "exhausted": one.remaining == 0
            }
        found.append(told)
    return {"mode": get_settings().token_usage_mode, "budgets": found}


@router.get("/api/usage/invoice")
async def invoice(person: Person) -> dict[str, Any]:
    """What the caller's use of this month costs so far, by model. Costs are decimal texts; ``billed``: it comes to be paid."""
    return (await preview(Scope(person.app_id, person.user_id))).described()


@router.get("/api/usage/app/invoice")
async def app_invoice(person: Admin) -> dict[str, Any]:
    """The same of everybody; admins only."""
    return (await preview(Scope(person.app_id, None))).described()


@router.get("/api/usage/chats/{chat_id}")
async def of_chat(chat_id: str, person: Person) -> dict[str, Any]:
    """The sum of one of the caller's chats, as the frame ``chat.usage_summary`` tells it; zeros for a chat that is not theirs."""
    found = await total(Scope(person.app_id, person.user_id), Span(), chat_id=chat_id)
    return {"chat_id": chat_id, "currency": usage_config().currency, **found.described()}


@router.get("/api/usage/export.csv", response_class=StreamingResponse)
async def own_csv(person: Person, when: When) -> StreamingResponse:
    """Every model call of the caller."""
    return _csv(export.lines(Scope(person.app_id, person.user_id), when.span), "usage.csv")


@router.get("/api/usage/app/export.csv", response_class=StreamingResponse)
async def app_csv(person: Admin, when: When) -> StreamingResponse:
    """Every model call of everybody; admins only."""
    return _csv(export.lines(Scope(person.app_id, None), when.span), "usage-app.csv")


ReportState = Literal["waiting", "sent", "failed", "dropped"]


@router.get("/api/usage/reports")
async def reports(
    person: Admin,
    state: Annotated[ReportState | None, Query(description="Only these; default all.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """What was told to the payment service's meters, the newest hour first, and how many there are of each state; admins only."""
    found = await meters.listing(person.app_id, state or "", limit)
    return {**await meters.counts(person.app_id), "reports": [meters.as_json(one) for one in found]}


@router.post("/api/usage/reports/{report_id}/send")
async def send_report(report_id: str, person: Admin) -> dict[str, str]:
    """Tell a failed report again, under the same identifier; admins only."""
    return _decided(await meters.send_again(person.app_id, report_id), report_id, "waiting")


@router.post("/api/usage/reports/{report_id}/drop")
async def drop_report(report_id: str, person: Admin) -> dict[str, str]:
    """Never tell a failed report; admins only."""
    return _decided(await meters.drop(person.app_id, report_id), report_id, "dropped")


def _decided(done: bool, report_id: str, state: str) -> dict[str, str]:
    if not done:
        raise NotFound(tr("There is no such failed report."), code="REPORT_NOT_FOUND")
    return {"id": report_id, "state": state}


def _csv(lines: AsyncIterator[str], name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def _body(scope: Scope, when: Asked, group_by: GroupBy | None) -> dict[str, Any]:
    span = when.span
    body: dict[str, Any] = {
        "from": span.start.isoformat() if span.start else None,
        "until": span.end.isoformat() if span.end else None,
        "currency": usage_config().currency,
        **(await total(scope, span)).described(),
    }
    if group_by is not None:
        body["group_by"] = group_by
        body["groups"] = [{"key": one.key, **one.described()} for one in await grouped(scope, span, group_by, when.zone)]
    return body
