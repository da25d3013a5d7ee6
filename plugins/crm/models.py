"""The plugin's tables. A contact and a deal may belong to a company, a deal to a contact; without it they stay."""

from datetime import date, datetime

from sqlalchemy import BigInteger, DateTime, Text

from mozaiks_shell import sdk

STAGES = ("lead", "talking", "offer", "won", "lost")
OPEN = STAGES[:3]


class Company(sdk.Model, table=True):
    """Whom one does business with."""

    __tablename__ = "crm_company"

    id: str = sdk.Field(default_factory=lambda: sdk.new_id("company"), primary_key=True, max_length=64)
    name: str = sdk.Field(max_length=120)
    website: str = sdk.Field(default="", max_length=300)
    created_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))


class Contact(sdk.Model, table=True):
    """Somebody one talks to."""

    __tablename__ = "crm_contact"

    id: str = sdk.Field(default_factory=lambda: sdk.new_id("contact"), primary_key=True, max_length=64)
    name: str = sdk.Field(max_length=120)
    email: str = sdk.Field(default="", max_length=254)
    phone: str = sdk.Field(default="", max_length=60)
    note: str = sdk.Field(default="", sa_type=Text)
    company_id: str | None = sdk.Field(default=None, foreign_key="crm_company.id", ondelete="SET NULL", index=True, max_length=64)
    created_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))


class Deal(sdk.Model, table=True):
    """Something that may be sold. ``amount`` is in hundredths of the currency of the settings."""

    __tablename__ = "crm_deal"

    id: str = sdk.Field(default_factory=lambda: sdk.new_id("deal"), primary_key=True, max_length=64)
    title: str = sdk.Field(max_length=160)
    amount: int = sdk.Field(default=0, sa_type=BigInteger)
    stage: str = sdk.Field(default=STAGES[0], max_length=16)
    closes: date | None = None
    company_id: str | None = sdk.Field(default=None, foreign_key="crm_company.id", ondelete="SET NULL", index=True, max_length=64)
    contact_id: str | None = sdk.Field(default=None, foreign_key="crm_contact.id", ondelete="SET NULL", index=True, max_length=64)
    moved_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))
    created_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))
