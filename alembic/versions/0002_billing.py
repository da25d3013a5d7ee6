"""billing: subscriptions, their history, provider events seen"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_subscription",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("provider_customer_id", sa.String(255)),
        sa.Column("provider_subscription_id", sa.String(255)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_period_end", sa.DateTime(timezone=True)),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("app_id", "user_id", name="uq_billing_subscription_person"),
        sa.UniqueConstraint("app_id", "provider_customer_id", name="uq_billing_subscription_customer"),
        sa.UniqueConstraint("app_id", "provider_subscription_id", name="uq_billing_subscription_provider"),
    )
    op.create_table(
        "billing_subscription_change",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_plan", sa.String(64), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("previous_status", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
    )
    op.create_table(
        "billing_event",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.UniqueConstraint("app_id", "provider", "event_id", name="uq_billing_event_provider_event"),
    )
    for table in ("billing_subscription", "billing_subscription_change"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    for table in ("billing_subscription", "billing_subscription_change", "billing_event"):
        op.create_index(f"ix_{table}_app_id", table, ["app_id"])


def downgrade() -> None:
    for table in ("billing_event", "billing_subscription_change", "billing_subscription"):
        op.drop_table(table)
