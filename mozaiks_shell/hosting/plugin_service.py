"""The plugin host as a service of its own: the same plugins, the same answers, without pages and without the chat (F-094).

Who calls is told by a bearer token (``POST /api/auth/token`` of the shell), never by a cookie: cookies of one host are
sent to all its ports. Everything else is decided as in the shell, by the same code.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation import db, i18n
from mozaiks_shell.foundation.access import Access, Principal, set_principal
from mozaiks_shell.foundation.errors import TooLarge
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.bounded_body import BoundedBody
from mozaiks_shell.hosting.kinds import App, Receive, Scope, Send
from mozaiks_shell.hosting.migrate import only_one, upgrade
from mozaiks_shell.identity.service import principal_from
from mozaiks_shell.plugin_host import routes, service
from mozaiks_shell.plugin_host.loader import load_all
from mozaiks_shell.plugin_host.startup import start_plugins


def plugin_service(settings: Settings) -> App:
    """The service as an ASGI app. Plugins are imported here, their tables migrated when it starts."""
    load_all(settings, builds=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(upgrade, settings)
        stop = await start_plugins(settings, only_one)
        yield
        await stop()
        await db.dispose()

    api = FastAPI(title="Plugin host", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    problems.install(api)
    api.get("/health")(health)
    api.get("/api/plugins")(listed)
    api.post("/api/plugins/{name}/execute")(execute)
    return Caller(api, settings)


async def health() -> dict[str, Any]:
    """Alive, and how many plugins are in service."""
    return {"status": "healthy", "plugins_loaded": sum(one.state in {"loaded", "degraded"} for one in service.plugin_reports())}


async def listed(person: Annotated[Principal, Depends(needs(Access.signed_in()))]) -> list[dict[str, str]]:
    """Name and state of every plugin; why one is out of service only for administrators."""
    admin = person.has_role("admin")
    return [{"name": one.name, "status": one.state, "error": one.reason if admin else ""} for one in service.plugin_reports()]


async def execute(name: str, request: Request) -> Response:
    """As ``POST /api/execute/{name}`` of the shell."""
    return await routes.execute(name, request)


class Caller:
    """Says who is asking and in which language, refuses writes from foreign pages, bounds bodies."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bearer = headers.get("authorization", "")
        principal = await principal_from("", bearer) if bearer else None
        set_principal(principal)
        chosen = i18n.choose(principal.locale if principal else "", "", headers.get("accept-language", ""))
        i18n.speak(chosen, principal.timezone if principal else "")
        origin = headers.get("origin", "")
        if origin and not bearer and origin not in self.settings.allowed_origins:
            refused = problems.problem(403, "ORIGIN_REFUSED", "This request did not come from a page of this app.")
            await refused(scope, receive, send)
            return
        body = BoundedBody(receive, headers, self.settings.max_body_bytes)
        if not body.over:
            try:
                await self.app(scope, body.receive, body.unless_over(send))
            except ClientDisconnect:
                if not body.over:
                    raise
        if body.over and not body.answered:
            too_large = problems.problem(413, TooLarge.code, f"The request is larger than {body.limit:,} bytes.")
            await too_large(scope, receive, send)
