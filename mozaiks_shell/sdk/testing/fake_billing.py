"""A payment provider without payments."""

from dataclasses import dataclass, field
from typing import Any

from mozaiks_shell.appconfig.service import Plan
from mozaiks_shell.billing import factory, ledger
from mozaiks_shell.billing.ports import Account, Health, Notice, Truth
from mozaiks_shell.foundation.db import Scope


@dataclass
class FakeBilling:
    """Sells every plan. Use it as a context manager (the fixture ``billing`` does).

        address = await sdk.payments.checkout("pro")     # in the plugin
        assert billing.checkouts[0].plan == "pro"
        await billing.complete()                         # the person has paid

    Attributes:
        checkouts: What was asked for, oldest first.
        cancelled: User ids of those who ended their plan.
        down: Set it to an exception, and every call raises it.
    """

    name = "fake"
    sells = True

    checkouts: list["Checkout"] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    down: Exception | None = None
    _truths: dict[str, Truth] = field(default_factory=dict)

    def __enter__(self) -> "FakeBilling":
        self._make, factory._make = factory._make, lambda _: self  # type: ignore[assignment,return-value]
        factory._chosen.clear()
        return self

    def __exit__(self, *_: Any) -> None:
        factory._make = self._make
        factory._chosen.clear()

    async def complete(self) -> None:
        """The newest checkout is paid: the person has the plan."""
        bought = self.checkouts[-1]
        truth = self._truths[bought.user_id] = Truth(bought.plan, "active", None, False, f"cus_{bought.user_id}", "sub_1")
        scope = Scope(bought.app_id, bought.user_id)
        await ledger.write(scope, await ledger.read(scope), truth, provider=self.name, actor=self.name)

    async def ensure_customer(self, account: Account) -> str:
        self._answer()
        return f"cus_{account.user_id}"

    async def get_subscription_status(self, account: Account) -> Truth | None:
        self._answer()
        return self._truths.get(account.user_id)

    async def create_checkout(self, account: Account, plan: Plan, *, trial_days: int, return_url: str) -> str:
        self._answer()
        address = f"https://billing.example/checkout/{len(self.checkouts) + 1}"
        self.checkouts.append(Checkout(account.app_id, account.user_id, plan.name, address, trial_days, return_url))
        return address

    async def create_portal(self, account: Account, *, return_url: str) -> str:
        self._answer()
        return f"https://billing.example/portal/{account.user_id}"

    async def cancel_subscription(self, account: Account) -> Truth | None:
        self._answer()
        self.cancelled.append(account.user_id)
        return None

    async def process_webhook(self, payload: bytes, signature: str) -> Notice:
        self._answer()
        return Notice("evt_fake", "fake", relevant=False)

    async def health_check(self) -> Health:
        return Health(self.down is None, str(self.down or "fake"))

    def _answer(self) -> None:
        if self.down is not None:
            raise self.down


@dataclass(frozen=True)
class Checkout:
    """Somebody wanted to buy a plan."""

    app_id: str
    user_id: str
    plan: str
    address: str
    trial_days: int
    return_url: str
