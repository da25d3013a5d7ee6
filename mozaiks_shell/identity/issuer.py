"""The way in through an OpenID Connect issuer: leaving for it and coming back (F-035)."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from sqlmodel import col, delete, select

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.ids import digest, new_secret
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import accounts
from mozaiks_shell.identity.adapters.oidc import OpenIdIssuer
from mozaiks_shell.identity.errors import IssuerFailed
from mozaiks_shell.identity.models import IssuerVisit, User
from mozaiks_shell.identity.ports import Issuer, Visit
from mozaiks_shell.identity.providers import FileIssuer, sign_in_provider
from mozaiks_shell.identity.sign_in import SIGN_INS_PER_ADDRESS, network_of, safe_next

log = get_logger("identity")

VISIT_LIFETIME: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and the secret that binds the visit to it (a short-lived HttpOnly cookie)."""

    url: str
    browser_secret: str


@lru_cache(maxsize=4)
def _issuer(authority: str, client_id: str, secret: str, scopes: str, roles_claim: str) -> Issuer:
    return OpenIdIssuer(authority, client_id, secret, scopes, roles_claim)


def issuer() -> Issuer:
    """The configured issuer; one object per configuration, so that its documents stay cached.

    Raises:
        IssuerFailed: ``OIDC_OFF``.
    """
    settings = get_settings()
    if (provider := sign_in_provider()) is not None and hasattr(provider, "authorize_url"):
        return FileIssuer(provider)
    if not settings.oidc_authority:
        raise IssuerFailed("OIDC_OFF")
    secret = settings.oidc_client_secret.get_secret_value()
    return _issuer(settings.oidc_authority, settings.oidc_client_id, secret, settings.oidc_scopes, settings.oidc_roles_claim)


def _redirect_uri() -> str:
    return f"{get_settings().origin}/auth/oidc/callback"


async def leave_for_issuer(next_path: str, *, ip: str = "", again: bool = False) -> Departure:
    """Begin a sign-in at the issuer (F-035): remember state, nonce and PKCE verifier, and say where to go.

    With ``again`` the issuer asks for the password even of somebody who is signed in there.

    Raises:
        IssuerFailed: not set up, or the issuer is down.
        TooMany: too many tries from this address.
    """
    await hit("sign-in-address", network_of(ip), SIGN_INS_PER_ADDRESS)
    visit = Visit(new_secret(), new_secret(), new_secret(), _redirect_uri())
    url = await issuer().authorize_url(visit, again=again)
    browser_secret, moment = new_secret(), clock.now()
    async with system_session() as db:
        await db.execute(delete(IssuerVisit).where(col(IssuerVisit.expires_at) < moment))
        db.add(
            IssuerVisit(
                state_digest=digest(visit.state),
                browser_digest=digest(browser_secret),
                nonce=visit.nonce,
                code_verifier=visit.code_verifier,
                next_path=safe_next(next_path),
                expires_at=moment + VISIT_LIFETIME,
            )  # fmt: skip
        )
    return Departure(url, browser_secret)


async def return_from_issuer(answer: dict[str, str], browser_secret: str, *, ip: str = "") -> tuple[User, str]:
    """Finish a sign-in at the issuer. Returns the person and the path they wanted.

    Args:
        answer: The callback's query: ``state``, then ``code`` and perhaps ``iss``, or ``error``.

    Raises:
        IssuerFailed: the state is unknown, used, expired or another browser's; the issuer said no; the answer is not
            genuine. Its ``next_path`` is the wanted path, for another try.
    """
    next_path = "/"
    try:
        state, refusal = answer.get("state", ""), answer.get("error", "")[:80]
        if state or not refusal:  # an issuer that says no may leave the state out; nobody is signed in then anyway
            started = await _use_up(state, browser_secret)
            next_path = started.next_path
        if refusal:
            raise IssuerFailed("OIDC_DENIED" if refusal == "access_denied" else "OIDC_REFUSED", refusal)
        visit = Visit(state, started.nonce, started.code_verifier, _redirect_uri())
        identity = await issuer().identity(visit, answer.get("code", ""), answer.get("iss", ""))
        return await accounts.user_of(identity), next_path
    except IssuerFailed as error:
        error.next_path = next_path
        log.warning("sign-in at the issuer failed", code=error.code, why=error.why)
        data = {"login": "", "ip": ip, "reason": error.code}
        await events.publish(events.Event("user.sign_in_failed", get_settings().app_id, "", data))
        raise


async def issuer_sign_out_url() -> str:
    """The issuer's sign-out page, which comes back to ours; our sign-in page when it has none or is down (F-041)."""
    back = f"{get_settings().origin}/sign-in"
    try:
        return await issuer().sign_out_url(back) or back
    except IssuerFailed as error:
        log.warning("the issuer's sign-out page is unknown", code=error.code, why=error.why)
        return back


async def _use_up(state: str, browser_secret: str) -> IssuerVisit:
    """Take the visit out of the store; of two callbacks with one state only one gets it."""
    if not (state.isascii() and browser_secret.isascii() and state and browser_secret):
        raise IssuerFailed("OIDC_STATE", "no state or no cookie")
    mine = (col(IssuerVisit.state_digest) == digest(state)) & (col(IssuerVisit.browser_digest) == digest(browser_secret))
    async with system_session() as db:
        found = (await db.execute(select(IssuerVisit).where(mine, col(IssuerVisit.expires_at) > clock.now()))).scalars().first()
        take = delete(IssuerVisit).where(mine).returning(col(IssuerVisit.state_digest))
        taken = (await db.execute(take.execution_options(synchronize_session=False))).first()
    if found is None or taken is None:
        raise IssuerFailed("OIDC_STATE", "unknown, used or expired state")
    return found
