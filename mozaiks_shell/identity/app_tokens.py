"""App tokens: what a workflow shows when it calls back into the app (F-158).

A token is made by an administrator, for a time and for scopes, and can be revoked at any moment. It opens nothing that its
scopes do not name: :func:`admit` is asked before any route is, and refuses whatever is not on its short list. It acts for
one person, with their data but never with an administrator's rights, or for the app itself, whose data it then keeps
under its own id. Only a digest is stored, and no event and no log line holds the secret.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import col, select, update

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import aware
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Forbidden, Invalid, NotFound, NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import digest, new_secret
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.acting import person_now
from mozaiks_shell.identity.models import AppToken

MARK: Final = "mzk_"  # every token begins with it, so that secret scanners and people know one
NOTIFY: Final = "notifications"
BUILDS: Final = "builds"
EMBED: Final = "embed"
CALLS_PER_MINUTE: Final = 120  # of one token
TOKENS: Final = 200  # of one app that are neither revoked nor expired
LONGEST_DAYS: Final = 366
_SHOWN: Final = len(MARK) + 8
_TOUCH_EVERY: Final = timedelta(minutes=5)
_SCOPE: Final = re.compile(r"notifications|builds|embed|plugins:(\*|[A-Za-z0-9][A-Za-z0-9_-]{0,63})")
_BUILD: Final = re.compile(r"/api/apps/[^/]+/(?:(build-events)|build-latest|builds(?:/[^/]+(?:/export)?)?)")
_PLUGIN: Final = re.compile(r"/api/(?:execute/([^/]+)|plugins/([^/]+)/.*)")
ADMINS: Final = frozenset({"admin", "superadmin"})


@dataclass(frozen=True, slots=True)
class AppCaller:
    """The token behind this request. ``acts_for`` is empty when it is the app's own."""

    token_id: str
    name: str
    acts_for: str
    scopes: frozenset[str]


_caller: ContextVar[AppCaller | None] = ContextVar("mozaiks_app_caller", default=None)


def current_app_caller() -> AppCaller | None:
    """The program that sends this request with an app token; None for people."""
    return _caller.get()


def is_app_token(shown: str) -> bool:
    """Whether a bearer looks like one of ours."""
    return shown.startswith(MARK)


async def create(
    operator: Principal, name: str, scopes: list[str], *, days: float = 90.0, acts_for: str = ""
) -> tuple[str, dict[str, Any]]:
    """Make a token. Returns the secret, which nobody can read again, and the token as :func:`listing` shows it.

    Args:
        scopes: ``notifications``, ``builds``, ``embed``, ``plugins:<name>`` or ``plugins:*``.
        days: How long it is good, at most 366.
        acts_for: The id of the person on whose behalf it acts; empty for the app itself.

    Raises:
        Invalid: a scope that does not exist, no name, no such time, or too many tokens.
        NotFound: ``acts_for`` is nobody of this app, or disabled.
    """
    name = name.strip()
    wrong = [one for one in scopes if not _SCOPE.fullmatch(one)]
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid(tr("Give the token a name of at most 80 characters."), errors=[{"field": "name", "message": "1 to 80"}])
    if wrong or not scopes or len(scopes) > 50:
        message = tr("Scopes are notifications, builds, embed, plugins:<name> or plugins:*.")
        raise Invalid(message, errors=[{"field": "scopes", "message": one[:80]} for one in wrong or ["none"]])
    if not 0 < days <= LONGEST_DAYS:
        message = tr("A token is good for {days} days at most.", days=LONGEST_DAYS)
        raise Invalid(message, errors=[{"field": "days", "message": message}])
    if acts_for and await person_now(operator.app_id, acts_for) is None:
        raise NotFound(tr("There is no such person."), code="PERSON_NOT_FOUND")
    secret = MARK + new_secret()
    moment = clock.now()
    row = AppToken(
        name=name, prefix=secret[:_SHOWN], secret_digest=digest(secret), scopes=sorted(set(scopes)), acts_for=acts_for,
        created_by=operator.user_id, created_at=moment, expires_at=moment + timedelta(days=days),
    )  # fmt: skip
    async with system_session(operator.app_id) as db:
        live = select(AppToken.id).where(col(AppToken.revoked_at).is_(None) & (col(AppToken.expires_at) > moment))
        if len((await db.execute(live.limit(TOKENS))).all()) >= TOKENS:
            raise Invalid(tr("There are too many app tokens. Revoke some first."))
        db.add(row)
    facts = {"token_id": row.id, "name": name, "prefix": row.prefix, "scopes": row.scopes, "acts_for": acts_for}
    await events.publish(events.Event("app_token.created", operator.app_id, operator.user_id, facts))
    return secret, _described(row, moment)


async def listing(operator: Principal) -> list[dict[str, Any]]:
    """Every token of this app, newest first, without secrets."""
    async with system_session(operator.app_id) as db:
        query = select(AppToken).order_by(col(AppToken.created_at).desc(), col(AppToken.id).desc()).limit(1000)
        rows = list((await db.execute(query)).scalars())
    return [_described(row, clock.now()) for row in rows]


async def revoke(operator: Principal, token_id: str) -> None:
    """End a token: the next call with it is a 401. Harmless when it was revoked before.

    Raises:
        NotFound: there is none with this id.
    """
    moment = clock.now()
    async with system_session(operator.app_id) as db:
        row = (await db.execute(select(AppToken).where(col(AppToken.id) == token_id))).scalars().first()
        if row is None:
            raise NotFound(tr("There is no such token."), code="APP_TOKEN_NOT_FOUND")
        if row.revoked_at is not None:
            return
        row.revoked_at = moment
        facts = {"token_id": row.id, "name": row.name, "prefix": row.prefix}
    await events.publish(events.Event("app_token.revoked", operator.app_id, operator.user_id, facts))


async def admit(secret: str, method: str, path: str) -> Principal:
    """Who sends this request with an app token, if the token reaches as far. Remembers the caller for this request.

    Raises:
        NotSignedIn: unknown, of another app, revoked or expired; or its person left. The answer does not say which.
        Forbidden: ``SCOPE_MISSING``, the token does not open this address; ``needed`` names the scope, if there is one.
        TooMany: more than 120 calls in a minute.
    """
    row = await _live(secret)
    needed = needed_scope(method, path)
    held = frozenset(row.scopes)
    if not needed or not ({needed, "plugins:*"} & held if needed.startswith("plugins:") else needed in held):
        raise Forbidden(tr("This token is not made for that."), code="SCOPE_MISSING", needed=needed)
    await hit("app-token", row.id, CALLS_PER_MINUTE)
    person = Principal(row.id, get_settings().app_id, row.name)
    if row.acts_for:
        found = await person_now(get_settings().app_id, row.acts_for)
        if found is None:
            raise _unknown()
        person = replace(found, roles=frozenset(role for role in found.roles if role.lower() not in ADMINS))
    _caller.set(AppCaller(row.id, row.name, row.acts_for, held))
    return person


def forget_caller() -> None:
    """This request comes with no app token."""
    _caller.set(None)


def needed_scope(method: str, path: str) -> str:
    """The scope that opens an address; empty for everything that no token opens."""
    if (method, path) == ("POST", "/api/notifications"):
        return NOTIFY
    if (method, path) == ("POST", "/api/embed/tickets"):
        return EMBED
    if found := _BUILD.fullmatch(path):
        return BUILDS if method == ("POST" if found[1] else "GET") else ""
    if found := _PLUGIN.fullmatch(path):
        return f"plugins:{found[1] or found[2]}" if method == "POST" or found[2] else ""
    return ""


async def _live(secret: str) -> AppToken:
    """The token of this app, which is good now.

    Raises:
        NotSignedIn: see :func:`admit`.
    """
    if len(secret) > 128 or not secret.isascii():
        raise _unknown()
    moment = clock.now()
    async with system_session() as db:
        row = (await db.execute(select(AppToken).where(col(AppToken.secret_digest) == digest(secret)))).scalars().first()
        if row is None or row.revoked_at is not None or aware(row.expires_at) <= moment:
            raise _unknown()
        if row.used_at is None or moment - aware(row.used_at) > _TOUCH_EVERY:
            touched = update(AppToken).where(col(AppToken.id) == row.id).values(used_at=moment)
            await db.execute(touched.execution_options(synchronize_session=False))
        db.expunge(row)
    return row


def _unknown() -> NotSignedIn:
    return NotSignedIn(tr("This token is not valid here."), code="APP_TOKEN_INVALID")


def _described(row: AppToken, moment: datetime) -> dict[str, Any]:
    expires = aware(row.expires_at)
    state = "revoked" if row.revoked_at is not None else "expired" if expires <= moment else "active"
    return {
        "id": row.id,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "acts_for": row.acts_for,
        "state": state,
        "created_by": row.created_by,
        "created_at": aware(row.created_at).isoformat(),
        "expires_at": expires.isoformat(),
        "used_at": aware(row.used_at).isoformat() if row.used_at else None,
        "revoked_at": aware(row.revoked_at).isoformat() if row.revoked_at else None,
    }
