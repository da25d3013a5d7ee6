"""The front door: settings -> rooms -> app. Wiring only."""

from fastapi import FastAPI
from reflex.utils.prerequisites import get_web_dir

import reflex as rx
from mozaiks_shell.foundation.logging import configure
from mozaiks_shell.foundation.settings import load_or_exit
from mozaiks_shell.hosting import csp, problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.hosting.routes import router as hosting_routes
from mozaiks_shell.hosting.startup import lifespan
from mozaiks_shell.hosting.state import process
from mozaiks_shell.shell.event_gate import EventGate
from mozaiks_shell.shell.frame import frame, main_region
from mozaiks_shell.shell.pages import home  # noqa: F401 - declares its page
from mozaiks_shell.shell.routing import mount

settings = load_or_exit()
configure(settings)

api = FastAPI(title="Mozaiks Shell", docs_url=None, redoc_url=None, openapi_url=None)
problems.install(api)
for router in (hosting_routes,):
    api.include_router(router)

app = rx.App(
    toaster=None,
    api_transformer=[api, lambda inner: Gatekeeper(inner, settings, lambda: csp.policy(get_web_dir() / "build" / "client"))],
    extra_app_wraps={(40, "Frame"): frame, (39, "Main"): main_region},
    html_lang="en",
)
for key in [key for key in app.app_wraps if key[1] in {"Overlay", "ExtraOverlay"}]:
    del app.app_wraps[key]
app.add_middleware(EventGate(), index=0)
mount(app, process.app_name)
app.register_lifespan_task(lifespan(settings, [], lambda: []))
