"""The broker's errors.

ShellError
├── BadRequest         400  the body of a launch is not usable (F-142)
├── TokensNeeded       402  the runtime says the balance is too low (F-152)
├── Conflict           409  PREREQUISITES_NOT_MET
├── Upstream           502  RUNTIME_ERROR, RUNTIME_REFUSED
├── Unavailable        503  AI_DISABLED, RUNTIME_UNAVAILABLE
└── TimedOut           504  RUNTIME_TIMED_OUT
"""

from mozaiks_shell.foundation.errors import ShellError, Unavailable


class BadRequest(ShellError):
    status = 400
    code = "BAD_REQUEST"


class TokensNeeded(ShellError):
    status = 402
    code = "INSUFFICIENT_TOKENS"


def ai_disabled() -> Unavailable:
    """The operator turned AI off (F-163)."""
    return Unavailable("AI is switched off in this app.", code="AI_DISABLED")


def runtime_unavailable() -> Unavailable:
    """Nobody answers where the runtime should be."""
    return Unavailable("The assistant is not reachable right now. Please try again in a moment.", code="RUNTIME_UNAVAILABLE")
