"""A person's profile (F-230): what we keep about them, and what they tell about themselves."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Forbidden, NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.identity.accounts import principal_of
from mozaiks_shell.identity.avatars import avatar_url
from mozaiks_shell.identity.errors import InvalidAccount
from mozaiks_shell.identity.models import Avatar, Preferences, User
from mozaiks_shell.identity.preferences import announce, judge, merge


def own_id(principal: Principal, user_id: str | None) -> str:
    """The acting user is always the session's; a request that names somebody else is refused (F-045).

    Raises:
        Forbidden: ``USER_MISMATCH``.
    """
    if user_id and user_id != principal.user_id:
        raise Forbidden(tr("This is somebody else's data."), code="USER_MISMATCH")
    return principal.user_id


def describe(user: User, chosen: Mapping[str, Any] | None = None, avatar: str = "") -> dict[str, Any]:
    """A person's profile as the API answers it: what they chose, then ours. Never a hash.

    Args:
        chosen: Their preferences of the shell, free keys of the profile among them.
        avatar: Version of their picture.
    """
    person = principal_of(user)
    return {
        **(chosen or {}),
        "user_id": user.id,
        "app_id": user.app_id,
        "username": user.username,
        "email": user.email or "",
        "full_name": user.full_name,
        "avatar": avatar_url(user.id, avatar),
        "roles": sorted(person.roles),
        "is_admin": person.has_role("admin"),
        "sign_in": "oidc" if user.issuer else "local",
        "created_at": user.created_at.isoformat(),
        "last_login_at": user.last_login_at.isoformat() if user.last_login_at else None,
    }


async def profile(principal: Principal) -> dict[str, Any]:
    """This person's own profile; see :func:`describe`.

    Raises:
        NotFound: the account is gone.
    """
    query = (
        select(User, Preferences.data, Avatar.version)
        .outerjoin(Preferences, (col(Preferences.user_id) == col(User.id)) & (col(Preferences.scope) == ""))
        .outerjoin(Avatar, col(Avatar.user_id) == col(User.id))
        .where(col(User.id) == principal.user_id)
    )
    async with system_session(principal.app_id) as db:
        row = (await db.execute(query)).first()
    if row is None:
        raise NotFound(tr("This account does not exist."))
    return describe(row[0], row[1], row[2] or "")


async def update_profile(principal: Principal, changes: dict[str, Any]) -> dict[str, Any]:
    """Change one's own profile (F-230): ``full_name`` and free keys; a null removes a free key.

    Free keys are the person's preferences of the shell: there is one store (F-226).

    Raises:
        ProtectedField: keys that nobody may write; nothing is changed.
        Forbidden: ``user_id`` of somebody else.
        Invalid: a bad key or value, nesting too deep, or more than 16 kB in all.
    """
    checked(changes)
    own_id(principal, str(changes.get("user_id") or ""))
    full_name = changes.get("full_name")
    if "full_name" in changes and not (isinstance(full_name, str) and len(full_name) <= 120 and full_name.isprintable()):
        raise InvalidAccount(["FULL_NAME_INVALID"])
    renamed = False
    async with system_session(principal.app_id) as db:
        chosen = {key: value for key, value in changes.items() if key != "full_name"}
        before, after = await merge(db, principal, chosen)
        user = (await db.execute(select(User).where(col(User.id) == principal.user_id))).scalars().first()
        if user is None:
            raise NotFound(tr("This account does not exist."))
        if isinstance(full_name, str):
            judge(principal, "", {"full_name": full_name.strip()}, {"full_name": user.full_name})
            renamed, user.full_name = user.full_name != full_name.strip(), full_name.strip()
        version = (await db.execute(select(Avatar.version).where(col(Avatar.user_id) == user.id))).scalars().first()
    await announce(principal, "", before, after)
    if renamed:
        await events.publish(events.Event("profile.changed", principal.app_id, principal.user_id, {"keys": ["full_name"]}))
    return describe(user, after, version or "")
