"""A failed navigation ends on a page in the shell, with the right status; programs get problem documents (D12)."""

import json
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

from mozaiks_shell.hosting.kinds import Message, Send
from mozaiks_shell.hosting.standalone import failure_page

ERROR_ROUTE = "/_error"
_TOLD = ("code", "detail", "needed", "retry_after", "contact")


def is_navigation(method: str, headers: Headers) -> bool:
    """True when a person waits for a page: a GET or HEAD whose answer is shown as a document."""
    if method not in {"GET", "HEAD"}:
        return False
    mode = headers.get("sec-fetch-mode", "")
    return mode == "navigate" or (not mode and "text/html" in headers.get("accept", ""))


class Withheld:
    """Holds an answer of 400 and above back, so that a page can take its place.

    ``status`` is 0 until one was held; everything else passes through at once.
    """

    def __init__(self, send: Send) -> None:
        self._send, self.status, self.retry_after, self._body, self._kind = send, 0, 0, b"", ""

    async def send(self, message: Message) -> None:
        """Pass on, or keep."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            headers = Headers(raw=message.get("headers", []))
            self.status, self._kind = message["status"], headers.get("content-type", "")
            self.retry_after = int(headers["retry-after"]) if headers.get("retry-after", "").isdigit() else 0
        elif self.status:
            self._body += message.get("body", b"")[: 65_536 - len(self._body)]
        else:
            await self._send(message)

    def facts(self, reference: str) -> tuple[tuple[str, Any], ...]:
        """What the error page is told: ``status``, ``reference`` and what the problem document says."""
        said: dict[str, Any] = {}
        if "json" in self._kind:
            try:
                said = json.loads(self._body)
            except ValueError:
                said = {}
        told = {name: said[name] for name in _TOLD if isinstance(said, dict) and isinstance(said.get(name), str | int)}
        if self.retry_after:
            told["retry_after"] = self.retry_after
        return (("status", self.status), ("reference", reference), *told.items())


def last_resort(status: int, reference: str) -> Response:
    """When not even the error page can be made."""
    return Response(failure_page(status, reference), status, media_type="text/html")
