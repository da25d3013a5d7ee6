"""What Reflex's build needs from us, known before the app is imported (used by rxconfig.py)."""

import os
import sys
from typing import Any

from reflex_base.plugins.base import Plugin


def is_production_command() -> bool:
    """True when this process serves or builds for production: then everything is on one port.

    Reflex fixes the ports before it tells anybody the mode, so the command line is the only source.
    """
    arguments = " ".join(sys.argv[1:]).replace("=", " ")
    return "--env prod" in arguments or sys.argv[1:2] == ["export"] or os.environ.get("REFLEX_ENV_MODE") == "prod"


class DevProxy(Plugin):
    """In development the page comes from Vite on another port; send our own paths on to the backend,
    so that cookies, forms and sockets are same-origin there too."""

    def __init__(self, backend_port: int) -> None:
        self.backend_port = backend_port

    def pre_compile(self, **context: Any) -> None:
        """Add the proxy table to the generated Vite configuration."""
        target = f"http://127.0.0.1:{self.backend_port}"
        paths = ("/api", "/auth", "/health", "/ready", "/info", "/brand", "/.well-known")
        table = "".join(f'      "{path}": {{ target: "{target}" }},\n' for path in paths)
        table += f'      "/ws": {{ target: "{target}", ws: true }},\n'

        def add_proxy(source: str) -> str:
            return source if "proxy: {" in source else source.replace("server: {", "server: {\n    proxy: {\n" + table + "    },", 1)

        context["add_modify_task"]("vite.config.js", add_proxy)
