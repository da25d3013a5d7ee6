"""People: creating, recognising and describing them. No web, no UI."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import digest
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.errors import AccountExists, InvalidAccount, IssuerFailed, WrongCredentials
from mozaiks_shell.identity.models import Founder, User
from mozaiks_shell.identity.passwords import hash_password, verify_password, weaknesses
from mozaiks_shell.identity.ports import IssuerIdentity
from mozaiks_shell.identity.preferences import themes, timezones

_NAME: Final = re.compile(r"[^\W_][\w.-]{1,63}")
_EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")


def fold(name: str) -> str:
    """The form in which a login name or an e-mail address is stored and looked up; empty when it cannot be one."""
    if len(name) > 254:
        return ""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    return folded if folded.isprintable() else ""


def looks_like_email(text: str) -> bool:
    """Whether a text may be an e-mail address; nobody has written to it yet."""
    return _EMAIL.fullmatch(fold(text)) is not None


def account_problems(username: str, password: str, email: str, full_name: str) -> list[str]:
    """Codes of everything that is wrong with a new account; see ``errors.MESSAGES``."""
    name, address = fold(username), fold(email)
    problems: list[str] = []
    if not _NAME.fullmatch(name):
        problems.append("NAME_INVALID")
    if not looks_like_email(address):
        problems.append("EMAIL_INVALID")
    if len(full_name) > 120 or not full_name.isprintable():
        problems.append("FULL_NAME_INVALID")
    return problems + weaknesses(password, name, address, full_name)


async def register(username: str, password: str, email: str, full_name: str = "") -> User:
    """Create a local account; the first one of an installation becomes admin (F-042).

    Raises:
        InvalidAccount: fields are wrong, each with its reason.
        AccountExists: the name or the e-mail is taken.
    """
    if problems := account_problems(username, password, email, full_name):
        raise InvalidAccount(problems)
    user = User(
        username=fold(username), email=fold(email), full_name=full_name.strip(), password_hash=await hash_password(password)
    )
    try:
        async with system_session() as db:
            await _add(db, user, "local")
    except IntegrityError:
        raise AccountExists() from None
    return user


async def _add(db: ScopedSession, user: User, via: str) -> None:
    """Store a new person. One statement decides who founded the installation, so that two cannot (they race)."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    claim = insert(Founder).values(app_id=get_settings().app_id, founder_id=user.id).on_conflict_do_nothing()
    if (await db.execute(claim.returning(col(Founder.founder_id)))).first() is not None:
        user.roles = "admin"
    db.add(user)
    await db.flush()
    data = {"via": via, "admin": user.roles == "admin", "username": user.username}
    await outbox.along(db, events.Event("user.signed_up", user.app_id, user.id, data))


async def is_fresh_installation() -> bool:
    """True until the first account exists."""
    async with system_session() as db:
        return (await db.execute(select(Founder))).first() is None


async def find_login(login: str) -> User | None:
    """The user with this name or e-mail address, if there is one."""
    name = fold(login)
    async with system_session() as db:
        column = User.email if "@" in name else User.username
        return (await db.execute(select(User).where(col(column) == name))).scalars().first() if name else None


async def authenticate(login: str, password: str) -> User:
    """The user behind a name or e-mail and a password; see :func:`prove`."""
    return await prove(await find_login(login), password)


async def prove(user: User | None, password: str) -> User:
    """The user, if this is their password. Nobody costs as much time as a wrong password.

    Raises:
        WrongCredentials: nobody, a wrong password, or a disabled account; the answer does not say which.
    """
    fits = await verify_password(user.password_hash if user else "", password)
    if user is None or not fits or user.disabled:
        raise WrongCredentials()
    return user


async def user_of(identity: IssuerIdentity) -> User:
    """The account of a person whom the issuer vouches for, created on the first visit (F-232).

    The key is issuer + subject. An account is never taken over by e-mail address.

    Raises:
        IssuerFailed: ``OIDC_EMAIL_TAKEN`` or ``ACCOUNT_DISABLED``.
    """
    for attempt in range(3):
        try:
            return await _meet(identity, attempt)
        except IntegrityError:
            continue  # somebody took the name, or this person's other browser was faster
    raise IssuerFailed("OIDC_REFUSED", "no free user name after three tries")


async def _meet(identity: IssuerIdentity, attempt: int) -> User:
    email = fold(identity.email)
    async with system_session() as db:
        mine = (col(User.issuer) == identity.issuer) & (col(User.subject) == identity.subject)
        found = (await db.execute(select(User).where(mine | (col(User.email) == email)))).scalars().all()
        user = next((one for one in found if (one.issuer, one.subject) == (identity.issuer, identity.subject)), None)
        taken = bool(email) and any(one is not user and one.email == email for one in found)
        if user is None and taken:
            raise IssuerFailed("OIDC_EMAIL_TAKEN")
        if user is not None and user.disabled:
            raise IssuerFailed("ACCOUNT_DISABLED")
        new = user is None
        if user is None:
            user = User(issuer=identity.issuer, subject=identity.subject, username=await _free_name(db, identity, attempt))
        user.full_name = "".join(c for c in identity.full_name if c.isprintable())[:120] or user.full_name
        user.email = email if email and not taken else user.email
        user.issuer_roles = ",".join(_clean_roles(identity.roles))
        if new:
            await _add(db, user, "oidc")
    return user


async def _free_name(db: ScopedSession, identity: IssuerIdentity, attempt: int) -> str:
    wished = fold(identity.username or identity.email.partition("@")[0])
    name = re.sub(r"[^\w.-]+", "-", wished).strip(".-")[:48]
    name = name if _NAME.fullmatch(name) else "user"
    if name != "user" and (await db.execute(select(User).where(col(User.username) == name))).first() is None:
        return name
    return f"{name}-{digest(f'{identity.issuer} {identity.subject} {attempt}')[:8]}"


def _clean_roles(roles: tuple[str, ...]) -> list[str]:
    """At most 40 lower-case role names without the characters we join with."""
    names = {role.strip().lower() for role in roles if "," not in role and role.isprintable()}
    kept: list[str] = []
    for name in sorted(name for name in names if 0 < len(name) <= 64):
        if len(",".join([*kept, name])) <= 1000 and len(kept) < 40:
            kept.append(name)
    return kept


def principal_of(user: User, session_id: str = "", chosen: Mapping[str, Any] | None = None, avatar: str = "") -> Principal:
    """The access words for a stored user. Roles granted here and roles from the issuer add up (F-046).

    Args:
        chosen: What counts of language, time zone and theme; see :func:`.preferences.effective`.
        avatar: Version of the person's picture.
    """
    told = {key: value for key, value in (chosen or {}).items() if isinstance(value, str)}
    return Principal(
        user_id=user.id,
        app_id=user.app_id,
        name=user.full_name or user.username,
        email=user.email or "",
        roles=frozenset(role for role in f"{user.roles},{user.issuer_roles}".split(",") if role),
        session_id=session_id,
        locale=told.get("locale", ""),
        timezone=told["timezone"] if told.get("timezone") in timezones() else "",
        theme=told["theme"] if told.get("theme") in themes() else "",
        avatar=avatar,
    )


async def find_user(user_id: str) -> User:
    """A person of this app. The caller checks who may ask.

    Raises:
        NotFound: no such person.
    """
    async with system_session() as db:
        user = (await db.execute(select(User).where(col(User.id) == user_id))).scalars().first()
    if user is None:
        raise NotFound(tr("This account does not exist."))
    return user
