"""The token ledger, what budgets have left, what is put aside for runs, and what customers are billed for."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow
from mozaiks_shell.foundation.ids import new_id


class UsageEntry(UserRow, table=True):
    """Tokens of one model call, as the runtime measured them (F-250). Written once, never changed.

    ``cost_pico`` is in pico units (1e-12) of ``currency``; None when the model had no price.
    """

    __tablename__ = "usage_entry"
    __table_args__ = (
        UniqueConstraint("app_id", "event_id"),
        Index("ix_usage_entry_person_at", "app_id", "user_id", "at"),
        Index("ix_usage_entry_app_at", "app_id", "at"),
    )

    id: str = Field(default_factory=lambda: new_id("use"), primary_key=True, max_length=64)
    event_id: str = Field(max_length=64)
    chat_id: str = Field(index=True, max_length=128)
    workflow: str = Field(default="", max_length=128)
    agent: str = Field(default="", max_length=128)
    model: str = Field(default="", max_length=128)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False
    duration_ms: int = 0
    invocation_id: str = Field(default="", max_length=64)
    cost_pico: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(default="", max_length=3)
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), index=True)


class UsageBudget(UserRow, table=True):
    """What was spent of a budget in one period. ``user_id`` empty: of the whole app. Tokens, or micro units of the currency.

    ``warned`` is the highest share in percent that was told (0, 80, 100).
    """

    __tablename__ = "usage_budget"
    __table_args__ = (
        UniqueConstraint("app_id", "user_id", "unit", "period", "starts", name="uq_usage_budget_period"),
        CheckConstraint("used >= 0 AND reserved >= 0", name="ck_usage_budget_never_negative"),
    )

    id: str = Field(default_factory=lambda: new_id("bud"), primary_key=True, max_length=64)
    unit: str = Field(max_length=8)
    period: str = Field(max_length=8)
    starts: datetime = Field(sa_type=DateTime(timezone=True))
    used: int = Field(default=0, sa_type=BigInteger)
    reserved: int = Field(default=0, sa_type=BigInteger)
    warned: int = 0


class UsageHold(UserRow, table=True):
    """An amount put aside for a run until it is measured. ``chat_id`` is empty until the runtime named the chat.

    ``run`` is the same for the holds of one run in different budgets. A hold nobody renews ends at ``expires_at``.
    """

    __tablename__ = "usage_hold"

    id: str = Field(default_factory=lambda: new_id("hld"), primary_key=True, max_length=64)
    budget_id: str = Field(index=True, max_length=64)
    run: str = Field(max_length=64)
    chat_id: str = Field(default="", index=True, max_length=128)
    workflow: str = Field(default="", max_length=128)
    amount: int = Field(sa_type=BigInteger)
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class UsageReport(UserRow, table=True):
    """What a customer used within one hour, for one meter of the payment service (F-255). ``id`` is the identifier it is told.

    ``state``: ``open`` while calls are added; ``due`` once it was told for the first time, from then on it never changes;
    ``sent``; ``failed`` (then ``error`` says why); ``refused``: it was taken first, and refused later; ``dropped`` by an
    operator; ``retold``: another part has taken its place. Calls that come after an hour was told make another ``part`` of it.
    """

    __tablename__ = "usage_report"
    __table_args__ = (
        UniqueConstraint("app_id", "user_id", "customer_id", "event_name", "hour", "part", name="uq_usage_report_part"),
        Index("ix_usage_report_due", "app_id", "state", "due_at"),
    )

    id: str = Field(default_factory=lambda: new_id("mtr"), primary_key=True, max_length=64)
    customer_id: str = Field(max_length=255)
    event_name: str = Field(max_length=100)
    hour: datetime = Field(sa_type=DateTime(timezone=True))
    part: int = 0
    value: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(default="open", max_length=8)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    tries: int = 0
    first_try_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    error: str = Field(default="", max_length=500)
