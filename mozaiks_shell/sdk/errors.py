"""``errors``: what plugin code may raise and catch. Each becomes the right HTTP status by itself.

Raise them with a sentence for a person: ``raise errors.Invalid("A task needs a title.")``.
"""

from mozaiks_shell.foundation.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    PlanNeeded,
    RoleNeeded,
    ShellError,
    TimedOut,
    TooLarge,
    TooMany,
    Unavailable,
    Upstream,
)

__all__ = [
    "Conflict", "Forbidden", "Invalid", "NotFound", "NotSignedIn", "PlanNeeded", "RoleNeeded", "ShellError", "TimedOut",
    "TooLarge", "TooMany", "Unavailable", "Upstream",
]  # fmt: skip
