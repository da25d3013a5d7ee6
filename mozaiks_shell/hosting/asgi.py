"""The ASGI wrapper around everything: who is asking and in which language, CSRF, pages, errors as pages, headers."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from structlog.contextvars import bind_contextvars

from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.errors import ShellError, TooLarge, TooMany
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting import documents
from mozaiks_shell.hosting.bounded_body import BoundedBody
from mozaiks_shell.hosting.error_pages import ERROR_ROUTE, Withheld, is_navigation, last_resort
from mozaiks_shell.hosting.headers import finishing
from mozaiks_shell.hosting.kinds import App, Message, Receive, Scope, Send
from mozaiks_shell.hosting.problems import problem
from mozaiks_shell.identity import app_tokens
from mozaiks_shell.identity.service import bearer_in, cookie_in, principal_from, secret_in
from mozaiks_shell.shell.navigation import any_page, decide, landing, way_in
from mozaiks_shell.ui.page import Page, page_at

log = get_logger("hosting")

_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
_ASKS_WHO = ("/api", "/auth", "/ws", "/__mozaiks", "/health", "/ready", "/info")

_KEY = "x-internal-api-key"  # where the published runtime shows its token when it reports builds

_TEMPLATES = {"/404", "/__spa-fallback"}  # pages of the build without an address, nobody's words in them
_LARGER = {"/api/avatar": 2_010_000}  # bytes; a picture of 2 MB and what is around it


class Gatekeeper:
    """Wraps the finished app. One instance per process.

    Args:
        app: What answers everything that is not a page.
        settings: Of this process.
        policy: Gives the content security policy of the built pages.
        static: Folder of the built pages; None in development, where Vite serves them.
    """

    def __init__(self, app: App, settings: Settings, policy: Callable[[], str], static: Path | None = None) -> None:
        self.app, self.settings, self.policy, self.static = app, settings, policy, static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers, started = Headers(scope=scope), False

        async def begin(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._answer(scope, receive, begin, headers)
        except Exception as error:
            if started or scope["type"] == "websocket" or not is_navigation(scope["method"], headers):
                raise
            correlation = new_id("req")
            log.error("only the last resort is left", path=scope["path"], correlation=correlation, exc_info=error)
            finish = finishing(scope, send, self.settings, self.policy, correlation)
            await last_resort(500, correlation)(scope, receive, finish)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        path: str = scope["path"]
        principal = None
        answer: Response | None = None
        page = _page_at(_canonical(path)) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        navigates = scope["type"] == "http" and self.static is not None and is_navigation(scope["method"], headers)
        if page is not None or navigates or path.startswith(_ASKS_WHO):
            principal, answer = await _asking(scope, headers)
            set_principal(principal)
        speak(principal, headers)
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        correlation = new_id("req")
        bind_contextvars(correlation=correlation)  # every line of the log that this request causes says so
        finish = finishing(scope, send, self.settings, self.policy, correlation)
        if answer is None and self._forged(scope, headers):
            answer = problem(403, "ORIGIN_REFUSED", "This request did not come from a page of this app.")
        elif answer is None and page is not None and page.route == ERROR_ROUTE:  # nobody goes there by its address
            facts = (("status", 404), ("reference", correlation))
            answer = self._document(page, principal, scope, headers, 404, facts) if self.static else None
        elif answer is None and page is not None:
            answer = await self._page(page, principal, scope, headers)
        if answer is not None:
            await answer(scope, receive, finish)
        elif navigates:
            await self._navigation(principal, scope, receive, finish, headers, correlation)
        else:
            await self._pass(scope, receive, finish, headers)

    async def _page(self, page: Page, principal: Principal | None, scope: Scope, headers: Headers) -> Response | None:
        """The answer for a declared page; None when Vite serves it."""
        if page.route == "/" and (spot := await landing(principal)) != "/":
            return RedirectResponse(spot, 303)
        decision = await decide(principal, page)
        if decision.reason == "sign_in":
            return RedirectResponse(way_in(scope["path"], scope.get("query_string", b"").decode("latin-1")), 303)
        return self._document(page, principal, scope, headers, decision.status) if self.static else None

    def _document(
        self, page: Page | None, principal: Principal | None, scope: Scope, headers: Headers, status: int,
        error: tuple[tuple[str, Any], ...] = (),
    ) -> Response:  # fmt: skip
        assert self.static is not None
        accept = headers.get("accept-encoding", "")
        document = documents.document_for(page, principal, headers, scope["path"], error)
        return documents.respond(self.static, page, document, status=status, accept=accept, head=scope["method"] == "HEAD")

    async def _navigation(
        self, principal: Principal | None, scope: Scope, receive: Receive, finish: Send, headers: Headers, correlation: str
    ) -> None:  # fmt: skip
        """Something that is not a page, opened by a person: what fails is told on a page."""
        withheld = Withheld(finish)
        try:
            await self._pass(scope, receive, withheld.send, headers)
        except Exception as error:
            log.error("request failed", path=scope["path"], correlation=correlation, exc_info=error)
            withheld.status = 500
        if not withheld.status:
            return
        try:
            facts = withheld.facts(correlation)
            answer = self._document(page_at(ERROR_ROUTE), principal, scope, headers, withheld.status, facts)
        except Exception as error:
            log.error("error page failed", correlation=correlation, exc_info=error)
            answer = last_resort(withheld.status, correlation)
        if withheld.retry_after:
            answer.headers["retry-after"] = str(withheld.retry_after)
        await answer(scope, receive, finish)

    async def _pass(self, scope: Scope, receive: Receive, finish: Send, headers: Headers) -> None:
        uploaded = self.settings.upload_max_bytes + 20_000 if scope["path"].startswith("/api/chat/upload") else 0
        limit = max(self.settings.max_body_bytes, _LARGER.get(scope["path"], 0), uploaded)
        body = BoundedBody(receive, headers, limit)
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


async def _asking(scope: Scope, headers: Headers) -> tuple[Principal | None, Response | None]:
    """Who sends this request; or the answer to a program whose app token does not reach as far (F-158).

    Sockets and pages know no app tokens.
    """
    shown = bearer_in(headers.get("authorization", "")) or headers.get(_KEY, "").strip()
    app_tokens.forget_caller()
    if not app_tokens.is_app_token(shown):
        return await principal_from(headers.get("cookie", ""), headers.get("authorization", "")), None
    if scope["type"] != "http":
        return None, None
    try:
        return await app_tokens.admit(shown, scope["method"], scope["path"]), None
    except ShellError as error:
        speak(None, headers)
        refused = problem(error.status, error.code, error.message, **error.details)
        if isinstance(error, TooMany):
            refused.headers["retry-after"] = str(error.retry_after)
        return None, refused


def speak(principal: Principal | None, headers: Headers) -> None:
    """Set the language of this request from the person, the browser's cookie, what the browser accepts."""
    cookie = cookie_in(headers.get("cookie", ""), i18n.COOKIE)
    chosen = principal.locale if principal else ""
    i18n.speak(i18n.choose(chosen, cookie, headers.get("accept-language", "")), principal.timezone if principal else "")


def _page_at(path: str) -> Page | None:
    """The page at a canonical path; files of the build that are nobody's page are not there."""
    return page_at(ERROR_ROUTE) if path in _TEMPLATES else any_page(path)


def _canonical(path: str) -> str:
    """The page a static file server would find under this path: ``//x/../admin/index.html`` is ``/admin``."""
    path = posixpath.normpath(re.sub(r"/+", "/", f"/{path}"))
    return re.sub(r"(/index)?\.html?$", "", path) or "/"
