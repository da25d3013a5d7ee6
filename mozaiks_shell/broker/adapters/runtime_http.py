"""The published runtime's HTTP API over httpx, and what its refusals mean to a person (F-152)."""

import re
from typing import Any
from urllib.parse import quote

import httpx

from mozaiks_shell.broker.errors import TokensNeeded, runtime_unavailable
from mozaiks_shell.foundation import http
from mozaiks_shell.foundation.errors import Conflict, NotFound, ShellError, TimedOut, TooMany, Upstream
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("broker")
_CHAT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")


class HttpRuntime:
    """Implements :class:`mozaiks_shell.broker.ports.Runtime`. Keeps its connections; close it at the end."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = http.client(base_url)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def start(self, app_id: str, workflow: str, user_id: str, token: str, request_id: str) -> str:
        """POST /api/chats/{app}/{wf}/start, always with ``force_new``: reuse is decided by our own idempotency key,
        because the runtime would also merge two tabs that meant two chats."""
        body = {"user_id": user_id, "client_request_id": request_id, "force_new": True}
        answer = await self._call("POST", f"/api/chats/{quote(app_id, safe='')}/{quote(workflow, safe='')}/start", token, body)
        chat_id = answer.get("chat_id")
        if not isinstance(chat_id, str) or not _CHAT_ID.fullmatch(chat_id):
            raise Upstream("The assistant's server gave no usable chat id.", code="RUNTIME_ERROR")
        return chat_id

    async def meta(self, app_id: str, workflow: str, chat_id: str, token: str) -> dict[str, Any]:
        """GET /api/chats/meta/{app}/{wf}/{chat}."""
        path = "/".join(quote(part, safe="") for part in (app_id, workflow, chat_id))
        return await self._call("GET", f"/api/chats/meta/{path}", token)

    async def workflows(self, token: str) -> dict[str, Any]:
        """GET /api/workflows."""
        return await self._call("GET", "/api/workflows", token)

    async def health(self, token: str) -> dict[str, Any]:
        """GET /api/health."""
        return await self._call("GET", "/api/health", token)

    async def _call(self, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"}
        try:
            response = await self._http.request(method, path, json=body, headers=headers)
        except httpx.ConnectError as error:
            log.warning("runtime not reachable", url=self.base_url, error=str(error))
            raise runtime_unavailable() from error
        except httpx.TimeoutException as error:
            raise TimedOut("The assistant's server did not answer in time.", code="RUNTIME_TIMED_OUT") from error
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed meanwhile, because the runtime moved
            log.warning("runtime call failed", url=self.base_url, path=path, error=str(error))
            raise runtime_unavailable() from error
        if response.status_code >= 300:
            raise _refusal(response)
        try:
            answer = response.json()
        except ValueError as error:
            raise Upstream("The assistant's server answered with something unreadable.", code="RUNTIME_ERROR") from error
        return answer if isinstance(answer, dict) else {}


def _refusal(response: httpx.Response) -> ShellError:
    """The error that stands for this answer. Reasons of 402 and 409 are meant for the person; others for the log."""
    try:
        detail = response.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = ""
    reason = detail if isinstance(detail, str) else ""
    match response.status_code:
        case 402:
            return TokensNeeded(reason or "Your token balance does not cover this run.")
        case 404:
            return NotFound("The assistant's server does not know this.", code="RUNTIME_NOT_FOUND")
        case 409:
            return Conflict(reason or "Something else has to be finished first.", code="PREREQUISITES_NOT_MET")
        case 429:
            after = response.headers.get("retry-after", "")
            return TooMany("The assistant is busy.", retry_after=int(after) if after.isdigit() else 5)
    log.error("runtime refused", path=response.url.path, status=response.status_code, reason=reason[:300])
    if response.status_code in {401, 403}:
        return Upstream("The assistant's server did not accept this app's credentials.", code="RUNTIME_REFUSED")
    return Upstream("The assistant's server reported an error.", code="RUNTIME_ERROR")
