"""The error tree (D12). Each error has a stable ``code``, an HTTP status and a way out.

ShellError
├── Invalid            422  the input is wrong
├── NotSignedIn        401  nobody is signed in
├── Forbidden          403  signed in, but not allowed
│   ├── RoleNeeded
│   └── PlanNeeded          names the plan that opens it
├── NotFound           404
├── Conflict           409
├── TooLarge           413
├── TooMany            429  carries retry_after (seconds)
├── Upstream           502  another system failed
├── Unavailable        503
└── TimedOut           504
"""

from typing import Any


class ShellError(Exception):
    """Base of every error a person or a program may see.

    Args:
        message: A sentence for a person.
        code: Stable, upper-case identifier; defaults to the class's.
        **details: JSON-able facts that go into the problem document.
    """

    status = 500
    code = "INTERNAL_ERROR"

    def __init__(self, message: str = "", *, code: str | None = None, **details: Any) -> None:
        self.message = message or "Something went wrong on our side."
        self.code = code or type(self).code
        self.details = details
        super().__init__(self.message)


class Invalid(ShellError):
    """The input is wrong."""

    status = 422
    code = "VALIDATION_ERROR"


class NotSignedIn(ShellError):
    """Nobody is signed in, or not as somebody who may ask this."""

    status = 401
    code = "NOT_SIGNED_IN"


class Forbidden(ShellError):
    """Signed in, but not allowed."""

    status = 403
    code = "FORBIDDEN"


class RoleNeeded(Forbidden):
    """A role opens it; ``details["needed"]`` names it."""

    code = "ROLE_NEEDED"


class PlanNeeded(Forbidden):
    """A plan opens it; ``details["needed"]`` names the lowest."""

    code = "FEATURE_GATED"


class NotFound(ShellError):
    """There is no such thing, or not for this person."""

    status = 404
    code = "NOT_FOUND"


class Conflict(ShellError):
    """It does not fit what is there now."""

    status = 409
    code = "CONFLICT"


class TooLarge(ShellError):
    """More than is accepted."""

    status = 413
    code = "TOO_LARGE"


class TooMany(ShellError):
    """Args: retry_after: whole seconds until the next try may succeed."""

    status = 429
    code = "LIMIT_EXCEEDED"

    def __init__(self, message: str = "", *, retry_after: int = 1, **details: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message or "Too many requests.", retry_after=retry_after, **details)


class Upstream(ShellError):
    """Another system failed or refused."""

    status = 502
    code = "UPSTREAM_ERROR"


class Unavailable(ShellError):
    """Not now, or not set up here."""

    status = 503
    code = "UNAVAILABLE"


class TimedOut(ShellError):
    """It took too long."""

    status = 504
    code = "TIMED_OUT"
