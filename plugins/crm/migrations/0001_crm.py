"""companies, contacts, deals"""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _owner() -> list[sa.Column]:
    return [
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete="SET NULL")


def upgrade() -> None:
    op.create_table(
        "crm_company",
        *_owner(),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("website", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crm_company"),
    )
    op.create_table(
        "crm_contact",
        *_owner(),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("company_id", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_crm_contact"),
        _belongs("crm_contact", "company_id", "crm_company"),
    )
    op.create_table(
        "crm_deal",
        *_owner(),
        sa.Column("title", sa.String(160), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("closes", sa.Date(), nullable=True),
        sa.Column("company_id", sa.String(64), nullable=True),
        sa.Column("contact_id", sa.String(64), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crm_deal"),
        _belongs("crm_deal", "company_id", "crm_company"),
        _belongs("crm_deal", "contact_id", "crm_contact"),
    )
    for table, columns in (("crm_company", ()), ("crm_contact", ("company_id",)), ("crm_deal", ("company_id", "contact_id"))):
        for column in ("app_id", "user_id", *columns):
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table in ("crm_deal", "crm_contact", "crm_company"):
        op.drop_table(table)
