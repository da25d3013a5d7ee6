"""Deals, the board they stand on, and what the chart shows. Each sees only the current person's."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func

from mozaiks_shell import sdk
from mozaiks_shell.sdk import col, db, select
from mozaiks_shell.sdk.errors import Invalid, NotFound

from . import checks, contacts
from .models import OPEN, STAGES, Company, Contact, Deal

SHOWN = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """A stage of the board: how many deals, and their amounts together, in hundredths."""

    stage: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Month:
    """What was won in a month. ``first`` is its first day; ``amount`` in hundredths."""

    first: date
    amount: int


async def find(stage: str = "", *, search: str = "", company_id: str = "", limit: int = SHOWN) -> list[tuple[Deal, str]]:
    """Deals with the name of their company, those that close first in front."""
    query: Any = select(Deal, Company.name).outerjoin(Company, col(Company.id) == col(Deal.company_id))
    if stage:
        query = query.where(col(Deal.stage) == _stage(stage))
    for word in checks.text(search, 200).split():
        query = query.where(col(Deal.title).icontains(word, autoescape=True) | col(Company.name).icontains(word, autoescape=True))
    if company_id:
        query = query.where(col(Deal.company_id) == company_id)
    query = query.order_by(col(Deal.closes).is_(None), col(Deal.closes), col(Deal.created_at).desc()).limit(limit)
    async with db.session() as session:
        return [(deal, company or "") for deal, company in await session.execute(query)]


async def board() -> list[Standing]:
    """Every stage in order, empty ones too."""
    query = select(Deal.stage, func.count(col(Deal.id)), func.sum(col(Deal.amount))).group_by(col(Deal.stage))
    async with db.session() as session:
        found = {stage: (count, int(amount or 0)) for stage, count, amount in await session.execute(query)}
    return [Standing(stage, *found.get(stage, (0, 0))) for stage in STAGES]


async def won_by_month(months: int = 6) -> list[Month]:
    """The last months, the present one included, oldest first."""
    today = sdk.now().date()
    counted = [today.year * 12 + today.month - 1 - back for back in range(months - 1, -1, -1)]
    firsts = [date(at // 12, at % 12 + 1, 1) for at in counted]
    async with db.session() as session:
        query = select(Deal.moved_at, Deal.amount).where(col(Deal.stage) == "won")
        won = [(moved.date().replace(day=1), amount) for moved, amount in await session.execute(query)]
    return [Month(first, sum(amount for month, amount in won if month == first)) for first in firsts]


async def get(deal_id: object) -> Deal:
    """One deal.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with db.session() as session:
        return await _found(session, deal_id)


async def save(deal_id: object = "", **given: object) -> Deal:
    """Add a deal, or change what is given of one.

    Args:
        deal_id: Empty for a new one.
        **given: ``title``, ``amount``, ``stage``, ``closes``, ``company`` (a name) and ``contact_id``.

    Raises:
        Invalid: something is not as it must be. NotFound: no such deal or contact.
    """
    async with db.session() as session:
        deal = await _found(session, deal_id) if deal_id else Deal(title=checks.name(given.get("title"), 160))
        if "title" in given:
            deal.title = checks.name(given["title"], 160)
        if "amount" in given:
            deal.amount = checks.amount(given["amount"])
        if "closes" in given:
            deal.closes = checks.day(given["closes"])
        if "stage" in given:
            _move(deal, given["stage"])
        if "company" in given:
            named = checks.text(given["company"], 120)
            deal.company_id = (await contacts.company_named(session, named)).id if named else None
        if "contact_id" in given:
            deal.contact_id = await _contact(session, given["contact_id"])
        if not deal_id:
            session.add(deal)
    return deal


async def move(deal_id: object, stage: object) -> Deal:
    """Put a deal into another stage.

    Raises:
        NotFound: as :func:`get`. Invalid: there is no such stage.
    """
    async with db.session() as session:
        deal = await _found(session, deal_id)
        before = deal.stage
        _move(deal, stage)
        if before != deal.stage and deal.stage == "won":
            await sdk.events.publish("deal_won", within=session, deal_id=deal.id, amount=deal.amount)
    return deal


async def delete(deal_id: object) -> None:
    """Delete a deal.

    Raises:
        NotFound: as :func:`get`.
    """
    async with db.session() as session:
        await session.delete(await _found(session, deal_id))


def is_open(deal: Deal) -> bool:
    """Neither won nor lost."""
    return deal.stage in OPEN


def _move(deal: Deal, stage: object) -> None:
    if _stage(stage) != deal.stage:
        deal.stage, deal.moved_at = _stage(stage), sdk.now()


def _stage(given: object) -> str:
    if given not in STAGES:
        raise Invalid(sdk.tr("There is no such stage."))
    return str(given)


async def _contact(session: Any, contact_id: object) -> str | None:
    if not contact_id:
        return None
    if await session.get(Contact, str(contact_id)) is None:
        raise NotFound(sdk.tr("There is no such contact."))
    return str(contact_id)


async def _found(session: Any, deal_id: object) -> Deal:
    deal = await session.get(Deal, str(deal_id))
    if deal is None:
        raise NotFound(sdk.tr("There is no such deal."))
    return deal
