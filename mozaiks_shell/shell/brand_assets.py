"""``/assets/<file>`` and ``/fonts/<file>`` of the operator's folder, where older pages and files look for them (F-033)."""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mozaiks_shell.appconfig.brand_values import asset_path

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class OperatorAssets:
    """ASGI wrapper outside of everything else: leads these addresses to ``/brand/assets/…``, which finds, checks and
    caches the file. What the build itself has under ``/assets/`` stays the build's.

    Args:
        app: What answers.
        static: Gives the folder of the built pages.
    """

    def __init__(self, app: App, static: Callable[[], Path]) -> None:
        self.app, self.static = app, static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            path: str = scope["path"]
            if path.startswith(("/assets/", "/fonts/")) and self._is_theirs(path):
                led = "/brand/assets/" + asset_path(path)
                scope = {**scope, "path": led, "raw_path": quote(led).encode()}
        await self.app(scope, receive, send)

    def _is_theirs(self, path: str) -> bool:
        try:
            asset_path(path)
        except ValueError:
            return False
        return not (self.static() / path.lstrip("/")).is_file()
