"""Chooses the billing provider (F-125). The only module that imports an adapter."""

import asyncio
from weakref import WeakKeyDictionary

from mozaiks_shell.billing.ports import BillingProvider
from mozaiks_shell.foundation.settings import Settings, get_settings

_chosen: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Settings, BillingProvider]] = WeakKeyDictionary()


def provider() -> BillingProvider:
    """The provider of this installation. Kept per event loop, because its connections belong to one."""
    loop, settings = asyncio.get_running_loop(), get_settings()
    known = _chosen.get(loop)
    if known is None or known[0] is not settings:
        known = _chosen[loop] = settings, _make(settings)
    return known[1]


def _make(settings: Settings) -> BillingProvider:
    if settings.billing_provider == "stripe":
        from mozaiks_shell.billing.adapters.stripe import Stripe

        key, secret = settings.stripe_secret_key.get_secret_value(), settings.stripe_webhook_secret.get_secret_value()
        return Stripe(key, secret, settings.stripe_api_base)
    if settings.billing_provider == "none":
        from mozaiks_shell.billing.adapters.none import Nothing

        return Nothing()
    from mozaiks_shell.billing.adapters.manual import Manual

    return Manual()
