"""People of a test."""

from dataclasses import dataclass

import httpx

from mozaiks_shell.foundation.access import Principal


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a live session.

    Attributes:
        principal: Who they are to the gates.
        web: An HTTP client of the plugin's API, signed in with the session's cookie, through the real gatekeeper:
            ``await ada.web.post("/api/execute/tasks", json={"action": "list"})``.
    """

    principal: Principal
    web: httpx.AsyncClient

    @property
    def id(self) -> str:
        """The ``user_id`` of their rows."""
        return self.principal.user_id

    @property
    def email(self) -> str:
        return self.principal.email
