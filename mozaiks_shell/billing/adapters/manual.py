"""No payment service: an administrator sets plans."""

from mozaiks_shell.appconfig.service import Plan
from mozaiks_shell.billing.errors import NotForSale
from mozaiks_shell.billing.ports import Account, Health, Notice, Truth
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr


class Manual:
    """``MOZAIKS_BILLING_PROVIDER=manual``."""

    name = "manual"
    sells = False
    signature_header = ""

    async def ensure_customer(self, account: Account) -> str:
        """There are no customers."""
        return ""

    async def get_subscription_status(self, account: Account) -> Truth | None:
        """The shell's own row is the truth."""
        return None

    async def create_checkout(self, account: Account, plan: Plan, *, trial_days: int, return_url: str) -> str:
        """Refused: nothing is sold here."""
        raise NotForSale(tr("Plans are set by an administrator here; there is no checkout."))

    async def create_portal(self, account: Account, *, return_url: str) -> str:
        """Refused: nothing is sold here."""
        raise NotForSale(tr("Plans are set by an administrator here; there is no customer portal."))

    async def cancel_subscription(self, account: Account) -> Truth | None:
        """Nobody to ask."""
        return None

    async def process_webhook(self, payload: bytes, signature: str) -> Notice:
        """Refused: nobody sends webhooks here."""
        raise NotFound("No payment service is configured.")

    async def health_check(self) -> Health:
        """Always usable."""
        return Health(True, "an administrator sets plans")
