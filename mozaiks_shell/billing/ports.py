"""What the shell asks of a billing provider (F-125)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from mozaiks_shell.appconfig.service import Plan


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the provider knows them. ``version`` grows with every change of their subscription."""

    app_id: str
    user_id: str
    email: str = ""
    name: str = ""
    customer_id: str = ""
    subscription_id: str = ""
    plan: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What the provider says a person has, now. An empty ``plan`` leaves the stored one."""

    plan: str
    status: str
    period_end: datetime | None = None
    cancel_at_period_end: bool = False
    customer_id: str = ""
    subscription_id: str = ""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Reports of use that the provider took and refused later (F-255): ``count`` in all, ``named`` the identifiers it told,
    each with the reason. It may name only some.
    """

    count: int
    named: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A verified webhook. ``purchase`` is set for a one-time purchase, which is its own truth;
    ``refusals`` for reports of use.
    """

    event_id: str
    type: str
    relevant: bool
    app_id: str = ""
    user_id: str = ""
    customer_id: str = ""
    purchase: Truth | None = None
    refusals: Refusals | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the provider can be used; ``detail`` is a sentence for an operator."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Metered:
    """What a customer used in an hour (F-255). ``identifier`` is the same whenever the same use is told."""

    identifier: str
    event_name: str
    customer_id: str
    value: int
    at: datetime


@runtime_checkable
class BillsByUse(Protocol):
    """What a :class:`BillingProvider` may offer besides: meters."""

    async def report_usage(self, metered: Metered) -> None:
        """Tell the provider, who counts an ``identifier`` once within a day.

        Raises:
            UsageRefused: it will never take this. PaymentUpstream: not now; whether it was counted is unknown.
        """
        ...


class BillingProvider(Protocol):
    """One adapter per provider, the shell's own or a file in ``plugins/payments/`` (F-098). All raise
    :class:`~mozaiks_shell.billing.errors.PaymentUpstream` when theirs fails.

    Attributes:
        name: As in ``MOZAIKS_BILLING_PROVIDER`` and in the rows it writes; of a file, the file's name.
        sells: People buy plans themselves.
        signature_header: Header with the signature of its webhooks, in small letters; empty without webhooks.
    """

    name: str
    sells: bool
    signature_header: str

    async def ensure_customer(self, account: Account) -> str:
        """The provider's id for this person, made on first use; empty where there is no such thing."""
        ...

    async def get_subscription_status(self, account: Account) -> Truth | None:
        """What the provider says now; None when it knows nothing.

        Raises:
            UnknownPrice: the person pays for something the catalogue does not have.
        """
        ...

    async def create_checkout(self, account: Account, plan: Plan, *, trial_days: int, return_url: str) -> str:
        """Address of the hosted page where the person buys or switches to ``plan``.

        Raises:
            NotForSale: the plan has no price at this provider.
        """
        ...

    async def create_portal(self, account: Account, *, return_url: str) -> str:
        """Address of the hosted page where the person manages cards, invoices and the subscription."""
        ...

    async def cancel_subscription(self, account: Account) -> Truth | None:
        """Stop renewal; access stays until the period's end. None: nothing to ask, the shell keeps the date itself."""
        ...

    async def process_webhook(self, payload: bytes, signature: str) -> Notice:
        """Verify and read one webhook; has no effect by itself.

        Raises:
            BadSignature: not signed by the provider.
        """
        ...

    async def health_check(self) -> Health:
        """Whether the provider answers and every priced plan can be sold."""
        ...
