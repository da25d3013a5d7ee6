"""What the plugin host keeps: the operator's choice per plugin (F-077), what people used of its limits (F-115)."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import SystemRow, UserRow
from mozaiks_shell.foundation.ids import new_id


class PluginChoice(SystemRow, table=True):
    """An operator's on or off; wins over ``plugin_registry.json`` and the manifest, in every process, until it is changed."""

    __tablename__ = "plugin_choice"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    name: str = Field(primary_key=True, max_length=64)
    enabled: bool
    actor: str = Field(default="", max_length=64)
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class PluginUsage(UserRow, table=True):
    """How much one person used of one limit of a plugin in one period; ``period`` is empty where nothing resets."""

    __tablename__ = "plugin_usage"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "plugin", "name", "period"),)

    id: str = Field(default_factory=lambda: new_id("plu"), primary_key=True, max_length=64)
    plugin: str = Field(max_length=64)
    name: str = Field(max_length=64)
    period: str = Field(default="", max_length=16)
    used: int = Field(default=0, sa_type=BigInteger)
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class PluginSchema(SystemRow, table=True):
    """What a plugin's migrations and models were when its tables were last found right: unchanged, there is nothing to do."""

    __tablename__ = "plugin_schema"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    plugin: str = Field(primary_key=True, max_length=64)
    fingerprint: str = Field(max_length=64)
    checked_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
