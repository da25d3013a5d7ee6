"""F-247, F-248, F-250 and abuse 56: every model call once, whatever comes; sums over chats, people and the app agree."""

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError

from mozaiks_shell.foundation import outbox
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.events import Event, publish
from mozaiks_shell.usage import ledger, service
from mozaiks_shell.usage.sums import Span, grouped, total
from tests.usage.conftest import APP, PRICES, gather, report

BERLIN = ZoneInfo("Europe/Berlin")


async def test_f247_sums_over_chats_equal_the_app_equal_the_people(ledger_db, configure):
    """A property: any stream of calls, told in any order and some of them twice."""
    configure(prices=PRICES)
    for seed in range(3):
        dice = random.Random(seed)
        calls = [
            report(
                f"usr_{dice.randrange(4)}", dice.randrange(5000), event_id=f"{seed}-{number}", chat_id=f"c{dice.randrange(6)}",
                prompt_tokens=dice.randrange(9000), workflow=dice.choice("WXY"), agent=dice.choice("AB"),
                model=dice.choice(["known", "fam-1", "fam-big", "nobody-knows", ""]), cached=dice.random() < 0.3,
            )
            for number in range(60)
        ]  # fmt: skip
        told = calls + dice.choices(calls, k=25)
        dice.shuffle(told)
        for one in told:
            await service.record(one)
    whole = await total(Scope(APP, None), Span())
    assert whole.calls == 180
    for by in ("chat", "person", "workflow", "model", "agent", "day"):
        parts = await grouped(Scope(APP, None), Span(), by, BERLIN)
        for name in ("prompt_tokens", "completion_tokens", "calls", "cost", "unpriced_calls"):
            assert sum(getattr(part, name) for part in parts) == getattr(whole, name), (by, name)
    people = [await total(Scope(APP, f"usr_{number}"), Span()) for number in range(4)]
    assert sum(one.cost for one in people) == whole.cost
    assert await total(Scope("other-app", None), Span()) == type(whole)("", 0, 0, 0, whole.cost * 0, 0)


async def test_f250_one_event_told_by_many_at_once_counts_once(ledger_db, configure):
    configure(budgets={"default": {"limit": 100_000}})
    event = report(tokens=7)
    assert await gather(*(service.record(event) for _ in range(20))) == [None] * 20
    assert (await total(Scope(APP, None), Span())).completion_tokens == 7
    assert [one.used for one in await service.standings(APP, "usr_ada")] == [7]


async def test_f250_every_field_of_the_event_is_kept(ledger_db, configure):
    configure(prices=PRICES)
    made = now() - timedelta(days=1)
    fields = {"model": "known", "agent": "A", "duration_sec": 1.2345, "invocation_id": "inv", "cached": True}
    written = await ledger.write(report(event_ts=made.isoformat(), prompt_tokens=1_000_000, **fields))
    row = written.entry
    assert (row.model, row.agent, row.duration_ms, row.invocation_id, row.cached) == ("known", "A", 1234, "inv", True)
    assert (row.at, row.currency, row.cost_pico) == (made, "USD", 75_000_000_000 + 6_000_000)


@pytest.mark.parametrize(
    "bad",
    [
        {"prompt_tokens": -5}, {"completion_tokens": 10_000_001}, {"prompt_tokens": "many"}, {"prompt_tokens": True},
        {"prompt_tokens": 1.5}, {"event_id": ""}, {"event_id": "x" * 65},
    ],
)  # fmt: skip
async def test_abuse_56_what_cannot_be_true_changes_no_sum(database, bad):
    assert await ledger.write(report(**bad)) is None
    assert await ledger.write(Event("chat.usage", APP, "", {**report().data})) is None
    assert (await total(Scope(APP, None), Span())).calls == 0


async def test_abuse_56_a_late_call_counts_where_it_belongs_and_an_impossible_time_does_not_count(database):
    late, wrong = now() - timedelta(days=1), now() + timedelta(days=400)
    assert (await ledger.write(report(event_ts=late.isoformat()))).entry.at == late
    for told in (wrong.isoformat(), "yesterday", 5, None, "0001-01-01T00:00:00+14:00"):
        event = report(event_ts=told)
        assert (await ledger.write(event)).entry.at == event.at


async def waiting() -> int:
    return await outbox.redeliver(APP, "chat.usage")


async def keep(event: Event) -> Event:
    """As the chat does with its transcript."""
    told, statement = outbox.kept(event)
    async with system_session(APP) as db:
        await db.execute(statement)
    return told


async def test_f247_what_the_process_could_not_write_before_it_died_is_written_by_the_next(ledger_db, at):
    """The frame is on disk with the transcript; nobody ever heard the event."""
    event = report(tokens=33)
    await keep(event)
    assert (await total(Scope(APP, "usr_ada"), Span())).calls == 0
    at(event.at + timedelta(seconds=30))
    assert await waiting() == 0
    row = await total(Scope(APP, "usr_ada"), Span())
    assert (row.completion_tokens, row.calls) == (33, 1)
    assert await waiting() == 0


async def test_f247_a_database_that_is_away_for_a_while_loses_nothing(ledger_db, at, monkeypatch):
    event = await keep(report(tokens=5))

    async def away(_: Event) -> None:
        raise OperationalError("INSERT", {}, Exception("connection refused"))

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "write", away)
        await publish(event)
        at(event.at + timedelta(seconds=30))
        assert await waiting() == 1
    assert await waiting() == 0
    assert (await total(Scope(APP, None), Span())).completion_tokens == 5


async def test_f247_an_event_that_arrived_leaves_nothing_behind(ledger_db, at):
    event = await keep(report())
    await publish(event)
    await publish(event)
    at(event.at + timedelta(seconds=30))
    assert await waiting() == 0
    assert (await total(Scope(APP, None), Span())).calls == 1
