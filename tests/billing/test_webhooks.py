"""Stripe's events: signed, once, in any order, never a downgrade by mistake (F-127, D9)."""

import asyncio
import itertools
import random
import time

import pytest
from sqlmodel import select

from mozaiks_shell.billing import service, webhooks
from mozaiks_shell.billing.models import BillingEvent
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import get_settings

PATH = "/api/billing/webhook/stripe"


@pytest.fixture
async def buyer(sign_up, books):
    """Ada, known to Stripe as cus_1."""
    ada = await sign_up("ada")
    await ada.post("/api/billing/checkout", plan="pro")
    return ada


async def noted():
    async with db.system_session() as opened:
        rows = (await opened.execute(select(BillingEvent))).scalars().all()
    return {row.event_id: (row.outcome, row.detail) for row in rows}


def changes_of(answer):
    return [(step["previous_plan"], step["new_plan"], step["status"], step["actor"]) for step in answer.json()["history"]]


async def history(person):
    return changes_of(await person.get("/api/billing/history"))


async def test_a_purchase_arrives(buyer, books, webhook):
    books.subscribe("cus_1")
    session = {"object": "checkout.session", "mode": "subscription", "customer": "cus_1", "subscription": "sub_1"}
    answer = await webhook(webhook.event("1", "checkout.session.completed", session))
    assert answer.json() == {"outcome": "applied"}
    mine = await buyer.plan()
    assert (mine["plan"], mine["status"], mine["next_billing_date"]) == ("pro", "active", "2100-01-01T00:00:00+00:00")
    assert await history(buyer) == [("free", "pro", "active", "stripe")]


@pytest.mark.parametrize("fault", ["none", "wrong secret", "old", "changed body", "not utf-8", "garbage header"])
async def test_what_stripe_did_not_sign_is_refused(buyer, books, anonymous, webhook, fault):
    books.subscribe("cus_1")
    event = webhook.event("1", "customer.subscription.updated", {"customer": "cus_1"})
    request = webhook.signed(event)
    if fault == "none":
        request["headers"].pop("stripe-signature")
    elif fault == "wrong secret":
        request = webhook.signed(event, secret="whsec_other")
    elif fault == "old":
        request = webhook.signed(event, at=int(time.time()) - 3600)
    elif fault == "changed body":
        request["content"] = request["content"].replace(b"cus_1", b"cus_2")
    elif fault == "not utf-8":
        request["content"] = b"\xff\xfe"
    else:
        request["headers"]["stripe-signature"] = "t=x,v1=="
    answer = await anonymous.post(PATH, **request)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_SIGNATURE")
    assert (await buyer.plan())["plan"] == "free" and await noted() == {}


async def test_two_secrets_count_while_one_is_rotated(buyer, books, webhook, stripe_mode, monkeypatch):
    books.subscribe("cus_1")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_test_secret")
    get_settings.cache_clear()
    event = webhook.event("1", "invoice.paid", {"customer": "cus_1"})
    assert (await webhook(event)).json() == {"outcome": "applied"}
    assert (await webhook(event | {"id": "evt_2"}, secret="whsec_new")).json() == {"outcome": "unchanged"}


async def test_a_signed_body_that_is_no_event_is_refused(buyer, anonymous, webhook):
    for body in (b"[]", b"nonsense", b'{"id": "evt_1"}', b'{"type": "x", "data": {"object": 5}}'):
        assert (await anonymous.post(PATH, **webhook.signed(body))).status_code == 422


async def test_a_huge_body_is_refused(buyer, anonymous, webhook):
    assert (await anonymous.post(PATH, **webhook.signed(b"x" * 1_000_001))).status_code == 413


async def test_without_stripe_there_is_no_webhook(anonymous, configure, webhook):
    configure()
    assert (await webhook(webhook.event("1", "invoice.paid", {}))).status_code == 404


async def test_a_replay_changes_nothing(buyer, books, webhook):
    books.subscribe("cus_1")
    event = webhook.event("1", "customer.subscription.created", {"customer": "cus_1"})
    assert [(await webhook(event)).json()["outcome"] for _ in range(3)] == ["applied", "duplicate", "duplicate"]
    books.subscriptions["sub_1"]["status"] = "canceled"
    assert (await webhook(event)).json() == {"outcome": "duplicate"}
    assert len(await history(buyer)) == 1 and list(await noted()) == ["evt_1"]


async def race(buyer, books, webhook):
    books.subscribe("cus_1")
    calls = [webhook(webhook.event("1", "invoice.paid", {"customer": "cus_1"})) for _ in range(20)]
    calls += [webhook(webhook.event(str(n), "customer.subscription.updated", {"customer": "cus_1"})) for n in range(2, 8)]
    random.Random(7).shuffle(calls)
    answers = await asyncio.gather(*calls)
    assert {one.status_code for one in answers} == {200}, [one.text for one in answers if one.status_code != 200]
    outcomes = [one.json()["outcome"] for one in answers]
    assert outcomes.count("applied") == 1
    assert outcomes.count("duplicate") == 19
    assert await history(buyer) == [("free", "pro", "active", "stripe")]
    assert len(await noted()) == 7


async def test_simultaneous_duplicates_have_one_effect(buyer, books, webhook):
    await race(buyer, books, webhook)


async def test_simultaneous_duplicates_have_one_effect_on_postgresql(
    books, sign_up, webhook, postgres_migrated, monkeypatch, stripe_mode
):
    monkeypatch.setenv("DATABASE_URL", postgres_migrated)
    get_settings.cache_clear()
    ada = await sign_up("ada")
    await ada.post("/api/billing/checkout", plan="pro")
    await race(ada, books, webhook)
    await db.dispose()


EVENTS = [
    ("checkout.session.completed", {"customer": "cus_1", "mode": "subscription", "subscription": "sub_1"}),
    ("customer.subscription.created", {"customer": "cus_1", "id": "sub_1", "status": "trialing"}),
    ("customer.subscription.updated", {"customer": "cus_1", "id": "sub_1", "status": "active"}),
    ("invoice.paid", {"customer": "cus_1"}),
    ("customer.subscription.deleted", {"customer": "cus_1", "id": "sub_1", "status": "canceled"}),
]


async def test_every_order_of_events_ends_the_same(sign_up, books, webhook):
    """All 120 orders of five events, each for a person of their own; the books say: cancelled."""
    number = itertools.count(1)
    principals = []
    for place, order in enumerate(itertools.permutations(EVENTS)):
        customer = f"cus_order_{place}"
        books.subscribe(customer, number=str(place + 1), status="canceled", metadata={"app_id": "dev-app"})
        for kind, thing in order:
            about = {"user_id": f"usr_{place}", "app_id": "dev-app"}
            answer = await webhook(webhook.event(str(next(number)), kind, {**thing, "customer": customer, "metadata": about}))
            assert answer.status_code == 200
        principals.append(webhooks.Scope("dev-app", f"usr_{place}"))
    for scope in principals:
        row = await webhooks.ledger.read(scope)
        assert (row.plan, row.status) == ("pro", "canceled")


async def test_an_old_event_that_arrives_late_tells_nothing_old(buyer, books, webhook):
    books.subscribe("cus_1", price="price_team")
    old = {"customer": "cus_1", "id": "sub_1", "items": {"data": [{"price": {"id": "price_pro"}}]}, "status": "trialing"}
    await webhook(webhook.event("9", "customer.subscription.updated", {"customer": "cus_1"}))
    await webhook(webhook.event("1", "customer.subscription.created", old, created=1))
    assert (await buyer.plan())["plan"] == "team" and len(await history(buyer)) == 1


async def test_a_slow_old_answer_does_not_overwrite_a_newer_one(buyer, books, webhook, monkeypatch):
    """Two deliveries at once; the first asked Stripe before the change, and writes after the second."""
    books.subscribe("cus_1")
    stripe = service.provider()
    ask, asked, release = stripe.get_subscription_status, asyncio.Event(), asyncio.Event()

    async def slow_once(account):
        truth = await ask(account)
        if not asked.is_set():
            asked.set()
            await release.wait()
        return truth

    monkeypatch.setattr(stripe, "get_subscription_status", slow_once)
    first = asyncio.create_task(webhook(webhook.event("1", "customer.subscription.created", {"customer": "cus_1"})))
    await asked.wait()
    books.subscriptions["sub_1"]["items"]["data"][0]["price"]["id"] = "price_team"
    await webhook(webhook.event("2", "customer.subscription.updated", {"customer": "cus_1"}))
    release.set()
    assert (await first).json() == {"outcome": "unchanged"}
    assert (await buyer.plan())["plan"] == "team" and await history(buyer) == [("free", "team", "active", "stripe")]


@pytest.mark.parametrize(
    ("status", "plan", "told"),
    [
        ("trialing", "pro", "trialing"), ("active", "pro", "active"), ("past_due", "pro", "past_due"),
        ("unpaid", "free", "inactive"), ("paused", "free", "inactive"), ("canceled", "free", "canceled"),
        ("incomplete", "free", "active"), ("incomplete_expired", "free", "active"),
    ],
)  # fmt: skip
async def test_every_status_of_stripe(buyer, books, webhook, status, plan, told):
    books.subscribe("cus_1", status=status)
    await webhook(webhook.event("1", "customer.subscription.updated", {"customer": "cus_1"}))
    mine = await buyer.plan()
    assert (mine["plan"], mine["status"], mine["is_trial"]) == (plan, told, status == "trialing")


async def test_an_unknown_price_is_an_error_and_heals(buyer, books, webhook, stripe_mode):
    books.subscribe("cus_1")
    await webhook(webhook.event("1", "invoice.paid", {"customer": "cus_1"}))
    books.subscriptions["sub_1"]["items"]["data"][0]["price"]["id"] = "price_new"
    event = webhook.event("2", "customer.subscription.updated", {"customer": "cus_1"})
    for _ in range(2):
        refused = await webhook(event)
        assert (refused.status_code, refused.json()["code"]) == (422, "UNKNOWN_PRICE")
    assert (await noted())["evt_2"][0] == "failed" and "price_new" in (await noted())["evt_2"][1]
    assert (await buyer.plan())["plan"] == "pro"
    stripe_mode(books.url, prices={"pro": "price_pro", "team": "price_new"})
    assert (await webhook(event)).json() == {"outcome": "applied"}
    assert (await buyer.plan())["plan"] == "team" and (await noted())["evt_2"] == ("applied", "")


async def test_stripe_down_is_retried_by_stripe(buyer, books, webhook):
    books.subscribe("cus_1")
    books.broken = True
    event = webhook.event("1", "invoice.paid", {"customer": "cus_1"})
    assert (await webhook(event)).status_code == 502
    assert (await buyer.plan())["plan"] == "free"
    books.broken = False
    assert (await webhook(event)).json() == {"outcome": "applied"}


async def test_the_best_of_several_subscriptions_counts(buyer, books, webhook):
    books.subscribe("cus_1", number="3")
    books.subscribe("cus_1", number="2", price="price_team")
    books.subscribe("cus_1", number="4", price="price_support")
    books.subscribe("cus_1", number="5", price="price_team", status="canceled")
    await webhook(webhook.event("1", "customer.subscription.deleted", {"customer": "cus_1", "id": "sub_5"}))
    assert (await buyer.plan())["plan"] == "team"


async def test_events_of_another_app_or_of_nobody_are_ignored(buyer, books, webhook):
    other = {"customer": "cus_1", "metadata": {"app_id": "other-app", "user_id": buyer.principal.user_id}}
    books.subscribe("cus_1", metadata={"app_id": "other-app"})
    assert (await webhook(webhook.event("1", "customer.subscription.created", other))).json() == {"outcome": "ignored"}
    assert (await webhook(webhook.event("2", "invoice.paid", {"customer": "cus_77"}))).json() == {"outcome": "ignored"}
    assert (await webhook(webhook.event("3", "invoice.paid", {"customer": "cus_1"}))).json() == {"outcome": "unchanged"}
    assert (await webhook(webhook.event("4", "payout.paid", {}))).json() == {"outcome": "ignored"}
    assert (await buyer.plan())["plan"] == "free"


async def test_a_customers_events_reach_only_that_customer(buyer, sign_up, books, webhook):
    eve = await sign_up("eve")
    await eve.post("/api/billing/checkout", plan="pro")
    books.subscribe("cus_2")
    about = {"customer": "cus_2", "metadata": {"user_id": buyer.principal.user_id, "app_id": "dev-app"}}
    await webhook(webhook.event("1", "customer.subscription.created", about))
    assert ((await eve.plan())["plan"], (await buyer.plan())["plan"]) == ("pro", "free")


async def test_the_end_of_an_older_customer_takes_nothing(buyer, books, webhook):
    books.subscribe("cus_1")
    await webhook(webhook.event("1", "invoice.paid", {"customer": "cus_1"}))
    books.subscribe("cus_old", number="9", status="canceled")
    about = {"customer": "cus_old", "metadata": {"user_id": buyer.principal.user_id, "app_id": "dev-app"}}
    assert (await webhook(webhook.event("2", "customer.subscription.deleted", about))).json() == {"outcome": "unchanged"}
    assert (await buyer.plan())["plan"] == "pro"


async def test_test_events_do_not_count_with_a_live_key(buyer, books, webhook, monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_shell")
    get_settings.cache_clear()
    books.subscribe("cus_1")
    event = webhook.event("1", "invoice.paid", {"customer": "cus_1"})
    assert (await webhook(event)).json() == {"outcome": "ignored"}
    assert (await webhook(event | {"id": "evt_2", "livemode": True})).json() == {"outcome": "applied"}


def purchase(person, **more):
    about = {"user_id": person.principal.user_id, "app_id": "dev-app", "plan": "forever"}
    return {"id": "cs_7", "customer": "cus_1", "mode": "payment", "payment_status": "paid", "metadata": about, **more}


async def test_a_lifetime_plan_is_paid_once_and_outlives_subscriptions(buyer, books, webhook):
    books.subscribe("cus_1")
    await webhook(webhook.event("1", "invoice.paid", {"customer": "cus_1"}))
    unpaid = webhook.event("2", "checkout.session.completed", purchase(buyer, payment_status="unpaid"))
    assert (await webhook(unpaid)).json() == {"outcome": "ignored"}
    paid = webhook.event("3", "checkout.session.async_payment_succeeded", purchase(buyer))
    assert (await webhook(paid)).json() == {"outcome": "applied"}
    books.subscriptions["sub_1"]["status"] = "canceled"
    ended = webhook.event("4", "customer.subscription.deleted", {"customer": "cus_1"})
    assert (await webhook(ended)).json() == {"outcome": "unchanged"}
    mine = await buyer.plan()
    assert (mine["plan"], mine["status"], mine["access_until"]) == ("forever", "active", None)
    assert (await buyer.post("/api/cancel-subscription")).json()["code"] == "NOTHING_TO_CANCEL"
    assert (await buyer.post("/api/billing/checkout", plan="pro")).json()["code"] == "INCLUDED"


async def test_a_paid_plan_the_catalogue_lost_is_an_error(buyer, webhook, stripe_mode, books):
    about = purchase(buyer) | {"metadata": {"user_id": buyer.principal.user_id, "app_id": "dev-app", "plan": "gone"}}
    answer = await webhook(webhook.event("1", "checkout.session.completed", about))
    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_PRICE")


async def test_reconcile_heals_a_lost_webhook(buyer, books):
    books.subscribe("cus_1")
    assert await service.reconcile(buyer.principal)
    assert not await service.reconcile(buyer.principal)
    assert (await buyer.plan())["plan"] == "pro"
