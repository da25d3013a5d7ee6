"""A visitor in front of the real gatekeeper and the routes of identity and the shell, without pages."""

import contextlib
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity.form_routes import router as forms
from mozaiks_shell.identity.routes import router as accounts
from mozaiks_shell.shell.account_routes import router as account
from mozaiks_shell.shell.settings_routes import router as settings_router

PASSWORD = "correct horse battery"
ROOT, ADA, EVE = (
    {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "full_name": full}
    for name, full in (("root", "Root Admin"), ("ada", "Ada Lovelace"), ("eve", "Eve Moreau"))
)


@pytest.fixture
async def visitor(database: Settings) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Call for a browser: it keeps cookies and sends the Origin of our pages."""
    async with contextlib.AsyncExitStack() as stack:

        def build(**headers: str) -> httpx.AsyncClient:
            settings = get_settings()
            api = FastAPI()
            problems.install(api)
            for router in (accounts, forms, account, settings_router):
                api.include_router(router)
            inside = httpx.ASGITransport(Gatekeeper(api, settings, lambda: "default-src 'self'"), client=("203.0.113.7", 50_000))
            client = httpx.AsyncClient(
                mounts={f"all://{urlsplit(settings.origin).netloc}": inside},
                base_url=settings.origin,
                headers={"origin": settings.origin, **headers},
            )
            stack.push_async_callback(client.aclose)
            return client

        yield build


@pytest.fixture
def browser(visitor: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """One visitor with the default settings."""
    return visitor()


async def signed_in(client: httpx.AsyncClient, person: dict[str, str]) -> httpx.AsyncClient:
    """The same browser after signing up."""
    answer = await client.post("/auth/register", data=person)
    assert answer.status_code == 303 and "error" not in answer.headers["location"], answer.headers
    return client
