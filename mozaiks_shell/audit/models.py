"""The audit table. Rows are only ever added."""

from datetime import datetime

from sqlalchemy import JSON, DateTime, Index
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import SystemRow
from mozaiks_shell.foundation.ids import new_id


class AuditEntry(SystemRow, table=True):
    """One security-relevant act: who (``actor_id``, empty for nobody), what, when, with which facts."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_newest", "app_id", "at"),)

    id: str = Field(default_factory=lambda: new_id("aud"), primary_key=True, max_length=64)
    act: str = Field(index=True, max_length=64)
    actor_id: str = Field(default="", index=True, max_length=64)
    facts: dict = Field(default_factory=dict, sa_type=JSON)
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
