"""Tables of background work and of events under way. Everything else the foundation keeps belongs to a room above."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Index, Text, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import SystemRow, UserRow
from mozaiks_shell.foundation.ids import new_id


class Job(UserRow, table=True):
    """One piece of work. ``user_id`` is whose behalf it runs on, empty for work of the app.

    ``state``: queued, running, done, failed or cancelled. ``attempts`` grows with every start, so it is also the fence:
    who finishes a job names the attempt it was. ``key`` is null once the job has ended.
    """

    __tablename__ = "jobs_job"
    __table_args__ = (
        UniqueConstraint("app_id", "user_id", "name", "key", name="uq_jobs_job_key"),
        Index("ix_jobs_job_due", "app_id", "state", "run_at"),
    )

    id: str = Field(default_factory=lambda: new_id("job"), primary_key=True, max_length=64)
    name: str = Field(max_length=160)
    owner: str = Field(default="", max_length=64)
    payload: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    key: str | None = Field(default=None, max_length=160)
    state: str = Field(default="queued", max_length=16)
    run_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    attempts: int = 0
    worker: str = Field(default="", max_length=64)
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    error: str = Field(default="", max_length=1000)
    result: Any = Field(default=None, sa_column=Column(JSON, nullable=True))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Schedule(SystemRow, table=True):
    """When a regular job is due next. Who moves ``next_at`` on has the occurrence; nobody else gets it."""

    __tablename__ = "jobs_schedule"
    __table_args__ = (UniqueConstraint("app_id", "name", name="uq_jobs_schedule_name"),)

    id: str = Field(default_factory=lambda: new_id("sch"), primary_key=True, max_length=64)
    name: str = Field(max_length=160)
    rule: str = Field(max_length=160)
    next_at: datetime = Field(sa_type=DateTime(timezone=True))
    last_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class OutboxEvent(UserRow, table=True):
    """An event that nobody saw to yet (:mod:`.outbox`). ``tries`` counts how often it was told again."""

    __tablename__ = "events_outbox"

    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=80)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
    tries: int = 0


class Process(SystemRow, table=True):
    """A server process that is alive until ``until`` (seconds since 1970, by the clock of the database).

    ``host`` names the machine, so that a process on the same one can see at once that this one is gone.
    """

    __tablename__ = "shell_process"

    id: str = Field(primary_key=True, max_length=64)
    host: str = Field(default="", max_length=128)
    until: float = 0.0


class Lease(UserRow, table=True):
    """Who of the processes has something. ``fence`` grows whenever it changes hands; ``holder`` is empty while nobody has it.

    ``note`` is whatever the holder wants others to know.
    """

    __tablename__ = "shell_lease"

    name: str = Field(primary_key=True, max_length=256)
    holder: str = Field(default="", index=True, max_length=64)
    fence: int = 0
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
