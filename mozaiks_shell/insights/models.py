"""Activity, one row per person and day."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class ActiveDay(UserRow, table=True):
    """A person was here on this day (UTC). ``kind`` is ``active`` or ``signed_up`` (F-237)."""

    __tablename__ = "insights_active_day"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "day", "kind"),)

    id: str = Field(default_factory=lambda: new_id("day"), primary_key=True, max_length=64)
    day: date = Field(index=True)
    kind: str = Field(max_length=16)
