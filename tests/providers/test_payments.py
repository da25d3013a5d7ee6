"""A payment provider in one file, really bought through (F-098)."""

import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.billing import service as billing
from mozaiks_shell.billing.routes import router
from mozaiks_shell.foundation.access import set_principal
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.identity.accounts import principal_of, register
from mozaiks_shell.sdk import payments

SECRET = "whsec"
PLANS = {
    "subscription_plans": [{"name": "free", "price": 0}, {"name": "pro", "price": 12}, {"name": "team", "price": 39}],
    "settings": {"default_plan": "free"},
}


@pytest.fixture
async def shop(provide, outside, tmp_path, monkeypatch, database):
    """PayPal is configured; Ada is signed in. Gives ``(outside, ada, web)``."""
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "subscription_config.json").write_text(json.dumps(PLANS))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    provide(
        "payments", "paypal", PAYPAL_API=outside.base, PAYPAL_WEBHOOK_SECRET=SECRET, PAYPAL_PLAN_PRO="P-1", PAYPAL_PLAN_TEAM="P-2"
    )
    outside.answers["POST", "/subscriptions"] = (200, {"approve": "https://paypal.test/approve/I-1"})
    ada = principal_of(await register("ada", "a long enough password", "ada@example.com"))
    set_principal(ada)
    api = FastAPI()
    install(api)
    api.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=get_settings().origin) as web:
        yield outside, ada, web
    set_principal(None)


def subscription(outside, ada, **more: Any) -> None:
    found = {"id": "I-1", "plan": "P-1", "status": "active", "paid_until": "2099-01-31T00:00:00+00:00", "ending": False, **more}
    outside.answers["GET", f"/subscriptions/PAYER-{ada.user_id}"] = (200, found)


async def event(web, ada, event_id="WH-1", signature=None, path="paypal") -> httpx.Response:
    about = {"payer": f"PAYER-{ada.user_id}", "custom_id": ada.user_id}
    body = json.dumps({"id": event_id, "event_type": "BILLING.SUBSCRIPTION.ACTIVATED", "resource": about}).encode()
    good = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"PayPal-Transmission-Sig": good if signature is None else signature}
    return await web.post(f"/api/billing/webhook/{path}", content=body, headers=headers)


async def test_f098_bought_through_checkout_and_webhook(shop):
    outside, ada, web = shop
    url = await payments.checkout("pro")
    assert url == "https://paypal.test/approve/I-1"
    assert outside.asked[-1][2]["plan"] == "P-1" and outside.asked[-1][2]["custom_id"] == ada.user_id
    assert (await payments.status())["plan"] == "free"  # not before it is paid
    subscription(outside, ada)
    assert (await event(web, ada)).json() == {"outcome": "applied"}
    told = await payments.status()
    assert (told["plan"], told["provider"], told["status"]) == ("pro", "paypal", "active")
    assert told["next_billing_date"] == "2099-01-31T00:00:00+00:00"
    assert (await billing.history(ada))[0]["actor"] == "paypal"
    assert (await event(web, ada)).json() == {"outcome": "duplicate"}


async def test_f098_cancelled_there_and_access_stays(shop):
    outside, ada, web = shop
    await payments.checkout("pro")
    subscription(outside, ada)
    await event(web, ada)
    outside.answers["POST", "/subscriptions/I-1/cancel"] = (200, {})
    subscription(outside, ada, ending=True)
    await payments.cancel()
    told = await payments.status()
    assert (told["plan"], told["cancel_at_period_end"]) == ("pro", True)
    assert await billing.portal(ada) == f"{outside.base}/autopay?payer=PAYER-{ada.user_id}"


async def test_f098_what_it_did_not_sign_changes_nothing(shop):
    outside, ada, web = shop
    await payments.checkout("pro")
    subscription(outside, ada)
    for signature in ("", "00", "x" * 64):
        refused = await event(web, ada, signature=signature)
        assert (refused.status_code, refused.json()["code"]) == (400, "BAD_SIGNATURE")
    assert (await payments.status())["plan"] == "free"


async def test_f098_webhooks_of_another_provider_are_unknown(shop):
    outside, ada, web = shop
    assert (await event(web, ada, path="stripe")).status_code == 404
    with pytest.raises(NotFound):
        billing.webhook_header("manual")


async def test_f098_when_it_is_down_nothing_changes(shop):
    outside, ada, web = shop
    await payments.checkout("pro")
    outside.answers["GET", f"/subscriptions/PAYER-{ada.user_id}"] = (500, {})
    assert (await event(web, ada)).status_code == 502
    assert (await payments.status())["plan"] == "free"
    subscription(outside, ada)
    assert (await event(web, ada)).json() == {"outcome": "applied"}  # delivered again, it has its effect


async def test_f098_people_buy_by_themselves_there(shop):
    outside, ada, web = shop
    outside.answers["GET", "/health"] = (200, {})
    assert billing.sells() and await billing.health() == (True, "2 plans can be bought")
    assert (await web.post("/api/billing/checkout", json={"plan": "team"})).json() == {"url": "https://paypal.test/approve/I-1"}
