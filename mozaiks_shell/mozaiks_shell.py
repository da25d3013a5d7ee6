"""The front door: settings -> rooms -> app. Wiring only."""

import importlib
from collections.abc import Awaitable, Callable

import reflex as rx
from fastapi import FastAPI
from reflex.utils.prerequisites import get_web_dir

import mozaiks_shell.audit.service
import mozaiks_shell.insights.service
import mozaiks_shell.notifications.service
import mozaiks_shell.usage.service  # noqa: F401 - these four listen to the bus
from mozaiks_shell import billing, broker, chat, identity, insights, notifications, plugin_host, shell, usage
from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.appconfig.loader import or_exit
from mozaiks_shell.appconfig.plans import catalogue
from mozaiks_shell.broker.service import capabilities, start_runtime
from mozaiks_shell.chat.components.dock import chat_dock
from mozaiks_shell.chat.service import configure as configure_chat
from mozaiks_shell.chat.service import start_chats
from mozaiks_shell.chat.socket import chat_socket
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import load_or_exit
from mozaiks_shell.hosting import csp, problems
from mozaiks_shell.hosting import routes as hosting_routes
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.hosting.migrate import only_one
from mozaiks_shell.hosting.startup import lifespan
from mozaiks_shell.hosting.state import process
from mozaiks_shell.identity import form_routes
from mozaiks_shell.plugin_host.loader import load_all
from mozaiks_shell.plugin_host.routes import admin_routes, mount_plugins
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.shell import guide
from mozaiks_shell.shell.event_gate import EventGate
from mozaiks_shell.shell.failures import handler_failed, page_boundary
from mozaiks_shell.shell.frame import app_wraps, head_components
from mozaiks_shell.shell.routing import mount

settings = load_or_exit()
configure(settings)
process.app_name = or_exit(brand).name
or_exit(catalogue)
or_exit(capabilities)
PAGES = (
    "identity.pages.sign_in",
    "identity.pages.register",
    "shell.pages.home",
    "shell.pages.settings",
    "billing.pages.plans",
    "admin.pages.overview",
)
for name in PAGES:
    importlib.import_module(f"mozaiks_shell.{name}")
load_all(settings)

api = FastAPI(title=process.app_name, docs_url=None, redoc_url=None, openapi_url=None)
problems.install(api)
for room in (identity, billing, broker, chat, shell, usage, insights, notifications, plugin_host):
    api.include_router(importlib.import_module(f"{room.__name__}.routes").router)
for router in (hosting_routes.router, form_routes.router, admin_routes(only_one)):
    api.include_router(router)
api.add_api_websocket_route("/ws/chat", chat_socket)
mount_plugins(api)
configure_chat(context=guide.context, allowed_path=guide.allowed_path)


async def plugins_step() -> Callable[[], Awaitable[None]] | None:
    """Migrate and initialise the plugins, after the shell's own tables are there."""
    await start_plugins(settings, only_one)
    process.plugins_loaded = sum(report.state == "loaded" for report in plugin_reports())
    return None


def facts() -> list[tuple[str, str]]:
    """What the start-up lines say beyond address and database."""
    reports = plugin_reports()
    broken = [f"{report.name} is quarantined: {report.reason}" for report in reports if report.state == "quarantined"]
    return [
        ("State", "redis" if settings.redis_url else "in process"),
        ("Sign-in", " and ".join(filter(None, ["local accounts" * settings.local_accounts, settings.oidc_authority]))),
        ("Billing", settings.billing_provider),
        ("Agents", (settings.ai_url or "embedded runtime") if settings.ai_enabled else "off"),
        ("Plugins", ", ".join(report.name for report in reports if report.state == "loaded") or "none"),
        *[("", line) for line in broken],
    ]


app = rx.App(
    toaster=None,
    html_lang="en",
    stylesheets=["/shell.css"],
    head_components=head_components(),
    extra_app_wraps=app_wraps() | {(38, "ChatDock"): chat_dock},
    backend_exception_handler=handler_failed,
    api_transformer=[api, lambda inner: Gatekeeper(inner, settings, lambda: csp.policy(get_web_dir() / "build" / "client"))],
)
for key in [key for key in app.app_wraps if key[1] in {"Overlay", "ExtraOverlay"}]:
    del app.app_wraps[key]  # Reflex's own banner and toasts; the frame has its own
app.app_wraps[(55, "ErrorBoundary")] = page_boundary
app.add_middleware(EventGate(), index=0)
mount(app, process.app_name)
steps = [("plugins", plugins_step), ("runtime", start_runtime), ("chats", start_chats)]
app.register_lifespan_task(lifespan(settings, steps, facts))
