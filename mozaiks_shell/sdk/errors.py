"""``errors``: what plugin code may raise and catch. Each becomes the right HTTP status by itself.

Raise them with a sentence for a person: ``raise errors.Invalid("A task needs a title.")``. Each has ``message``, a stable
``code`` (upper case; give your own with ``code="TITLE_MISSING"``), an HTTP ``status`` and ``details``, which go into the
problem document. What else escapes a plugin is its own fault: 500 ``PLUGIN_FAILED``, written to the log.

====================  ======  ==========================================================================================
class                 status  raised by the SDK
====================  ======  ==========================================================================================
``Invalid``           422     data that cannot be stored or is refused elsewhere (``WORKFLOW_REFUSED``, ``BAD_URL``)
``NotSignedIn``       401     everything that needs a person: ``db``, ``payments``, ``auth.current_user``
``Forbidden``         403     ``PERMISSION_MISSING``, ``ADDRESS_NOT_ALLOWED``, somebody else's rows
``RoleNeeded``        403     the gate
``PlanNeeded``        403     the gate, ``entitlements``
``NotFound``          404     ``db.<collection>.get``, ``jobs.status``
``Conflict``          409     ``payments.checkout`` of the present plan
``TooLarge``          413     request bodies, files
``TooMany``           429     limits; ``retry_after`` in seconds
``Upstream``          502     ``http``, ``workflow_client``, ``plugins``: the other system failed
``Unavailable``       503     not set up (``WORKFLOWS_NOT_CONFIGURED``, ``EXTENSION_NOT_ENABLED``) or out of service
``TimedOut``          504     no answer in time
====================  ======  ==========================================================================================
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
