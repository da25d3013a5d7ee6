"""A visitor with a real cookie jar in front of the real gatekeeper and routes; two OpenID Connect issuers on loopback."""

import contextlib
import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import oidc_provider_mock
import pytest
import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity.form_routes import router as forms
from mozaiks_shell.identity.routes import router as accounts


@pytest.fixture
def configure(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Set environment variables and read the settings anew."""

    def change(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return get_settings()

    return change


@pytest.fixture(params=["sqlite", "postgresql"])
async def either_database(request: pytest.FixtureRequest, configure: Callable[..., Settings]) -> Settings:
    """The migrated database of the test, on SQLite and on a real PostgreSQL."""
    if request.param == "sqlite":
        return get_settings()
    return configure(DATABASE_URL=request.getfixturevalue("postgres_migrated"))


@pytest.fixture
async def visitor(database: Settings) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Call for a browser: it keeps cookies, sends the Origin of our pages, and reaches other hosts over the network."""
    async with contextlib.AsyncExitStack() as stack:

        def build(ip: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
            settings = get_settings()
            api = FastAPI()
            problems.install(api)
            api.include_router(accounts)
            api.include_router(forms)
            inside = httpx.ASGITransport(Gatekeeper(api, settings, lambda: "default-src 'self'"), client=(ip, 50_000))
            client = httpx.AsyncClient(
                mounts={f"all://{urlsplit(settings.origin).netloc}": inside},
                base_url=settings.origin,
                headers={"origin": settings.origin, **headers},
            )
            stack.push_async_callback(client.aclose)
            return client

        yield build


@pytest.fixture
def browser(visitor: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """One visitor with the default settings."""
    return visitor()


@pytest.fixture
def heard() -> Iterator[list[events.Event]]:
    """Every event published during the test."""
    seen: list[events.Event] = []

    async def listen(event: events.Event) -> None:
        seen.append(event)

    events.subscribe("*")(listen)
    yield seen
    events._listeners["*"].remove(listen)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Move the clock: ``later(minutes=61)``. Counts from the real time, not from the last call."""
    real = clock.now

    def move(**span: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(**span))

    return move


@pytest.fixture(scope="session")
def mock_issuer() -> Iterator[str]:
    """``oidc-provider-mock`` on loopback; its URL."""
    people = [
        oidc_provider_mock.User(
            sub="248289761001",
            claims={"email": "jane@example.com", "name": "Jane Doe", "preferred_username": "jane", "roles": ["editor"]},
        )
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


async def _sign_in_at_mock(browser: httpx.AsyncClient, subject: str, next_path: str = "/") -> httpx.Response:
    """Walk the whole code flow at ``oidc-provider-mock`` like a browser; returns the answer of our callback."""
    start = await browser.get("/auth/oidc/start", params={"next": next_path})
    assert start.status_code == 303, start.text
    authorize = start.headers["location"]
    assert (await browser.get(authorize)).status_code == 200
    consent = await browser.post(authorize, data={"sub": subject})
    return await browser.get(consent.headers["location"])


@pytest.fixture
def sign_in_at_mock() -> Callable[..., Any]:
    """``await sign_in_at_mock(browser, subject, next_path)``."""
    return _sign_in_at_mock


@dataclass
class ForgingIssuer:
    """An issuer that answers whatever a test tells it to; honest unless told otherwise."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    sign_with: RSAKey | None = None
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)  # a None removes the claim
    access_claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, str | None] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)  # authorization requests
    redeemed: list[dict[str, str]] = field(default_factory=list)  # token requests
    key_fetches: int = 0

    def reset(self) -> None:
        """Honest again."""
        fresh = ForgingIssuer(url=self.url)
        self.__dict__.update(fresh.__dict__)

    def app(self) -> FastAPI:
        """The issuer's endpoints."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, Any]:
            paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            paths |= {"userinfo_endpoint": "userinfo", "end_session_endpoint": "end"}
            return {"issuer": self.url} | {name: f"{self.url}/{path}" for name, path in paths.items()} | self.metadata

        @app.get("/jwks")
        def jwks() -> dict[str, Any]:
            self.key_fetches += 1
            return {"keys": [self.key.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            self.asked.append(asked)
            answer = {"code": "the-code", "state": asked["state"]} | self.callback
            query = urlencode({name: value for name, value in answer.items() if value is not None})
            return RedirectResponse(f"{asked['redirect_uri']}?{query}", 303)

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            self.redeemed.append(form)
            asked = self.asked[-1]
            if create_s256_code_challenge(form["code_verifier"]) != asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            moment = int(clock.now().timestamp())
            claims = {
                "iss": self.url, "sub": "00u-not-hex|1", "aud": asked["client_id"], "exp": moment + 300, "iat": moment,
                "nonce": asked["nonce"], "email": "sam@example.com", "name": "Sam Smith", **self.claims,
            }  # fmt: skip
            body = {"token_type": "Bearer", "expires_in": 300, "access_token": "opaque", "id_token": self._sign(claims)}
            if self.access_claims:
                body["access_token"] = self._sign({"iss": self.url, "sub": claims["sub"], **self.access_claims})
            return JSONResponse(body)

        @app.get("/userinfo")
        def userinfo() -> JSONResponse:
            return JSONResponse(self.userinfo or {"error": "invalid_token"}, 200 if self.userinfo else 401)

        return app

    def _sign(self, claims: dict[str, Any]) -> str:
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.sign_with or self.key
        if self.algorithm in {"none", "HS256"}:  # what no library would sign
            parts = [{"alg": self.algorithm, "kid": key.kid}, claims]
            body = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
            seal = hmac.digest(self.key.as_pem(private=False), body, "sha256") if self.algorithm == "HS256" else b""
            return (body + b"." + urlsafe_b64encode(seal).rstrip(b"=")).decode()
        header = {"alg": self.algorithm, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@pytest.fixture(scope="session")
def _forging_server() -> Iterator[ForgingIssuer]:
    issuer = ForgingIssuer()
    server = uvicorn.Server(uvicorn.Config(issuer.app(), host="127.0.0.1", port=0, log_level="error"))
    listening = server.config.bind_socket()
    issuer.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield issuer
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def forger(_forging_server: ForgingIssuer) -> ForgingIssuer:
    """The forging issuer, honest at the start of each test."""
    _forging_server.reset()
    return _forging_server
