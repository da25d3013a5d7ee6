"""F-074: a body over the limit is 413, declared or chunked; nothing of it reaches the handler's effect."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper

LIMIT = 1_000_000


@pytest.fixture
async def client(database) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    problems.install(api)
    api.state.done = []

    @api.post("/api/raw")
    async def raw(request: Request) -> dict[str, int]:
        size = len(await request.body())
        api.state.done.append(size)
        return {"size": size}

    @api.post("/api/json")
    async def typed(body: dict) -> dict[str, int]:
        api.state.done.append(len(body))
        return {"keys": len(body)}

    transport = httpx.ASGITransport(Gatekeeper(api, database, lambda: "default-src 'self'"), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3000") as opened:
        opened.done = api.state.done  # type: ignore[attr-defined]
        yield opened


async def _chunks(total: int) -> AsyncIterator[bytes]:
    for start in range(0, total, 64_000):
        yield b"x" * min(64_000, total - start)


@pytest.mark.parametrize("path", ["/api/raw", "/api/json"])
async def test_f074_declared_and_chunked_bodies_are_bounded(client, path):
    declared = await client.post(path, content=b"x" * (LIMIT + 1))
    chunked = await client.post(path, content=_chunks(LIMIT + 1))
    assert (declared.status_code, chunked.status_code) == (413, 413)
    assert declared.json()["code"] == chunked.json()["code"] == "TOO_LARGE"
    assert client.done == []


async def test_a_body_of_exactly_the_limit_passes(client):
    answer = await client.post("/api/raw", content=_chunks(LIMIT))
    assert answer.json() == {"size": LIMIT}
    assert answer.headers["x-mozaiks-runtime-version"] == "1.0.0"
