"""What is new reaches the open tabs of the one person, over a real socket (F-088, F-208, F-220)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mozaiks_shell.foundation import live
from mozaiks_shell.foundation.errors import Invalid, TooLarge
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.accounts import register
from mozaiks_shell.notifications import service as notifications
from mozaiks_shell.notifications import socket

ORIGIN = "http://localhost:3000"


@pytest.fixture
async def served(database) -> AsyncIterator[str]:
    """The sockets on a free port."""
    api = FastAPI()
    api.include_router(socket.router)
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.005)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture
async def people(database) -> dict[str, tuple[str, str]]:
    """(id, cookie) of Ada and Eve."""
    found = {}
    for name in ("ada", "eve"):
        user = await register(name, "a long enough password", f"{name}@example.com")
        found[name] = user.id, f"{identity.cookie_name()}={await identity.open_session(user)}"
    return found


@asynccontextmanager
async def tab(base: str, cookie: str, path: str = "/ws/live", origin: str = ORIGIN) -> AsyncIterator[ClientConnection]:
    """An open socket that is listened to already."""
    async with connect(base + path, origin=origin, additional_headers={"Cookie": cookie}) as opened:  # type: ignore[arg-type]
        with contextlib.suppress(ConnectionClosed):
            await opened.send("ping")
        yield opened


async def heard(opened: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        return json.loads(await opened.recv())


async def closed_with(base: str, cookie: str, path: str = "/ws/live", origin: str = ORIGIN) -> int:
    async with tab(base, cookie, path, origin) as opened:
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(60):
                await opened.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_f088_every_tab_of_the_person_and_nobody_elses(served, people):
    (ada, cookie), (_, hers) = people["ada"], people["eve"]
    async with tab(served, cookie) as one, tab(served, cookie) as two, tab(served, hers) as other:
        for opened in (one, two, other):
            assert await heard(opened) == {"type": "pong"}
        await live.push("dev-app", ada, {"type": "tasks_update", "action": "created", "data": {"id": 7}})
        await live.push("other-app", ada, {"type": "tasks_update", "action": "elsewhere", "data": {}})
        for opened in (one, two):
            assert await heard(opened) == {"type": "tasks_update", "action": "created", "data": {"id": 7}}
        await other.send("ping")
        assert await heard(other) == {"type": "pong"}
    while live.tabs_of("dev-app", ada):  # noqa: ASYNC110 - the server's end has no event for a test
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("path", ["/ws/live", "/ws/notifications/_"])
async def test_strangers_are_refused(served, people, path):
    cookie = people["ada"][1]
    assert await closed_with(served, "", path) == 4001
    assert await closed_with(served, "mozaiks_session=nonsense", path) == 4001
    assert await closed_with(served, cookie, path, "https://evil.example") == 4003


async def test_f208_another_persons_address_is_refused(served, people):
    assert await closed_with(served, people["ada"][1], f"/ws/notifications/{people['eve'][0]}") == 4003


async def test_f208_a_notification_arrives_as_the_api_tells_it(served, people):
    ada, cookie = people["ada"]
    async with tab(served, cookie, f"/ws/notifications/{ada}") as opened:
        await heard(opened)
        await live.push("dev-app", ada, {"type": "tasks_update", "action": "x", "data": {}})
        note = await notifications.create("dev-app", ada, "tasks.due", "Milk is due", "Today", "/plugins/tasks")
        frame = await heard(opened)
    assert (frame["type"], frame["subtype"]) == ("notification", "new")
    assert frame["data"] == {
        "id": note.id, "user_id": ada, "type": "tasks.due", "title": "Milk is due", "message": "Today",
        "created_at": note.created_at.isoformat(), "read": False, "metadata": {"link": "/plugins/tasks"},
    }  # fmt: skip


async def test_who_signs_out_hears_no_more(served, people):
    ada, cookie = people["ada"]
    async with tab(served, cookie) as opened:
        await heard(opened)
        await identity.close_all_sessions(ada)
        with pytest.raises(ConnectionClosed) as closed:
            await heard(opened)
    assert closed.value.rcvd.code == 4001


async def test_too_many_tabs(served, people, monkeypatch):
    monkeypatch.setattr(socket, "TABS", 1)
    async with tab(served, people["ada"][1]) as opened:
        await heard(opened)
        assert await closed_with(served, people["ada"][1]) == 4008


async def test_a_slow_tab_loses_the_oldest_and_costs_no_memory(settings):
    slow = live.open_tab("dev-app", "usr_ada")
    for number in range(live.WAITING + 50):
        await live.push("dev-app", "usr_ada", {"type": "x_update", "n": number})
    await asyncio.sleep(0)
    frames = await slow.take()
    assert len(frames) == live.WAITING and json.loads(frames[-1])["n"] == live.WAITING + 49
    live.close_tab(slow)


async def test_what_cannot_be_sent_is_refused(settings):
    with pytest.raises(TooLarge):
        await live.push("dev-app", "usr_ada", {"type": "x", "data": "x" * 20_000})
    with pytest.raises(Invalid):
        await live.push("dev-app", "usr_ada", {"type": "x", "data": "\ud800"})


async def test_f088_a_frame_of_another_process_arrives_over_redis(settings, redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)
    get_settings.cache_clear()
    stop = await live.start_live()
    mine = live.open_tab("dev-app", "usr_ada")
    other = live.redis.from_url(redis_url)
    told = {"from": "another", "app": "dev-app", "user": "usr_ada", "frame": '{"type":"x_update"}'}
    try:
        await other.publish("mozaiks:live", "no json")
        await other.publish("mozaiks:live", json.dumps(told))
        async with asyncio.timeout(60):
            assert await mine.take() == ['{"type":"x_update"}']
        await live.push("dev-app", "usr_ada", {"type": "own"})  # comes once, not again over Redis
        await other.publish("mozaiks:live", json.dumps({**told, "frame": '{"type":"last"}'}))
        frames: list[str] = []
        async with asyncio.timeout(60):
            while '{"type":"last"}' not in frames:
                frames += await mine.take()
        assert frames == ['{"type":"own"}', '{"type":"last"}']
    finally:
        live.close_tab(mine)
        await other.aclose()
        await stop()
