"""What the broker needs from others: somebody who keeps the chats, and a runtime."""

from dataclasses import dataclass
from typing import Any, Protocol

from mozaiks_shell.foundation.access import Principal


@dataclass(frozen=True, slots=True)
class KnownChat:
    """A chat as its keeper knows it. ``chat_id`` is ours, ``runtime_chat_id`` the runtime's name for it now."""

    chat_id: str
    runtime_chat_id: str
    workflow: str
    user_id: str


class ChatKeeper(Protocol):
    """Keeps the chats of the app. The chat room implements it, one floor above."""

    async def find(self, chat_id: str) -> KnownChat | None:
        """The chat of this app with this id, whoever owns it."""

    async def find_started(self, principal: Principal, start_key: str) -> KnownChat | None:
        """The chat this person started with this idempotency key."""

    async def add(self, principal: Principal, chat_id: str, workflow: str, start_key: str | None) -> KnownChat:
        """Keep a chat the runtime just made; returns the earlier one when the key was used before."""


class Runtime(Protocol):
    """The HTTP side of a MozaiksAI-compatible runtime. Every call carries an execution token."""

    async def start(self, app_id: str, workflow: str, user_id: str, token: str, request_id: str) -> str:
        """Make a new chat and return its id."""

    async def meta(self, app_id: str, workflow: str, chat_id: str, token: str) -> dict[str, Any]:
        """What the runtime knows of a chat; ``{"exists": False}`` when nothing. ``status``: 0 in progress, 1 completed."""

    async def workflows(self, token: str) -> dict[str, Any]:
        """Configuration of every workflow by name."""

    async def health(self, token: str) -> dict[str, Any]:
        """The runtime's own health report."""
