"""Sessions of browsers and bearer tokens: opaque, stored as digests, revocable, asked of the database every time (D3)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlmodel import col, delete, select

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import digest, new_secret
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.accounts import principal_of
from mozaiks_shell.identity.models import AppSettings, Avatar, Preferences, Session, User
from mozaiks_shell.identity.preferences import everybodys

Kind = Literal["browser", "token"]
_TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SessionView:
    """A live session as its owner sees it (F-235). Times are in UTC; ``current`` is the one that asks."""

    id: str
    kind: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
    current: bool


def cookie_name() -> str:
    """``__Host-`` prefixed over HTTPS (D3); plain over HTTP, where browsers refuse the prefix."""
    return "__Host-mozaiks_session" if get_settings().secure else "mozaiks_session"


def embed_cookie_name() -> str:
    """The cookie of a chat that is embedded in a page of another site."""
    return "__Host-mozaiks_embed" if get_settings().secure else "mozaiks_embed"


async def open_session(user: User, *, ip: str = "", user_agent: str = "", kind: Kind = "browser") -> str:
    """Start a session and return its secret (a cookie's value or a bearer token); only its digest is stored.

    Sessions that ended are deleted on the way.
    """
    secret, moment, settings = new_secret(), clock.now(), get_settings()
    minutes = settings.session_max_minutes if kind == "browser" else settings.access_token_minutes
    async with system_session() as db:
        await db.execute(delete(Session).where(col(Session.expires_at) < moment))
        db.add(
            Session(
                user_id=user.id,
                kind=kind,
                secret_digest=digest(secret),
                ip=ip[:64],
                user_agent=user_agent[:255],
                expires_at=moment + timedelta(minutes=minutes),
            )  # fmt: skip
        )
        stored = await db.get(User, user.id)
        if stored:
            stored.last_login_at = moment
    via = "token" if kind == "token" else "oidc" if user.issuer else "local"
    await events.publish(events.Event("user.signed_in", user.app_id, user.id, {"ip": ip, "via": via}))
    return secret


async def resolve(secret: str, kind: Kind = "browser") -> Principal | None:
    """The person behind a secret; None when it is not live: unknown, closed, idle or too old, or the person is disabled."""
    if not secret or len(secret) > 128 or not secret.isascii():
        return None
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    chosen, picture = col(Preferences.user_id) == col(User.id), col(Avatar.user_id) == col(User.id)
    query: Any = (
        select(Session, User)
        .add_columns(col(Preferences.data), col(AppSettings.data), col(Avatar.version))
        .join(User, col(User.id) == col(Session.user_id))
        .outerjoin(Preferences, chosen & (col(Preferences.scope) == ""))
        .outerjoin(AppSettings, col(AppSettings.app_id) == col(User.app_id))
        .outerjoin(Avatar, picture)
        .where((col(Session.secret_digest) == digest(secret)) & (col(Session.kind) == kind))
    )
    async with system_session() as db:
        row = (await db.execute(query)).first()
        if row is None:
            return None
        session, user, own, stored, avatar = row
        moment = clock.now()
        if not _is_live(session, user, moment):
            return None
        if moment - aware(session.seen_at) > min(_TOUCH_EVERY, idle / 4):
            session.seen_at = moment
    return principal_of(user, session.id, {**everybodys(stored), **(own or {})}, avatar or "")


async def live_sessions(ids: Collection[str]) -> set[str]:
    """Which of these sessions are still live: one query for all open sockets of a process."""
    query = select(Session, User).join(User, col(User.id) == col(Session.user_id)).where(col(Session.id).in_(ids))
    async with system_session() as db:
        rows = (await db.execute(query)).all()
    moment = clock.now()
    return {session.id for session, user in rows if _is_live(session, user, moment)}


def _is_live(session: Session, user: User, moment: datetime) -> bool:
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    unused = moment - aware(session.seen_at)
    return not user.disabled and aware(session.expires_at) > moment and (session.kind != "browser" or unused < idle)


async def list_sessions(principal: Principal) -> list[SessionView]:
    """Where this person is signed in now (F-235), the last used first."""
    query = select(Session, User).join(User, col(User.id) == col(Session.user_id)).where(col(Session.kind) != "ticket")
    async with system_session(principal.app_id) as db:
        rows = (await db.execute(query.where(col(Session.user_id) == principal.user_id))).all()
    moment = clock.now()
    live = [session for session, user in rows if _is_live(session, user, moment)]
    return [
        SessionView(
            one.id, one.kind, aware(one.created_at), aware(one.seen_at), aware(one.expires_at), one.ip, one.user_agent,
            one.id == principal.session_id,
        )
        for one in sorted(live, key=lambda one: (aware(one.seen_at), one.id), reverse=True)
    ]  # fmt: skip


async def end_session(principal: Principal, session_id: str) -> None:
    """End one of this person's sessions.

    Raises:
        NotFound: they have no such session.
    """
    if not await _close((col(Session.id) == session_id) & (col(Session.user_id) == principal.user_id)):
        raise NotFound(tr("This session has ended already."), code="SESSION_NOT_FOUND")


async def close_session(secret: str) -> None:
    """End the session of this cookie or token; harmless when it is already gone."""
    if secret and secret.isascii():
        await _close(col(Session.secret_digest) == digest(secret))


async def close_session_of(principal: Principal) -> int:
    """End the very session this person acts with. Returns how many ended: 1, or 0 when it was gone."""
    return await _close(col(Session.id) == principal.session_id)


async def close_all_sessions(user_id: str, *, keep: str = "") -> int:
    """Sign a person out everywhere, except for the session with the id ``keep``. Returns how many ended."""
    return await _close((col(Session.user_id) == user_id) & (col(Session.id) != keep))


async def _close(condition: Any) -> int:
    async with system_session() as db:
        found = (await db.execute(delete(Session).where(condition).returning(*_ENDED))).all()
    await tell_ended(found)
    return len(found)


_ENDED = (col(Session.app_id), col(Session.user_id), col(Session.kind))


async def end_others(db: ScopedSession, principal: Principal) -> Sequence[Any]:
    """End every session but the acting one, inside the caller's transaction; give the result to :func:`tell_ended`."""
    others = (col(Session.user_id) == principal.user_id) & (col(Session.id) != principal.session_id)
    return (await db.execute(delete(Session).where(others).returning(*_ENDED))).all()


async def sessions_of(db: ScopedSession, user_id: str) -> Sequence[Any]:
    """Every session of a person, for :func:`tell_ended` once the caller's transaction has removed them."""
    return (await db.execute(select(*_ENDED).where(col(Session.user_id) == user_id))).all()


async def tell_ended(ended: Sequence[Any]) -> None:
    """Publish ``user.signed_out`` for sessions that ended."""
    for app_id, user_id, kind in ended:
        await events.publish(events.Event("user.signed_out", app_id, user_id, {"kind": kind}))


async def claims_of(principal: Principal) -> dict[str, Any]:
    """What a live session or token says, for a service that asks whether it is still good (F-059).

    Times are seconds since 1970.
    """
    async with system_session() as db:
        query = select(Session, User).join(User, col(User.id) == col(Session.user_id))
        session, user = (await db.execute(query.where(col(Session.id) == principal.session_id))).one()
    return {
        "valid": True,
        "sub": user.id,
        "user_id": user.id,
        "app_id": user.app_id,
        "username": user.username,
        "email": user.email or "",
        "roles": sorted(principal.roles),
        "iat": int(aware(session.created_at).timestamp()),
        "exp": int(aware(session.expires_at).timestamp()),
    }


def secret_in(cookie_header: str) -> str:
    """The session cookie's value in a ``Cookie`` header, or an empty string. Foreign cookies may be malformed.

    Where the chat is embedded in another site's page, browsers send the cookie of that embedding alone (decision 0013).
    """
    return cookie_in(cookie_header, cookie_name()) or cookie_in(cookie_header, embed_cookie_name())


def cookie_in(cookie_header: str, name: str) -> str:
    """The value of one cookie in a ``Cookie`` header, or an empty string."""
    for part in cookie_header.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip().strip('"')
    return ""


def bearer_in(authorization: str) -> str:
    """The token in an ``Authorization: Bearer`` header, or an empty string."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def principal_from(cookie_header: str, authorization: str = "") -> Principal | None:
    """Who sends this request, by bearer token or else by session cookie. The web, the event gate and the sockets ask here.

    A request that shows a bearer token is judged by it alone.
    """
    if token := bearer_in(authorization):
        return await resolve(token, "token")
    return await resolve(secret_in(cookie_header))


def aware(moment: datetime) -> datetime:
    """SQLite forgets the zone; what we store is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
