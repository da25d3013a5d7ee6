"""The one table behind every ``db.<collection>``."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Index
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class Document(UserRow, table=True):
    """A JSON document of one person, in a named collection of one plugin."""

    __tablename__ = "sdk_document"
    __table_args__ = (Index("ix_sdk_document_owner", "user_id", "plugin", "collection"),)

    id: str = Field(default_factory=lambda: new_id("doc"), primary_key=True, max_length=64)
    plugin: str = Field(max_length=64)
    collection: str = Field(max_length=64)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


__all__: list[str] = []  # plugins reach documents through ``db``
