"""Real parts around the chat: the app's routes behind uvicorn, a browser that speaks the chat socket, signed-in people."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.routes import router as broker_routes
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.feedback_routes import router as feedback_routes
from mozaiks_shell.chat.routes import router as chat_routes
from mozaiks_shell.chat.slash_routes import router as slash_routes
from mozaiks_shell.chat.socket import router as chat_socket
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import service as identity
from tests.chat.upstream import Upstream


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI app on a free port of this event loop; gives its http base."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


def shell_app() -> Any:
    """The routes of broker and chat behind the real Gatekeeper."""
    api = FastAPI()
    problems.install(api)
    for router in (broker_routes, chat_routes, feedback_routes, slash_routes, chat_socket):
        api.include_router(router)
    return Gatekeeper(api, get_settings(), lambda: "default-src 'self'")


@dataclass
class Person:
    """Somebody with a live session."""

    principal: Principal
    cookie: str


@dataclass
class Browser:
    """What a browser knows after reading the chat socket: items by offset, the text being written, the status."""

    socket: ClientConnection
    frames: list[Any] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    offset: int = -1
    live: dict[str, str] = field(default_factory=dict)
    writing: str = ""
    chat: dict[str, Any] = field(default_factory=dict)
    caught_up: int = 0
    closed: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def open(self, chat: str | None = None, workflow: str | None = None, new: bool = False) -> None:
        """Open a chat and read until the replay is over."""
        wanted = self.caught_up + 1
        if new:
            self.items, self.offset, self.live = [], -1, {}
        await self.send(t="open", chat=chat, workflow=workflow, new=new, **{"from": self.offset})
        await self.until(lambda: self.caught_up >= wanted)

    async def pump(self) -> None:
        """Read for as long as the socket is open."""
        try:
            with contextlib.suppress(ConnectionClosed):
                async for raw in self.socket:
                    self.take(json.loads(raw))
        finally:
            self.closed = True
            self.news.set()

    def take(self, frame: Any) -> None:
        """Note one frame, as the pane would."""
        self.frames.append(frame)
        self.news.set()
        if isinstance(frame, list):
            assert frame[0] > self.offset, "an offset came twice"
            if self.writing in self.live:  # else it came when the message was finished already, which follows whole
                self.offset = frame[0]
                self.live[self.writing] += frame[1]
        elif "k" in frame:
            assert frame["o"] > self.offset, "an offset came twice"
            self.offset = frame["o"]
            if frame["k"] == "live":
                self.writing = frame["id"]
                self.live[frame["id"]] = ""
            else:
                self.live.pop(frame.get("id", ""), None)
                self.items.append(frame)
        elif frame["t"] == "chat":
            self.chat = frame
        elif frame["t"] == "caught_up":
            self.caught_up += 1

    async def until(self, happened: Callable[[], object], seconds: float = 60.0) -> Any:
        """Wait for the condition, asked after every frame; returns what it returned."""
        async with asyncio.timeout(seconds):
            while not (found := happened()):
                assert not self.closed, f"the shell hung up: {self.socket.close_code} {self.socket.close_reason}"
                self.news.clear()
                if not (found := happened()):
                    await self.news.wait()
        return found

    async def hung_up(self) -> int | None:
        """Wait until the shell closes the socket; returns the close code."""
        async with asyncio.timeout(60):
            while not self.closed:
                self.news.clear()
                await self.news.wait()
        return self.socket.close_code

    def kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Items of these kinds, a replaced message in its last form."""
        last: dict[str, dict[str, Any]] = {}
        for item in self.items:
            if item["k"] in kinds:
                last[f"{item['k']} {item.get('id', item['o'])} {item.get('state', '')}"] = item
        return list(last.values())

    def messages(self) -> list[tuple[str, str, str]]:
        """(role, who, text) of every message."""
        return [(one["role"], one["who"], one["text"]) for one in self.kind("message")]

    def refusals(self) -> list[str]:
        """Codes of what was refused."""
        return [one["code"] for one in self.frames if isinstance(one, dict) and one.get("t") == "refused"]

    def asked(self) -> dict[str, Any] | None:
        """The question that waits."""
        waiting = None
        for item in self.items:  # in order: after a reconnect the runtime may ask the same again
            if item["k"] == "ask":
                waiting = item
            elif item["k"] == "asked" and waiting is not None and waiting["id"] == item["id"]:
                waiting = None
        return waiting

    def saw_status(self, *wanted: str) -> bool:
        return self.chat.get("status") in wanted


@dataclass
class Shell:
    """A running shell."""

    url: str

    @asynccontextmanager
    async def browser(self, person: Person | None, *, origin: str | None = "") -> AsyncIterator[Browser]:
        """A chat socket of this person; ``origin`` empty for our own."""
        headers = {"cookie": person.cookie} if person else {}
        where = get_settings().origin if origin == "" else origin
        url = self.url.replace("http", "ws") + "/ws/chat"
        async with connect(url, additional_headers=headers, origin=where, max_size=None, proxy=None) as socket:  # type: ignore[arg-type]
            browser = Browser(socket)
            pump = asyncio.create_task(browser.pump())
            try:
                yield browser
            finally:
                await socket.close()
                await pump


@pytest.fixture
def sign_up(database: Any) -> Callable[[str], Awaitable[Person]]:
    """Call with a name: an account with a live session."""

    async def make(name: str) -> Person:
        user = await identity.register(name, "correct horse battery", f"{name}@example.com")
        secret = await identity.open_session(user)
        return Person(identity.principal_of(user), f"{identity.cookie_name()}={secret}")

    return make


@pytest.fixture
async def ada(sign_up: Callable[[str], Awaitable[Person]]) -> Person:
    return await sign_up("ada")


@asynccontextmanager
async def running_shell() -> AsyncIterator[Shell]:
    """The lifespan of a worker, without the front door."""
    stop_runtime = await broker.start_runtime()
    stop_chats = await chats.start_chats()
    try:
        async with listening(shell_app()) as url:
            yield Shell(url)
    finally:
        await stop_chats()
        await stop_runtime()


@pytest.fixture
def shell() -> Callable[[], Any]:
    """Call for an async context manager that runs the shell with the settings of that moment."""
    return running_shell


@pytest.fixture
def serve() -> Callable[[Any], Any]:
    """Call with an ASGI app for an async context manager that serves it."""
    return listening


@pytest.fixture
async def upstream(database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """A double of the published runtime that the settings point to."""
    double = Upstream()
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        get_settings.cache_clear()
        yield double
    get_settings.cache_clear()
