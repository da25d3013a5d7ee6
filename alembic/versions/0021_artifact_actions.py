"""chat: what was pressed in an artifact, and whether a change of it was lost"""

import sqlalchemy as sa

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chat_tool") as batch:
        batch.add_column(sa.Column("standing", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("chat_tool") as batch:
        batch.drop_column("standing")
