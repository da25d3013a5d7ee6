"""What the broker needs from others: somebody who keeps the chats, and a runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Executable

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import ScopedSession

PLUGIN_WORKFLOWS: Final = "plugin_workflows.json"  # in the data folder: what the plugin host tells the embedded runtime


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

    async def find_started(self, db: ScopedSession, principal: Principal, start_key: str) -> KnownChat | None:
        """The chat this person started with this idempotency key, as a session of the system sees it."""

    async def add(
        self, principal: Principal, chat_id: str, workflow: str, start_key: str | None, *, capability_id: str = "",
        along: Sequence[Executable] = (),
    ) -> KnownChat:  # fmt: skip
        """Keep a chat the runtime just made, and tell of it; returns the earlier one when the key was used before.

        Args:
            along: Statements for the same transaction; not run when the earlier one is returned.
        """


class Budget(Protocol):
    """Knows what a person may still spend. The usage room implements it; without one nothing is limited (F-253)."""

    async def check(self, principal: Principal, workflow: str, chat_id: str | None = None) -> None:
        """Called before the runtime hears of a start, or of a chat that is taken up again (``chat_id``).

        Puts aside what the run is likely to spend first, so that many starts at once cannot all spend the same rest.

        Raises:
            ShellError: 402, with the reason and the way out, when a hard limit is reached.
        """

    async def give_back(self, principal: Principal, workflow: str) -> None:
        """The start that :meth:`check` let through did not happen. Never raises."""


class Runtime(Protocol):
    """The HTTP side of a MozaiksAI-compatible runtime. Every call carries an execution token."""

    async def start(self, app_id: str, workflow: str, user_id: str, token: str, request_id: str) -> str:
        """Make a new chat and return its id."""

    async def meta(self, app_id: str, workflow: str, chat_id: str, token: str) -> dict[str, Any]:
        """What the runtime knows of a chat; ``{"exists": False}`` when nothing. ``status``: 0 in progress, 1 completed."""

    async def available(self, app_id: str, workflow: str, user_id: str, token: str) -> tuple[bool, str]:
        """Whether the runtime lets this person run the workflow now, and its reason if not (F-160)."""

    async def knows(self, workflow: str, token: str) -> bool:
        """Whether it has this workflow; True when that cannot be told. Seldom asks: what it has is believed for a while."""

    async def workflows(self, token: str) -> dict[str, Any]:
        """Configuration of every workflow by name."""

    async def execute(self, body: dict[str, Any], token: str, seconds: float) -> dict[str, Any]:
        """Run a workflow to its end and return what it answers. ``token`` is the app's own (``MOZAIKS_AI_TOKEN``)."""

    async def say(
        self, app_id: str, workflow: str, chat_id: str, user_id: str, message: str, token: str, seconds: float
    ) -> dict[str, Any]:
        """Answer a chat's pending question, or begin its run. May stay open until the run pauses or ends."""

    async def health(self, token: str) -> dict[str, Any]:
        """The runtime's own health report."""

    async def fetch(self, where: str, token: str, largest: int, seconds: float | None = None) -> tuple[int, bytes]:
        """GET a path of the runtime as bytes: status and content. ``seconds`` for the whole call."""
