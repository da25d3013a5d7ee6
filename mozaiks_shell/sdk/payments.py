"""``payments``: buying, seeing and ending a plan, whatever the payment provider (F-294). Permission ``payments``.

Awaited in ``async`` code, called plainly elsewhere, like ``db``.
"""

from typing import Any

from mozaiks_shell.billing import service as _billing
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import either_way


def checkout(plan: str) -> Any:
    """The address where the current person buys ``plan``; send them there.

    Raises:
        NotFound: no such plan. Conflict: it is the present one. ShellError: plans are not sold here.

    Example:
        >>> return rx.redirect(await payments.checkout("pro"))
    """
    demand(Permission.PAYMENTS)
    return either_way(_billing.checkout(_me(), plan))


def status() -> Any:
    """The current person's subscription as a dict: ``plan``, ``display_name``, ``status``, ``is_trial``,
    ``next_billing_date``, ``cancel_at_period_end``, ``access_until`` and more.

    Example:
        >>> (await payments.status())["plan"]
        'free'
    """
    demand(Permission.PAYMENTS)
    return either_way(_billing.describe(_me()))


def cancel() -> Any:
    """End the current person's plan at the end of the paid period.

    Raises:
        Conflict: there is no paid plan, or it is cancelled already.

    Example:
        >>> await payments.cancel()
        >>> (await payments.status())["cancel_at_period_end"]
        True
    """
    demand(Permission.PAYMENTS)
    return either_way(_billing.cancel(_me()))


def _me() -> Principal:
    person = current_principal()
    if person is None or not person.user_id:
        raise NotSignedIn("Sign in to continue.")
    return person


__all__ = ["cancel", "checkout", "status"]
