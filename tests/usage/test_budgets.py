"""F-253, abuse 54 and 55: reserve and settle, warnings, refusals; with real writers side by side on both databases."""

import asyncio
import random
from datetime import timedelta

import pytest
from sqlmodel import col, select

from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation import events, jobs
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.usage import holds, service
from mozaiks_shell.usage.budgets import budgets_of
from mozaiks_shell.usage.errors import BudgetUsedUp
from mozaiks_shell.usage.models import UsageBudget, UsageHold
from mozaiks_shell.usage.sums import Span, total
from tests.usage.conftest import APP, PRICES, gather, report

ADA = Principal("usr_ada", APP)


@pytest.fixture
def heard():
    """Everything the token engine told."""
    found = []

    @events.subscribe("usage.exhausted", "usage.warning")
    async def listener(event):
        found.append(event)

    yield found
    events.drop([listener])


async def standing(user="usr_ada"):
    return (await service.standings(APP, user))[0]


async def rows():
    async with system_session(APP) as db:
        return list((await db.execute(select(UsageBudget))).scalars()), list((await db.execute(select(UsageHold))).scalars())


async def test_abuse_54_fifty_starts_with_a_budget_for_one(ledger_db, configure):
    configure(budgets={"default": {"limit": 100}}, reserve_tokens=100)
    answers = await gather(*(service.Budgets().check(ADA, "W") for _ in range(50)))
    assert [type(one) for one in answers].count(BudgetUsedUp) == 49 and answers.count(None) == 1
    assert (await standing()).remaining == 0


async def test_abuse_54_fifty_streams_spend_what_there_is_and_never_more(ledger_db, configure, heard):
    """Each stream starts, measures calls no larger than what is put aside, and stops when it is told to."""
    limit, chunk = 3000, 100
    configure(budgets={"app": {"limit": limit}, "default": {"limit": 10**9}}, reserve_tokens=chunk)
    lowest: list[int] = []

    async def stream(number: int) -> int:
        dice, user, spent = random.Random(number), f"usr_{number % 7}", 0
        chat = f"c{number}"
        try:
            await service.Budgets().check(Principal(user, APP), "W")
        except BudgetUsedUp:
            return 0
        await service.bind(Event("chat.started", APP, user, {"chat_id": chat, "workflow": "W"}))
        for _ in range(8):
            if any(one.data["chat_id"] == chat for one in heard):
                break
            tokens = dice.randint(1, chunk)
            await service.record(report(user, tokens, chat_id=chat))
            spent += tokens
        lowest.append((await service.standings(APP, "", whole_app=True))[0].remaining)
        await service.settle(Event("chat.ended", APP, user, {"chat_id": chat}))
        return spent

    spent = sum(await asyncio.gather(*(stream(number) for number in range(50))))
    whole = (await service.standings(APP, "", whole_app=True))[0]
    assert whole.used == spent == (await total(Scope(APP, None), Span())).completion_tokens
    # Near the end a stream is given less than a whole piece; only the call it has begun then may exceed it.
    assert limit / 2 < spent <= limit + chunk * 50
    assert min(lowest) >= 0 and any(one.name == "usage.exhausted" for one in heard)
    budget = next(one for one in (await rows())[0] if not one.user_id)
    assert (budget.used, budget.reserved) == (spent, 0)


async def test_abuse_54_with_whole_pieces_not_one_token_too_many_is_spent(ledger_db, configure):
    """Runs that keep to what was put aside for them: the sum is the limit, to the token."""
    configure(budgets={"default": {"limit": 1000}}, reserve_tokens=50)

    async def run(number: int) -> int:
        try:
            await service.Budgets().check(ADA, "W", f"c{number}")
        except BudgetUsedUp:
            return 0
        await service.record(report("usr_ada", 50, chat_id=f"c{number}"))
        await service.settle(Event("chat.ended", APP, "usr_ada", {"chat_id": f"c{number}"}))
        return 50

    spent = sum(await asyncio.gather(*(run(number) for number in range(50))))
    found = await standing()
    assert spent == found.used <= 1000
    while not isinstance((await gather(service.Budgets().check(ADA, "W", "last")))[0], BudgetUsedUp):
        await service.record(report("usr_ada", 50, chat_id="last"))
    assert (await standing()).used == 1000


async def test_f253_what_a_dead_process_put_aside_comes_free_by_itself(ledger_db, configure, at):
    configure(budgets={"default": {"limit": 100}}, reserve_tokens=100)
    await service.Budgets().check(ADA, "W")
    with pytest.raises(BudgetUsedUp):
        await service.Budgets().check(ADA, "W")
    at(now() + holds.LASTS + timedelta(seconds=1))
    assert (await standing()).remaining == 100
    await service.Budgets().check(ADA, "W")
    at(now() + timedelta(hours=3))
    assert await holds.sweep(APP) == 1
    budgets, left = await rows()
    assert ([one.reserved for one in budgets], left) == ([0], [])


async def test_f253_a_start_that_did_not_happen_gives_back(ledger_db, configure):
    configure(budgets={"default": {"limit": 100}, "app": {"limit": 100}}, reserve_tokens=100)
    await service.Budgets().check(ADA, "W")
    await service.Budgets().give_back(ADA, "W")
    assert [(one.remaining, one.reserved) for one in await service.standings(APP, "usr_ada")] == [(100, 0), (100, 0)]
    await service.Budgets().check(ADA, "W")


async def test_f253_a_refusal_by_the_second_budget_leaves_nothing_in_the_first(ledger_db, configure):
    configure(budgets={"app": {"limit": 1000}, "people": {"usr_ada": {"limit": 0}}})
    with pytest.raises(BudgetUsedUp) as refused:
        await service.Budgets().check(ADA, "W")
    assert refused.value.status == 402 and refused.value.details["scope"] == "person"
    assert (await service.standings(APP, "", whole_app=True))[0].reserved == 0
    await service.Budgets().check(Principal("usr_eve", APP), "W")


async def test_abuse_55_at_a_hard_limit_the_run_is_told_to_stop_and_usage_is_what_really_was(ledger_db, configure, heard):
    configure(budgets={"default": {"limit": 1000}}, reserve_tokens=400)
    await service.Budgets().check(ADA, "W", "c")
    first = report("usr_ada", 500, chat_id="c")
    await service.record(first)
    assert heard == [] and (await standing()).reserved == 400
    await service.record(report("usr_ada", 620, chat_id="c"))
    (told,) = heard
    assert (told.name, told.user_id, told.data["chat_id"]) == ("usage.exhausted", "usr_ada", "c")
    assert told.data["reason"].startswith("Your budget for this month is used up. It starts again on ")
    found = await standing()
    assert (found.used, found.reserved, found.remaining, found.described()["remaining"]) == (1120, 0, 0, 0)
    await service.record(first)  # told again when the chat is resumed
    assert (await standing()).used == 1120
    with pytest.raises(BudgetUsedUp, match="used up"):
        await service.Budgets().check(ADA, "W", "c")


async def test_f253_a_long_answer_is_put_aside_for_while_it_is_written_and_stopped_where_the_budget_ends(
    ledger_db, configure, heard
):
    configure(budgets={"default": {"limit": 1000}}, reserve_tokens=100)

    async def writes(tokens):
        await service.cover(Event("chat.writing", APP, "usr_ada", {"chat_id": "c", "workflow": "W", "tokens": tokens}))
        return (await standing()).reserved

    await service.Budgets().check(ADA, "W", "c")
    assert [await writes(tokens) for tokens in (90, 100, 250, 300)] == [100, 100, 300, 300]
    await service.Budgets().check(ADA, "W", "other")
    assert await writes(900) == 1000 and heard == [], "what the other run was given is not touched"
    assert await writes(950) == 1000
    (told,) = heard
    assert (told.name, told.data["chat_id"], told.data["scope"]) == ("usage.exhausted", "c", "person")
    with pytest.raises(BudgetUsedUp):
        await service.Budgets().check(ADA, "W", "third")
    await service.record(report("usr_ada", 960, chat_id="c"))
    found = await standing()
    assert (found.used, found.reserved, found.remaining) == (960, 100, 0)


@pytest.mark.parametrize(
    ("enforcement", "refused", "cut", "warned"),
    [("hard", True, True, True), ("soft", True, False, True), ("warn", False, False, True), ("none", False, False, False)],
)
async def test_f253_what_happens_at_the_limit_is_the_operators_word(
    database, configure, heard, enforcement, refused, cut, warned
):
    configure(budgets={"default": {"limit": 10, "enforcement": enforcement}})
    await service.record(report(tokens=11))
    answers = await gather(service.Budgets().check(ADA, "W"))
    assert isinstance(answers[0], BudgetUsedUp) is refused
    assert any(one.name == "usage.exhausted" for one in heard) is cut
    assert bool(await jobs.listing(APP)) is warned


@pytest.mark.parametrize(("mode", "refused"), [("local", True), ("hybrid", True), ("platform", False), ("remote", False)])
async def test_f253_where_the_platform_decides_the_shell_only_counts(database, configure, mode, refused):
    configure(budgets={"default": {"limit": 10}}, MOZAIKS_TOKEN_USAGE_MODE=mode)
    await service.record(report(tokens=11))
    assert isinstance((await gather(service.Budgets().check(ADA, "W")))[0], BudgetUsedUp) is refused
    assert (await standing()).used == 11


async def test_f253_a_budget_counts_what_was_spent_before_it_was_set(ledger_db, configure):
    configure()
    await gather(*(service.record(report(tokens=10)) for _ in range(5)))
    configure(budgets={"default": {"limit": 60}})
    await gather(*(service.record(report(tokens=1)) for _ in range(5)))
    assert (await standing()).used == 55


async def test_f253_a_budget_of_the_plan_a_person_has(database, configure):
    configure(
        budgets={
            "plans": {"free": {"limit": 5}, "pro": {"limit": 500}},
            "default": {"limit": 7},
            "people": {"usr_vip": {"limit": -1}},
        }
    )
    assert [one.limit for one in await budgets_of(APP, "usr_ada")] == [5]
    assert [one.limit for one in await budgets_of(APP, "usr_vip")] == [None]
    await service.record(report("usr_vip", 10_000_000))
    await service.Budgets().check(Principal("usr_vip", APP), "W")


async def test_f253_money_is_what_the_prices_make_of_it(ledger_db, configure):
    configure(prices=PRICES, budgets={"default": {"limit": "0.5", "unit": "money"}}, reserve_tokens=1000)
    await service.Budgets().check(ADA, "W", "c")
    assert (await standing()).described()["reserved"] == "0.02"  # 1,000 tokens of the dearest
    await service.record(report(tokens=100_000, model="known", chat_id="c"))
    told = (await standing()).described()
    assert (told["used"], told["limit"], told["currency"], told["percent"]) == ("0.06", "0.5", "USD", 12)


async def tell(heard):
    """Have the queued warnings told, as the worker does."""
    worker = jobs.Worker()
    while await worker.step():
        pass
    return [(one.data["percent"], one.user_id) for one in heard if one.name == "usage.warning"]


async def test_f253_people_are_warned_at_80_and_100_percent_once_a_period(ledger_db, configure, heard, monkeypatch):
    monkeypatch.setattr(jobs._People, "resolve", None)
    configure(budgets={"default": {"limit": 100, "enforcement": "warn"}})
    await service.record(report(tokens=79))
    assert await tell(heard) == []
    await gather(*(service.record(report(tokens=1)) for _ in range(8)))
    assert await tell(heard) == [(80, "usr_ada")]
    await gather(*(service.record(report(tokens=20)) for _ in range(5)))
    assert await tell(heard) == [(80, "usr_ada"), (100, "usr_ada")]
    notes, _ = await notifications.listing(Scope(APP, "usr_ada"))
    assert [one.title for one in notes] == [
        "Your budget for this month is used up.",
        "80% of your budget for this month is used.",
    ]
    assert "starts again on" in notes[0].message and "starts again on" in notes[1].message


async def test_f253_the_broker_refuses_before_the_runtime_hears_of_it(database, configure, monkeypatch):
    configure(budgets={"default": {"limit": 0}})
    asked = []

    async def runtime():
        asked.append("runtime")

    monkeypatch.setattr(broker, "runtime", runtime)

    class Keeper:
        async def find_started(self, principal, key):
            return None

    stop = await service.start_usage()
    broker.use_keeper(Keeper())
    try:
        with pytest.raises(BudgetUsedUp) as refused:
            await broker.start(Principal("usr_ada", APP, roles=frozenset({"admin"})), "Assistant")
    finally:
        broker.use_keeper(None)
        await stop()
    assert asked == []
    assert refused.value.details == {
        "scope": "person", "unit": "tokens", "period": "monthly", "limit": 0, "used": 0, "link": "/plans",
        "resets_at": refused.value.details["resets_at"],
    }  # fmt: skip
    assert refused.value.code == "TOKEN_BUDGET_EXCEEDED" and "larger plan" in refused.value.message


async def test_f253_nothing_is_asked_of_the_database_where_nothing_is_limited(settings, configure):
    configure()
    await service.Budgets().check(ADA, "W")  # there is no database
    assert await budgets_of(APP, "usr_ada") == []
    await service.Budgets().give_back(ADA, "W")
    assert col(UsageHold.amount) is not None
