"""The table of people's files. Their contents are in :mod:`.file_store`."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class StoredFile(UserRow, table=True):
    """A person's file: everything but its content, which lies in the data folder. ``plugin`` is empty for the shell's own."""

    __tablename__ = "sdk_file"
    __table_args__ = (Index("ix_sdk_file_newest", "app_id", "user_id", "plugin", "created_at", "id"),)

    id: str = Field(default_factory=lambda: new_id("fil"), primary_key=True, max_length=64)
    plugin: str = Field(max_length=64)
    name: str = Field(max_length=200)
    content_type: str = Field(max_length=100)
    size: int = Field(sa_type=BigInteger)  # bytes
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
