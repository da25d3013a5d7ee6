"""The one way out: an httpx client with limits and a correlation id, so that it can be swapped (D13)."""

import httpx


def client(base_url: str = "", *, timeout: float = 10.0, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client with bounded time and connections. The caller closes it (``async with``)."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=5.0),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        headers={"user-agent": "mozaiks-shell", **(headers or {})},
        follow_redirects=False,
    )
