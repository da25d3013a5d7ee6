"""The board: what it shows and what its controls do."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, TypedDict

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, tr

from . import contacts, deals
from .choices import DealSettings
from .models import STAGES, Deal

TITLES = {"lead": msg("Lead"), "talking": msg("Talking"), "offer": msg("Offer"), "won": msg("Won"), "lost": msg("Lost")}


class Card(TypedDict):
    """A deal on the board. ``quiet`` is for how many days it has not moved; 0 when that is not worth a word."""

    id: str
    title: str
    company: str
    amount: float
    stage: str
    closes: str
    late: bool
    quiet: int


class Column(TypedDict):
    """A stage with its cards; ``title`` is a message id, ``amount`` what they come to."""

    stage: str
    title: str
    count: int
    amount: float
    cards: list[Card]


class Bar(TypedDict):
    """A month of the chart, in the units of its drawing; ``amount`` in the currency."""

    label: str
    amount: float
    x: int
    y: float
    height: float


CHART_HEIGHT, BAR_STEP = 120, 56


class Board(sdk.State):
    """Stages side by side, a form to add or edit a deal, and what was won in the last months."""

    columns: list[Column] = []
    bars: list[Bar] = []
    won: float = 0
    expected: float = 0
    currency: str = "EUR"
    companies: list[str] = []
    total: int = 0
    ready: bool = False
    moved: str = ""
    editing: bool = False
    deal_id: str = ""
    form: dict[str, str] = {}
    form_key: int = 0
    error: str = ""
    asking: str = ""
    asking_title: str = ""

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit."""
        self.editing, self.asking, self.moved = False, "", ""
        await self._read()
        asked = self.router.url.query_parameters
        if asked.get("new"):
            await self.add()
        elif wanted := asked.get("deal"):
            await self.edit(wanted)

    @sdk.event
    async def move(self, deal_id: str, stage: str) -> AsyncIterator[Any]:
        """Put a deal into another stage; its control has the focus again there."""
        deal = await deals.move(deal_id, stage)
        self.moved = deal.id
        await self._read()
        yield sdk.notify(tr("“{title}” is now under {stage}.", title=deal.title, stage=tr(TITLES[deal.stage])), "success")

    @sdk.event
    async def add(self, stage: str = "lead") -> None:
        """Open the empty form."""
        await self._open(
            "", {"title": "", "company": "", "amount": "", "closes": "", "stage": stage if stage in STAGES else "lead"}
        )

    @sdk.event
    async def edit(self, deal_id: str) -> None:
        """Open the form of a deal."""
        deal = await deals.get(deal_id)
        company = (await contacts.company(deal.company_id)).name if deal.company_id else ""
        closes = deal.closes.isoformat() if deal.closes else ""
        amount = f"{deal.amount / 100:.2f}".removesuffix(".00")
        await self._open(
            deal.id, {"title": deal.title, "company": company, "amount": amount, "closes": closes, "stage": deal.stage}
        )

    @sdk.event
    async def save(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Keep what is in the form; on a mistake it stays open."""
        given = {name: form.get(name, "") for name in ("title", "company", "amount", "closes")}
        try:
            await deals.save(self.deal_id, **given, stage=form.get("stage") or "lead")
        except sdk.errors.Invalid as problem:
            self.error = problem.message
            return
        self.editing = False
        await self._read()
        yield sdk.notify(tr("“{title}” is saved.", title=str(given["title"]).strip()), "success")

    @sdk.event
    def close(self) -> None:
        """Close the form."""
        self.editing = False

    @sdk.event
    async def ask(self, deal_id: str) -> None:
        """Open the question whether to delete."""
        deal = await deals.get(deal_id)
        self.editing, self.asking, self.asking_title = False, deal.id, deal.title

    @sdk.event
    def keep(self) -> None:
        """Close the question."""
        self.asking = ""

    @sdk.event
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the deal the question was about."""
        deal_id, self.asking = self.asking, ""
        await deals.delete(deal_id)
        yield sdk.notify(tr("Deal deleted."), "success")
        await self._read()

    async def _open(self, deal_id: str, form: dict[str, str]) -> None:
        self.companies = [one.name for one, _ in await contacts.companies()]
        self.deal_id, self.form, self.error, self.editing = deal_id, form, "", True
        self.form_key += 1

    async def _read(self) -> None:
        chosen = await sdk.settings.read(DealSettings)
        found = await deals.find()
        standing = {one.stage: one for one in await deals.board()}
        shown = [stage for stage in STAGES if stage != "lost" or chosen.show_lost]
        self.columns = [
            Column(
                stage=stage, title=TITLES[stage], count=standing[stage].count, amount=standing[stage].amount / 100,
                cards=[_card(deal, company, chosen.quiet_days) for deal, company in found if deal.stage == stage],
            )
            for stage in shown
        ]  # fmt: skip
        self.total = sum(one.count for one in standing.values())
        self.currency = chosen.currency
        self.expected = sum(one.amount for stage, one in standing.items() if stage not in {"won", "lost"}) / 100
        months = await deals.won_by_month()
        self.bars, self.won = bars(months), sum(one.amount for one in months) / 100
        self.ready = True


class Pipeline(sdk.State):
    """What the start page shows."""

    columns: list[Column] = []
    currency: str = "EUR"
    total: int = 0

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit of the start page."""
        standing = [one for one in await deals.board() if one.stage not in {"won", "lost"}]
        self.columns = [
            Column(stage=one.stage, title=TITLES[one.stage], count=one.count, amount=one.amount / 100, cards=[])
            for one in standing
        ]
        self.total = sum(one.count for one in standing)
        self.currency = (await sdk.settings.read(DealSettings)).currency


def bars(months: list[deals.Month]) -> list[Bar]:
    """The chart's bars: the highest is as high as the chart, one that is not empty can be seen."""
    highest = max((one.amount for one in months), default=0) or 1
    found = []
    for place, one in enumerate(months):
        height = max(3.0, one.amount / highest * CHART_HEIGHT) if one.amount else 0.0
        label = sdk.i18n.month(one.first)
        found.append(
            Bar(label=label, amount=round(one.amount / 100), x=place * BAR_STEP, y=CHART_HEIGHT - height, height=round(height, 1))
        )  # fmt: skip
    return found


def _card(deal: Deal, company: str, quiet_days: int) -> Card:
    now = sdk.now()
    still = (now - deal.moved_at.replace(tzinfo=UTC)).days if deals.is_open(deal) else 0
    return Card(
        id=deal.id,
        title=deal.title,
        company=company,
        amount=deal.amount / 100,
        stage=deal.stage,
        closes=sdk.i18n.day(deal.closes) if deal.closes else "",
        late=bool(deal.closes and deal.closes < now.date() and deals.is_open(deal)),
        quiet=still if still >= quiet_days else 0,
    )
