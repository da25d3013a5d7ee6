"""The ASGI wrapper around everything: who is asking, CSRF, page status, security headers."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse

from mozaiks_shell.billing.service import authorize
from mozaiks_shell.foundation.access import set_principal
from mozaiks_shell.foundation.errors import TooLarge
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.problems import problem
from mozaiks_shell.identity.service import bearer_in, principal_from, secret_in
from mozaiks_shell.ui.page import page_at

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

RUNTIME_VERSION = "1.0.0"
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
_ASKS_WHO = ("/api", "/auth", "/ws", "/__mozaiks", "/health", "/ready", "/info")


class Gatekeeper:
    """Wraps the finished app. One instance per process."""

    def __init__(self, app: App, settings: Settings, policy: Callable[[], str]) -> None:
        self.app, self.settings, self.policy = app, settings, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path: str = scope["path"]
        page = page_at(_canonical(path)) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        status_override = 0
        if page is not None or path.startswith(_ASKS_WHO):
            principal = await principal_from(headers.get("cookie", ""), headers.get("authorization", ""))
            set_principal(principal)
            if page is not None:
                decision = await authorize(principal, page.access)
                if decision.reason == "sign_in":
                    wanted = path + (f"?{scope['query_string'].decode()}" if scope.get("query_string") else "")
                    to_sign_in = RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", 303)
                    await to_sign_in(scope, receive, self._finish(scope, send, 0))
                    return
                status_override = 0 if decision.allowed else decision.status
                if "[" not in page.route:
                    served = page.route.rstrip("/") + "/"
                    scope = {**scope, "path": served, "raw_path": served.encode()}
        if scope["type"] == "http" and self._forged(scope, headers):
            refused = problem(403, "ORIGIN_REFUSED", "This request did not come from a page of this app.")
            await refused(scope, receive, self._finish(scope, send, 0))
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        finish = self._finish(scope, send, status_override)
        body = _BoundedBody(receive, headers, self.settings.max_body_bytes)
        if not body.over:
            try:
                await self.app(scope, body.receive, body.unless_over(finish))
            except ClientDisconnect:
                if not body.over:
                    raise
        if body.over and not body.answered:
            too_large = problem(413, TooLarge.code, f"The request is larger than {body.limit:,} bytes.")
            await too_large(scope, receive, finish)

    def _forged(self, scope: Scope, headers: Headers) -> bool:
        """Whether a write comes from a page that is not ours.

        A browser always names the origin of a write; what it names must be ours, also without a cookie, or a
        page that reaches us by a rebound name could create the first account. Programs send no Origin: they
        pass, unless they ride on our cookie or use the ways in that set it.
        """
        if scope["method"] not in _UNSAFE:
            return False
        origin = headers.get("origin", "")
        if origin:
            return origin not in self.settings.allowed_origins and not bearer_in(headers.get("authorization", ""))
        if not secret_in(headers.get("cookie", "")) and not scope["path"].startswith("/auth/"):
            return False
        parts = urlsplit(headers.get("referer", ""))
        return f"{parts.scheme}://{parts.netloc}" not in self.settings.allowed_origins

    def _finish(self, scope: Scope, send: Send, status: int) -> Send:
        correlation = new_id("req")

        async def finish(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                if status and message["status"] == 200:
                    message["status"] = status
                headers = MutableHeaders(scope=message)
                headers["x-mozaiks-runtime-version"] = RUNTIME_VERSION
                headers["x-correlation-id"] = correlation
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
                headers["x-frame-options"] = "DENY"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers["permissions-policy"] = "camera=(), microphone=(), geolocation=()"
                if self.settings.secure:
                    headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
                kind = headers.get("content-type", "")
                if kind.startswith("text/html"):
                    headers["content-security-policy"] = self.policy()
                    headers["cache-control"] = "no-store" if status or page_at(scope["path"]) else "no-cache"
                elif scope["path"].startswith("/assets/") and message["status"] == 200:
                    headers["cache-control"] = "public, max-age=31536000, immutable"
                elif scope["path"].startswith(("/api", "/auth")):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        return finish


def _canonical(path: str) -> str:
    """The page a static file server would find under this path: ``//admin/index.html`` is ``/admin``."""
    path = re.sub(r"/+", "/", path)
    return re.sub(r"(/index)?\.html?$", "", path) or "/"


class _BoundedBody:
    """Stops a request body over the limit, declared or chunked (F-074). Whatever the app made of the cut body is dropped."""

    def __init__(self, receive: Receive, headers: Headers, limit: int) -> None:
        declared = headers.get("content-length", "")
        self.inner, self.limit, self.seen, self.answered = receive, limit, 0, False
        self.over = declared.isdigit() and int(declared) > limit

    async def receive(self) -> MutableMapping[str, Any]:
        message = await self.inner()
        self.seen += len(message.get("body", b""))
        if self.seen > self.limit:
            self.over = True
            return {"type": "http.disconnect"}
        return message

    def unless_over(self, send: Send) -> Send:
        async def pass_on(message: MutableMapping[str, Any]) -> None:
            if not self.over or self.answered:
                self.answered = True
                await send(message)

        return pass_on
