"""Activity, one row per person and day; and what plugins count."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Index, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class ActiveDay(UserRow, table=True):
    """A person was here on this day (UTC). ``kind`` is ``active`` or ``signed_up`` (F-237)."""

    __tablename__ = "insights_active_day"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "day", "kind"),)

    id: str = Field(default_factory=lambda: new_id("day"), primary_key=True, max_length=64)
    day: date = Field(index=True)
    kind: str = Field(max_length=16)


class TrackedEvent(UserRow, table=True):
    """Something an app or a plugin counts (F-239). ``user_id`` is empty for acts of nobody."""

    __tablename__ = "insights_event"
    __table_args__ = (Index("ix_insights_event_name", "app_id", "plugin", "name", "at"),)

    id: str = Field(default_factory=lambda: new_id("evt"), primary_key=True, max_length=64)
    plugin: str = Field(max_length=64)
    name: str = Field(max_length=80)
    properties: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
