"""The front door: settings -> rooms -> app. Wiring only."""

import importlib
from collections.abc import Awaitable, Callable
from functools import partial

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
from mozaiks_shell.broker import build_routes, job_routes, trigger_routes
from mozaiks_shell.broker.service import capabilities, start_runtime
from mozaiks_shell.broker.triggers import start_triggers
from mozaiks_shell.chat import feedback_routes, slash_routes, tool_files
from mozaiks_shell.chat.components.dock import chat_dock
from mozaiks_shell.chat.components.host import host_script
from mozaiks_shell.chat.embed_routes import router as embed_script
from mozaiks_shell.chat.relay_ws import router as chat_relay
from mozaiks_shell.chat.service import configure as configure_chat
from mozaiks_shell.chat.service import start_chats
from mozaiks_shell.chat.socket import chat_socket
from mozaiks_shell.foundation.jobs import start_jobs
from mozaiks_shell.foundation.live import start_live
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import load_or_exit
from mozaiks_shell.hosting import csp, problems, pwa
from mozaiks_shell.hosting import routes as hosting_routes
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.hosting.garbage import start_collecting
from mozaiks_shell.hosting.hot.reloading import HotReload, hot_reload_head
from mozaiks_shell.hosting.migrate import only_one
from mozaiks_shell.hosting.providers import providers_or_exit
from mozaiks_shell.hosting.reflex_build import builds_pages, is_production_command, mount_present_build, stylesheets
from mozaiks_shell.hosting.startup import lifespan
from mozaiks_shell.hosting.state import process
from mozaiks_shell.identity import app_token_routes, embed_routes, form_routes
from mozaiks_shell.notifications import socket as live_updates
from mozaiks_shell.plugin_host.loader import load_all
from mozaiks_shell.plugin_host.refresh import follow as follow_plugins
from mozaiks_shell.plugin_host.routes import mount_plugins
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.sdk import file_routes, kv
from mozaiks_shell.shell import account, account_routes, brand_routes, guide, locale_routes, settings_routes
from mozaiks_shell.shell.brand_assets import OperatorAssets
from mozaiks_shell.shell.event_gate import EventGate
from mozaiks_shell.shell.failures import handler_failed, page_boundary
from mozaiks_shell.shell.frame import app_wraps, head_components
from mozaiks_shell.shell.palette import command_palette
from mozaiks_shell.shell.routing import mount
from mozaiks_shell.usage.service import price, start_usage

settings = load_or_exit()
configure(settings)
process.app_name = or_exit(brand).name
or_exit(catalogue)
or_exit(capabilities)
PAGES = (
    "identity.pages.sign_in",
    "identity.pages.register",
    "shell.pages.errors",
    "shell.pages.home",
    "shell.pages.chat",
    "shell.pages.chat_workflow",
    "shell.pages.artifact",
    "shell.pages.embed",
    "shell.pages.jobs",
    "shell.pages.settings",
    "shell.pages.profile",
    "shell.pages.security",
    "shell.pages.settings_plugins",
    "shell.pages.settings_data",
    "shell.pages.settings_section",
    "billing.pages.plans",
    "usage.pages.usage",
    "admin.pages.overview",
    "admin.pages.branding",
    "admin.pages.plugins",
    "admin.pages.plugin",
    "admin.pages.app_tokens",
    "shell.pages.app_settings",
    "shell.bell",
)
for name in PAGES:
    importlib.import_module(f"mozaiks_shell.{name}")
providers_or_exit()
load_all(settings, builds=builds_pages())

api = FastAPI(title=process.app_name, docs_url=None, redoc_url=None, openapi_url=None)
problems.install(api)
for room in (identity, billing, broker, chat, shell, usage, insights, notifications, plugin_host):
    api.include_router(importlib.import_module(f"{room.__name__}.routes").router)
for router in (
    hosting_routes.router, form_routes.router, locale_routes.router, brand_routes.router, account_routes.router,
    settings_routes.router, file_routes.router, app_token_routes.router, trigger_routes.router, job_routes.router,
    build_routes.router, feedback_routes.router, slash_routes.router, pwa.router, tool_files.router, embed_routes.router,
    embed_script,
):  # fmt: skip
    api.include_router(router)
api.add_api_websocket_route("/ws/chat", chat_socket)
api.include_router(chat_relay)
api.include_router(live_updates.router)
mount_plugins(api)
configure_chat(context=guide.context, allowed_path=guide.allowed_path, price=price)


async def plugins_step() -> Callable[[], Awaitable[None]] | None:
    """Migrate and initialise the plugins, after the shell's own tables are there."""
    stop = await start_plugins(settings, only_one)
    process.plugins_loaded = sum(report.live for report in plugin_reports())
    return stop


async def sweep_step() -> Callable[[], Awaitable[None]] | None:
    """Delete what was still written of people who are gone, and plugins' state whose time is over."""
    await account.sweep()
    await kv.sweep()
    return None


async def runtime_step() -> Callable[[], Awaitable[None]]:
    """Have an embedded runtime, which asks this process for keys where it listens."""
    return await start_runtime(settings.port if built else settings.dev_backend_port)


def facts() -> list[tuple[str, str]]:
    """What the start-up lines say beyond address and database."""
    reports = plugin_reports()
    broken = [f"{report.name} is {report.state}: {report.reason}" for report in reports if report.cause]
    return [
        ("State", "redis" if settings.redis_url else "in process"),
        ("Sign-in", " and ".join(filter(None, ["local accounts" * settings.local_accounts, settings.oidc_authority]))),
        ("Billing", settings.billing_provider),
        ("Agents", (settings.ai_url or "embedded runtime") if settings.ai_enabled else "off"),
        ("Plugins", ", ".join(report.name for report in reports if report.live) or "none"),
        *[("", line) for line in broken],
    ]


static, built = get_web_dir() / "build" / "client", is_production_command()
mount_present_build(static)
hot = None if built or settings.plugin_watch is False else HotReload(settings, api, lambda: settings.plugin_roots)
app = rx.App(
    toaster=None,
    html_lang="en",
    stylesheets=stylesheets(),
    head_components=[*head_components(development=not built), host_script(), *hot_reload_head(hot)],
    extra_app_wraps=app_wraps() | {(38, "ChatDock"): chat_dock, (53, "Palette"): command_palette},
    backend_exception_handler=handler_failed,
    api_transformer=[
        api,
        lambda inner: Gatekeeper(inner, settings, lambda: csp.policy(static), static if built else None),
        lambda inner: OperatorAssets(inner, lambda: static),
    ],
)
for key in [key for key in app.app_wraps if key[1] in {"Overlay", "ExtraOverlay"}]:
    del app.app_wraps[key]  # Reflex's own banner and toasts; the frame has its own
app.app_wraps[(55, "ErrorBoundary")] = page_boundary
app.add_middleware(EventGate(), index=0)
mount(app)
steps = [("plugins", plugins_step), ("deleted people", sweep_step), ("runtime", runtime_step), ("chats", start_chats)]
steps += [("live updates", start_live), ("usage", start_usage), ("triggers", start_triggers), ("jobs", start_jobs)]
steps.append(("garbage", start_collecting))
if hot is not None:
    steps.append(("hot reload", partial(hot.start, app)))
elif settings.plugin_watch:
    steps.append(("plugin files", partial(follow_plugins, settings, api)))
app.register_lifespan_task(lifespan(settings, steps, facts))
