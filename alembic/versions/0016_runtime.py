"""runtime: chats of the embedded runtime, what was said in them, what they wait for"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runtime_chat",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(256), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "chat_id", name="pk_runtime_chat"),
    )
    op.create_index("ix_runtime_chat_user_id", "runtime_chat", ["user_id"])
    op.create_index("ix_runtime_chat_mine", "runtime_chat", ["app_id", "user_id", "born"])
    op.create_table(
        "runtime_line",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "chat_id", "kind", "number", name="pk_runtime_line"),
    )
    op.create_index("ix_runtime_line_user_id", "runtime_line", ["user_id"])
    op.create_table(
        "runtime_pending",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(256), nullable=False),
        sa.Column("id", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "chat_id", "id", name="pk_runtime_pending"),
    )
    op.create_index("ix_runtime_pending_user_id", "runtime_pending", ["user_id"])
    op.create_index("ix_runtime_pending_id", "runtime_pending", ["id"])
    op.create_table(
        "runtime_thread",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "user_id", "number", name="pk_runtime_thread"),
    )


def downgrade() -> None:
    for table in ("runtime_thread", "runtime_pending", "runtime_line", "runtime_chat"):
        op.drop_table(table)
