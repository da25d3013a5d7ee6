"""Bounds of one socket and one chat: how many, how big, how far behind."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def test_one_socket_too_many_takes_over_from_the_oldest(spawn: Any, user: str) -> None:
    runtime = spawn(max_sockets_per_chat=2)
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(runtime.chat("Assistant", user))
        chat = first.frames[0]["data"]["chat_id"]
        asked = await first.until("chat.input_request")
        second = await stack.enter_async_context(runtime.socket("Assistant", chat, user))
        await second.until("chat.input_request")
        third = await stack.enter_async_context(runtime.socket("Assistant", chat, user))
        await third.until("chat.input_request")
        with pytest.raises(ConnectionClosed):
            await first.drain(60)
        assert first.connection.close_code == 1008
        await third.answer(asked, "help")
        await second.until("chat.text", agent="Assistant")


async def test_a_frame_too_big_closes_the_socket_and_not_the_runtime(runtime: Any, user: str) -> None:
    async with runtime.chat("Assistant", user) as wire:
        await wire.until("chat.input_request")
        await wire.send("user.input.submit", chat_id="any", text="x" * (1 << 21))
        with pytest.raises(ConnectionClosed):
            await wire.drain(60)
        assert wire.connection.close_code == 1009
    assert runtime.request("GET", "/api/health").status_code == 200


async def test_a_slow_reader_is_cut_off_and_costs_others_nothing(spawn: Any, user: str) -> None:
    runtime = spawn(max_queued_bytes=100_000)
    async with runtime.chat("Assistant", user) as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        await wire.until("chat.input_request")
        url = f"{runtime.url.replace('http', 'ws', 1)}/ws/Assistant/app1/{chat}/{user}?access_token={runtime.keys.mint(user)}"
        narrow = socket.create_connection(("127.0.0.1", int(runtime.url.rsplit(":", 1)[1])))
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with connect(url, sock=narrow, max_queue=1, ping_interval=None) as slow:
            sockets = 2
            for _ in range(150):
                await wire.send("user.input.submit", chat_id=chat, text="語" * 31_000)
                await wire.until("chat.input_ack")
                sockets = runtime.request("GET", "/api/health").json()["active_connections"]["websocket_connections"]
                if sockets == 1:
                    break
            assert sockets == 1
            slow.transport.abort()
        await wire.send("user.input.submit", chat_id=chat, text="still there")
        await wire.until("chat.input_ack")


async def test_ids_that_cannot_be_stored_are_refused(runtime: Any, user: str) -> None:
    long = "c" * 129
    found = runtime.request("GET", f"/api/chats/exists/app1/Assistant/{long}", user)
    assert (found.status_code, found.json()["detail"].split()[0]) == (400, "chat_id")
    answer = runtime.request("POST", "/api/chats/app1/Assistant/start", headers=runtime.headers("u" * 65), json={})
    assert answer.status_code == 400
    body = json.loads(answer.text)
    assert body["detail"].startswith("user_id")
