"""The runtime as the shell meets it: a child process, a real key pair, real HTTP and WebSocket clients."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[2]
ISSUER, AUDIENCE, SCOPE = "https://shell.test", "mozaiks-app", "openid"
Frame = dict[str, Any]


class Keys:
    """Mints tokens the way the shell's broker does."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, auto_kid=False)
        self.stranger = RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False)
        self.jwks = {"keys": [self.key.as_dict(private=False)]}

    def mint(self, user: str | None = "u1", *, key: RSAKey | None = None, kid: str | None = "k1", **changes: Any) -> str:
        """A good token; ``changes`` replace claims, None removes one."""
        claims: dict[str, Any] = {"sub": user, "iss": ISSUER, "aud": AUDIENCE, "scp": SCOPE}
        claims |= {"app_id": "app1", "iat": int(time.time()), "exp": int(time.time()) + 600, **changes}
        header = {"alg": "RS256", **({"kid": kid} if kid else {})}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, claims, key or self.key)


class Wire:
    """One WebSocket with a memory."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[Frame] = []

    async def next(self, patience: float = 60) -> Frame:
        """The next frame."""
        frame: Frame = json.loads(await asyncio.wait_for(self.connection.recv(), patience))
        self.frames.append(frame)
        return frame

    async def until(self, type_: str, patience: float = 60, **data: Any) -> Frame:
        """Read on to the first frame of this type whose data has these values."""
        deadline = time.monotonic() + patience
        while True:
            frame = await self.next(max(0.01, deadline - time.monotonic()))
            if frame["type"] == type_ and all(frame["data"].get(k) == v for k, v in data.items()):
                return frame

    async def drain(self, quiet: float = 0.3) -> list[Frame]:
        """Everything that comes until it is quiet."""
        out = []
        try:
            while True:
                out.append(await self.next(quiet))
        except TimeoutError:
            return out

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a flat client frame."""
        await self.connection.send(json.dumps({"type": type_, **fields}))

    async def answer(self, request: Frame, text: str, **more: Any) -> None:
        """Answer an input_request."""
        fields = {"chat_id": "any", "text": text, "request_id": request["data"]["request_id"], **more}
        await self.send("user.input.submit", **fields)

    async def say(self, text: str, **more: Any) -> Frame:
        """Answer the next question and return the final text of the reply."""
        await self.answer(self.last("chat.input_request") or await self.until("chat.input_request"), text, **more)
        await self.until("chat.text", agent="user")
        return await self.until("chat.text")

    def last(self, type_: str) -> Frame | None:
        """The newest frame of a type, if it is the last thing that came."""
        return self.frames[-1] if self.frames and self.frames[-1]["type"] == type_ else None

    def all(self, type_: str) -> list[Frame]:
        """Every frame of a type so far."""
        return [frame for frame in self.frames if frame["type"] == type_]


class Runtime:
    """A running child process."""

    def __init__(self, process: subprocess.Popen[str], keys: Keys, *, auth: bool) -> None:
        self.process = process
        line = (process.stdout.readline() if process.stdout else "") or "{}"
        self.ready: Frame = json.loads(line)
        self.url: str = self.ready["url"]
        self.keys = keys
        self.auth = auth

    def headers(self, user: str, **claims: Any) -> dict[str, str]:
        """Request headers of a user."""
        return {"Authorization": f"Bearer {self.keys.mint(user, **claims)}"} if self.auth else {}

    def request(self, method: str, path: str, user: str = "u1", **options: Any) -> httpx.Response:
        """One HTTP call as ``user``; ``headers`` may be given to replace the token."""
        options.setdefault("headers", self.headers(user))
        return httpx.request(method, self.url + path, timeout=60, **options)

    def start(self, workflow: str, user: str, **body: Any) -> Frame:
        """Start a chat."""
        body = {"user_id": user, "force_new": True, **body}
        answer = self.request("POST", f"/api/chats/app1/{workflow}/start", user, json=body)
        assert answer.status_code == 200, answer.text
        result: Frame = answer.json()
        return result

    async def wait_for(self, path: str, user: str, check: Callable[[Frame], bool]) -> None:
        """Poll an endpoint until its answer satisfies ``check``."""
        deadline = time.monotonic() + 60
        while not check(self.request("GET", path, user).json()):
            assert time.monotonic() < deadline, f"{path} never got there"
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def socket(self, workflow: str, chat: str, user: str, token: str | None = None, **claims: Any) -> AsyncIterator[Wire]:
        """An open WebSocket of a chat."""
        query = f"?access_token={self.keys.mint(user, **claims) if token is None else token}" if self.auth else ""
        url = f"{self.url.replace('http', 'ws', 1)}/ws/{workflow}/app1/{chat}/{user}{query}"
        async with connect(url, max_size=None, max_queue=None) as connection:
            yield Wire(connection)

    @asynccontextmanager
    async def chat(self, workflow: str, user: str) -> AsyncIterator[Wire]:
        """Start a new chat and open it."""
        started = self.start(workflow, user)
        async with self.socket(workflow, started["chat_id"], user) as wire:
            meta = await wire.next()
            assert meta["type"] == "chat_meta"
            assert meta["data"]["chat_id"] == started["chat_id"]
            yield wire


Spawn = Callable[..., Runtime]


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One key pair for the whole session."""
    return Keys()


@pytest.fixture(scope="session")
def spawn(keys: Keys) -> Iterator[Spawn]:
    """Start runtimes; keyword arguments change the configuration, ``auth=False`` switches tokens off."""
    processes: list[subprocess.Popen[str]] = []

    def start(*, auth: bool = True, **config: Any) -> Runtime:
        settings: dict[str, Any] = {"port": 0, "token_delay_ms": 2}
        if auth:
            settings |= {"jwks": keys.jwks, "issuer": ISSUER, "audience": AUDIENCE, "scope": SCOPE}
        process = launch(json.dumps(settings | config) + "\n")
        processes.append(process)
        return Runtime(process, keys, auth=auth)

    yield start
    for process in processes:  # all are told before one is waited for
        if process.stdin and not process.stdin.closed:
            process.stdin.close()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def launch(line: str) -> subprocess.Popen[str]:
    """The child process with its configuration line written."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mozaiks_shell.runtime"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if "bad" in line else None,
        text=True,
    )
    assert process.stdin
    process.stdin.write(line)
    process.stdin.flush()
    return process


@pytest.fixture(scope="session")
def runtime(spawn: Spawn) -> Runtime:
    """A runtime with tokens on and a quick offline assistant."""
    return spawn()


@pytest.fixture
def user() -> str:
    """A user nobody else in the test run is."""
    return f"u-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def launcher() -> Callable[[str], subprocess.Popen[str]]:
    """The bare child process, for tests of its start and end."""
    return launch


Handler = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture
def http_server() -> Iterator[Callable[[Handler], str]]:
    """A small real HTTP server; give it a handler, get its URL."""
    servers: list[ThreadingHTTPServer] = []

    def serve(handle: Handler) -> str:
        class Endpoint(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                handle(self, b"")

            def do_POST(self) -> None:
                handle(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
