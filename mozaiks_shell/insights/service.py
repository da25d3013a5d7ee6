"""Counts people, not clicks: sign-ups and daily actives from two events (F-236, F-237)."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import distinct, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.events import Event, subscribe
from mozaiks_shell.insights.models import ActiveDay
from mozaiks_shell.insights.tracking import track, tracked

__all__ = ["Engagement", "engagement", "record", "track", "tracked"]

_KINDS = {"user.active": "active", "user.signed_in": "active", "user.signed_up": "signed_up"}
_seen: set[tuple[str, str, str, date]] = set()


@dataclass(frozen=True, slots=True)
class Engagement:
    """Distinct people: ever signed up, active today, in 7 and in 30 days, new in 7 days."""

    total_users: int
    dau: int
    active_users_7d: int
    mau: int
    new_users_7d: int

    @property
    def stickiness_dau_mau(self) -> float:
        """dau ÷ max(mau, 1)."""
        return self.dau / max(self.mau, 1)


@subscribe(*_KINDS)
async def record(event: Event) -> None:
    """At most one row per person, day and kind; the database has the last word."""
    key = (event.app_id, event.user_id, _KINDS[event.name], event.at.date())
    if key in _seen:
        return
    try:
        async with system_session(event.app_id) as db:
            db.add(ActiveDay(app_id=key[0], user_id=key[1], kind=key[2], day=key[3]))
    except IntegrityError:
        pass  # another worker, or an earlier start of this one, was first
    if len(_seen) > 50_000:
        _seen.clear()
    _seen.add(key)


async def engagement(today: date | None = None) -> Engagement:
    """The figures of F-236 as of ``today`` (UTC)."""
    today = today or now().date()

    async with system_session() as db:

        async def people(kind: str, days: int | None) -> int:
            query = select(func.count(distinct(col(ActiveDay.user_id)))).where(
                ActiveDay.kind == kind, col(ActiveDay.day) <= today
            )
            if days is not None:
                query = query.where(col(ActiveDay.day) > today - timedelta(days=days))
            return int((await db.execute(query)).scalar_one())

        return Engagement(
            total_users=await people("signed_up", None),
            dau=await people("active", 1),
            active_users_7d=await people("active", 7),
            mau=await people("active", 30),
            new_users_7d=await people("signed_up", 7),
        )
