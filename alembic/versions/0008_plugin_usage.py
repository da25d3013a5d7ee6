"""plugins: what people used of their limits"""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plugin_usage",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("plugin", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("period", sa.String(16), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plugin_usage"),
        sa.UniqueConstraint("app_id", "user_id", "plugin", "name", "period", name="uq_plugin_usage_app_id"),
    )
    op.create_index("ix_plugin_usage_app_id", "plugin_usage", ["app_id"])
    op.create_index("ix_plugin_usage_user_id", "plugin_usage", ["user_id"])


def downgrade() -> None:
    op.drop_table("plugin_usage")
