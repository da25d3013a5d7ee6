"""The published socket, offered by the shell to plain clients (F-170, abuse 20, 24)."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat.relay_ws import router
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import service as identity


class Client:
    """A plain client: what it got, by type."""

    def __init__(self, socket):
        self.socket, self.frames = socket, []

    async def until(self, type_, **wanted):
        async with asyncio.timeout(60):
            while True:
                got = json.loads(await self.socket.recv())
                self.frames.append(got)
                if got["type"] == type_ and wanted.items() <= got["data"].items():
                    return got["data"]

    async def say(self, **frame):
        await self.socket.send(json.dumps(frame))

    def texts(self):
        return [(one["data"]["agent"], one["data"]["content"]) for one in self.frames if one["type"] == "chat.text"]


@pytest.fixture
def relay(serve):
    """Call with a chat id and who asks, for an async context manager that gives a client."""

    @asynccontextmanager
    async def joined(person, chat, *, user="", app="dev-app", workflow="Assistant", token="", cookie="", origin=None):
        api = FastAPI()
        api.include_router(router)
        headers = ({"authorization": f"Bearer {token}"} if token else {}) | ({"cookie": cookie} if cookie else {})
        async with serve(Gatekeeper(api, get_settings(), lambda: "default-src 'self'")) as url:
            path = f"/ws/{workflow}/{app}/{chat}/{user or person.principal.user_id}"
            where = url.replace("http", "ws") + path
            async with connect(where, additional_headers=headers, origin=origin, proxy=None) as socket:
                yield Client(socket)

    return joined


async def token_of(person):
    user = await identity.authenticate(person.principal.name, "correct horse battery")
    return await identity.open_session(user, kind="token")


async def test_a_script_chats_through_the_shell_with_the_shells_own_token(upstream, shell, ada, relay):
    got = []
    form = {"component_type": "core.form", "corr": "f1", "payload": {"title": "Brief", "fields": []}}

    async def play(line):
        await line.meta()
        await line.send("chat.print", agent="Helper", content="Hel")
        await line.text("Hello.", sequence=2)
        await line.ask("r1", "Name?")
        got.append(await line.receive())
        await line.text("Ada", "user", sequence=3)
        await line.send("chat.tool_call", **form)
        got.append(await line.receive())
        await line.send("chat.ui_tool_complete", eventId="f1", ui_tool_id="core.form")
        await line.send("chat.run_complete", status=1)
        await line.idle()

    upstream.plays = [play]
    upstream.known_by_default = {"last_sequence": 0, "last_artifact": None}
    token = await token_of(ada)
    async with shell() as running:
        chat = (await broker.start(ada.principal, "Assistant")).chat_id
        async with relay(ada, chat, token=token) as client, running.browser(ada) as tab:
            meta = await client.until("chat_meta")
            assert (meta["chat_id"], meta["user_id"]) == (chat, ada.principal.user_id)
            await client.until("chat.input_request", request_id="r1", prompt="Name?")
            assert client.texts() == [("Helper", "Hello.")]
            await client.say(type="user.input.submit", chat_id=chat, text="Eve", request_id="of nobody")
            await client.until("ack.input", status="rejected")
            await client.socket.send("no json")
            await client.say(type="ping")
            await client.until("chat.error", error_code="SCHEMA_VALIDATION_FAILED")
            await client.say(type="user.input.submit", chat_id=chat, text="Ada", request_id="r1")
            tool = await client.until("chat.tool_call", corr="f1")
            assert tool["payload"]["title"] == "Brief" and tool["awaiting_response"] is True
            await client.say(type="ui_tool_response", eventId="f1", response={"status": "success", "data": {}})
            await client.until("chat.run_complete")
            assert client.texts() == [("Helper", "Hello."), ("user", "Ada")]
            await tab.open(chat=chat)  # the window beside it sees the same, over the same one upstream socket
            assert [text for _, _, text in tab.messages()] == ["Hello.", "Ada"]
            assert token not in json.dumps(client.frames) and "access_token" not in json.dumps(client.frames)
        async with relay(ada, chat, token=token) as again:
            await again.until("chat.resume_boundary")
            assert again.texts() == client.texts()
            await again.say(type="client.resume", chat_id=chat, lastClientIndex=0)
            await again.until("chat.resume_boundary")
            assert again.texts()[2:] == [("user", "Ada")]
    assert [(one["type"], one.get("request_id")) for one in got] == [("user.input.submit", "r1"), ("ui_tool_response", None)]
    assert upstream.count("ws") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 4001),
        ({"token": "nonsense"}, 4001),
        ({"by": "cookie", "origin": "https://evil.example"}, 4003),
        ({"by": "cookie"}, 4003),
        ({"by": "token", "origin": "https://evil.example"}, 4003),
        ({"by": "token", "user": "usr_other"}, 4003),
        ({"by": "token", "app": "other-app"}, 4003),
        ({"by": "token", "workflow": "Secret"}, 4003),
        ({"by": "token", "chat": "chat-of-nobody"}, 4003),
        ({"by": "bob"}, 4003),
    ],
    ids=[
        "no token", "bad token", "foreign page", "cookie without a page", "foreign page with a token", "another user",
        "another app", "another workflow", "unknown chat", "Bob with his own token",
    ],
)  # fmt: skip
async def test_who_may_not_is_closed_out(upstream, shell, ada, sign_up, relay, change, code):
    bob = await sign_up("bob")
    async with shell():
        chat = (await broker.start(ada.principal, "Assistant")).chat_id
        given = {key: value for key, value in change.items() if key not in {"by", "chat"}}
        person = bob if change.get("by") == "bob" else ada
        if change.get("by") in {"token", "bob"}:
            given["token"] = await token_of(person)
        elif change.get("by") == "cookie":
            given["cookie"] = ada.cookie
        elif not change:
            given["origin"] = get_settings().origin
        async with relay(person, change.get("chat", chat), **given) as client:
            with pytest.raises(ConnectionClosed) as closed:
                await client.until("chat_meta")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code
    assert upstream.count("ws") == 0


async def test_signing_out_ends_the_socket(upstream, shell, ada, relay, monkeypatch):
    monkeypatch.setattr("mozaiks_shell.chat.relay_ws._RECHECK", 0.1)

    async def play(line):
        await line.meta()
        await line.idle()

    upstream.plays = [play]
    upstream.known_by_default = {"last_sequence": 0, "last_artifact": None}
    token = await token_of(ada)
    async with shell():
        chat = (await broker.start(ada.principal, "Assistant")).chat_id
        async with relay(ada, chat, token=token) as client:
            await client.until("chat.resume_boundary")
            await identity.close_session(token)
            with pytest.raises(ConnectionClosed) as closed:
                await client.until("chat.text")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4001
