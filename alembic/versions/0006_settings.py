"""settings: preferences (free profile keys move there), app settings, pictures, people who deleted their account"""

from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_USER = sa.table(
    "identity_user", sa.column("id", sa.String), sa.column("app_id", sa.String), sa.column("profile", sa.JSON)
)  # fmt: skip
_PREFERENCES = sa.table(
    "identity_preferences",
    sa.column("app_id", sa.String),
    sa.column("user_id", sa.String),
    sa.column("id", sa.String),
    sa.column("scope", sa.String),
    sa.column("data", sa.JSON),
    sa.column("updated_at", _MOMENT),
)


def upgrade() -> None:
    op.create_table(
        "identity_preferences",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity_preferences"),
        sa.UniqueConstraint("app_id", "user_id", "scope", name="uq_identity_preferences_scope"),
    )
    op.create_table(
        "identity_app_settings",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("app_id", name="pk_identity_app_settings"),
    )
    op.create_table(
        "identity_avatar",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity_avatar"),
        sa.UniqueConstraint("app_id", "user_id", name="uq_identity_avatar_person"),
    )
    op.create_table(
        "identity_deleted_user",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity_deleted_user"),
    )
    for table, columns in _INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    connection = op.get_bind()
    for person in connection.execute(sa.select(_USER)).all():
        if person.profile:
            connection.execute(
                sa.insert(_PREFERENCES).values(
                    app_id=person.app_id, user_id=person.id, id=f"prf_{person.id}"[:64], scope="", data=person.profile,
                    updated_at=datetime.now(UTC),
                )  # fmt: skip
            )
    with op.batch_alter_table("identity_user") as batch:
        batch.drop_column("profile")


_INDEXES = {
    "identity_preferences": ("app_id", "user_id"),
    "identity_avatar": ("app_id", "user_id"),
    "identity_deleted_user": ("app_id", "deleted_at"),
}


def downgrade() -> None:
    with op.batch_alter_table("identity_user") as batch:
        batch.add_column(sa.Column("profile", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("identity_user") as batch:
        batch.alter_column("profile", server_default=None)
    connection = op.get_bind()
    chosen = sa.select(_PREFERENCES.c.user_id, _PREFERENCES.c.data).where(_PREFERENCES.c.scope == "")
    for row in connection.execute(chosen).all():
        connection.execute(sa.update(_USER).where(_USER.c.id == row.user_id).values(profile=row.data))
    for table in ("identity_deleted_user", "identity_avatar", "identity_app_settings", "identity_preferences"):
        op.drop_table(table)
