"""Tables of the embedded runtime: its chats, what was said in them, and what they wait for.

Bodies are JSON in ASCII, so that whatever a model or a person writes can be stored on SQLite and PostgreSQL alike.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlmodel import Field

from mozaiks_shell.foundation.db import UserRow


class RuntimeChat(UserRow, table=True):
    """A chat. ``born`` is nanoseconds since 1970, ``owner`` the process that runs it: who is not the owner may not write."""

    __tablename__ = "runtime_chat"
    __table_args__ = (Index("ix_runtime_chat_mine", "app_id", "user_id", "born"),)

    app_id: str = Field(default="", primary_key=True, max_length=64)
    chat_id: str = Field(primary_key=True, max_length=256)
    workflow: str = Field(max_length=128)
    status: int = Field(sa_column=Column("status", Integer, nullable=False))
    born: int = Field(sa_column=Column("born", BigInteger, nullable=False))
    owner: str = Field(default="", max_length=64)
    body: str = Field(sa_column=Column("body", Text, nullable=False))


class RuntimeLine(UserRow, table=True):
    """One line of a chat or ask thread. ``kind``: m a message, s a step of the run that is alive, t a message of a thread."""

    __tablename__ = "runtime_line"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    chat_id: str = Field(primary_key=True, max_length=256)
    kind: str = Field(primary_key=True, max_length=4)
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    body: str = Field(sa_column=Column("body", Text, nullable=False))


class RuntimePending(UserRow, table=True):
    """What a chat waits for: ``kind`` question or tool; ``id`` is what the answer names."""

    __tablename__ = "runtime_pending"
    __table_args__ = (Index("ix_runtime_pending_id", "id"),)

    app_id: str = Field(default="", primary_key=True, max_length=64)
    chat_id: str = Field(primary_key=True, max_length=256)
    id: str = Field(primary_key=True, max_length=256)
    kind: str = Field(max_length=12)
    body: str = Field(sa_column=Column("body", Text, nullable=False))


class RuntimeThread(UserRow, table=True):
    """An ask-mode conversation, the ``number``-th of its user."""

    __tablename__ = "runtime_thread"

    app_id: str = Field(default="", primary_key=True, max_length=64)
    user_id: str = Field(default="", primary_key=True, max_length=64)
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    body: str = Field(sa_column=Column("body", Text, nullable=False))
