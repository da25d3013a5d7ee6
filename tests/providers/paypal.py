"""A payment provider as an operator would write it: ``plugins/payments/paypal.py``. Not PayPal's real API, but its shape:
an order is approved on a page there, and signed webhooks tell of it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from mozaiks_shell.sdk.providers import (
    Account,
    BadSignature,
    BillingProvider,
    Health,
    NotForSale,
    Notice,
    PaymentUpstream,
    Plan,
    Truth,
    client,
)


class Provider(BillingProvider):
    sells = True
    signature_header = "PayPal-Transmission-Sig"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.base, self.secret = settings["PAYPAL_API"], settings["PAYPAL_WEBHOOK_SECRET"]
        self.plans = {key.removeprefix("PAYPAL_PLAN_").lower(): value for key, value in settings.items() if "_PLAN_" in key}

    async def _ask(self, method: str, path: str, body: dict | None = None) -> dict:
        async with client(self.base) as web:
            answer = await web.request(method, path, json=body)
        if answer.status_code >= 300:
            raise PaymentUpstream("PayPal could not do this just now.")
        return answer.json()

    async def ensure_customer(self, account: Account) -> str:
        return account.customer_id or f"PAYER-{account.user_id}"

    async def get_subscription_status(self, account: Account) -> Truth | None:
        found = await self._ask("GET", f"/subscriptions/{account.customer_id}")
        if not found:
            return None
        names = {value: key for key, value in self.plans.items()}
        end = datetime.fromisoformat(found["paid_until"])
        return Truth(names[found["plan"]], found["status"], end, found["ending"], account.customer_id, found["id"])

    async def create_checkout(self, account: Account, plan: Plan, *, trial_days: int, return_url: str) -> str:
        if plan.name not in self.plans:
            raise NotForSale(f"{plan.title} is not sold at PayPal.")
        body = {
            "payer": account.customer_id,
            "plan": self.plans[plan.name],
            "custom_id": account.user_id,
            "return_url": return_url,
        }
        return (await self._ask("POST", "/subscriptions", body))["approve"]

    async def create_portal(self, account: Account, *, return_url: str) -> str:
        return f"{self.base}/autopay?payer={account.customer_id}"

    async def cancel_subscription(self, account: Account) -> Truth | None:
        await self._ask("POST", f"/subscriptions/{account.subscription_id}/cancel")
        return await self.get_subscription_status(account)

    async def process_webhook(self, payload: bytes, signature: str) -> Notice:
        good = hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(good, signature):
            raise BadSignature("This is not signed by PayPal.")
        told = json.loads(payload)
        about = told["resource"]
        relevant = told["event_type"].startswith("BILLING.SUBSCRIPTION.")
        return Notice(told["id"], told["event_type"], relevant, "", about.get("custom_id", ""), about.get("payer", ""))

    async def health_check(self) -> Health:
        await self._ask("GET", "/health")
        return Health(bool(self.plans), f"{len(self.plans)} plans can be bought")
