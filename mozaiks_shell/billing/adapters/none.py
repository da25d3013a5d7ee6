"""No plans at all: nothing is gated by plan."""

from mozaiks_shell.billing.adapters.manual import Manual
from mozaiks_shell.billing.ports import Health


class Nothing(Manual):
    """``MOZAIKS_BILLING_PROVIDER=none``. Sells and cancels nothing, like :class:`Manual`."""

    name = "none"

    async def health_check(self) -> Health:
        """Always usable."""
        return Health(True, "nothing is gated by plan")
