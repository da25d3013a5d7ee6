"""``providers``: what a provider plugin needs: one file that stands in for a part of the shell (F-053, F-098).

A payment provider is ``plugins/payments/<name>.py``, chosen with ``MOZAIKS_BILLING_PROVIDER=<name>``; its webhooks arrive at
``POST /api/billing/webhook/<name>``. A sign-in provider is ``plugins/auth/<name>.py``, chosen with
``MOZAIKS_AUTH_PROVIDER=<name>``. The file defines ``Provider``, a class or a function; it is called with the variables that
begin with the file's name, and does no network calls in there:

    from mozaiks_shell.sdk.providers import BillingProvider, Notice, Truth

    class Provider(BillingProvider):                # paypal.py
        sells = True
        signature_header = "paypal-transmission-sig"

        def __init__(self, settings):
            self.client_id = settings["PAYPAL_CLIENT_ID"]

        async def create_checkout(self, account, plan, *, trial_days, return_url): ...
        # and the other methods of BillingProvider

    class Provider(PasswordProvider):               # firebase_auth.py
        async def authenticate(self, login, password):
            return Identity(issuer="", subject="uid-1", email=login)

A file that cannot be used ends the start with its name and line. Calls to other servers go through ``client``.
"""

from typing import Protocol

from mozaiks_shell.appconfig.service import Plan
from mozaiks_shell.billing.errors import BadSignature, NotForSale, NothingToCancel, PaymentUpstream, UnknownPrice
from mozaiks_shell.billing.ports import Account, BillingProvider, Health, Notice, Truth
from mozaiks_shell.foundation.http import client
from mozaiks_shell.identity.errors import IssuerFailed
from mozaiks_shell.identity.ports import Issuer as SignInPage
from mozaiks_shell.identity.ports import IssuerIdentity as Identity
from mozaiks_shell.identity.ports import Visit


class PasswordProvider(Protocol):
    """A sign-in provider that judges names and passwords typed on our own page; limits and sessions stay ours."""

    async def authenticate(self, login: str, password: str) -> Identity | None:
        """The person, or None when name or password is wrong. Anything raised counts as a failure of the provider.

        ``subject`` is the person's id there and never changes; ``issuer`` is filled in by the shell.
        """
        ...


__all__ = [
    "Account", "BadSignature", "BillingProvider", "Health", "Identity", "IssuerFailed", "NotForSale", "NothingToCancel",
    "Notice", "PasswordProvider", "PaymentUpstream", "Plan", "SignInPage", "Truth", "UnknownPrice", "Visit", "client",
]  # fmt: skip
