"""One's own password (F-233), and proving anew that it is really oneself."""

from datetime import timedelta
from typing import Final

from sqlmodel import col, select, update

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import forget, hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.accounts import find_user
from mozaiks_shell.identity.errors import InvalidAccount, PasswordElsewhere, SignInAgain, SwitchedOff, WrongCredentials
from mozaiks_shell.identity.models import Session, User
from mozaiks_shell.identity.passwords import hash_password, verify_password, weaknesses
from mozaiks_shell.identity.sessions import aware, end_others, tell_ended
from mozaiks_shell.identity.sign_in import SIGN_INS_PER_NAME

RECENT: Final = timedelta(minutes=10)


def account_console() -> str:
    """Where people of the issuer manage their account and password; empty when nobody knows."""
    settings = get_settings()
    if settings.oidc_account_url:
        return settings.oidc_account_url
    keycloak = "/realms/" in settings.oidc_authority
    return f"{settings.oidc_authority}/account" if keycloak else ""


async def change_password(principal: Principal, old: str, new: str, new_again: str | None = None) -> int:
    """Set another password and end every other session of this person (F-233). Returns how many ended.

    Args:
        new_again: The new one typed a second time, where a form asks for it.

    Raises:
        WrongCredentials: ``old`` is not the password.
        InvalidAccount: the new one is too weak, the same, or was typed differently the second time.
        PasswordElsewhere: this account signs in through the issuer; ``url`` is its account console.
        TooMany: too many tries, counted together with sign-ins.
        SwitchedOff: local accounts are off.
    """
    user = await find_user(principal.user_id)
    if user.issuer:
        raise PasswordElsewhere(account_console())
    if not get_settings().local_accounts:
        raise SwitchedOff("LOCAL_ACCOUNTS_OFF")
    problems = weaknesses(new, user.username, user.email or "", user.full_name)
    if new_again is not None and new_again != new:
        problems.append("PASSWORD_MISMATCH")
    if problems:
        raise InvalidAccount(problems)
    await _prove(user, old)
    if new == old:
        raise InvalidAccount(["PASSWORD_SAME"])
    fresh = await hash_password(new)
    same = (col(User.id) == user.id) & (col(User.password_hash) == user.password_hash)
    async with system_session(principal.app_id) as db:
        done = await db.execute(update(User).where(same).values(password_hash=fresh).returning(col(User.id)))
        if done.first() is None:  # another tab changed it meanwhile, so ``old`` is not the password any more
            raise WrongCredentials("WRONG_PASSWORD")
        ended = await end_others(db, principal)
    await events.publish(events.Event("user.password_changed", principal.app_id, user.id, {"sessions_ended": len(ended)}))
    await tell_ended(ended)
    return len(ended)


async def prove_again(principal: Principal, password: str = "") -> None:
    """Make sure that it is really this person who acts: their password, or a sign-in at the issuer minutes ago.

    Raises:
        WrongCredentials: ``WRONG_PASSWORD``.
        SignInAgain: this account signs in through the issuer, and did so longer than ten minutes ago.
        TooMany: too many tries, counted together with sign-ins.
    """
    user = await find_user(principal.user_id)
    if not user.issuer:
        await _prove(user, password)
        return
    async with system_session(principal.app_id) as db:
        query = select(Session.created_at).where(col(Session.id) == principal.session_id)
        began = (await db.execute(query)).scalars().first()
    if began is None or clock.now() - aware(began) > RECENT:
        raise SignInAgain(tr("Please sign in again first, so that we know it is you."))


async def _prove(user: User, password: str) -> None:
    await hit("sign-in-name", user.id, SIGN_INS_PER_NAME)
    if user.disabled or not await verify_password(user.password_hash, password):
        data = {"login": "", "reason": "WRONG_PASSWORD"}
        await events.publish(events.Event("user.sign_in_failed", user.app_id, user.id, data))
        raise WrongCredentials("WRONG_PASSWORD")
    await forget("sign-in-name", user.id, SIGN_INS_PER_NAME)
