"""Tables of identity: people, their sessions."""

from datetime import datetime

from sqlalchemy import DateTime, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import AppRow, UserRow
from mozaiks_shell.foundation.ids import new_id


class User(AppRow, table=True):
    """A person. ``password_hash`` is empty for accounts that only sign in through an issuer."""

    __tablename__ = "identity_user"
    __table_args__ = (UniqueConstraint("app_id", "username"), UniqueConstraint("app_id", "email"))

    id: str = Field(default_factory=lambda: new_id("usr"), primary_key=True, max_length=64)
    username: str = Field(max_length=64)
    email: str = Field(max_length=254)
    full_name: str = Field(default="", max_length=120)
    password_hash: str = Field(default="", max_length=255)
    roles: str = Field(default="", max_length=255)  # comma-separated, lower case
    issuer: str = Field(default="", max_length=255)
    subject: str = Field(default="", max_length=255)
    disabled: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    last_login_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Session(UserRow, table=True):
    """A signed-in browser. Only the digest of the cookie is stored."""

    __tablename__ = "identity_session"

    id: str = Field(default_factory=lambda: new_id("ses"), primary_key=True, max_length=64)
    secret_digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    seen_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    ip: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=255)
