"""Against localstripe, a Stripe server we did not write: real subscriptions, invoices and signed webhooks.

It has customers, plans, subscriptions and invoices, but no prices, checkout sessions, portal or running trials.
"""

import asyncio
import contextlib

import httpx
import pytest

from mozaiks_shell.billing import service
from mozaiks_shell.billing.factory import provider
from mozaiks_shell.billing.ports import Account
from tests.live import until


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
    stripe_mode(localstripe, prices={"pro": "pro-monthly", "team": "team-monthly"})
    bank = Bank(localstripe)
    await bank.web.delete("/_config/data")
    where = f"{await shell_port()}/api/billing/webhook/stripe"
    told = await bank.web.post("/_config/webhooks/shell", json={"url": where, "secret": "whsec_test_secret"})
    assert told.status_code == 200
    product = await bank.make("products", name="Shell", type="service")
    for plan, amount in (("pro-monthly", 1200), ("team-monthly", 3900)):
        await bank.make("plans", id=plan, product=product["id"], amount=amount, currency="usd", interval="month")
    yield bank
    await bank.web.aclose()


async def becomes(person, **expected):
    """Wait until the person's plan looks like this; webhooks of localstripe come a second later."""
    for _ in range(50):
        mine = await person.plan()
        if all(mine[key] == value for key, value in expected.items()):
            return mine
        await asyncio.sleep(0.1)
    raise AssertionError(f"{mine} never became {expected}")


async def subscribe(bank, ada, plan, card="4242424242424242"):
    customer = await provider().ensure_customer(Account("dev-app", ada.principal.user_id, "ada@example.com", "Ada"))
    token = await bank.make("tokens", **{"card[number]": card, "card[exp_month]": 12, "card[exp_year]": 2040, "card[cvc]": 123})
    await bank.make(f"customers/{customer}", source=token["id"])
    about = {"metadata[user_id]": ada.principal.user_id, "metadata[app_id]": "dev-app"}
    return await bank.make("subscriptions", customer=customer, **{"items[0][plan]": plan}, **about)


async def test_a_subscription_from_birth_to_end(bank, sign_up):
    ada = await sign_up("ada")
    sub = await subscribe(bank, ada, "pro-monthly")
    mine = await becomes(ada, plan="pro", status="active")
    assert mine["next_billing_date"] is not None

    await bank.make(f"subscriptions/{sub['id']}", **{"items[0][plan]": "team-monthly"})
    assert await service.reconcile(ada.principal)
    await becomes(ada, plan="team")

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


async def test_a_refused_card_opens_nothing(bank, sign_up):
    ada = await sign_up("ada")
    sub = await subscribe(bank, ada, "pro-monthly", card="4000000000000341")
    assert sub["status"] == "incomplete"
    seen = asyncio.Event()
    events = (await bank.web.get("/v1/events")).json()["data"]
    assert {"invoice.payment_failed", "customer.subscription.created"} <= {one["type"] for one in events}
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(seen.wait(), 0.1)
    assert not await service.reconcile(ada.principal)
    assert (await ada.plan())["plan"] == "free"


async def test_a_plan_the_catalogue_does_not_sell_is_an_error(bank, sign_up):
    ada = await sign_up("ada")
    product = await bank.make("products", name="Other", type="service")
    await bank.make("plans", id="other", product=product["id"], amount=1, currency="usd", interval="month")
    await subscribe(bank, ada, "other")
    with pytest.raises(service.provider().get_subscription_status.__globals__["UnknownPrice"]):
        await service.reconcile(ada.principal)
    assert until
