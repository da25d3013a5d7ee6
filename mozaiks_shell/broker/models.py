"""Tables of the broker: keys of the execution tokens, starts under way, registered workflows, calls of triggers, long work,
builds of the app."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Index, Text, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import SystemRow, UserRow
from mozaiks_shell.foundation.ids import new_id


class SigningKey(SystemRow, table=True):
    """A key of the execution tokens (F-149). ``slot`` is ``next``, ``active``, or the key's own id once it is retired.

    That (app, slot) is unique is what keeps two processes from activating two keys.
    """

    __tablename__ = "broker_signing_key"
    __table_args__ = (UniqueConstraint("app_id", "slot", name="uq_broker_signing_key_slot"),)

    kid: str = Field(primary_key=True, max_length=64)
    slot: str = Field(max_length=64)
    pem: str = Field(sa_column=Column(Text(), nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    activated_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    retired_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class StartClaim(UserRow, table=True):
    """Somebody's start with an idempotency key that is under way in some process (F-151). Gone when it ended."""

    __tablename__ = "broker_start_claim"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "key", name="uq_broker_start_claim_key"),)

    id: str = Field(default_factory=lambda: new_id("stc"), primary_key=True, max_length=64)
    key: str = Field(max_length=128)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class RegisteredWorkflow(SystemRow, table=True):
    """A workflow that a program registered (F-159). ``capability`` has the fields of a capability file."""

    __tablename__ = "broker_workflow"
    __table_args__ = (UniqueConstraint("app_id", "name", name="uq_broker_workflow_name"),)

    id: str = Field(default_factory=lambda: new_id("wfl"), primary_key=True, max_length=64)
    name: str = Field(max_length=128)
    capability: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    version: str = Field(default="", max_length=40)
    registered_by: str = Field(default="", max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class TriggerRun(UserRow, table=True):
    """A call that a rule made, or is about to make, because of one event or one tick of the clock (F-156, F-157).

    ``cause`` names the event or tick; that (rule, cause) is unique is what makes it one call. ``state``: ``queued``,
    ``sent`` (on its way, or its fate is unknown), ``done``, ``failed``, ``unknown``. ``user_id`` is whose event it was.
    """

    __tablename__ = "broker_trigger_run"
    __table_args__ = (UniqueConstraint("app_id", "rule", "cause", name="uq_broker_trigger_run_cause"),)

    id: str = Field(default_factory=lambda: new_id("trg"), primary_key=True, max_length=64)
    rule: str = Field(max_length=80)
    cause: str = Field(max_length=64)
    event: str = Field(default="", max_length=200)
    workflow: str = Field(max_length=128)
    run_as: str = Field(default="app", max_length=16)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: str = Field(default="queued", max_length=16)
    error: str = Field(default="", max_length=500)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class WorkflowJob(UserRow, table=True):
    """Long work of a workflow for a person (F-155). ``state``: ``pending``, ``running``, ``waiting`` (for an answer of the
    person), ``done``, ``failed``, ``timed_out`` or ``cancelled``. ``artifacts`` are what it made: name, content type, and the
    content or a path of the runtime. ``steps`` is how many messages its chat had when it was last asked.
    """

    __tablename__ = "broker_workflow_job"
    __table_args__ = (
        UniqueConstraint("app_id", "user_id", "key", name="uq_broker_workflow_job_key"),
        Index("ix_broker_workflow_job_newest", "app_id", "user_id", "created_at"),
    )

    id: str = Field(default_factory=lambda: new_id("wjb"), primary_key=True, max_length=64)
    workflow: str = Field(max_length=128)
    message: str = Field(default="", sa_column=Column(Text(), nullable=False))
    key: str | None = Field(default=None, max_length=128)
    state: str = Field(default="pending", max_length=16)
    said: bool = False
    steps: int = 0
    chat_id: str = Field(default="", max_length=128)
    runtime_chat_id: str = Field(default="", max_length=128)
    error: str = Field(default="", max_length=500)
    artifacts: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    deadline: datetime = Field(sa_type=DateTime(timezone=True))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Build(SystemRow, table=True):
    """A build of the app (F-165). ``status``: ``building``, ``built``, ``deployable``, ``deployed`` or ``error``.

    ``reached`` is how far it had come before an error. ``told_at`` is the sender's time of the event that made the status; null
    when it named none. ``export_id`` is the runtime's name for the bundle where that is another than ``build_id``. ``version``
    grows with every event: who changes it has the row.
    """

    __tablename__ = "broker_build"
    __table_args__ = (
        UniqueConstraint("app_id", "build_id", name="uq_broker_build_build"),
        Index("ix_broker_build_newest", "app_id", "created_at"),
    )

    id: str = Field(default_factory=lambda: new_id("bld"), primary_key=True, max_length=64)
    build_id: str = Field(max_length=128)
    status: str = Field(default="draft", max_length=16)
    reached: str = Field(default="draft", max_length=16)
    version: int = 0
    told_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    workflow: str = Field(default="", max_length=128)
    chat_id: str = Field(default="", max_length=128)
    export_id: str = Field(default="", max_length=128)
    preview_url: str = Field(default="", max_length=2000)
    logs_url: str = Field(default="", max_length=2000)
    error: str = Field(default="", max_length=1000)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    deployed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class BuildEvent(SystemRow, table=True):
    """What somebody told of a build (F-165). ``outcome``: ``applied``, ``noted`` (it was so already), ``late`` (older than what
    is known) or ``refused``; a refused one counts once what comes before it has arrived.
    """

    __tablename__ = "broker_build_event"
    __table_args__ = (
        UniqueConstraint("app_id", "event_id", name="uq_broker_build_event_event"),
        Index("ix_broker_build_event_build", "app_id", "build_id"),
    )

    id: str = Field(default_factory=lambda: new_id("bev"), primary_key=True, max_length=64)
    event_id: str = Field(max_length=128)
    build_id: str = Field(max_length=128)
    kind: str = Field(default="", max_length=64)
    status: str = Field(max_length=16)
    outcome: str = Field(max_length=16)
    told_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    sent_by: str = Field(default="", max_length=64)
    received_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
