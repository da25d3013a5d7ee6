"""The headers of every answer, and the answer's number in the log."""

from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.kinds import Scope, Send

RUNTIME_VERSION = "1.0.0"
EMBED_PATH = "/embed"  # the one page that others may frame, and only those the operator named (decision 0013)


def finishing(scope: Scope, send: Send, settings: Settings, policy: Callable[[], str], correlation: str) -> Send:
    """``send`` that adds the security headers, the runtime version and the caching rule of the path."""

    async def finish(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-mozaiks-runtime-version"] = RUNTIME_VERSION
            headers["x-correlation-id"] = correlation
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "same-origin"
            framers = settings.embed_origins if scope["path"].rstrip("/") == EMBED_PATH else []
            if not framers:
                headers["x-frame-options"] = "DENY"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers["permissions-policy"] = "camera=(), microphone=(), geolocation=()"
            if settings.secure:
                headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
            if headers.get("content-type", "").startswith("text/html"):
                wanted = f"frame-ancestors {' '.join(framers)}" if framers else "frame-ancestors 'none'"
                headers["content-security-policy"] = policy().replace("frame-ancestors 'none'", wanted)
                headers["cache-control"] = "no-store"
            elif scope["path"].startswith("/assets/") and message["status"] == 200:
                headers.setdefault("cache-control", "public, max-age=31536000, immutable")
            elif scope["path"].startswith(("/api", "/auth")):
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return finish
