"""A State as the event processor would hand it to a handler, and rows of a chat."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mozaiks_shell.chat.models import Chat, ChatTool
from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal

PERSON = Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")


@pytest.fixture
def person(as_person) -> Principal:
    """Ada, on whose behalf the test runs."""
    as_person(PERSON)
    return PERSON


@pytest.fixture
def state() -> ChatState:
    """A fresh State."""
    return ChatState(_reflex_internal_init=True)


@pytest.fixture
def call(state: ChatState) -> Callable[..., Awaitable[None]]:
    """Run a handler by name to its end, whatever kind of function it is."""

    async def run(name: str, *arguments: Any) -> None:
        result = ChatState.event_handlers[name].fn(state, *arguments)
        if hasattr(result, "__aiter__"):
            async for _ in result:
                pass
        elif hasattr(result, "__await__"):
            await result

    return run


@pytest.fixture
def stored(database, person: Principal) -> Callable[..., Awaitable[None]]:
    """Store a chat, or a tool of one: ``await stored("cht_1")``, ``await stored("cht_1", "core.form", {...})``."""

    async def keep(chat_id: str, component: str = "", payload: dict[str, Any] | None = None, **changes: Any) -> None:
        async with db.session() as session:
            if not component:
                row = {"workflow": "ProjectBrief", "status": "waiting", **changes}
                session.add(Chat(id=chat_id, runtime_chat_id=chat_id, **row))
                return
            shown = {"display": "inline", "title": "", **changes}
            tool_id = changes.pop("id", component)
            session.add(
                ChatTool(chat_id=chat_id, component=component, payload=json.dumps(payload or {}), **{**shown, "id": tool_id})
            )

    return keep
