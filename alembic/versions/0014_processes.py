"""leases of the server processes; commands on their way to the owner of a chat"""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shell_process",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("host", sa.String(128), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shell_process"),
    )
    op.create_index("ix_shell_process_app_id", "shell_process", ["app_id"])
    op.create_table(
        "shell_lease",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_shell_lease"),
    )
    for column in ("app_id", "user_id", "holder"):
        op.create_index(f"ix_shell_lease_{column}", "shell_lease", [column])
    op.create_table(
        "chat_command",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chat_id", sa.String(128), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_command"),
    )
    for column in ("app_id", "user_id"):
        op.create_index(f"ix_chat_command_{column}", "chat_command", [column])
    op.create_index("ix_chat_command_holder", "chat_command", ["holder", "state"])


def downgrade() -> None:
    for table in ("chat_command", "shell_lease", "shell_process"):
        op.drop_table(table)
