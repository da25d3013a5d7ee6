"""In-app notifications."""

from datetime import datetime

from sqlalchemy import DateTime
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class Notification(UserRow, table=True):
    """Something a person should know, until they have read it (F-205)."""

    __tablename__ = "notifications_notification"

    id: str = Field(default_factory=lambda: new_id("ntf"), primary_key=True, max_length=64)
    type: str = Field(max_length=64)
    title: str = Field(max_length=200)
    message: str = Field(default="", max_length=2000)
    link: str = Field(default="", max_length=500)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
    read_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
