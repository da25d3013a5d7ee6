"""What a runtime's answers mean: refusals as errors a person can read (F-152), and the shapes the dialects differ in."""

import json
import re
from typing import Any, Final

from mozaiks_shell.broker.errors import NotSent, TokensNeeded
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError, TooMany, Upstream
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("broker")

_WRAPPED: Final = re.compile(r"\b(4\d\d): (.*)$", re.DOTALL)  # ``Failed to submit user input: 404: …``
_CHAT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_DONE: Final = frozenset({"completed", "complete", "done", "finished", "succeeded", "success"})
_WAITING: Final = frozenset({"waiting_for_input", "awaiting_input", "waiting"})
_BROKEN: Final = frozenset({"failed", "error", "cancelled", "canceled"})


def parsed(raw: bytes) -> dict[str, Any]:
    """The object in an answer; other JSON is an empty one.

    Raises:
        Upstream: not JSON, or nested too deep to be read.
    """
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Upstream(tr("The assistant's server answered with something unreadable."), code="RUNTIME_ERROR") from error
    if isinstance(answer, list):
        return {"items": answer}
    return answer if isinstance(answer, dict) else {}


def refusal(path: str, status: int, raw: bytes, retry_after: str = "", *, wraps: bool = False) -> ShellError:
    """The error that stands for this answer. Reasons of 402 and 409 are meant for the person; others for the log.

    Args:
        wraps: This route of the published runtime hides its 400 and 404 in the text of a 500.
    """
    reason = _reason(raw)
    if wraps and status == 500 and (inner := _WRAPPED.search(reason)):
        status, reason = int(inner[1]), inner[2].strip()
    match status:
        case 400 | 422 if reason and (wraps or path.endswith("/execute")):
            return Invalid(reason[:500], code="WORKFLOW_REFUSED")
        case 402:
            return TokensNeeded(reason[:500] or tr("Your token balance does not cover this run."))
        case 404 | 405:
            return NotFound(tr("The assistant's server does not know this."), code="RUNTIME_NOT_FOUND")
        case 409:
            return Conflict(reason[:500] or tr("Something else has to be finished first."), code="PREREQUISITES_NOT_MET")
        case 429:
            after = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 5
            return TooMany(tr("The assistant is busy."), retry_after=min(max(after, 1), 3600))
        case 503:
            return NotSent()
    log.error("runtime refused", path=path, status=status, reason=reason[:300])
    if status in {401, 403}:
        return Upstream(tr("The assistant's server did not accept this app's credentials."), code="RUNTIME_REFUSED")
    return Upstream(tr("The assistant's server reported an error."), code="RUNTIME_ERROR")


def _reason(raw: bytes) -> str:
    try:
        told = json.loads(raw)
        detail = told.get("detail") or told.get("error") or told.get("reason") or ""
    except (ValueError, RecursionError, AttributeError):
        return ""
    if isinstance(detail, dict):
        detail = detail.get("message") or detail.get("reason") or detail.get("detail") or ""
    return detail if isinstance(detail, str) else ""


def chat_id_in(answer: dict[str, Any]) -> str:
    """The id of a chat that was just made, whichever name it has.

    Raises:
        Upstream: there is none that could be used in an address.
    """
    found = next((answer[name] for name in ("chat_id", "session_id", "id") if answer.get(name)), None)
    if not isinstance(found, str) or not _CHAT_ID.fullmatch(found):
        raise Upstream(tr("The assistant's server gave no usable chat id."), code="RUNTIME_ERROR")
    return found


def meta_in(answer: dict[str, Any]) -> dict[str, Any]:
    """A chat's state with ``exists`` and a numeric ``status``: 0 in progress, 1 completed. Words stay as ``status_text``.

    ``waiting_for`` is ``input`` where a runtime says that a person is asked something; the published one never says so.
    """
    inner = answer.get("session")
    told = dict(inner) if isinstance(inner, dict) else dict(answer)
    told.setdefault("exists", True)
    status = told.get("status")
    if isinstance(status, str):
        told["status_text"] = status
        told["status"] = 1 if status.strip().lower() in _DONE else 0
        told["failed"] = status.strip().lower() in _BROKEN
        if status.strip().lower() in _WAITING:
            told.setdefault("waiting_for", "input")
    return told


def rows_in(answer: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """The objects of a list, whichever name it has."""
    found: list[Any] = next((answer[name] for name in (*names, "items") if isinstance(answer.get(name), list)), [])
    return [one for one in found if isinstance(one, dict)]
