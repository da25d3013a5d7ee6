"""Chooses the billing provider (F-125). The only module that imports an adapter."""

import asyncio
from weakref import WeakKeyDictionary

from mozaiks_shell.billing.ports import BillingProvider
from mozaiks_shell.foundation.provider_files import make
from mozaiks_shell.foundation.settings import BILLING, Settings, get_settings

METHODS = dict.fromkeys(
    (
        "ensure_customer", "get_subscription_status", "create_checkout", "create_portal", "cancel_subscription",
        "process_webhook", "health_check",
    ),
    True,
)  # fmt: skip

_chosen: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Settings, BillingProvider]] = WeakKeyDictionary()


def provider() -> BillingProvider:
    """The provider of this installation. Kept per event loop, because its connections belong to one."""
    loop, settings = asyncio.get_running_loop(), get_settings()
    known = _chosen.get(loop)
    if known is None or known[0] is not settings:
        known = _chosen[loop] = settings, _make(settings)
    return known[1]


def check() -> None:
    """Make the provider once, at the start: a provider plugin that cannot be used must not be found out by a customer.

    Raises:
        ProviderProblem: with file and line.
    """
    if get_settings().billing_provider not in BILLING:
        _make(get_settings())


def _make(settings: Settings) -> BillingProvider:
    if settings.billing_provider not in BILLING:
        made: BillingProvider = make("payments", settings.billing_provider, METHODS, _wrong)
        made.name = settings.billing_provider
        return made
    if settings.billing_provider == "stripe":
        from mozaiks_shell.billing.adapters.stripe import Stripe

        key, secret = settings.stripe_secret_key.get_secret_value(), settings.stripe_webhook_secret.get_secret_value()
        return Stripe(key, secret, settings.stripe_api_base)
    if settings.billing_provider == "none":
        from mozaiks_shell.billing.adapters.none import Nothing

        return Nothing()
    from mozaiks_shell.billing.adapters.manual import Manual

    return Manual()


def _wrong(made: object) -> str:
    if not isinstance(getattr(made, "sells", None), bool):
        return "Provider needs `sells = True` (people buy plans themselves) or False"
    if made.sells and not getattr(made, "signature_header", ""):  # type: ignore[attr-defined]
        return "Provider needs `signature_header`, the header that carries the signature of its webhooks"
    return ""
