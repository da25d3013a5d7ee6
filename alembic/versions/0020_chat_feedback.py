"""chat: what people think of answers"""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "chat_feedback",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("agent", sa.String(80), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("chat_id", "message_id", name="pk_chat_feedback"),
    )
    for column in ("app_id", "user_id"):
        op.create_index(f"ix_chat_feedback_{column}", "chat_feedback", [column])
    op.create_index("ix_chat_feedback_newest", "chat_feedback", ["app_id", "updated_at"])


def downgrade() -> None:
    op.drop_table("chat_feedback")
