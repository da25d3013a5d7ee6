"""broker: builds of the app and the events that tell of them; how far long work has come"""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broker_build",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("build_id", sa.String(128), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reached", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("export_id", sa.String(128), nullable=False),
        sa.Column("preview_url", sa.String(2000), nullable=False),
        sa.Column("logs_url", sa.String(2000), nullable=False),
        sa.Column("error", sa.String(1000), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("completed_at", _MOMENT, nullable=True),
        sa.Column("deployed_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_broker_build"),
        sa.UniqueConstraint("app_id", "build_id", name="uq_broker_build_build"),
    )
    op.create_index("ix_broker_build_app_id", "broker_build", ["app_id"])
    op.create_index("ix_broker_build_newest", "broker_build", ["app_id", "created_at"])
    op.create_table(
        "broker_build_event",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("build_id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("sent_by", sa.String(64), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_broker_build_event"),
        sa.UniqueConstraint("app_id", "event_id", name="uq_broker_build_event_event"),
    )
    op.create_index("ix_broker_build_event_app_id", "broker_build_event", ["app_id"])
    op.create_index("ix_broker_build_event_build", "broker_build_event", ["app_id", "build_id"])
    with op.batch_alter_table("broker_workflow_job") as batch:
        batch.add_column(sa.Column("steps", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("broker_workflow_job") as batch:
        batch.alter_column("steps", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("broker_workflow_job") as batch:
        batch.drop_column("steps")
    op.drop_table("broker_build_event")
    op.drop_table("broker_build")
