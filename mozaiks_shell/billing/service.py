"""The one gate, and what people and administrators do with plans. No web, no UI.

Administrators hold every role but no plan: what a plan opens is bought or set, also for them. Otherwise an
administrator would never see what their customers see.
"""

from collections.abc import Iterable

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing.factory import provider
from mozaiks_shell.billing.ledger import read
from mozaiks_shell.billing.metering import Customer, bills_by_use, customer_of, report_usage
from mozaiks_shell.billing.ports import Metered
from mozaiks_shell.billing.standing import PlanView, standing, without_gates
from mozaiks_shell.billing.subscriptions import (
    cancel,
    checkout,
    choose_plan,
    describe,
    history,
    portal,
    reconcile,
    set_plan,
)
from mozaiks_shell.billing.webhooks import receive
from mozaiks_shell.foundation.access import Access, Decision, Principal, current_principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import NotFound, NotSignedIn, PlanNeeded, RoleNeeded
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings

__all__ = [
    "Customer", "Metered", "PlanView", "authorize", "authorize_all", "bills_by_use", "cancel", "checkout", "choose_plan",
    "customer_of", "demand", "describe", "health", "history", "plan_of", "plugin_allowed", "portal", "receive", "reconcile",
    "report_usage", "sells", "set_plan", "webhook_header",
]  # fmt: skip


async def plan_of(principal: Principal) -> PlanView:
    """The plan that counts for this person now: one indexed query, never cached, so a change is felt at once (F-106)."""
    if get_settings().billing_provider == "none":
        return without_gates()
    return standing(await read(Scope(principal.app_id, principal.user_id)), catalogue(), now())


async def authorize(principal: Principal | None, access: Access) -> Decision:
    """Decide whether this person may do what ``access`` guards (D2).

    A plan access asks the database; public, signed-in and role do not. ``needed`` is the title of the lowest plan
    that opens it.
    """
    if access.kind != "plan" or principal is None:
        return _without_plan(principal, access)
    return _by_plan(await plan_of(principal), access)


async def authorize_all(principal: Principal | None, accesses: Iterable[Access]) -> list[Decision]:
    """:func:`authorize` for many at the price of one query (navigation, catalogues)."""
    wanted = list(accesses)
    if principal is None or all(access.kind != "plan" for access in wanted):
        return [_without_plan(principal, access) for access in wanted]
    view = await plan_of(principal)
    return [_by_plan(view, access) if access.kind == "plan" else _without_plan(principal, access) for access in wanted]


async def demand(access: Access) -> Principal | None:
    """The current person, or the error that says why not.

    Raises:
        NotSignedIn, RoleNeeded, PlanNeeded: as decided by :func:`authorize`.
    """
    principal = current_principal()
    decision = await authorize(principal, access)
    if decision.allowed:
        return principal
    if decision.reason == "sign_in":
        raise NotSignedIn(tr("Sign in to continue."))
    if decision.reason == "role":
        raise RoleNeeded(tr("This needs the role {role}.", role=decision.needed), needed=decision.needed)
    raise PlanNeeded(tr("This is part of the plan {plan}.", plan=tr(decision.needed)), needed=decision.needed)


async def plugin_allowed(principal: Principal | None, plugin: str, declared: Access) -> Decision:
    """Whether this person may use a plugin: what the plugin declares, and what the catalogue unlocks (F-103).

    A plugin that some plan names in ``plugins_unlocked`` or ``plugins`` is open from the lowest-ranked plan that
    unlocks it (by name or ``*``) upwards. One the catalogue does not mention is as open as it declares itself.
    """
    decision = await authorize(principal, declared)
    if not decision.allowed or not catalogue().mentions(plugin):
        return decision
    opening = tuple(plan.name for plan in catalogue().subscription_plans if plan.unlocks(plugin))
    return await authorize(principal, Access.plan(*opening))


def sells() -> bool:
    """Whether people buy plans themselves at the configured provider."""
    return provider().sells


def webhook_header(seller: str) -> str:
    """The header that carries the signature of this provider's webhooks.

    Raises:
        NotFound: it is not the configured provider, or has no webhooks.
    """
    if seller != provider().name or not provider().signature_header:
        raise NotFound("No such payment service is configured.")
    return provider().signature_header.lower()


async def health() -> tuple[bool, str]:
    """Whether billing can be used, and a sentence for an operator."""
    found = await provider().health_check()
    return found.ok, found.detail


def _without_plan(principal: Principal | None, access: Access) -> Decision:
    if access.kind == "public":
        return Decision(True)
    if principal is None:
        return Decision(False, "sign_in")
    if access.kind == "role" and not principal.has_role(*access.names):
        return Decision(False, "role", " or ".join(access.names))
    return Decision(True)


def _by_plan(view: PlanView, access: Access) -> Decision:
    if get_settings().billing_provider == "none":
        return Decision(True)
    lowest = catalogue().lowest(access.names)
    if lowest is None:  # a plan the operator's file does not have: nobody can hold it
        return Decision(False, "plan", " or ".join(name.title() for name in access.names))
    return Decision(True) if view.rank >= lowest.rank else Decision(False, "plan", lowest.title)
