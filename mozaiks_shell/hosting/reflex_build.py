"""What Reflex's build needs from us, known before the app is imported (used by rxconfig.py)."""

import json
import os
import sys
from typing import Any

from reflex_base.plugins.base import Plugin

_NAME = "mozaiks-development-server"
_BACKEND_PATHS = ("/api", "/auth", "/brand", "/health", "/info", "/login", "/ready", "/.well-known", "/__mozaiks")


def is_production_command() -> bool:
    """True when this process serves or builds for production: then everything is on one port.

    Reflex fixes the ports before it tells anybody the mode, so the command line is the only source.
    """
    arguments = " ".join(sys.argv[1:]).replace("=", " ")
    return "--env prod" in arguments or sys.argv[1:2] == ["export"] or os.environ.get("REFLEX_ENV_MODE") == "prod"


class DevProxy(Plugin):
    """In development the page comes from Vite on another port: send our own paths on to the backend, so that
    cookies, forms and sockets are same-origin there too, and listen only where we are told to.

    Reflex starts Vite with ``--host`` (every interface) and has no setting for either; a Vite plugin has
    the last word over the command line.
    """

    def __init__(self, host: str, backend_port: int) -> None:
        self.host, self.backend_port = host, backend_port

    def pre_compile(self, **context: Any) -> None:
        """Add the Vite plugin to the generated configuration."""
        target = f"http://127.0.0.1:{self.backend_port}"
        proxy = {path: {"target": target} for path in _BACKEND_PATHS} | {"/ws": {"target": target, "ws": True}}
        server = json.dumps({"host": self.host, "proxy": proxy})
        plugin = f'    {{ name: "{_NAME}", config: () => ({{ server: {server} }}) }},\n'

        def add(source: str) -> str:
            return source if _NAME in source else source.replace("plugins: [\n", "plugins: [\n" + plugin, 1)

        context["add_modify_task"]("vite.config.js", add)
