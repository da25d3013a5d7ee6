"""Writes come from our own pages, with and without a cookie; odd paths meet the same page gate."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import service
from mozaiks_shell.ui.page import owned_by, page, withdraw

OURS, THEIRS = "http://localhost:3000", "http://evil.example:3000"


@pytest.fixture
async def client(database) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    problems.install(api)

    @api.post("/api/write")
    @api.post("/auth/write")
    async def write() -> dict[str, bool]:
        return {"written": True}

    @api.get("/{path:path}")
    async def file(path: str) -> dict[str, str]:
        return {"file": path}

    with owned_by("test", ""):
        page("/vault", title="Vault", access=Access.role("admin"))(lambda: None)  # type: ignore[arg-type,return-value]
    transport = httpx.ASGITransport(Gatekeeper(api, database, lambda: "default-src 'self'"))
    async with httpx.AsyncClient(transport=transport, base_url=OURS) as opened:
        yield opened
    withdraw("test")


async def status(client: httpx.AsyncClient, path: str, **headers: str) -> int:
    return (await client.post(path, headers=headers)).status_code


async def test_a_foreign_origin_writes_nothing_even_without_a_cookie(client):
    for path in ("/api/write", "/auth/write"):
        for origin in (THEIRS, "null", OURS + ".evil.example", "http://localhost:3001", "https://localhost:3000"):
            assert await status(client, path, origin=origin) == 403, (path, origin)
        assert await status(client, path, origin=OURS) == 200


async def test_a_rebound_host_name_does_not_make_the_origin_ours(client):
    assert await status(client, "/api/write", origin=THEIRS, host="evil.example:3000") == 403


async def test_programs_send_no_origin_and_ride_on_no_cookie(client, database):
    person = await service.register("ada", "correct horse battery", "ada@example.com")
    secret = await service.open_session(person)
    cookie = f"{service.cookie_name()}={secret}"
    assert await status(client, "/api/write") == 200
    assert await status(client, "/auth/write") == 403
    assert await status(client, "/api/write", cookie=cookie) == 403
    assert await status(client, "/api/write", cookie=cookie, referer=OURS + "/page") == 200
    assert await status(client, "/api/write", cookie=cookie, referer=OURS + ".evil.example/") == 403
    token = await service.open_session(person, kind="token")
    assert await status(client, "/api/write", origin=THEIRS, authorization=f"Bearer {token}") == 200


@pytest.mark.parametrize(
    "path",
    [
        "/vault", "/vault/", "//vault", "//vault//", "/vault/index.html", "/vault.html", "/./vault.html", "/x/../vault.html",
        "/x/%2e%2e/vault.html", "/vault/./index.html", "/vault/x/..%2findex.html", "/assets/../vault/", "/../vault.html",
    ],
)  # fmt: skip
async def test_every_spelling_of_a_page_meets_its_gate(client, path):
    answer = await client.get(httpx.URL(OURS).copy_with(raw_path=path.encode()))
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
