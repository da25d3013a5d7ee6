"""The token engine: what the bus tells it, what it tells the broker, what screens ask (F-191, F-247 to F-255)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation import live, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.events import Event, publish, subscribe
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import holds, ledger, meters, notices
from mozaiks_shell.usage.budgets import Standing, budgets_of, standings
from mozaiks_shell.usage.errors import BudgetUsedUp
from mozaiks_shell.usage.prices import cost, price_of
from mozaiks_shell.usage.sums import Span, Sum, Totals, between, estimate, grouped, total, totals

__all__ = ["Budgets", "Span", "Sum", "Totals", "between", "grouped", "record", "standings", "start_usage", "total", "totals"]

REPEAT: Final = 5.0  # seconds between two looks for reports that got lost on the way
REFUSED: Final = "billing.usage_refused"
_SWEEP: Final = 120  # looks between two sweeps of what runs left put aside

log = get_logger("usage")


def price(model: str, prompt_tokens: int, completion_tokens: int, cached: bool = False) -> tuple[int, str] | None:
    """What a call costs by today's prices: pico units (1e-12) and the currency; None where the model has no price (F-191)."""
    config = usage_config()
    found = price_of(model, now(), config.prices)
    return None if found is None else (cost(found, prompt_tokens, completion_tokens, cached=cached), config.currency)


@subscribe("chat.usage")
async def record(event: Event) -> None:
    """Write what a run measured, once (F-250), and tell who has to know: the person's tabs, and the run when nothing is left."""
    written = await ledger.write(event)
    if written is None:
        return
    entry = written.entry
    full = next((one.standing for one in written.settled if one.exhausted), None)
    if full is not None:
        await _exhausted(event, entry.chat_id, full)
    delta = {
        "event_id": entry.event_id,
        "chat_id": entry.chat_id,
        "agent": entry.agent,
        "model": entry.model,
        "prompt_tokens": entry.prompt_tokens,
        "completion_tokens": entry.completion_tokens,
        "total_tokens": entry.prompt_tokens + entry.completion_tokens,
    }
    chat = await total(Scope(event.app_id, event.user_id), Span(), chat_id=entry.chat_id)
    summary = {"chat_id": entry.chat_id, "currency": usage_config().currency, **chat.described()}
    await _push(event, {"type": "chat.usage_delta", "data": delta})
    await _push(event, {"type": "chat.usage_summary", "data": summary})
    await publish(Event("usage.recorded", event.app_id, event.user_id, {**delta, "chat": summary}))


async def _exhausted(event: Event, chat_id: str, full: Standing) -> None:
    data = {"chat_id": chat_id, "reason": notices.reason(full.budget), "scope": full.budget.scope}
    await publish(Event("usage.exhausted", event.app_id, event.user_id, data))


async def _push(event: Event, frame: dict[str, Any]) -> None:
    """A hint for the ticker; a tab that misses it reads the sum when it comes."""
    try:
        await live.push(event.app_id, event.user_id, frame)
    except Exception as error:  # noqa: BLE001 - the ledger is written; a ticker that stands still harms nobody
        log.info("usage frame not sent", error=repr(error))


@subscribe("chat.started")
async def bind(event: Event) -> None:
    """What was put aside for a start belongs to the chat the runtime made."""
    chat_id, workflow = str(event.data.get("chat_id", "")), str(event.data.get("workflow", ""))
    if chat_id and await budgets_of(event.app_id, event.user_id):
        await holds.bind(event.app_id, event.user_id, workflow, chat_id)


@subscribe("chat.writing")
async def cover(event: Event) -> None:
    """An answer is being written and not measured yet: the run is told when the budget does not reach so far."""
    chat_id, workflow = str(event.data.get("chat_id", "")), str(event.data.get("workflow", ""))
    counting = await budgets_of(event.app_id, event.user_id)
    if chat_id and any(one.limit is not None and one.enforcement == "hard" for one in counting):
        writing = await estimate(event.app_id, chat_id, int(event.data.get("tokens", 0)))
        full = await holds.cover(counting, event.user_id, workflow, chat_id, writing)
        if full is not None:
            await _exhausted(event, chat_id, full)


@subscribe("chat.ended")
async def settle(event: Event) -> None:
    """A run is over: what is still put aside for it is free again."""
    if chat_id := str(event.data.get("chat_id", "")):
        await holds.release(await budgets_of(event.app_id, event.user_id), event.user_id, chat_id=chat_id)


@subscribe(REFUSED)
async def refused(event: Event) -> None:
    """The payment service refuses reports it had taken (F-255)."""
    await meters.refused(event)


class Budgets:
    """The broker's :class:`~mozaiks_shell.broker.ports.Budget`."""

    async def check(self, principal: Principal, workflow: str, chat_id: str | None = None) -> None:
        """See the port.

        Raises:
            BudgetUsedUp: a hard or soft limit is reached.
        """
        counting = await budgets_of(principal.app_id, principal.user_id)
        try:
            await holds.reserve(counting, principal.user_id, workflow, chat_id or "")
        except holds.UsedUp as full:
            told = full.standing.described()
            mine = told["scope"] == "person"
            facts = {key: told[key] for key in ("scope", "unit", "period", "resets_at", *(("limit", "used") if mine else ()))}
            raise BudgetUsedUp(notices.reason(full.standing.budget), **facts, link="/plans" if mine else "") from None

    async def give_back(self, principal: Principal, workflow: str) -> None:
        """See the port."""
        try:
            counting = await budgets_of(principal.app_id, principal.user_id)
            await holds.release(counting, principal.user_id, workflow=workflow)
        except Exception:
            log.exception("budget not given back; it comes free by itself", workflow=workflow)


async def must_count(principal: Principal) -> bool:
    """Whether this person's use has to be seen by the shell: a budget holds them to a limit, or they are billed by use."""
    counting = await budgets_of(principal.app_id, principal.user_id)
    if any(one.limit is not None and one.enforcement in {"hard", "soft"} for one in counting):
        return True
    return await meters.billed(principal.app_id, principal.user_id, usage_config())


async def start_usage() -> Callable[[], Awaitable[None]]:
    """Lifespan step: hold people to their budgets, and write what got lost on the way. Returns its undo."""
    broker.use_budget(Budgets())
    broker.use_counting(must_count)
    meters.define()
    task = asyncio.create_task(_catch_up(), name="usage")

    async def stop() -> None:
        broker.use_budget(None)
        broker.use_counting(None)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return stop


async def _catch_up() -> None:
    app_id, looks = get_settings().app_id, 0
    while True:
        try:
            await outbox.redeliver(app_id, "chat.usage", REFUSED)
            if looks % _SWEEP == 0:
                await holds.sweep(app_id)
        except Exception as error:  # noqa: BLE001 - the database may be away for a while; this must outlive it
            log.warning("usage not caught up yet", error=repr(error), at=now().isoformat())
        looks += 1
        await asyncio.sleep(REPEAT)
