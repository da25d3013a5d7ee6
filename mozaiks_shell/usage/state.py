"""State of the usage page."""

from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar, TypedDict
from zoneinfo import ZoneInfo

from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.clock import aware, now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import NotFound, NotSignedIn
from mozaiks_shell.foundation.i18n import day, moment, money, msg, number, percent, tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.service import find_user
from mozaiks_shell.ui.state import ShellState, event
from mozaiks_shell.usage import meters
from mozaiks_shell.usage.budgets import Standing, standings
from mozaiks_shell.usage.invoice import preview
from mozaiks_shell.usage.periods import window
from mozaiks_shell.usage.sums import Span, Sum, grouped, total

_LINES = 25  # of a table; the file has them all
_DAYS = 30  # of the chart, where no period bounds it
log = get_logger("usage")
PERIODS = ("today", "month", "all")
_BILLED = msg("It is billed by use. What the payment service charges may differ, by its own prices and taxes.")
_NOT_BILLED = msg("By the prices of this app. Nobody is billed for it.")
_PER = {"daily": msg("Today"), "monthly": msg("This month"), "never": msg("In all")}


class Line(TypedDict):
    """A row of a table, as text; ``share`` of the largest, 0 to 100, for the bar."""

    name: str
    tokens: str
    calls: str
    cost: str
    share: int


class Bar(TypedDict):
    """A day of the chart: what it says, and its height 0 to 100."""

    said: str
    share: int


class Failed(TypedDict):
    """A report to the payment service that an operator has to decide on."""

    id: str
    hour: str
    person: str
    what: str
    reason: str


class Item(TypedDict):
    """A line of the invoice preview."""

    model: str
    what: str
    cost: str


class Gauge(TypedDict):
    """A budget: ``share`` 0 to 100 for the bar, ``tone`` of its words."""

    title: str
    text: str
    note: str
    share: int
    tone: str


class Usage(ShellState):
    """What was used in a period, by workflow, model and person; what may still be used."""

    access: ClassVar[Access | None] = Access.signed_in()

    loaded: bool = False
    failed: bool = False
    period: str = "month"
    everybody: bool = False
    may_see_all: bool = False
    tokens: str = ""
    calls: str = ""
    cost: str = ""  # empty where nothing is priced
    unpriced: int = 0
    gauges: list[Gauge] = []
    days: list[Line] = []
    bars: list[Bar] = []
    bills: bool = False  # something is billed by use, or was
    reports: dict[str, str] = {}  # how many, by state
    undelivered: list[Failed] = []
    doomed: str = ""
    invoice: list[Item] = []  # empty where nothing is priced
    invoice_sum: str = ""
    invoice_note: str = ""
    workflows: list[Line] = []
    models: list[Line] = []
    people: list[Line] = []
    export: str = "/api/usage/export.csv?period=month"

    @event
    async def enter(self) -> None:
        """Every visit: this month, one's own."""
        self.period, self.everybody = "month", False
        await self._read()

    @event
    async def choose(self, period: str) -> None:
        """Another period."""
        if period in PERIODS:
            self.period = period
            await self._read()

    @event(access=Access.role("admin"))
    async def whole_app(self, on: bool) -> None:
        """All people of the app, or oneself."""
        self.everybody = on
        await self._read()

    @event
    async def again(self) -> None:
        """Once more, after it could not be read."""
        self.failed = self.loaded = False
        yield
        await self._read()

    @event(access=Access.role("admin"))
    async def send_report(self, report_id: str) -> None:
        """Tell a failed report again."""
        await meters.send_again(self._me().app_id, str(report_id))
        await self._read()

    @event(access=Access.role("admin"))
    def doom(self, report_id: str) -> None:
        """Ask whether a failed report is to be dropped; empty: it is not."""
        self.doomed = str(report_id)[:64]

    @event(access=Access.role("admin"))
    async def drop_report(self) -> None:
        """Drop the report that was asked about."""
        report_id, self.doomed = self.doomed, ""
        await meters.drop(self._me().app_id, report_id)
        await self._read()

    async def _read(self) -> None:
        try:
            await self._read_all(self._me())
        except NotSignedIn:
            raise
        except Exception:  # the page says so, and offers to try again
            log.exception("usage could not be read")
            self.failed = True
        else:
            self.failed, self.loaded = False, True

    async def _read_all(self, me: Principal) -> None:
        self.may_see_all = me.has_role("admin")
        self.everybody = self.everybody and self.may_see_all
        zone = ZoneInfo(get_settings().default_timezone)
        span, priced = _span(self.period, zone), bool(usage_config().prices)
        scope = Scope(me.app_id, None if self.everybody else me.user_id)
        whole = await total(scope, span)
        self.tokens, self.calls = number(whole.prompt_tokens + whole.completion_tokens), number(whole.calls)
        self.cost = _money(whole) if priced else ""
        self.unpriced = whole.unpriced_calls if priced else 0
        days = await grouped(scope, span, "day", zone)
        self.bars = _bars(days, span, zone)
        self.days = _lines(days[-_LINES:][::-1], [day(date.fromisoformat(one.key)) for one in days[-_LINES:][::-1]])
        workflows = (await grouped(scope, span, "workflow", zone))[:_LINES]
        self.workflows = _lines(workflows, [one.key or "–" for one in workflows])
        models = (await grouped(scope, span, "model", zone))[:_LINES]
        self.models = _lines(models, [one.key or "–" for one in models])
        people = (await grouped(scope, span, "person", zone))[:_LINES] if self.everybody else []
        self.people = _lines(people, [await _name(one.key) for one in people])
        self.gauges = [_gauge(one, me) for one in await standings(me.app_id, me.user_id, whole_app=self.everybody)]
        path = "/api/usage/app/export.csv" if self.everybody else "/api/usage/export.csv"
        self.export = f"{path}?period={self.period}"
        await self._read_invoice(scope, priced)
        await self._read_reports(me)

    async def _read_invoice(self, scope: Scope, priced: bool) -> None:
        found = await preview(scope) if priced else None
        self.invoice = [_item(one) for one in found.lines[:_LINES]] if found else []
        self.invoice_sum = _money(found.whole) if found else ""
        self.invoice_note = tr(_BILLED if found.billed else _NOT_BILLED) if found else ""

    async def _read_reports(self, me: Principal) -> None:
        counts = await meters.counts(me.app_id) if self.everybody else {}
        self.bills = self.everybody and bool(usage_config().meters or any(counts.values()))
        self.reports = {name: number(count) for name, count in counts.items()}
        failed = await meters.listing(me.app_id, "failed", _LINES) if counts.get("failed") else []
        self.undelivered = [
            Failed(
                id=one.id, hour=moment(aware(one.hour)), person=await _name(one.user_id),
                what=f"{number(one.value)} {one.event_name}", reason=tr(one.error),
            )
            for one in failed
        ]  # fmt: skip


def _item(one: Sum) -> Item:
    what = tr("{read} tokens read, {written} written", read=number(one.prompt_tokens), written=number(one.completion_tokens))
    return Item(model=one.key or "–", what=what, cost=_money(one) if one.calls > one.unpriced_calls else tr("No price"))


def _bars(days: list[Sum], span: Span, zone: ZoneInfo) -> list[Bar]:
    """Day by day up to today, also those without use; none where there would be a single one."""
    spent = {date.fromisoformat(one.key): one.prompt_tokens + one.completion_tokens for one in days}
    if not spent:
        return []
    today = now().astimezone(zone).date()
    first = span.start.astimezone(zone).date() if span.start else max(min(spent), today - timedelta(days=_DAYS - 1))
    every = [first + timedelta(days=one) for one in range((today - first).days + 1)]
    most = max(spent.get(one, 0) for one in every) if every else 0
    if len(every) < 2 or not most:
        return []
    return [
        Bar(said=f"{day(one)}: {tr('{count} tokens', count=number(spent.get(one, 0)))}", share=_share(spent.get(one, 0), most))
        for one in every
    ]


def _share(part: int, most: int) -> int:
    """In percent; what is there at all is seen."""
    return max(2, 100 * part // most) if part and most else 0


def _lines(sums: list[Sum], names: list[str]) -> list[Line]:
    spent = [one.prompt_tokens + one.completion_tokens for one in sums]
    most = max(spent, default=0)
    return [_line(one, name, _share(tokens, most)) for one, name, tokens in zip(sums, names, spent, strict=True)]


def _span(period: str, zone: ZoneInfo) -> Span:
    if period == "all":
        return Span()
    found = window("daily" if period == "today" else "monthly", now(), zone)
    return Span(found.start, found.end)


def _money(one: Sum) -> str:
    """As an amount people know; what is less than its smallest part is not shown as nothing."""
    currency = usage_config().currency
    if 0 < one.cost < Decimal("0.01"):
        return f"< {money(0.01, currency)}"
    return money(float(one.cost), currency)


def _line(one: Sum, name: str, share: int) -> Line:
    tokens = number(one.prompt_tokens + one.completion_tokens)
    cost = _money(one) if one.calls > one.unpriced_calls else "–"
    return Line(name=name, tokens=tokens, calls=number(one.calls), cost=cost, share=share)


async def _name(user_id: str) -> str:
    try:
        user = await find_user(user_id)
    except NotFound:
        return user_id
    return user.full_name or user.username


def _gauge(one: Standing, me: Principal) -> Gauge:
    """The figures of the app's budget are its administrators' business; others see how full it is."""
    budget, share = one.budget, min(one.percent, 100)
    title = tr("Budget of the whole app") if budget.scope == "app" else tr("Your budget")
    used, limit = (_amount(one, value) for value in (one.used, budget.limit))
    if budget.limit is None:
        text = tr("{used} used, no limit", used=used)
    elif budget.scope == "app" and not me.has_role("admin"):
        text = tr("{percent} used", percent=percent(share / 100))
    else:
        text = tr("{used} of {limit} used", used=used, limit=limit)
    resets = budget.window.end
    note = tr("It starts again on {date}.", date=moment(resets)) if resets else ""
    tone = "danger" if share >= 100 else "warning" if share >= 80 else "neutral"
    return Gauge(title=f"{title} · {tr(_PER[budget.period])}", text=text, note=note, share=share, tone=tone)


def _amount(one: Standing, value: int | None) -> str:
    if value is None:
        return ""
    if one.budget.unit == "money":
        return money(value / 1_000_000, one.budget.currency)
    return tr("{count} tokens", count=number(value))
