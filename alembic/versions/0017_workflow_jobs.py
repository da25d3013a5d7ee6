"""broker: long work of workflows"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broker_workflow_job",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("key", sa.String(128), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("runtime_chat_id", sa.String(128), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("artifacts", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("deadline", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_broker_workflow_job"),
        sa.UniqueConstraint("app_id", "user_id", "key", name="uq_broker_workflow_job_key"),
    )
    op.create_index("ix_broker_workflow_job_app_id", "broker_workflow_job", ["app_id"])
    op.create_index("ix_broker_workflow_job_user_id", "broker_workflow_job", ["user_id"])
    op.create_index("ix_broker_workflow_job_newest", "broker_workflow_job", ["app_id", "user_id", "created_at"])


def downgrade() -> None:
    op.drop_table("broker_workflow_job")
