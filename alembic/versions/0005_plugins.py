"""plugins: the documents behind ``sdk.db.<collection>``"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sdk_document",
        sa.Column("app_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("user_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("plugin", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("collection", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sdk_document")),
    )
    with op.batch_alter_table("sdk_document") as batch:
        batch.create_index(batch.f("ix_sdk_document_app_id"), ["app_id"])
        batch.create_index(batch.f("ix_sdk_document_user_id"), ["user_id"])
        batch.create_index("ix_sdk_document_owner", ["user_id", "plugin", "collection"])


def downgrade() -> None:
    op.drop_table("sdk_document")
