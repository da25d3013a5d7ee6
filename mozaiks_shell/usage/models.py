"""The token ledger."""

from datetime import datetime

from sqlalchemy import DateTime, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class UsageEntry(UserRow, table=True):
    """Tokens of one model call, as the runtime measured them (F-250)."""

    __tablename__ = "usage_entry"
    __table_args__ = (UniqueConstraint("app_id", "event_id"),)

    id: str = Field(default_factory=lambda: new_id("use"), primary_key=True, max_length=64)
    event_id: str = Field(max_length=64)
    chat_id: str = Field(index=True, max_length=128)
    workflow: str = Field(default="", max_length=128)
    agent: str = Field(default="", max_length=128)
    model: str = Field(default="", max_length=128)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
