"""jobs: background and scheduled work; what plugins count"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs_job",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(160), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("error", sa.String(1000), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs_job"),
        sa.UniqueConstraint("app_id", "user_id", "name", "key", name="uq_jobs_job_key"),
    )
    op.create_index("ix_jobs_job_app_id", "jobs_job", ["app_id"])
    op.create_index("ix_jobs_job_user_id", "jobs_job", ["user_id"])
    op.create_index("ix_jobs_job_due", "jobs_job", ["app_id", "state", "run_at"])
    op.create_table(
        "jobs_schedule",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("rule", sa.String(160), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs_schedule"),
        sa.UniqueConstraint("app_id", "name", name="uq_jobs_schedule_name"),
    )
    op.create_index("ix_jobs_schedule_app_id", "jobs_schedule", ["app_id"])


    op.create_table(
        "insights_event",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("plugin", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_insights_event"),
    )
    for column in ("app_id", "user_id", "at"):
        op.create_index(f"ix_insights_event_{column}", "insights_event", [column])
    op.create_index("ix_insights_event_name", "insights_event", ["app_id", "plugin", "name", "at"])


def downgrade() -> None:
    op.drop_table("insights_event")
    op.drop_table("jobs_schedule")
    op.drop_table("jobs_job")
