"""Use cases of identity: accounts and sessions. No web, no UI."""

from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from sqlalchemy import func
from sqlmodel import col, or_, select

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Conflict, NotSignedIn
from mozaiks_shell.foundation.ids import digest, new_secret
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.models import Session, User
from mozaiks_shell.identity.passwords import hash_password, verify_password

_TOUCH_EVERY = timedelta(minutes=5)


def cookie_name() -> str:
    """``__Host-`` prefixed over HTTPS (D3); plain over HTTP, where browsers refuse the prefix."""
    return "__Host-mozaiks_session" if get_settings().secure else "mozaiks_session"


async def register(username: str, password: str, email: str, full_name: str = "") -> User:
    """Create a local account; the first one of an installation becomes admin (F-042).

    Raises:
        Conflict: the name or the e-mail is taken.
    """
    hashed = await hash_password(password)
    async with system_session() as db:
        taken = select(User).where(or_(col(User.username) == username.lower(), col(User.email) == email.lower()))
        if (await db.execute(taken)).scalars().first():
            raise Conflict("An account with this name or e-mail exists.", code="ACCOUNT_EXISTS")
        first = (await db.execute(select(func.count()).select_from(User))).scalar_one() == 0
        user = User(
            username=username.lower(), email=email.lower(), full_name=full_name, password_hash=hashed,
            roles="admin" if first else "user",
        )  # fmt: skip
        db.add(user)
    await events.publish(events.Event("user.signed_up", user.app_id, user.id, {"via": "local", "admin": first}))
    return user


async def authenticate(login: str, password: str) -> User:
    """The user behind a name or e-mail and a password.

    Raises:
        NotSignedIn: wrong name or password, or a disabled account; the answer does not say which.
    """
    async with system_session() as db:
        found = select(User).where(or_(col(User.username) == login.lower(), col(User.email) == login.lower()))
        user = (await db.execute(found)).scalars().first()
    fits = await verify_password(user.password_hash if user else "", password)
    if user is None or not fits or user.disabled:
        raise NotSignedIn("Name or password is wrong.", code="WRONG_CREDENTIALS")
    return user


async def open_session(user: User, *, ip: str = "", user_agent: str = "") -> str:
    """Start a session and return the cookie's value; only its digest is stored."""
    secret = new_secret()
    settings = get_settings()
    async with system_session() as db:
        db.add(
            Session(
                user_id=user.id, secret_digest=digest(secret), ip=ip[:64], user_agent=user_agent[:255],
                expires_at=now() + timedelta(minutes=settings.session_max_minutes),
            )  # fmt: skip
        )
        stored = await db.get(User, user.id)
        if stored:
            stored.last_login_at = now()
    await events.publish(events.Event("user.signed_in", user.app_id, user.id, {"ip": ip}))
    return secret


async def resolve(secret: str) -> Principal | None:
    """The person behind a cookie's value, asked of the database every time (D3); None when it is not live."""
    if not secret or len(secret) > 128:
        return None
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    async with system_session() as db:
        query = select(Session, User).join(User, col(User.id) == col(Session.user_id))
        row = (await db.execute(query.where(col(Session.secret_digest) == digest(secret)))).first()
        if row is None:
            return None
        session, user = row
        moment = now()
        if user.disabled or _aware(session.expires_at) <= moment or _aware(session.seen_at) + idle <= moment:
            return None
        if moment - _aware(session.seen_at) > _TOUCH_EVERY:
            session.seen_at = moment
    return principal_of(user, session.id)


def principal_of(user: User, session_id: str = "") -> Principal:
    """The access words for a stored user."""
    return Principal(
        user_id=user.id,
        app_id=user.app_id,
        name=user.full_name or user.username,
        email=user.email,
        roles=frozenset(role for role in user.roles.split(",") if role),
        session_id=session_id,
    )


async def close_session(secret: str) -> None:
    """End one session; harmless when it is already gone."""
    async with system_session() as db:
        found = (await db.execute(select(Session).where(col(Session.secret_digest) == digest(secret)))).scalars().first()
        if found:
            await db.delete(found)


def secret_in(cookie_header: str) -> str:
    """The session cookie's value in a ``Cookie`` header, or an empty string."""
    try:
        morsel = SimpleCookie(cookie_header).get(cookie_name())
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def principal_from(cookie_header: str, authorization: str = "") -> Principal | None:
    """Who sends this request, by session cookie. The web, the event gate and the sockets all ask here."""
    return await resolve(secret_in(cookie_header))


async def is_fresh_installation() -> bool:
    """True until the first account exists."""
    async with system_session() as db:
        return (await db.execute(select(func.count()).select_from(User))).scalar_one() == 0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
