"""The one writer of token usage (F-247, F-248): every event once, however often and in whatever order it comes."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from mozaiks_shell.appconfig.usage_config import UsageConfig, usage_config
from mozaiks_shell.foundation import outbox
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.usage import budgets, holds, meters, notices, prices
from mozaiks_shell.usage.models import UsageEntry

log = get_logger("usage")

MOST_TOKENS: Final = 10_000_000  # of one call and direction; no model reads or writes as much
_LATE: Final = timedelta(days=35)
_EARLY: Final = timedelta(minutes=5)


class Unbelievable(ValueError):
    """A report that cannot be true; it is put into quarantine and changes no sum."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report. ``settled`` is empty where nothing is budgeted."""

    entry: UsageEntry
    settled: list[holds.Settled]


async def write(event: Event) -> Recorded | None:
    """Write one ledger row and count it in budgets and meters, in one transaction; None when it changed nothing.

    That is: an ``event_id`` this app has seen, or a report that cannot be true (logged as quarantined).
    """
    config = usage_config()
    try:
        entry = _entry(event, config)
    except Unbelievable as error:
        log.warning(
            "usage event in quarantine", reason=str(error), data={key: str(value)[:80] for key, value in event.data.items()}
        )
        await _seen_to(event)
        return None
    counting = await budgets.budgets_of(event.app_id, event.user_id, entry.at, config)
    await holds.prepare(counting)
    customer = await meters.customer_of(entry, config)
    try:
        async with system_session(event.app_id) as db:
            db.add(entry)
            await db.flush()
            settled = await holds.settle(db, counting, entry.user_id, entry.workflow, entry.chat_id, _spent(entry, config))
            for one in settled:
                if one.level:
                    await notices.queue(db, one)
            if customer is not None:
                await meters.add(db, entry, customer, config)
            await outbox.done(db, event)
    except IntegrityError as error:
        if "event_id" not in str(error.orig) and "uq_usage_entry" not in str(error.orig):
            raise
        await _seen_to(event)
        return None
    return Recorded(entry, settled)


async def _seen_to(event: Event) -> None:
    async with system_session(event.app_id) as db:
        await outbox.done(db, event)


def _entry(event: Event, config: UsageConfig) -> UsageEntry:
    data = event.data
    if not event.user_id:
        raise Unbelievable("of nobody")
    event_id = str(data.get("event_id") or "")
    if not event_id or len(event_id) > 64:
        raise Unbelievable("without an event_id")
    prompt, completion = _count(data, "prompt_tokens"), _count(data, "completion_tokens")
    if not prompt and not completion:
        prompt = _count(data, "total_tokens")  # a runtime that knows the sum only
    at = _moment(data.get("event_ts"), event.at)
    model, cached = str(data.get("model") or "")[:128], data.get("cached") is True
    price = prices.price_of(model, at, config.prices)
    return UsageEntry(
        app_id=event.app_id,
        user_id=event.user_id,
        event_id=event_id,
        chat_id=str(data.get("chat_id") or "")[:128],
        workflow=str(data.get("workflow") or "")[:128],
        agent=str(data.get("agent") or "")[:128],
        model=model,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached=cached,
        duration_ms=_milliseconds(data.get("duration_sec")),
        invocation_id=str(data.get("invocation_id") or "")[:64],
        cost_pico=None if price is None else prices.cost(price, prompt, completion, cached=cached),
        currency="" if price is None else config.currency,
        at=at,
    )


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unbelievable(f"{name} is no whole number")
    if not 0 <= value <= MOST_TOKENS:
        raise Unbelievable(f"{name} is {value}")
    return value


def _milliseconds(value: Any) -> int:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return round(min(max(value, 0), 86_400) * 1000) if known else 0


def _moment(told: Any, heard: datetime) -> datetime:
    """When the call was made: what the runtime says, unless that cannot be; a late report counts where it belongs."""
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else heard
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return heard
    return at if heard - _LATE <= at <= heard + _EARLY else heard


def _spent(entry: UsageEntry, config: UsageConfig) -> dict[str, int]:
    """By unit. What has no price costs a budget in money as much as the dearest model, lest it be free."""
    pico = entry.cost_pico
    if pico is None and (price := prices.dearest(config)) is not None:
        pico = prices.cost(price, entry.prompt_tokens, entry.completion_tokens)
    return {"tokens": entry.prompt_tokens + entry.completion_tokens, "money": prices.micro(pico or 0)}
