"""The broker's errors.

ShellError
├── BadRequest         400  the body of a launch is not usable (F-142)
├── TokensNeeded       402  the runtime says the balance is too low (F-152)
├── Conflict           409  PREREQUISITES_NOT_MET
├── Upstream           502  RUNTIME_ERROR, RUNTIME_REFUSED
├── Unavailable        503  AI_DISABLED, RUNTIME_UNAVAILABLE, RUNTIME_STARTING
│   └── NotSent             the runtime certainly did not get it
└── TimedOut           504  RUNTIME_TIMED_OUT
"""

from mozaiks_shell.foundation.errors import ShellError, Unavailable
from mozaiks_shell.foundation.i18n import tr


class BadRequest(ShellError):
    status = 400
    code = "BAD_REQUEST"


class TokensNeeded(ShellError):
    status = 402
    code = "INSUFFICIENT_TOKENS"


class NotSent(Unavailable):
    """Nobody answers where the runtime should be, and it certainly did not get the request: it may be sent again."""

    code = "RUNTIME_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(tr("The assistant is not reachable right now. Please try again in a moment."))


def ai_disabled() -> Unavailable:
    """The operator turned AI off (F-163)."""
    return Unavailable(tr("AI is switched off in this app."), code="AI_DISABLED")


def runtime_unavailable() -> Unavailable:
    """Nobody answers where the runtime should be."""
    return Unavailable(tr("The assistant is not reachable right now. Please try again in a moment."), code="RUNTIME_UNAVAILABLE")


def runtime_starting() -> Unavailable:
    """The embedded runtime is being started; ``retry_after`` seconds later it may be there."""
    return Unavailable(tr("The assistant is starting."), code="RUNTIME_STARTING", retry_after=1)
