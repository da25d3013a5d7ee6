"""How a run ends for us, and what can no longer be done in it."""

from dataclasses import dataclass

from mozaiks_shell.chat.loss import Choice
from mozaiks_shell.foundation.errors import Conflict


class NotListening(Conflict):
    code = "NOT_LISTENING"


class RunEnded(Conflict):
    code = "RUN_ENDED"


class CannotStop(Conflict):
    code = "CANNOT_STOP"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended for us. ``choice``: what the person may do about it."""

    status: str
    detail: str = ""
    notice: str = ""
    choice: Choice | None = None
