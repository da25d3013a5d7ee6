"""Billing by use (F-255): who can be billed, and telling the provider."""

from dataclasses import dataclass

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing.errors import PaymentUpstream
from mozaiks_shell.billing.factory import provider
from mozaiks_shell.billing.ledger import read
from mozaiks_shell.billing.ports import BillsByUse, Metered
from mozaiks_shell.billing.standing import standing
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.i18n import tr


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody the provider can bill, and the plan they have now."""

    customer_id: str
    plan: str


def bills_by_use() -> bool:
    """Whether the configured provider has meters."""
    return isinstance(provider(), BillsByUse)


async def customer_of(app_id: str, user_id: str) -> Customer | None:
    """The provider's customer that this person is; None where nobody can be billed by use for them."""
    if not bills_by_use():
        return None
    row = await read(Scope(app_id, user_id))
    if row is None or not row.provider_customer_id:
        return None
    return Customer(row.provider_customer_id, standing(row, catalogue(), now()).name)


async def report_usage(metered: Metered) -> None:
    """Tell the provider what a customer used.

    Raises:
        UsageRefused: it will never take this.
        PaymentUpstream: it could not be told now, or nobody knows whether it was; telling it again is safe for a day.
    """
    seller = provider()
    if not isinstance(seller, BillsByUse):
        raise PaymentUpstream(tr("The payment service that is configured cannot bill by use."))
    await seller.report_usage(metered)
