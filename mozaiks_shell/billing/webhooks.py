"""Provider events: verified, done once, in any order (F-127, D9).

An event that cannot have its effect (a price no plan is sold under, the provider's API is down) is remembered as
``failed`` with the reason, changes nothing, and is answered with an error: the provider sends it again for days,
and once the operator has corrected the catalogue the next delivery takes effect. It is never read as a downgrade.
"""

from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.errors import UnknownPrice
from mozaiks_shell.billing.factory import provider
from mozaiks_shell.billing.ports import Account, Refusals, Truth
from mozaiks_shell.billing.standing import LIVE
from mozaiks_shell.billing.subscriptions import TRIES, keep_lifetime
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.errors import ShellError, Unavailable
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("billing.webhooks")


async def receive(payload: bytes, signature: str) -> str:
    """Take in one webhook; returns what became of it: applied, unchanged, ignored or duplicate.

    Args:
        payload: The raw body, as signed.
        signature: The provider's signature header.

    Raises:
        BadSignature: 400. UnknownPrice: 422. PaymentUpstream: 502. Nothing was changed.
    """
    seller, app_id = provider(), get_settings().app_id
    notice = await seller.process_webhook(payload, signature)
    claim = ledger.Claim(seller.name, notice)
    if await ledger.seen(app_id, claim):
        return "duplicate"
    if notice.refusals is not None:
        return "applied" if await ledger.pass_on(claim, _refused(app_id, notice.refusals)) else "duplicate"
    user_id = "" if notice.app_id not in ("", app_id) else await ledger.owner_of(app_id, notice.customer_id) or notice.user_id
    if not notice.relevant or not user_id:
        await ledger.note(app_id, claim, "ignored", "" if user_id or not notice.relevant else "about nobody of this app")
        return "ignored"
    try:
        outcome = await _apply(Scope(app_id, user_id), claim)
    except ShellError as error:
        log.error("webhook failed", event_id=notice.event_id, type=notice.type, code=error.code, message=error.message)
        await ledger.note(app_id, claim, "failed", f"{error.code}: {error.message}")
        raise
    log.info("webhook", event_id=notice.event_id, type=notice.type, outcome=outcome, user_id=user_id)
    return outcome


def _refused(app_id: str, refusals: Refusals) -> Event:
    """Billing keeps no books of use; whoever does listens."""
    named = [{"identifier": identifier, "reason": reason} for identifier, reason in refusals.named]
    return Event("billing.usage_refused", app_id, data={"count": refusals.count, "named": named})


async def _apply(scope: Scope, claim: ledger.Claim) -> str:
    notice, seller = claim.notice, provider()
    if notice.purchase is not None and catalogue().get(notice.purchase.plan) is None:
        paid = notice.purchase.plan
        raise UnknownPrice(f"The plan {paid!r} was paid for, but is not in the catalogue.", plan=paid)
    for _ in range(TRIES):
        row = await ledger.read(scope)
        truth: Truth | None = notice.purchase
        if truth is None:
            customer = notice.customer_id or ((row.provider_customer_id or "") if row else "")
            account = Account(scope.app_id, scope.user_id or "", customer_id=customer)
            truth = keep_lifetime(row, await seller.get_subscription_status(account))
            if truth and truth.status not in LIVE and row and row.provider_customer_id not in (None, customer):
                truth = None  # the end of something bought under an older customer of the same person
        if truth is None:
            await ledger.note(scope.app_id, claim, "unchanged")
            return "unchanged"
        try:
            changed = await ledger.write(scope, row, truth, provider=seller.name, actor=seller.name, claim=claim)
        except ledger.Stale:
            continue
        except ledger.AlreadySeen:
            return "duplicate"
        return "applied" if changed else "unchanged"
    raise Unavailable("This subscription is being changed elsewhere. Try again.")
