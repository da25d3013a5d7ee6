"""What a program tells of a build (F-165): the published runtime's words, and those of whoever deploys.

A report names a build and the status it reached. Both spellings of every field are read, ``buildId`` and ``build_id``. Only
``ts`` says when something happened in the order of events; ``completedAt`` is a fact about the build.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import digest, new_id

STATUSES: Final = ("draft", "building", "built", "deployable", "deployed", "error")
_MEANT: Final = {
    "build_created": "draft", "build_started": "building", "build_completed": "built", "build_failed": "error",
    "deploy_ready": "deployable", "deploy_completed": "deployed", "deploy_failed": "error",
}  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_EXPORT: Final = re.compile(r"/api/apps/([^/]+)/builds/([^/]+)/export")


@dataclass(frozen=True, slots=True)
class Report:
    """One event of one build. ``told_at`` is the sender's time, None when it names none; ``facts`` fill the build's fields."""

    event_id: str
    build_id: str
    kind: str
    status: str
    told_at: datetime | None = None
    facts: dict[str, str] = field(default_factory=dict)


def report_in(body: Any, app_id: str, headers: Mapping[str, str]) -> Report:
    """The report in a request.

    Args:
        headers: ``X-Event-Id`` and ``X-Idempotency-Key`` (or ``Idempotency-Key``) name the event where the body does not.

    Raises:
        Invalid: a field is missing or of the wrong kind, or the report is another app's; ``errors`` names the field.
    """
    if not isinstance(body, dict):
        raise _wrong("", tr("Send an object with buildId and status."))
    if _text(body, "appId", "app_id") not in {"", app_id}:
        raise _wrong("appId", tr("This is another app's."))
    build_id = _text(body, "buildId", "build_id")
    if not _ID.fullmatch(build_id):
        raise _wrong("buildId", tr("Send an object with buildId and status."))
    kind = _text(body, "event_type", "eventType", "type")[:64]
    status = _text(body, "status") or _MEANT.get(kind, "")
    if status not in STATUSES:
        raise _wrong("status", tr("The status of a build is one of {names}.", names=", ".join(STATUSES)))
    if _MEANT.get(kind, status) != status:
        raise _wrong("status", tr("The event {kind} does not mean {status}.", kind=kind, status=status))
    told_at = _moment(body, "ts", "timestamp", "occurredAt", "occurred_at")
    return Report(_event_id(body, headers, build_id, status, told_at), build_id, kind, status, told_at, _facts(body, app_id))


def _event_id(body: dict[str, Any], headers: Mapping[str, str], build_id: str, status: str, told_at: datetime | None) -> str:
    """The name of the event: its id, else the key under which it is repeated, else what it says at which time."""
    named = _text(body, "eventId", "event_id", "id") or headers.get("x-event-id", "")
    key = _text(body, "idempotencyKey", "idempotency_key")
    found = named or key or headers.get("x-idempotency-key", "") or headers.get("idempotency-key", "")
    if not found:
        return f"at_{digest(f'{build_id} {status} {told_at.isoformat()}')}" if told_at else new_id("evt")
    if len(found) > 128 or not found.isprintable():
        raise _wrong("eventId", tr("The id of an event has at most 128 characters."))
    return found


def _facts(body: dict[str, Any], app_id: str) -> dict[str, str]:
    made, error = body.get("artifacts"), body.get("error")
    made = made if isinstance(made, dict) else {}
    logs = body.get("logs")
    reason = _text(error, "message", "detail") if isinstance(error, dict) else error if isinstance(error, str) else ""
    completed = _moment(body, "completedAt", "completed_at")
    facts = {
        "workflow": _text(body, "workflowName", "workflow_name")[:128],
        "chat_id": _text(body, "chatId", "chat_id")[:128],
        "preview_url": _address(_text(made, "previewUrl", "preview_url")),
        "logs_url": _address(_text(made, "logsUrl", "logs_url") or (_text(logs, "url") if isinstance(logs, dict) else "")),
        "export_id": _bundle(_text(made, "exportDownloadUrl", "export_download_url"), app_id),
        "error": reason.strip()[:1000],
        "completed_at": completed.isoformat() if completed else "",
    }
    return {name: value for name, value in facts.items() if value}


def _bundle(address: str, app_id: str) -> str:
    """The runtime's name for the bundle in its own address of it. The address itself is never asked: it may be anybody's."""
    found = _EXPORT.search(_parts(address).path)
    if found is None or unquote(found[1]) != app_id or not _ID.fullmatch(unquote(found[2])):
        return ""
    return unquote(found[2])


def _address(url: str) -> str:
    """An address a person may be sent to, or nothing."""
    parts = _parts(url)
    return url if parts.scheme in {"http", "https"} and parts.netloc and url.isprintable() else ""


def _parts(url: str) -> SplitResult:
    """Of an address that has any; what is too long or none at all has nothing."""
    try:
        return urlsplit(url if len(url) <= 2000 else "")
    except ValueError:
        return urlsplit("")


def _text(body: Any, *names: str) -> str:
    found = next((body[name] for name in names if isinstance(body, dict) and body.get(name) is not None), "")
    if not isinstance(found, str):
        raise _wrong(names[0], tr("This has to be text."))
    return found.strip()


def _moment(body: dict[str, Any], *names: str) -> datetime | None:
    told = _text(body, *names)
    if not told:
        return None
    try:
        found = datetime.fromisoformat(told)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(names[0], tr("This is no point in time (ISO 8601).")) from None


def _wrong(name: str, message: str) -> Invalid:
    return Invalid(message, errors=[{"field": name, "message": message}])
