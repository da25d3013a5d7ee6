"""Fixtures of billing: the API as it is served, Stripe's books as a small server, and two servers we did not write."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import platformdirs
import pytest
import stripe
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from mozaiks_shell.billing.routes import router
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import service as identity
from tests.live import free_port, until

SECRET = "whsec_test_secret"
ORIGIN = "http://localhost:3000"
LOCALSTRIPE, EMULATE = "1.15.10", "0.12.2"
PRICES = {"pro": "price_pro", "team": "price_team", "forever": "price_forever"}


@pytest.fixture
def configure(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Set variables and the catalogue, then read the settings again."""

    def set_up(prices: dict[str, str] | None = None, rules: dict[str, Any] | None = None, **variables: str) -> Settings:
        prices = PRICES if prices is None else prices
        offered: list[dict[str, Any]] = [
            {"name": "free", "price": 0},
            {"name": "pro", "price": 12, "plugins_unlocked": ["reports"]},
            {"name": "team", "price": 39, "plugins_unlocked": ["*"]},
            {"name": "forever", "price": 300, "billing_cycle": "lifetime", "plugins_unlocked": ["*"]},
        ]
        for plan in offered:
            plan["stripe_price_id"] = prices.get(plan["name"])
        folder = tmp_path / "configs"
        folder.mkdir(exist_ok=True)
        catalogue = {"subscription_plans": offered, "settings": {"default_plan": "free", **(rules or {})}}
        (folder / "subscription_config.json").write_text(json.dumps(catalogue))
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return get_settings()

    return set_up


@pytest.fixture
def stripe_mode(configure: Callable[..., Settings]) -> Callable[..., Settings]:
    """Switch billing to Stripe at this address."""

    def switch(base: str, **more: Any) -> Settings:
        return configure(
            MOZAIKS_BILLING_PROVIDER="stripe",
            STRIPE_SECRET_KEY="sk_test_shell",
            STRIPE_WEBHOOK_SECRET=SECRET,
            STRIPE_API_BASE=base,
            **more,
        )

    return switch


def served() -> Any:
    """Billing's API behind the real Gatekeeper."""
    api = FastAPI()
    problems.install(api)
    api.include_router(router)
    return Gatekeeper(api, get_settings(), lambda: "default-src 'self'")


@dataclass
class Person:
    """A signed-in browser."""

    principal: Principal
    web: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.web.get(path)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.web.post(path, json=body)

    async def plan(self) -> dict[str, Any]:
        answer = await self.get("/api/user-subscription")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def sign_up(database: Settings) -> AsyncIterator[Callable[..., Any]]:
    """Make an account and sign it in; the first one is the administrator."""
    open_clients: list[httpx.AsyncClient] = []

    async def make(name: str) -> Person:
        user = await identity.register(name, "correct horse battery staple", f"{name}@example.com", name.title())
        web = httpx.AsyncClient(
            transport=httpx.ASGITransport(served()),
            base_url=ORIGIN,
            headers={"origin": ORIGIN},
            cookies={identity.cookie_name(): await identity.open_session(user)},
        )
        open_clients.append(web)
        return Person(identity.principal_of(user), web)

    yield make
    for web in open_clients:
        await web.aclose()
    set_principal(None)


@pytest.fixture
async def anonymous(database: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a cookie: the public, and Stripe."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served()), base_url=ORIGIN) as web:
        yield web


def signed(payload: dict[str, Any] | bytes, secret: str = SECRET, at: int | None = None) -> dict[str, Any]:
    """Keyword arguments for ``post``: the body and its signature by Stripe's own library."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return {"content": body, "headers": {"stripe-signature": header, "content-type": "application/json"}}


def event(number: str, kind: str, thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A webhook body."""
    return {"id": f"evt_{number}", "object": "event", "type": kind, "livemode": False, "data": {"object": thing}, **more}


@pytest.fixture
def webhook(anonymous: httpx.AsyncClient) -> Callable[..., Any]:
    """Deliver a signed event to our API."""

    async def send(payload: dict[str, Any], **how: Any) -> httpx.Response:
        return await anonymous.post("/api/billing/webhook/stripe", **signed(payload, **how))

    send.event = event  # type: ignore[attr-defined]
    send.signed = signed  # type: ignore[attr-defined]
    return send


@dataclass
class Books:
    """What a Stripe account holds, for the cases no public emulator has: prices, portal, trials, any order of events."""

    url: str = ""
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str, dict[str, Any], str]] = field(default_factory=list)
    by_key: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: bool = False

    def subscribe(self, customer: str, price: str = "price_pro", number: str = "1", **more: Any) -> dict[str, Any]:
        """A subscription as API version 2025-03-31 and later shows it: the period is on the item."""
        end = more.pop("period_end", 4_102_444_800)
        made = {
            "id": f"sub_{number}", "object": "subscription", "customer": customer, "status": "active", "created": int(number),
            "metadata": {}, "cancel_at_period_end": False, "cancel_at": None,
            "items": {"object": "list", "data": [{"id": f"si_{number}", "price": {"id": price}, "current_period_end": end}]},
            **more,
        }  # fmt: skip
        self.subscriptions[made["id"]] = made
        return made

    def sent(self, path: str) -> list[dict[str, Any]]:
        return [params for _, called, params, _ in self.calls if called == path]


def books_app(books: Books) -> FastAPI:
    app = FastAPI()

    async def heard(request: Request) -> tuple[dict[str, Any], str]:
        params = dict((await request.form()).items()) if request.method == "POST" else dict(request.query_params)
        key = request.headers.get("idempotency-key", "")
        books.calls.append((request.method, request.url.path, params, key))
        return params, key

    def once(key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return books.by_key.setdefault(key, make())

    @app.middleware("http")
    async def maybe_down(request: Request, go: Any) -> Any:
        if books.broken:
            return JSONResponse({"error": {"type": "api_error", "message": "down"}}, 500, {"stripe-should-retry": "false"})
        return await go(request)

    @app.post("/v1/customers")
    async def customer(request: Request) -> dict[str, Any]:
        params, key = await heard(request)
        made = once(key, lambda: {"id": f"cus_{len(books.customers) + 1}", "object": "customer", "params": params})
        books.customers[made["id"]] = made
        return made

    @app.get("/v1/subscriptions")
    async def listed(request: Request) -> dict[str, Any]:
        params, _ = await heard(request)
        data = [one for one in books.subscriptions.values() if one["customer"] == params["customer"]]
        answer = {"object": "list", "data": json.loads(json.dumps(data)), "has_more": False, "url": "/v1/subscriptions"}
        await asyncio.sleep(0)
        return answer

    @app.get("/v1/subscriptions/{number}")
    async def one(number: str, request: Request) -> dict[str, Any]:
        await heard(request)
        return books.subscriptions[number]

    @app.post("/v1/subscriptions/{number}")
    async def change(number: str, request: Request) -> dict[str, Any]:
        params, _ = await heard(request)
        if params.get("cancel_at_period_end") == "true":
            books.subscriptions[number]["cancel_at_period_end"] = True
        return books.subscriptions[number]

    @app.post("/v1/checkout/sessions")
    async def checkout(request: Request) -> dict[str, Any]:
        _, key = await heard(request)
        number = f"cs_{len(books.sent('/v1/checkout/sessions'))}"
        return once(key, lambda: {"id": number, "object": "checkout.session", "url": f"https://pay.example/{number}"})

    @app.post("/v1/billing_portal/sessions")
    async def portal(request: Request) -> dict[str, Any]:
        params, _ = await heard(request)
        return {"id": "bps_1", "object": "billing_portal.session", "url": f"https://portal.example/{params['customer']}"}

    @app.get("/v1/prices/{number}")
    async def price(number: str, request: Request) -> Any:
        await heard(request)
        if number in PRICES.values():
            return {"id": number, "object": "price"}
        return JSONResponse({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "none"}}, 404)

    return app


@contextlib.asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve on a free port until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture
async def books(database: Settings, stripe_mode: Callable[..., Settings]) -> AsyncIterator[Books]:
    """Stripe's books behind a real HTTP port, with billing switched to them."""
    books = Books()
    async with listening(books_app(books)) as books.url:
        stripe_mode(books.url)
        yield books


@pytest.fixture
async def shell_port(database: Settings) -> AsyncIterator[Callable[[], Any]]:
    """Serve our API on a real port, for webhooks from another process; call it once the settings stand."""
    async with contextlib.AsyncExitStack() as stack:

        async def start() -> str:
            return await stack.enter_async_context(listening(served()))

        yield start


@contextlib.contextmanager
def tool_folder(name: str) -> Iterator[Path]:
    """A folder that outlives the run, held by one process at a time."""
    folder = platformdirs.user_cache_path("mozaiks-shell-tests") / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path, **environment: str) -> Iterator[str]:
    """A foreign server until it answers, then until the block ends."""
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
    )
    url = f"http://localhost:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(url).status_code > 0
        return False

    try:
        until(answers, 120, " ".join(command[:2]))
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the venv's node is a launcher with a child
        process.wait(60)
        log.close()


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """localstripe (PyPI) in a venv of its own: its dependencies are not ours. Has plans, subscriptions, invoices, webhooks."""
    with tool_folder(f"localstripe-{LOCALSTRIPE}") as folder:
        python = folder / "venv" / "bin" / "python"
        if not (folder / "ready").exists():
            venv.create(folder / "venv", with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", f"localstripe=={LOCALSTRIPE}"], check=True)
            (folder / "ready").touch()
    port = free_port()
    command = [str(python), "-m", "localstripe", "--port", str(port), "--from-scratch"]
    with running(command, port, tmp_path_factory.mktemp("localstripe")) as url:
        yield url


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """emulate (npm): customers, prices, hosted checkout, webhooks. Call with the webhook's address; prices are ``PRICES``."""
    scripts = Path(sys.executable).parent
    environment = {"PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", "")])}
    with tool_folder(f"emulate-{EMULATE}") as folder:
        if not (folder / "ready").exists():
            install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"emulate@{EMULATE}"]
            subprocess.run(install, check=True, env={**os.environ, **environment}, cwd=folder)
            (folder / "ready").touch()
        program = folder / "node_modules" / ".bin" / "emulate"
    with contextlib.ExitStack() as stack:

        def start(webhook: str) -> str:
            port = free_port()
            prices = [
                {"id": price, "product_name": plan, "currency": "usd", "unit_amount": 1200} for plan, price in PRICES.items()
            ]
            hook = {"url": webhook, "events": ["*"], "secret": SECRET}
            seed = {"stripe": {"products": [{"name": plan} for plan in PRICES], "prices": prices, "webhooks": [hook]}}
            (tmp_path / "seed.json").write_text(json.dumps(seed))
            arguments = ["start", "--service", "stripe", "--port", str(port), "--seed", "seed.json"]
            return stack.enter_context(running([str(program), *arguments], port, tmp_path, **environment))

        yield start
