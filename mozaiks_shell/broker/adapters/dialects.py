"""The two ways a runtime may be asked (F-150): by the routes it publishes, and by those the founding documents name.

Which one counts is set by ``MOZAIKS_AI_DIALECT``, or learned from the first call: a route that is not there is answered
with 404 or 405 by every web framework, and no published route that is asked first says 404 of a thing.
"""

from typing import Any, Literal, Protocol
from urllib.parse import quote

from mozaiks_shell.broker.adapters.answers import rows_in

Name = Literal["published", "founding"]


def path(*parts: str) -> str:
    """``path("api", "chats", app_id)``, each part quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


class Dialect(Protocol):
    """Paths and bodies of one dialect."""

    name: Name

    def start(self, app_id: str, workflow: str, user_id: str, request_id: str, force_new: bool) -> tuple[str, dict[str, Any]]:
        """Path and body of the POST that makes a chat."""

    def meta(self, app_id: str, workflow: str, chat_id: str) -> str:
        """Path of a chat's state."""

    def eligible(self, app_id: str, workflow: str, user_id: str) -> tuple[str, dict[str, str]]:
        """Path and query of what says whether a person may run a workflow."""


class Published:
    """The routes of the published runtime."""

    name: Name = "published"

    def start(self, app_id: str, workflow: str, user_id: str, request_id: str, force_new: bool) -> tuple[str, dict[str, Any]]:
        """POST /api/chats/{app}/{wf}/start."""
        body = {"user_id": user_id, "client_request_id": request_id, "force_new": force_new}
        return path("api", "chats", app_id, workflow, "start"), body

    def meta(self, app_id: str, workflow: str, chat_id: str) -> str:
        """GET /api/chats/meta/{app}/{wf}/{chat}."""
        return path("api", "chats", "meta", app_id, workflow, chat_id)

    def eligible(self, app_id: str, workflow: str, user_id: str) -> tuple[str, dict[str, str]]:
        """GET /api/workflows/{app}/available: every workflow of the pack at once."""
        return path("api", "workflows", app_id, "available"), {"user_id": user_id}


class Founding:
    """The routes of the founding documents (S3 §What .NET needs)."""

    name: Name = "founding"

    def start(self, app_id: str, workflow: str, user_id: str, request_id: str, force_new: bool) -> tuple[str, dict[str, Any]]:
        """POST /api/sessions."""
        body = {"app_id": app_id, "user_id": user_id, "workflow_name": workflow, "client_request_id": request_id}
        return "/api/sessions", {**body, "force_new": force_new}

    def meta(self, app_id: str, workflow: str, chat_id: str) -> str:
        """GET /api/sessions/{chat_id}."""
        return path("api", "sessions", chat_id)

    def eligible(self, app_id: str, workflow: str, user_id: str) -> tuple[str, dict[str, str]]:
        """GET /api/workflows/{name}/eligible."""
        return path("api", "workflows", workflow, "eligible"), {"app_id": app_id, "user_id": user_id}


PUBLISHED, FOUNDING = Published(), Founding()


def verdict(answer: dict[str, Any], workflow: str, dialect: Name) -> tuple[bool, str]:
    """Whether the workflow may be run, and why not. A workflow that the published list does not name is not gated."""
    if dialect == "founding":
        open_ = answer.get("eligible", answer.get("available", True))
        return bool(open_), "" if open_ else _text(answer)
    for one in rows_in(answer, "workflows"):
        if one.get("workflow_name", one.get("id")) == workflow:
            return bool(one.get("available", True)), "" if one.get("available", True) else _text(one)
    return True, ""


def _text(one: dict[str, Any]) -> str:
    reason = one.get("reason") or one.get("locked_reason") or one.get("detail") or ""
    return reason[:500] if isinstance(reason, str) else ""
