"""identity: people, the founder, sessions, sign-ins under way at an issuer"""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = ("shell",)
depends_on = None


def _moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "identity_user",
        _text("app_id", 64),
        _text("id", 64),
        _text("username", 64),
        _text("email", 254, nullable=True),
        _text("full_name", 120),
        _text("password_hash", 255),
        _text("roles", 255),
        _text("issuer_roles", 1000),
        _text("issuer", 255, nullable=True),
        _text("subject", 255, nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        _moment("created_at"),
        _moment("last_login_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_identity_user"),
        sa.UniqueConstraint("app_id", "username", name="uq_identity_user_username"),
        sa.UniqueConstraint("app_id", "email", name="uq_identity_user_email"),
        sa.UniqueConstraint("app_id", "issuer", "subject", name="uq_identity_user_subject"),
    )
    op.create_index("ix_identity_user_app_id", "identity_user", ["app_id"])

    op.create_table(
        "identity_founder",
        _text("app_id", 64),
        _text("founder_id", 64),
        sa.PrimaryKeyConstraint("app_id", name="pk_identity_founder"),
    )

    op.create_table(
        "identity_session",
        _text("app_id", 64),
        _text("user_id", 64),
        _text("id", 64),
        _text("kind", 16),
        _text("secret_digest", 64),
        _moment("created_at"),
        _moment("seen_at"),
        _moment("expires_at"),
        _text("ip", 64),
        _text("user_agent", 255),
        sa.PrimaryKeyConstraint("id", name="pk_identity_session"),
        sa.UniqueConstraint("secret_digest", name="uq_identity_session_secret_digest"),
    )
    op.create_index("ix_identity_session_app_id", "identity_session", ["app_id"])
    op.create_index("ix_identity_session_user_id", "identity_session", ["user_id"])
    op.create_index("ix_identity_session_expires_at", "identity_session", ["expires_at"])

    op.create_table(
        "identity_issuer_visit",
        _text("app_id", 64),
        _text("state_digest", 64),
        _text("browser_digest", 64),
        _text("nonce", 64),
        _text("code_verifier", 128),
        _text("next_path", 2048),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("state_digest", name="pk_identity_issuer_visit"),
    )
    op.create_index("ix_identity_issuer_visit_app_id", "identity_issuer_visit", ["app_id"])


def downgrade() -> None:
    op.drop_table("identity_issuer_visit")
    op.drop_table("identity_session")
    op.drop_table("identity_founder")
    op.drop_table("identity_user")
