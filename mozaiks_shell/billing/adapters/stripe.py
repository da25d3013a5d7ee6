"""Stripe: hosted checkout, customer portal, webhooks, meters (F-126 to F-128, F-255).

A webhook is only a hint that something happened to a customer. What the customer has is then read from the API,
so it does not matter in which order events arrive. A checkout in mode ``payment`` (a lifetime plan) leaves no
subscription behind; there the signed event itself is the truth.
"""

import hashlib
import json
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe

from mozaiks_shell.appconfig.service import Plan, catalogue
from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.billing.errors import (
    BadSignature,
    NotForSale,
    NothingToCancel,
    PaymentUpstream,
    UnknownPrice,
    UsageRefused,
)
from mozaiks_shell.billing.ports import Account, Health, Metered, Notice, Refusals, Truth
from mozaiks_shell.billing.standing import LIVE
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("billing.stripe")
Answer = TypeVar("Answer")

CHECKOUT_DONE = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
RELEVANT = CHECKOUT_DONE | {
    "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
    "customer.subscription.paused", "customer.subscription.resumed",
    "invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed",
}  # fmt: skip
METERS_REFUSED = frozenset({"v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"})
_STATUS = {"trialing": "trialing", "active": "active", "past_due": "past_due", "canceled": "canceled"}
_NOT_STARTED = {"incomplete", "incomplete_expired"}
_SAME_CHECKOUT = 1800  # seconds in which a repeated click gets the same hosted page


class Stripe:
    """``MOZAIKS_BILLING_PROVIDER=stripe``.

    Args:
        api_key: Secret key.
        webhook_secret: Signing secret; two of them, comma-separated, while one is being rotated.
        api_base: Another server that speaks Stripe's API.
    """

    name = "stripe"
    sells = True
    signature_header = "stripe-signature"

    def __init__(self, api_key: str, webhook_secret: str, api_base: str = "") -> None:
        self._live = api_key.startswith(("sk_live_", "rk_live_"))
        self._secrets = [secret.strip() for secret in webhook_secret.split(",") if secret.strip()]
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=2,
            http_client=stripe.HTTPXClient(timeout=15),
        )

    async def ensure_customer(self, account: Account) -> str:
        """The person's customer; made once per person, also when two tabs ask at the same time."""
        if account.customer_id:
            return account.customer_id
        about = {"user_id": account.user_id, "app_id": account.app_id}
        same = _key("customer", account.user_id, account.version)
        made = await _call(
            self._client.v1.customers.create_async(
                {"email": account.email, "name": account.name, "metadata": about}, {"idempotency_key": same}
            )
        )
        return made.id

    async def get_subscription_status(self, account: Account) -> Truth | None:
        """The best of the customer's subscriptions: running before ended, higher plan before lower, newer before older.

        Raises:
            UnknownPrice: the customer pays, but for nothing in the catalogue. Never read as a downgrade.
        """
        if not account.customer_id:
            return None
        listed = await _call(
            self._client.v1.subscriptions.list_async({"customer": account.customer_id, "status": "all", "limit": 100})
        )
        found = [one.to_dict() for one in listed.data]
        mine = [
            one for one in found
            if (one.get("metadata") or {}).get("app_id", account.app_id) == account.app_id and one["status"] not in _NOT_STARTED
        ]  # fmt: skip
        if not mine:
            return None
        running = [one for one in mine if one["status"] in LIVE]
        priced = [(plan.rank, one["created"], one["id"], one) for one in running if (plan := _plan_of(one)) is not None]
        if priced:
            best = max(priced)[3]
        elif running:
            prices = ", ".join(sorted({_price_of(one) for one in running}))
            raise UnknownPrice(f"A running subscription has the price {prices}, but no plan has.", price=prices)
        else:
            best = max(mine, key=lambda one: (one["created"], one["id"]))
        return _truth(best, account.customer_id)

    async def create_checkout(self, account: Account, plan: Plan, *, trial_days: int, return_url: str) -> str:
        """A checkout page; for a customer who already pays, the portal's confirmation of the switch.

        A second checkout would make a second subscription, and the person would pay twice.
        """
        if not plan.stripe_price_id:
            raise NotForSale(f"{plan.title} has no stripe_price_id in the plan catalogue.", plan=plan.name)
        if account.subscription_id.startswith("sub_") and plan.billing_cycle != "lifetime":
            return await self._switch(account, plan, return_url)
        about = {"user_id": account.user_id, "app_id": account.app_id, "plan": plan.name}
        params: dict[str, Any] = {
            "mode": "payment" if plan.billing_cycle == "lifetime" else "subscription",
            "customer": account.customer_id,
            "client_reference_id": account.user_id,
            "line_items": [{"price": plan.stripe_price_id, "quantity": 1}],
            "metadata": about,
            "success_url": f"{return_url}?checkout=success&plan={plan.name}",
            "cancel_url": f"{return_url}?checkout=cancelled&plan={plan.name}",
        }
        if params["mode"] == "subscription":
            params["subscription_data"] = {"metadata": about, **({"trial_period_days": trial_days} if trial_days else {})}
        span = int(time.time()) // _SAME_CHECKOUT
        same = _key("checkout", json.dumps(params, sort_keys=True), account.version, span)
        session = await _call(self._client.v1.checkout.sessions.create_async(params, {"idempotency_key": same}))  # type: ignore[arg-type]
        return str(session.url)

    async def _switch(self, account: Account, plan: Plan, return_url: str) -> str:
        current = (await _call(self._client.v1.subscriptions.retrieve_async(account.subscription_id))).to_dict()
        item = {"id": current["items"]["data"][0]["id"], "price": plan.stripe_price_id, "quantity": 1}
        back = {"return_url": f"{return_url}?checkout=success&plan={plan.name}"}
        params: dict[str, Any] = {
            "customer": account.customer_id,
            "return_url": return_url,
            "flow_data": {
                "type": "subscription_update_confirm",
                "subscription_update_confirm": {"subscription": account.subscription_id, "items": [item]},
                "after_completion": {"type": "redirect", "redirect": back},
            },
        }
        session = await _call(self._client.v1.billing_portal.sessions.create_async(params))  # type: ignore[arg-type]
        return session.url

    async def create_portal(self, account: Account, *, return_url: str) -> str:
        """The portal of the person's own customer; there is no way to name another."""
        if not account.customer_id:
            raise NothingToCancel(tr("There is nothing to manage yet: no plan was ever bought."))
        session = await _call(
            self._client.v1.billing_portal.sessions.create_async({"customer": account.customer_id, "return_url": return_url})
        )
        return session.url

    async def cancel_subscription(self, account: Account) -> Truth | None:
        """Ask Stripe to end the subscription with the paid period."""
        if not account.subscription_id.startswith("sub_"):
            raise NothingToCancel(tr("There is no running subscription to cancel."))
        changed = await _call(self._client.v1.subscriptions.update_async(account.subscription_id, {"cancel_at_period_end": True}))
        return _truth(changed.to_dict(), account.customer_id)

    async def process_webhook(self, payload: bytes, signature: str) -> Notice:
        """Check the signature over the raw body and read what it is about."""
        self._verify(payload, signature)
        try:
            event = json.loads(payload)
            kind = str(event["type"])
            if kind in METERS_REFUSED:
                return await self._meters_refused(str(event["id"]), kind, live=event.get("livemode") is not False)
            thing = dict(event["data"]["object"])
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid("The signed body is not a Stripe event.", code="BAD_EVENT") from error
        # Stripe numbers its events. A compatible server that does not is told apart by what it signed.
        event_id = str(event.get("id") or "sha256:" + hashlib.sha256(payload).hexdigest())
        about = thing.get("metadata") or {}
        other_mode = self._live and event.get("livemode") is False
        notice = Notice(
            event_id=event_id,
            type=kind,
            relevant=kind in RELEVANT and not other_mode,
            app_id=str(about.get("app_id") or ""),
            user_id=str(about.get("user_id") or ""),
            customer_id=_id_of(thing.get("customer")),
        )
        if kind in CHECKOUT_DONE and thing.get("mode") == "payment":
            return _one_time(notice, thing)
        return notice

    async def _meters_refused(self, event_id: str, kind: str, *, live: bool) -> Notice:
        """Such an event is thin: what it tells has to be fetched."""
        if self._live and not live:
            return Notice(event_id, kind, False)
        told = (await _call(self._client.v2.core.events.retrieve_async(event_id))).to_dict()
        reason = (told.get("data") or {}).get("reason") or {}
        named = [
            (str(identifier), f"{sample.get('error_message') or ''} ({sort.get('code')})".strip())
            for sort in reason.get("error_types") or []
            for sample in sort.get("sample_errors") or []
            if (identifier := (sample.get("request") or {}).get("identifier"))
        ]
        return Notice(event_id, kind, True, refusals=Refusals(max(int(reason.get("error_count") or 0), len(named)), tuple(named)))

    def _verify(self, payload: bytes, signature: str) -> None:
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(payload, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            return
        raise BadSignature("This request is not signed with the webhook's secret.")

    async def report_usage(self, metered: Metered) -> None:
        """One meter event. Stripe takes a time of the last 35 days, and tells an identifier of the last day apart.

        A refusal because the identifier was seen is a success: an earlier answer got lost. The identifier does what an
        idempotency key of our own would do; for such a key Stripe would repeat its first answer, also an error, for a day.
        """
        params: Any = {
            "event_name": metered.event_name,
            "identifier": metered.identifier,
            "timestamp": int(metered.at.timestamp()),
            "payload": {"stripe_customer_id": metered.customer_id, "value": str(metered.value)},
        }
        try:
            await _call(self._client.v1.billing.meter_events.create_async(params))
        except PaymentUpstream as error:
            refused = error.__cause__
            if not isinstance(refused, stripe.InvalidRequestError):
                raise
            said = str(refused.user_message or refused)
            if "already exists" in said and metered.identifier in said:
                return
            raise UsageRefused(said, stripe_code=refused.code) from refused

    async def health_check(self) -> Health:
        """Asks Stripe for each price of the catalogue, and for the meters of ``usage_config.json``."""
        priced = [plan for plan in catalogue().subscription_plans if plan.stripe_price_id]
        if not priced:
            return Health(False, "no plan of the catalogue has a stripe_price_id, so nothing can be bought")
        for plan in priced:
            try:
                await _call(self._client.v1.prices.retrieve_async(plan.stripe_price_id))
            except PaymentUpstream as error:
                return Health(False, f"price of {plan.name}: {error.message}")
        if missing := await self._missing_meters():
            return Health(False, f"no active meter at Stripe has the event_name {', '.join(sorted(missing))}")
        return Health(True, f"{len(priced)} plans can be bought")

    async def _missing_meters(self) -> set[str]:
        wanted = {one.event_name for one in usage_config().meters}
        if wanted:
            listed = await _call(self._client.v1.billing.meters.list_async({"status": "active", "limit": 100}))
            wanted -= {one.event_name for one in listed.data}
        return wanted


async def _call(request: Awaitable[Answer]) -> Answer:
    try:
        return await request
    except stripe.StripeError as error:
        log.warning("stripe refused", status=error.http_status, code=error.code, message=error.user_message or str(error))
        raise PaymentUpstream(
            tr("The payment service could not do this just now. Nothing was changed."), stripe_code=error.code
        ) from error


def _one_time(notice: Notice, session: dict[str, Any]) -> Notice:
    """A paid lifetime plan. Unpaid sessions (a bank transfer under way) have no effect until they are paid."""
    plan = str((session.get("metadata") or {}).get("plan") or "")
    paid = session.get("payment_status") in {"paid", "no_payment_required"}
    if not (notice.relevant and paid and plan):
        return Notice(notice.event_id, notice.type, False)
    bought = Truth(plan=plan, status="active", customer_id=notice.customer_id, subscription_id=str(session.get("id") or ""))
    return Notice(notice.event_id, notice.type, True, notice.app_id, notice.user_id, notice.customer_id, bought)


def _truth(subscription: dict[str, Any], customer_id: str) -> Truth:
    items = (subscription.get("items") or {}).get("data") or [{}]
    cancel_at = subscription.get("cancel_at")
    # API versions since 2025-03-31 carry the period on the item, earlier ones on the subscription.
    end = cancel_at or items[0].get("current_period_end") or subscription.get("current_period_end")
    plan = _plan_of(subscription)
    return Truth(
        plan=plan.name if plan else "",
        status=_STATUS.get(subscription["status"], "inactive"),
        period_end=datetime.fromtimestamp(end, UTC) if end else None,
        cancel_at_period_end=bool(subscription.get("cancel_at_period_end") or cancel_at),
        customer_id=customer_id,
        subscription_id=subscription["id"],
    )


def _price_of(subscription: dict[str, Any]) -> str:
    items = (subscription.get("items") or {}).get("data") or [{}]
    return _id_of(items[0].get("price")) or _id_of(items[0].get("plan")) or "unknown"


def _plan_of(subscription: dict[str, Any]) -> Plan | None:
    return catalogue().by_price(_price_of(subscription))


def _id_of(value: Any) -> str:
    """Stripe gives an id, or the object when it was expanded."""
    return str(value.get("id") or "") if isinstance(value, dict) else str(value or "")


def _key(*parts: object) -> str:
    """An idempotency key: the same wish, the same key."""
    body = "\n".join([get_settings().app_id, *(str(part) for part in parts)])
    return "mozaiks-" + hashlib.sha256(body.encode()).hexdigest()[:48]
