"""What people chose and what an administrator chose for all: the one store of settings (F-226, F-227).

A scope is empty for the shell and the profile, or a plugin's name. Merges are atomic: two tabs that change different
keys at once both win.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from mozaiks_shell.appconfig.brand import theme_names
from mozaiks_shell.appconfig.settings_config import settings_config
from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession, system_session
from mozaiks_shell.foundation.errors import Invalid, RoleNeeded
from mozaiks_shell.foundation.i18n import msg, offered, tr
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.identity.errors import ProtectedField
from mozaiks_shell.identity.models import AppSettings, Preferences

PROTECTED: Final = {
    "_id", "id", "user_id", "app_id", "username", "email", "password", "hashed_password", "password_hash", "roles",
    "issuer_roles", "is_admin", "is_superadmin", "issuer", "subject", "disabled", "sign_in", "created_at", "last_login_at",
    "plan", "tier", "avatar",
}  # fmt: skip
LARGEST: Final = 16_384  # bytes of JSON per scope
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_SCOPE: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]{0,63})?")

Values = dict[str, Any]
Rule = Callable[[Principal | None, str, Values, Values], Values]
_rules: list[Rule] = []
Row = TypeVar("Row", Preferences, AppSettings)


def add_rule(rule: Rule) -> None:
    """Let a room above judge every write, whichever way it comes.

    Args:
        rule: Gets the person (None: settings of the app), the scope, the changes and the present values; returns the
            changes as they may be stored, or raises :class:`Invalid`.
    """
    if rule not in _rules:
        _rules.append(rule)


def judge(principal: Principal | None, scope: str, changes: Values, before: Values) -> Values:
    """The changes as every rule lets them pass.

    Raises:
        Invalid: a rule refuses them.
    """
    for rule in (_basics, *_rules):
        changes = rule(principal, scope, changes, before)
    return changes


async def preferences(principal: Principal, scope: str = "") -> Values:
    """What this person chose; empty when nothing."""
    async with system_session(principal.app_id) as db:
        return dict((await db.execute(_chosen(principal, scope))).scalars().first() or {})


async def effective(principal: Principal, scope: str = "") -> Values:
    """What counts for this person: their own choice, else the administrator's (scope empty)."""
    own = await preferences(principal, scope)
    return own if scope else {**await app_settings(), **own}


async def all_preferences(principal: Principal) -> dict[str, Values]:
    """Every scope of this person, in one query."""
    mine = (col(Preferences.app_id) == principal.app_id) & (col(Preferences.user_id) == principal.user_id)
    async with system_session(principal.app_id) as db:
        rows = await db.execute(select(Preferences.scope, Preferences.data).where(mine))
        return {scope: dict(data) for scope, data in rows.all()}


async def set_preferences(principal: Principal, changes: Values, scope: str = "") -> Values:
    """Merge ``changes`` into what this person chose and return all of it; a null removes a key.

    Raises:
        Invalid: a bad key or value, or more than 16 kB in the scope; ``errors`` names fields where it can.
        ProtectedField: keys that nobody may write.
    """
    async with system_session(principal.app_id) as db:
        before, after = await merge(db, principal, changes, scope)
    await announce(principal, scope, before, after)
    return after


async def merge(db: ScopedSession, principal: Principal, changes: Values, scope: str = "") -> tuple[Values, Values]:
    """:func:`set_preferences` inside a transaction of the caller's, who announces it after the commit.

    Returns:
        The values before and after.
    """
    if not _SCOPE.fullmatch(scope):
        raise Invalid(tr("There is no such group of settings."))
    checked(changes)
    if protected := sorted(key for key in changes if not scope and key.lower() in PROTECTED):
        names = ", ".join(protected)
        raise ProtectedField(tr("These fields cannot be changed: {names}.", names=names), fields=protected)
    owner = {"app_id": principal.app_id, "user_id": principal.user_id, "scope": scope}
    row = await _locked(db, Preferences, {**owner, "id": new_id("prf")}, _chosen(principal, scope, Preferences))
    return _merged(row, principal, scope, changes)


async def announce(principal: Principal, scope: str, before: Values, after: Values) -> None:
    """Publish ``settings.changed`` with the names of the keys that differ; nothing when none does."""
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    if keys:
        data = {"scope": scope, "keys": keys}
        await events.publish(events.Event("settings.changed", principal.app_id, principal.user_id, data))


async def app_settings(app_id: str | None = None) -> Values:
    """What counts for everybody: what an administrator set, else the ``settings`` of ``settings_config.json``."""
    async with system_session(app_id) as db:
        return everybodys((await db.execute(select(AppSettings.data))).scalars().first())


def everybodys(stored: Mapping[str, Any] | None) -> Values:
    """The stored settings of the app over the first values that the operator's file gives."""
    return {**settings_config().settings, **(stored or {})}


async def set_app_settings(principal: Principal, changes: Values) -> Values:
    """Merge ``changes`` into the settings of the app and return all of them; a null removes a key.

    Raises:
        RoleNeeded: only administrators may.
        Invalid: as :func:`set_preferences`.
    """
    if not principal.has_role("admin"):
        raise RoleNeeded(tr("This needs the role {role}.", role="admin"), needed="admin")
    checked(changes)
    async with system_session(principal.app_id) as db:
        row = await _locked(db, AppSettings, {"app_id": principal.app_id}, select(AppSettings))
        before, after = _merged(row, None, "", changes)
    if before != after:
        keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        event = events.Event("app_settings.changed", principal.app_id, principal.user_id, {"keys": keys})
        await events.publish(event)
    return everybodys(after)


def themes() -> dict[str, str]:
    """What a person may choose as theme: name -> label in English."""
    return theme_names()


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """IANA names of the time zones this machine knows."""
    return frozenset(available_timezones())


def _chosen(principal: Principal, scope: str, what: Any = Preferences.data) -> Any:
    mine = (col(Preferences.app_id) == principal.app_id) & (col(Preferences.user_id) == principal.user_id)
    return select(what).where(mine, col(Preferences.scope) == scope)


async def _locked(db: ScopedSession, table: type[Row], fresh: dict[str, Any], query: Any) -> Row:
    """The row, made if need be, and nobody else's until the transaction ends.

    The first statement writes, so SQLite queues the writers; PostgreSQL locks the row.
    """
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    await db.execute(insert(table).values(**fresh, data={}, updated_at=clock.now()).on_conflict_do_nothing())
    row: Row = (await db.execute(query.with_for_update())).scalars().one()
    return row


def _merged(row: Preferences | AppSettings, principal: Principal | None, scope: str, changes: Values) -> tuple[Values, Values]:
    before = dict(row.data)
    if bad := [ascii(key[:40]) for key in changes if not _KEY.fullmatch(key)]:
        raise Invalid(tr("These are not names of settings."), fields=bad[:10])
    changes = judge(principal, scope, changes, before)
    after = {key: value for key, value in {**before, **changes}.items() if value is not None}
    if _size(after) > LARGEST:
        raise Invalid(tr("Settings may hold at most 16 kB."), code="SETTINGS_FULL")
    if after != before:
        row.data, row.updated_at = after, clock.now()
    return before, after


def _basics(principal: Principal | None, scope: str, changes: Values, before: Values) -> Values:
    """Theme, language and time zone are one of those there are."""
    if scope:
        return changes
    known: dict[str, Any] = {"theme": themes, "locale": offered, "timezone": timezones}
    wrong = [
        key for key, there in known.items() if changes.get(key) is not None and not _one_of(changes[key], there())
    ]  # fmt: skip
    if wrong:
        errors = [{"field": key, "code": "NOT_OFFERED", "message": tr(_NOT_OFFERED[key])} for key in wrong]
        raise Invalid(" ".join(one["message"] for one in errors), errors=errors)
    return changes


def _one_of(value: Any, there: Any) -> bool:
    return isinstance(value, str) and value in there


_NOT_OFFERED: Final = {
    "theme": msg("There is no such theme."),
    "locale": msg("This language is not offered here."),
    "timezone": msg("This is not a time zone."),
}


def _size(values: Values) -> int:
    try:
        return len(json.dumps(values, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError):
        raise Invalid(tr("A setting holds a value that is not JSON.")) from None
