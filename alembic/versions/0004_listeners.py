"""audit, usage, insights, notifications"""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _owner() -> list[sa.Column]:
    return [sa.Column("app_id", sa.String(64), nullable=False), sa.Column("user_id", sa.String(64), nullable=False)]


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("actor_id", sa.String(64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_table(
        "usage_entry",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("agent", sa.String(128), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_entry"),
        sa.UniqueConstraint("app_id", "event_id", name="uq_usage_entry_app_id"),
    )
    op.create_table(
        "insights_active_day",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_insights_active_day"),
        sa.UniqueConstraint("app_id", "user_id", "day", "kind", name="uq_insights_active_day_app_id"),
    )
    op.create_table(
        "notifications_notification",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("message", sa.String(2000), nullable=False),
        sa.Column("link", sa.String(500), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notifications_notification"),
    )
    for table, columns in _INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


_INDEXES = {
    "audit_entry": ("app_id", "act", "actor_id", "at"),
    "usage_entry": ("app_id", "user_id", "chat_id", "at"),
    "insights_active_day": ("app_id", "user_id", "day"),
    "notifications_notification": ("app_id", "user_id", "created_at"),
}


def downgrade() -> None:
    for table in reversed(_INDEXES):
        op.drop_table(table)
