"""usage: what a call cost, budgets, what is put aside for runs; events under way"""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _new() -> list[sa.Column]:
    return [
        sa.Column("cached", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("duration_ms", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("invocation_id", sa.String(64), nullable=False, server_default=""),
        sa.Column("cost_pico", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False, server_default=""),
    ]


def _owner() -> list[sa.Column]:
    return [sa.Column("app_id", sa.String(64), nullable=False), sa.Column("user_id", sa.String(64), nullable=False)]


def upgrade() -> None:
    for column in _new():
        op.add_column("usage_entry", column)
    op.create_index("ix_usage_entry_person_at", "usage_entry", ["app_id", "user_id", "at"])
    op.create_index("ix_usage_entry_app_at", "usage_entry", ["app_id", "at"])
    op.create_table(
        "usage_budget",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(8), nullable=False),
        sa.Column("period", sa.String(8), nullable=False),
        sa.Column("starts", _MOMENT, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_budget"),
        sa.UniqueConstraint("app_id", "user_id", "unit", "period", "starts", name="uq_usage_budget_period"),
        sa.CheckConstraint("used >= 0 AND reserved >= 0", name="ck_usage_budget_never_negative"),
    )
    op.create_table(
        "usage_hold",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("budget_id", sa.String(64), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_hold"),
    )
    op.create_table(
        "events_outbox",
        *_owner(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events_outbox"),
    )
    for table, columns in _INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


_INDEXES = {
    "usage_budget": ("app_id", "user_id"),
    "usage_hold": ("app_id", "user_id", "budget_id", "chat_id"),
    "events_outbox": ("app_id", "user_id", "at"),
}


def downgrade() -> None:
    for table in reversed(_INDEXES):
        op.drop_table(table)
    op.drop_index("ix_usage_entry_app_at", "usage_entry")
    op.drop_index("ix_usage_entry_person_at", "usage_entry")
    with op.batch_alter_table("usage_entry") as batch:
        for column in _new():
            batch.drop_column(column.name)
