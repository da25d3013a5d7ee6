"""key-value state, files, documents by key; which plugins' tables are up to date"""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("sdk_document") as batch:
        batch.add_column(sa.Column("key", sa.String(200), nullable=True))
        batch.drop_index("ix_sdk_document_owner")
        batch.create_index("ix_sdk_document_newest", ["app_id", "user_id", "plugin", "collection", "created_at", "id"])
        batch.create_unique_constraint("uq_sdk_document_key", ["app_id", "user_id", "plugin", "collection", "key"])
    for table, owner in (("sdk_kv", ["app_id", "user_id"]), ("sdk_kv_shared", ["app_id"])):
        op.create_table(
            table,
            *[sa.Column(name, sa.String(64), nullable=False) for name in [*owner, "plugin"]],
            sa.Column("key", sa.String(200), nullable=False),
            sa.Column("value", sa.JSON(), nullable=False),
            sa.Column("expires_at", _MOMENT, nullable=True),
            sa.Column("updated_at", _MOMENT, nullable=False),
            sa.PrimaryKeyConstraint(*owner, "plugin", "key", name=f"pk_{table}"),
        )
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])
    op.create_table(
        "sdk_file",
        *[sa.Column(name, sa.String(64), nullable=False) for name in ("app_id", "user_id", "id", "plugin")],
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sdk_file"),
    )
    for column in ("app_id", "user_id"):
        op.create_index(f"ix_sdk_file_{column}", "sdk_file", [column])
    op.create_index("ix_sdk_file_newest", "sdk_file", ["app_id", "user_id", "plugin", "created_at", "id"])
    op.create_table(
        "plugin_schema",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("plugin", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("checked_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "plugin", name="pk_plugin_schema"),
    )
    op.create_index("ix_audit_entry_newest", "audit_entry", ["app_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_audit_entry_newest", "audit_entry")
    for table in ("plugin_schema", "sdk_file", "sdk_kv_shared", "sdk_kv"):
        op.drop_table(table)
    with op.batch_alter_table("sdk_document") as batch:
        batch.drop_constraint("uq_sdk_document_key", type_="unique")
        batch.drop_index("ix_sdk_document_newest")
        batch.create_index("ix_sdk_document_owner", ["user_id", "plugin", "collection"])
        batch.drop_column("key")
