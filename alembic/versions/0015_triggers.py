"""broker: calls of triggers"""

import sqlalchemy as sa

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broker_trigger_run",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("run_as", sa.String(16), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_broker_trigger_run"),
        sa.UniqueConstraint("app_id", "rule", "cause", name="uq_broker_trigger_run_cause"),
    )
    op.create_index("ix_broker_trigger_run_app_id", "broker_trigger_run", ["app_id"])
    op.create_index("ix_broker_trigger_run_user_id", "broker_trigger_run", ["user_id"])
    op.create_index("ix_broker_trigger_run_created_at", "broker_trigger_run", ["created_at"])


def downgrade() -> None:
    op.drop_table("broker_trigger_run")
