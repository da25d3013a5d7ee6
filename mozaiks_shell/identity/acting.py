"""On whose behalf work goes on when nobody is there: background jobs ask here."""

from collections.abc import Sequence

from sqlmodel import col, select

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.identity.accounts import principal_of
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.preferences import effective


async def person_now(app_id: str, user_id: str) -> Principal | None:
    """The person with their present roles and language, without a session; None when they left or are disabled."""
    async with system_session(app_id) as db:
        user = (await db.execute(select(User).where(col(User.id) == user_id))).scalars().first()
    if user is None or user.disabled:
        return None
    return principal_of(user, "", await effective(principal_of(user)))


async def everybody(app_id: str) -> Sequence[str]:
    """The ids of all people of the app who are not disabled."""
    async with system_session(app_id) as db:
        found = await db.execute(select(User.id).where(col(User.disabled).is_(False)).order_by(col(User.id)))
        return list(found.scalars())
