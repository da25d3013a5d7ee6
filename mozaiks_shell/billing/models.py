"""Tables of billing: what a person has, how it came about, which provider events were seen."""

from datetime import datetime

from sqlalchemy import DateTime, Text, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import AppRow, UserRow
from mozaiks_shell.foundation.ids import new_id


class Subscription(UserRow, table=True):
    """What one person has. At most one row per person; ``version`` grows with every write.

    ``status`` is what the provider last said (active, trialing, past_due, canceled, inactive);
    what it means at this moment is decided by :func:`mozaiks_shell.billing.standing.standing`.
    """

    __tablename__ = "billing_subscription"
    __table_args__ = (
        UniqueConstraint("app_id", "user_id", name="uq_billing_subscription_person"),
        UniqueConstraint("app_id", "provider_customer_id", name="uq_billing_subscription_customer"),
        UniqueConstraint("app_id", "provider_subscription_id", name="uq_billing_subscription_provider"),
    )

    id: str = Field(default_factory=lambda: new_id("sub"), primary_key=True, max_length=64)
    plan: str = Field(max_length=64)
    status: str = Field(max_length=16)
    provider: str = Field(max_length=16)
    provider_customer_id: str | None = Field(default=None, max_length=255)
    provider_subscription_id: str | None = Field(default=None, max_length=255)
    started_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    current_period_end: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    cancel_at_period_end: bool = False
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    version: int = 1


class SubscriptionChange(UserRow, table=True):
    """One step of the history. ``actor`` is a user id, or ``stripe`` for an event of the provider."""

    __tablename__ = "billing_subscription_change"

    id: str = Field(default_factory=lambda: new_id("chg"), primary_key=True, max_length=64)
    at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    previous_plan: str = Field(max_length=64)
    plan: str = Field(max_length=64)
    previous_status: str = Field(max_length=16)
    status: str = Field(max_length=16)
    cancel_at_period_end: bool = False
    actor: str = Field(max_length=64)


class BillingEvent(AppRow, table=True):
    """A webhook that was seen. ``outcome``: applied, unchanged, ignored, or failed (then ``detail`` says why)."""

    __tablename__ = "billing_event"
    __table_args__ = (UniqueConstraint("app_id", "provider", "event_id", name="uq_billing_event_provider_event"),)

    id: str = Field(default_factory=lambda: new_id("bev"), primary_key=True, max_length=64)
    provider: str = Field(max_length=16)
    event_id: str = Field(max_length=255)
    type: str = Field(max_length=80)
    received_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    outcome: str = Field(max_length=16)
    detail: str = Field(default="", sa_type=Text)
