"""A run whose connection was lost: how it stands at the runtime, and what is safe to do (protocol §2.8).

Connecting again to a published runtime can freeze it for everybody, have it answer a question by itself, or start the
workflow a second time. So nobody connects again on a guess: the runtime is asked over HTTP, the person is told, and
chooses. Only a runtime known to be free of these defects is reconnected to without asking: the embedded one, and one the
operator says so of (``MOZAIKS_RUNTIME_RECONNECTS``).
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("chat")

State = Literal["completed", "running", "gone", "unknown"]
Option = Literal["reconnect", "check", "restart", "leave"]
OPTIONS: Final[tuple[Option, ...]] = ("reconnect", "check", "restart", "leave")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands at the runtime.

    Attributes:
        state: ``completed``; ``running`` (in progress there); ``gone``: it does not know the chat; ``unknown``: it
            could not be asked.
        empty: It is in progress and holds nothing yet, so there is nothing a reconnect could break.
    """

    state: State
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person may do now, and why. In the transcript an item of kind ``choice``."""

    reason: str
    options: tuple[Option, ...]

    def body(self) -> dict[str, Any]:
        """As the item holds it: ``options`` are ``{"id", "label", "hint"}``."""
        return {"reason": self.reason, "options": [{"id": one, **_words(one)} for one in self.options]}


def may_reconnect() -> bool:
    """Whether the configured runtime can be connected to again without harm, whatever it holds."""
    settings = get_settings()
    return not settings.ai_url or settings.runtime_reconnects


def shows_completed() -> bool:
    """Whether the runtime shows a completed chat that is connected to; a published one runs the workflow again."""
    return not get_settings().ai_url


async def how_it_stands(principal: Principal, chat: KnownChat) -> Standing:
    """Ask the runtime over HTTP. Never raises a :class:`ShellError`."""
    try:
        session = await broker.connect(principal, chat)
        client = await broker.runtime()
        meta = await client.meta(principal.app_id, chat.workflow, chat.runtime_chat_id, session.token)
    except ShellError as error:
        log.info("run status unknown", chat=chat.chat_id, code=error.code)
        return Standing("unknown")
    if not meta.get("exists"):
        return Standing("gone")
    if meta.get("status") == 1:
        return Standing("completed")
    untouched = meta.get("last_sequence", None) == 0 and meta.get("last_artifact") is None and not meta.get("has_children")
    return Standing("running", untouched)


def choice(standing: Standing, *, oversized: bool = False, crowded: bool = False) -> Choice:
    """What is safe.

    Args:
        oversized: The connection was ended because of a message that is too large; it would come again.
        crowded: Another run of this workflow is open, which a published runtime would attach us to instead.
    """
    safe = not oversized and (may_reconnect() or standing.empty and not crowded)
    match standing.state:
        case "unknown":
            return Choice(tr("The assistant's server cannot be asked how the run stands."), ("check", "restart", "leave"))
        case "gone":
            return Choice(tr("The assistant's server does not know this conversation any more."), ("restart", "leave"))
        case "completed":
            return Choice(tr("The run was completed meanwhile."), ("restart", "leave"))
    if safe:
        return Choice(tr("The run has not ended, and it is safe to connect to it again."), ("reconnect", "restart", "leave"))
    return Choice(
        tr(
            "The run may still be at work. Connecting to it again could break it, or the assistant's server for everybody, "
            "so that is not offered."
        ),
        ("check", "restart", "leave"),
    )


def _words(option: Option) -> dict[str, str]:
    match option:
        case "reconnect":
            return {"label": tr("Connect again"), "hint": tr("The conversation goes on where it was.")}
        case "check":
            return {"label": tr("Ask again"), "hint": tr("Looks up how the run stands; changes nothing.")}
        case "restart":
            return {"label": tr("Start again"), "hint": tr("A new conversation of the same kind. This one is kept as it is.")}
        case "leave":
            return {"label": tr("Leave it"), "hint": tr("What has arrived is kept.")}
