"""What Reflex's build needs from us, known before the app is imported (used by rxconfig.py)."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reflex_base.environment import environment
from reflex_base.plugins.base import Plugin

from mozaiks_shell.foundation.settings import ASSETS, HOME

SHEETS = ("shell.css", "frame.css", "palette.css", "account.css", "branding.css", "states.css", "plugins.css")

_BUILD_FIRST = "Build it with `reflex export --frontend-only --no-zip`, or start once without --backend-only."
_NAME = "mozaiks-development-server"
_BACKEND_PATHS = (
    "/api", "/assets", "/auth", "/brand", "/fonts", "/health", "/info", "/login", "/manifest.webmanifest", "/ready",
    "/embed.js", "/robots.txt", "/sitemap.xml", "/.well-known", "/__mozaiks",
)  # fmt: skip


def is_production_command() -> bool:
    """True when this process serves or builds for production: then everything is on one port.

    Reflex fixes the ports before it tells anybody the mode, so the command line is the only source.
    """
    arguments = " ".join(sys.argv[1:]).replace("=", " ")
    return "--env prod" in arguments or sys.argv[1:2] == ["export"] or os.environ.get("REFLEX_ENV_MODE") == "prod"


def serves_present_build() -> bool:
    """True for ``reflex run --env prod --backend-only``: nothing is built, what was built before is served.

    Two builds of the same code give their files different names, so servers behind one proxy have to serve one build.
    """
    return is_production_command() and "--backend-only" in sys.argv


def builds_pages() -> bool:
    """False in the workers of a production server: Reflex has built the pages before it starts them, and tells them so."""
    return not environment.REFLEX_SKIP_COMPILE.get()


def mount_present_build(static: Path) -> None:
    """Have Reflex serve the files of the build; where it builds itself, it does so anyway.

    Raises:
        SystemExit: there is no build in ``static``.
    """
    if not serves_present_build():
        return
    if not (static / "index.html").is_file():
        raise SystemExit(f"--backend-only serves what was built before, and there is nothing in {static}. {_BUILD_FIRST}")
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)


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


class PackagedAssets(Plugin):
    """In an app folder, whose ``assets/`` holds the app's own files only: the shell's style sheets and images come from
    the package (F-282). A file of the app with the same name wins. In the checkout there is nothing to do.
    """

    def __init__(self) -> None:
        self.folder = HOME / "assets"

    def get_stylesheet_paths(self, **context: Any) -> Sequence[str]:
        """Our style sheets that the app folder does not have."""
        return [f"./{name}" for name in SHEETS if not (self.folder / name).is_file()]

    def get_static_assets(self, **context: Any) -> Sequence[tuple[Path, str | bytes]]:
        """Their texts."""
        return [(Path("styles") / sheet, (ASSETS / sheet).read_text("utf-8")) for sheet in self.get_stylesheet_paths()]

    def pre_compile(self, **context: Any) -> None:
        """Put the images beside the app's own; Reflex writes texts only."""
        from reflex.utils.prerequisites import get_web_dir

        for file in ASSETS.iterdir():
            if file.is_file() and file.name not in SHEETS and not (self.folder / file.name).is_file():
                public = get_web_dir() / "public"
                public.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, public / file.name)


class CompileRecord(Plugin):
    """Remembers the compilation of the whole app, from which :mod:`.hot.pages` compiles single pages anew."""

    def compile_page(self, page_ctx: Any, /, **context: Any) -> None:
        """Called by Reflex for every page of a compilation; that of single pages has fewer."""
        global _compiled
        compilation = context.get("compile_context")
        if compilation is not None and (_compiled is None or len(compilation.pages) >= len(_compiled.pages)):
            _compiled = compilation


_compiled: Any = None


def last_compile() -> Any:
    """Reflex's context of the last compilation of the whole app in this process; None when there was none."""
    return _compiled


def stylesheets() -> list[str]:
    """The style sheets that Reflex finds in the app's ``assets/``; the others :class:`PackagedAssets` brings."""
    return [f"/{name}" for name in SHEETS if (HOME / "assets" / name).is_file()]
