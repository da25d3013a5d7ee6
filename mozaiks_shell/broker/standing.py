"""How the runtime stands, for whoever shows it: the chat pane, ``/ready``, operators (F-163)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mozaiks_shell.broker import service
from mozaiks_shell.broker.circuit import Circuit
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings

State = Literal["off", "not_configured", "starting", "unknown", "up", "down"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The runtime as this process knows it.

    Attributes:
        state: ``off``: AI is switched off. ``not_configured``: there is no address, and no embedded one runs.
            ``starting``: the embedded one is. ``unknown``: nobody asked it yet. ``up`` and ``down``: as of the last calls.
        since: Since when it is down.
        retry_in: Seconds until it is asked again, while it is down; else 0.
        reason: The last failure. For operators, not for people.
        dialect: The dialect that was set or learned; empty before.
    """

    state: State
    since: datetime | None = None
    retry_in: int = 0
    reason: str = ""
    dialect: str = ""

    @property
    def calm(self) -> str:
        """A sentence for a person; empty while there is nothing to say."""
        match self.state:
            case "off":
                return tr("AI is switched off in this app.")
            case "not_configured":
                return tr("No assistant is connected to this app.")
            case "starting":
                return tr("The assistant is starting.")
            case "down":
                return tr("The assistant is not reachable right now. Please try again in a moment.")
        return ""


def standing() -> Standing:
    """How it stands now. Never asks anybody and never waits, so it may be called for every page.

    Example:
        >>> standing().state
        'up'
    """
    settings = get_settings()
    if not settings.ai_enabled:
        return Standing("off")
    client = service.present_client()
    if not settings.ai_url and (embedded := service.embedded_runtime()) is None:
        return Standing("not_configured")
    elif not settings.ai_url and embedded is not None and not embedded.up:
        return Standing("starting")
    if client is None or (settings.ai_url and client.base_url != settings.ai_url):
        return Standing("unknown")
    return _of(client.transport.circuit, client.dialect or "")


def _of(circuit: Circuit, dialect: str) -> Standing:
    if circuit.since is not None:
        return Standing("down", circuit.since, circuit.retry_in, circuit.reason, dialect)
    return Standing("up" if circuit.answered else "unknown", dialect=dialect)
