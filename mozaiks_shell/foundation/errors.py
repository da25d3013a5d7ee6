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
    status = 422
    code = "VALIDATION_ERROR"


class NotSignedIn(ShellError):
    status = 401
    code = "NOT_SIGNED_IN"


class Forbidden(ShellError):
    status = 403
    code = "FORBIDDEN"


class RoleNeeded(Forbidden):
    code = "ROLE_NEEDED"


class PlanNeeded(Forbidden):
    code = "FEATURE_GATED"


class NotFound(ShellError):
    status = 404
    code = "NOT_FOUND"


class Conflict(ShellError):
    status = 409
    code = "CONFLICT"


class TooLarge(ShellError):
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
    status = 502
    code = "UPSTREAM_ERROR"


class Unavailable(ShellError):
    status = 503
    code = "UNAVAILABLE"


class TimedOut(ShellError):
    status = 504
    code = "TIMED_OUT"
