"""usage: what customers are billed for by use"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "usage_report",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(255), nullable=False),
        sa.Column("event_name", sa.String(100), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_try_at", _MOMENT, nullable=True),
        sa.Column("error", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_report"),
        sa.UniqueConstraint("app_id", "user_id", "customer_id", "event_name", "hour", "part", name="uq_usage_report_part"),
    )
    op.create_index("ix_usage_report_app_id", "usage_report", ["app_id"])
    op.create_index("ix_usage_report_user_id", "usage_report", ["user_id"])
    op.create_index("ix_usage_report_due", "usage_report", ["app_id", "state", "due_at"])


def downgrade() -> None:
    op.drop_table("usage_report")
