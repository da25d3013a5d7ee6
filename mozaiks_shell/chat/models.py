"""Tables of the conversation: the chat, its append-only log, its UI tools."""

from datetime import datetime

from sqlalchemy import Column, DateTime, Index, Integer, Text, UniqueConstraint
from sqlmodel import Field

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import UserRow

LIVE_STATUSES = ("connecting", "running", "waiting")


class Chat(UserRow, table=True):
    """A conversation. ``id`` is what the runtime called it at the start; ``runtime_chat_id`` what it calls it now."""

    __tablename__ = "chat"
    __table_args__ = (UniqueConstraint("app_id", "user_id", "start_key"),)

    id: str = Field(primary_key=True, max_length=128)
    runtime_chat_id: str = Field(max_length=128)
    workflow: str = Field(max_length=128)
    title: str = Field(default="", max_length=120)  # empty: shown under the name of its workflow
    status: str = Field(default="connecting", max_length=16, index=True)
    detail: str = Field(default="", max_length=500)
    last_text: str = Field(default="", max_length=200)
    start_key: str | None = Field(default=None, max_length=128)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class ChatEvent(UserRow, table=True):
    """One line of a chat's log. ``body`` is JSON, or the bare text for a piece of a streaming message (kind ``d``).

    Clustered by its key and without further indexes: this table takes every token that is streamed.
    """

    __tablename__ = "chat_event"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: str = Field(default="", max_length=64)
    user_id: str = Field(default="", max_length=64)
    chat_id: str = Field(primary_key=True, max_length=128)
    offset: int = Field(sa_column=Column("offset", Integer, primary_key=True, autoincrement=False))
    kind: str = Field(max_length=12)
    body: str = Field(sa_column=Column("body", Text, nullable=False))


class ChatTool(UserRow, table=True):
    """A UI tool the runtime showed. ``payload`` and ``response`` are JSON objects, as is ``standing``: the actions that were
    pressed in it, and whether a change of it was lost."""

    __tablename__ = "chat_tool"

    chat_id: str = Field(primary_key=True, max_length=128)
    id: str = Field(primary_key=True, max_length=128)
    component: str = Field(max_length=128)
    display: str = Field(max_length=12)
    title: str = Field(max_length=200)
    payload: str = Field(sa_column=Column("payload", Text, nullable=False))
    awaiting: bool = True
    state: str = Field(default="open", max_length=12)
    response: str | None = Field(default=None, sa_column=Column("response", Text, nullable=True))
    standing: str = Field(default="", sa_column=Column("standing", Text, nullable=False, server_default=""))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class ChatFeedback(UserRow, table=True):
    """What a person thinks of an agent's message: ``verdict`` ``up`` or ``down``, perhaps with words. One of each message.

    ``workflow`` and ``agent`` are kept with it: the owners of the app read it without the conversation.
    """

    __tablename__ = "chat_feedback"
    __table_args__ = (Index("ix_chat_feedback_newest", "app_id", "updated_at"),)

    chat_id: str = Field(primary_key=True, max_length=128)
    message_id: str = Field(primary_key=True, max_length=64)
    verdict: str = Field(max_length=8)
    words: str = Field(default="", sa_column=Column("words", Text, nullable=False))
    workflow: str = Field(max_length=128)
    agent: str = Field(max_length=80)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class ChatCommand(UserRow, table=True):
    """Something a person does in a chat, on its way to the process that owns the chat. ``state``: waiting, taken or done.

    ``body`` and ``answer`` are JSON objects; ``body`` is wiped when the command is taken.
    """

    __tablename__ = "chat_command"
    __table_args__ = (Index("ix_chat_command_holder", "holder", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    chat_id: str = Field(max_length=128)
    holder: str = Field(max_length=64)
    verb: str = Field(max_length=32)
    body: str = Field(sa_column=Column("body", Text, nullable=False))
    state: str = Field(default="waiting", max_length=12)
    answer: str = Field(default="", sa_column=Column("answer", Text, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
