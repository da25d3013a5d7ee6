"""Tables of identity: people and what they chose, the founder, sessions, tokens of programs, sign-ins under way at an issuer."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation import clock
from mozaiks_shell.foundation.db import SystemRow, UserRow
from mozaiks_shell.foundation.ids import new_id


def _now() -> datetime:
    return clock.now()


class User(SystemRow, table=True):
    """A person. ``password_hash`` is empty for accounts that sign in through an issuer;
    ``issuer`` and ``subject`` are null for local ones (F-232)."""

    __tablename__ = "identity_user"
    __table_args__ = (
        UniqueConstraint("app_id", "username", name="uq_identity_user_username"),
        UniqueConstraint("app_id", "email", name="uq_identity_user_email"),
        UniqueConstraint("app_id", "issuer", "subject", name="uq_identity_user_subject"),
    )

    id: str = Field(default_factory=lambda: new_id("usr"), primary_key=True, max_length=64)
    username: str = Field(max_length=64)
    email: str | None = Field(default=None, max_length=254)
    full_name: str = Field(default="", max_length=120)
    password_hash: str = Field(default="", max_length=255)
    roles: str = Field(default="user", max_length=255)  # granted here; comma-separated, lower case
    issuer_roles: str = Field(default="", max_length=1000)  # from the issuer; replaced at every sign-in
    issuer: str | None = Field(default=None, max_length=255)
    subject: str | None = Field(default=None, max_length=255)
    disabled: bool = False
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    last_login_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Founder(SystemRow, table=True):
    """Who created the first account of an app. The primary key makes sure that there is only one."""

    __tablename__ = "identity_founder"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    founder_id: str = Field(max_length=64)


class Session(UserRow, table=True):
    """A signed-in browser or a bearer token. Only the digest of the secret is stored."""

    __tablename__ = "identity_session"
    __table_args__ = (Index("ix_identity_session_expires_at", "expires_at"),)

    id: str = Field(default_factory=lambda: new_id("ses"), primary_key=True, max_length=64)
    kind: str = Field(default="browser", max_length=16)  # browser | token
    secret_digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    seen_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    ip: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=255)


class Preferences(UserRow, table=True):
    """What one person chose, in one place (F-226): ``scope`` is empty for the shell and the profile, else a plugin's name."""

    __tablename__ = "identity_preferences"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "scope", name="uq_identity_preferences_scope"),)

    id: str = Field(default_factory=lambda: new_id("prf"), primary_key=True, max_length=64)
    scope: str = Field(default="", max_length=64)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))


class AppSettings(SystemRow, table=True):
    """What an administrator set for everybody (F-227); a person's own choice wins over it."""

    __tablename__ = "identity_app_settings"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))


class Avatar(UserRow, table=True):
    """A person's picture: a square WebP of ours, never the bytes that were uploaded. ``version`` names its content."""

    __tablename__ = "identity_avatar"
    __table_args__ = (UniqueConstraint("app_id", "user_id", name="uq_identity_avatar_person"),)

    id: str = Field(default_factory=lambda: new_id("pic"), primary_key=True, max_length=64)
    version: str = Field(max_length=64)
    image: bytes = Field(sa_type=LargeBinary)
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))


class DeletedUser(SystemRow, table=True):
    """Somebody who deleted their account: only the id, so that a row written late by another process is found and removed."""

    __tablename__ = "identity_deleted_user"

    id: str = Field(primary_key=True, max_length=64)
    deleted_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True), index=True)


class IssuerVisit(SystemRow, table=True):
    """A sign-in that is under way at the issuer. Deleted by the callback that uses it."""

    __tablename__ = "identity_issuer_visit"

    state_digest: str = Field(primary_key=True, max_length=64)
    browser_digest: str = Field(max_length=64)
    nonce: str = Field(max_length=64)
    code_verifier: str = Field(max_length=128)
    next_path: str = Field(default="/", max_length=2048)
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class AppToken(SystemRow, table=True):
    """A credential of a program, such as a workflow that calls back into the app (F-158). Only the digest is stored.

    ``prefix`` is its beginning, to recognise it by. ``acts_for`` is the person on whose behalf it acts; empty: the app's.
    """

    __tablename__ = "identity_app_token"

    id: str = Field(default_factory=lambda: new_id("tok"), primary_key=True, max_length=64)
    name: str = Field(max_length=80)
    prefix: str = Field(max_length=16)
    secret_digest: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    acts_for: str = Field(default="", max_length=64)
    created_by: str = Field(default="", max_length=64)
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    used_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
