"""The tables behind ``db.<collection>``, ``kv`` and ``files``. Plugins reach them through those alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Index, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import AppRow, UserRow
from mozaiks_shell.foundation.file_models import StoredFile as StoredFile
from mozaiks_shell.foundation.ids import new_id


class Document(UserRow, table=True):
    """A JSON document of one person, in a named collection of one plugin. ``key``: the author's own name for it, if any."""

    __tablename__ = "sdk_document"
    __table_args__ = (
        Index("ix_sdk_document_newest", "app_id", "user_id", "plugin", "collection", "created_at", "id"),
        UniqueConstraint("app_id", "user_id", "plugin", "collection", "key", name="uq_sdk_document_key"),
    )

    id: str = Field(default_factory=lambda: new_id("doc"), primary_key=True, max_length=64)
    plugin: str = Field(max_length=64)
    collection: str = Field(max_length=64)
    key: str | None = Field(default=None, max_length=200)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class KeyValue(UserRow, table=True):
    """What a plugin keeps for one person under a key, until ``expires_at`` (None: for good)."""

    __tablename__ = "sdk_kv"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    user_id: str = Field(default="", primary_key=True, max_length=64)
    plugin: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=200)
    value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=False), nullable=False))
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True), index=True)
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class SharedKeyValue(AppRow, table=True):
    """The same for everybody of the app."""

    __tablename__ = "sdk_kv_shared"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    plugin: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=200)
    value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=False), nullable=False))
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True), index=True)
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


__all__: list[str] = []
