"""broker: keys of the execution tokens, starts under way, registered workflows"""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broker_signing_key",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("activated_at", _MOMENT, nullable=True),
        sa.Column("retired_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("kid", name="pk_broker_signing_key"),
        sa.UniqueConstraint("app_id", "slot", name="uq_broker_signing_key_slot"),
    )
    op.create_index("ix_broker_signing_key_app_id", "broker_signing_key", ["app_id"])
    op.create_table(
        "broker_start_claim",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_broker_start_claim"),
        sa.UniqueConstraint("app_id", "user_id", "key", name="uq_broker_start_claim_key"),
    )
    for column in ("app_id", "user_id"):
        op.create_index(f"ix_broker_start_claim_{column}", "broker_start_claim", [column])
    op.create_table(
        "broker_workflow",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("capability", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("registered_by", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_broker_workflow"),
        sa.UniqueConstraint("app_id", "name", name="uq_broker_workflow_name"),
    )
    op.create_index("ix_broker_workflow_app_id", "broker_workflow", ["app_id"])


def downgrade() -> None:
    for name in ("broker_workflow", "broker_start_claim", "broker_signing_key"):
        op.drop_table(name)
