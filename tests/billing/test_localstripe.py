"""Against localstripe, a Stripe server we did not write: real subscriptions, invoices and signed webhooks.

It has customers, plans, subscriptions and invoices, but no prices, checkout sessions, portal or running trials.
"""

import asyncio

import httpx
import pytest
from sqlmodel import select

from mozaiks_shell.billing import service
from mozaiks_shell.billing.models import BillingEvent
from mozaiks_shell.foundation import db

GOOD, REFUSED_WHEN_CHARGED = "4242424242424242", "4000000000000341"


class Bank:
    """localstripe's API with the key any client would use."""

    def __init__(self, url):
        self.web = httpx.AsyncClient(base_url=url, auth=("sk_test_shell", ""))

    async def make(self, path, **data):
        answer = await self.web.post(f"/v1/{path}", data=data)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def bank(localstripe, stripe_mode, shell_port):
    """An empty bank with two plans that tells our API what happens."""
    stripe_mode(localstripe, prices={"pro": "pro-monthly", "team": "team-yearly"})
    bank = Bank(localstripe)
    await bank.web.delete("/_config/data")
    where = f"{await shell_port()}/api/billing/webhook/stripe"
    told = await bank.web.post("/_config/webhooks/shell", json={"url": where, "secret": "whsec_test_secret"})
    assert told.status_code == 200
    product = await bank.make("products", name="Shell", type="service")
    for plan, amount, interval in (("pro-monthly", 1200, "month"), ("team-yearly", 39000, "year"), ("other", 100, "month")):
        await bank.make("plans", id=plan, product=product["id"], amount=amount, currency="eur", interval=interval)
    yield bank
    await bank.web.aclose()


async def becomes(person, **expected):
    """Wait until the person's plan looks like this; webhooks of localstripe come a second later."""
    for _ in range(600):
        mine = await person.plan()
        if all(mine[key] == value for key, value in expected.items()):
            return mine
        await asyncio.sleep(0.1)
    raise AssertionError(f"{mine} never became {expected}")


async def add_card(bank, customer, number):
    token = await bank.make("tokens", **{"card[number]": number, "card[exp_month]": 12, "card[exp_year]": 2040, "card[cvc]": 123})
    card = await bank.make(f"customers/{customer}/sources", source=token["id"])
    await bank.make(f"customers/{customer}", default_source=card["id"])


async def customer_of(bank, person):
    """The customer our own adapter makes on the way to a checkout, which localstripe then does not have."""
    refused = await person.post("/api/billing/checkout", plan="pro")
    assert (refused.status_code, refused.json()["code"]) == (502, "PAYMENT_SERVICE")
    (mine,) = (await bank.web.get("/v1/customers")).json()["data"]
    assert mine["metadata"] == {"user_id": person.principal.user_id, "app_id": "dev-app"}
    return mine["id"]


async def subscribe(bank, person, plan, card=GOOD):
    customer = await customer_of(bank, person)
    await add_card(bank, customer, card)
    return await bank.make("subscriptions", customer=customer, **{"items[0][plan]": plan})


async def test_a_subscription_from_birth_to_end(bank, sign_up):
    ada = await sign_up("ada")
    sub = await subscribe(bank, ada, "pro-monthly")
    first = await becomes(ada, plan="pro", status="active")

    await bank.make(f"subscriptions/{sub['id']}", **{"items[0][plan]": "team-yearly"})  # makes and pays an invoice
    mine = await becomes(ada, plan="team")
    assert mine["next_billing_date"] > first["next_billing_date"]

    cancelled = await ada.post("/api/cancel-subscription")
    assert cancelled.status_code == 200, cancelled.text
    assert (await bank.web.get(f"/v1/subscriptions/{sub['id']}")).json()["cancel_at_period_end"] is True
    await becomes(ada, plan="team", cancel_at_period_end=True, access_until=mine["next_billing_date"])

    await bank.web.delete(f"/v1/subscriptions/{sub['id']}")
    await becomes(ada, plan="free", status="canceled")
    steps = (await ada.get("/api/billing/history")).json()["history"]
    assert [(step["previous_plan"], step["new_plan"], step["status"]) for step in reversed(steps)] == [
        ("free", "pro", "active"),
        ("pro", "team", "active"),
        ("team", "team", "active"),
        ("team", "free", "canceled"),
    ]


async def test_a_renewal_that_fails_is_past_due(bank, sign_up):
    ada = await sign_up("ada")
    sub = await subscribe(bank, ada, "pro-monthly")
    await becomes(ada, plan="pro", status="active")
    await add_card(bank, sub["customer"], REFUSED_WHEN_CHARGED)
    behind = await bank.make(f"subscriptions/{sub['id']}", **{"items[0][plan]": "team-yearly"})
    assert behind["status"] == "past_due"
    assert await service.reconcile(ada.principal)  # localstripe tells nobody about this failure
    mine = await ada.plan()
    assert (mine["plan"], mine["status"]) == ("team", "past_due") and mine["access_until"] is not None


async def outcomes(kind):
    """What became of the events of this type, once one was seen."""
    for _ in range(600):
        async with db.system_session() as opened:
            rows = (await opened.execute(select(BillingEvent).where(BillingEvent.type == kind))).scalars().all()
        if rows:
            return {row.outcome for row in rows}
        await asyncio.sleep(0.1)
    raise AssertionError(f"no {kind} arrived")


async def test_a_refused_card_opens_nothing(bank, sign_up):
    ada = await sign_up("ada")
    sub = await subscribe(bank, ada, "pro-monthly", card=REFUSED_WHEN_CHARGED)
    assert sub["status"] == "incomplete"
    assert await outcomes("customer.subscription.created") == {"unchanged"}
    assert (await ada.plan())["plan"] == "free"


async def test_a_plan_the_catalogue_does_not_sell_is_an_error(bank, sign_up):
    ada = await sign_up("ada")
    await subscribe(bank, ada, "other")
    assert await outcomes("customer.subscription.created") == {"failed"}
    assert (await ada.plan())["plan"] == "free"
