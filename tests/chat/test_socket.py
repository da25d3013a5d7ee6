"""The browser's socket: who may open it, resuming, several tabs, slow readers, limits, bytes."""

import asyncio
import json
import os
import signal

import httpx
import pytest
from websockets.asyncio.client import connect

from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat import socket as chat_socket
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.models import User

WORDS = [f"word{number:03d} " for number in range(400)]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_foreign_origin_is_refused(upstream, shell, ada, origin):
    async with shell() as running, running.browser(ada, origin=origin) as tab:
        assert await tab.hung_up() == 4003
        assert tab.frames == []


async def test_nobody_is_refused_and_a_signed_out_person_is_cut_off(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.idle()

    upstream.plays = [play]
    async with shell() as running:
        async with running.browser(None) as tab:
            assert await tab.hung_up() == 4001
        async with running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await identity.close_session(ada.cookie.partition("=")[2])
            await tab.send(t="say", text="hello", id="m1")
            assert await tab.hung_up() == 4001


async def hello(line):
    await line.meta()
    await line.idle()


async def test_a_silent_tab_of_a_signed_out_person_is_cut_off_at_once(upstream, shell, ada, sign_up, monkeypatch):
    monkeypatch.setattr(chat_socket, "_RECHECK", 3600)  # it is told: nothing is asked again
    upstream.plays = [hello, hello]
    eve = await sign_up("eve")
    async with shell() as running, running.browser(ada) as tab, running.browser(eve) as hers:
        await tab.open(workflow="Assistant")
        await hers.open(workflow="Assistant")
        await identity.close_all_sessions(ada.principal.user_id)
        assert await tab.hung_up() == 4001
        await hers.send(t="ping")
        await hers.until(lambda: {"t": "pong"} in hers.frames)


async def test_other_sessions_of_the_same_person_stay(upstream, shell, ada):
    upstream.plays = [hello]
    user = await identity.find_user(ada.principal.user_id)
    other = await identity.open_session(user)
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await identity.close_session(other)
        await tab.send(t="ping")
        await tab.until(lambda: {"t": "pong"} in tab.frames)


async def test_a_disabled_person_is_noticed_soon(upstream, shell, ada, monkeypatch):
    assert chat_socket._RECHECK <= 5
    monkeypatch.setattr(chat_socket, "_RECHECK", 0.05)
    upstream.plays = [hello]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        async with db.system_session() as opened:
            (await opened.get(User, ada.principal.user_id)).disabled = True
        assert await tab.hung_up() == 4001


async def test_binary_strange_offsets_and_strange_names(upstream, shell, ada):
    upstream.plays = [hello]
    async with shell() as running:
        async with running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            for seen in (10**30, 2**63, -5, 1.5, True, "1", None):
                wanted = tab.caught_up + 1
                await tab.socket.send(json.dumps({"t": "open", "chat": tab.chat["chat"], "from": seen}))
                await tab.until(lambda wanted=wanted: tab.caught_up >= wanted)
            await tab.send(t="answer", tool="\ud800", response={})
            await tab.send(t="answer", tool="t", response={"a": "\udfff"})
            await tab.socket.send('{"t":"answer","tool":"t","response":{"a":' + "[" * 500 + "]" * 500 + "}}")
            await tab.until(lambda: len(tab.refusals()) == 3)
            assert tab.refusals() == ["TOOL_NOT_FOUND", "BAD_TEXT", "TOO_DEEP"]
            await tab.socket.send(b"\x00\x01")
            assert await tab.hung_up() == 1003
        async with running.browser(ada) as tab:
            await tab.send(t="open", chat="\ud800", **{"from": -1})
            assert await tab.hung_up() == 4003


@pytest.fixture
async def server_hears():
    """Call with a function that stands for the server's own handler of SIGTERM."""
    loop = asyncio.get_running_loop()
    yield lambda handler: loop.add_signal_handler(signal.SIGTERM, handler)
    loop.remove_signal_handler(signal.SIGTERM)


async def test_browsers_are_told_when_the_process_ends(upstream, shell, ada, server_hears):
    open_then, stopped = [], asyncio.Event()
    server_hears(lambda: (open_then.append(dict(chat_socket._browsers)), stopped.set()))
    upstream.plays = [hello]
    async with shell() as running, running.browser(ada) as tab, running.browser(ada) as other:
        await tab.open(workflow="Assistant")
        await other.send(t="ping")
        await other.until(lambda: {"t": "pong"} in other.frames)
        assert len(chat_socket._browsers) == 1
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await tab.hung_up(), await other.hung_up()) == (1001, 1001)
        await stopped.wait()
        assert open_then == [{}], "the server stopped before the browsers were told"


async def test_a_replay_that_fails_closes_the_socket(upstream, shell, ada, monkeypatch):
    upstream.plays = [hello]

    async def broken(*_):
        raise ValueError("the log cannot be read")
        yield

    async with shell() as running, running.browser(ada) as tab:
        monkeypatch.setattr(Channel, "replay", broken)
        await tab.send(t="open", workflow="Assistant", **{"from": -1})
        assert await tab.hung_up() == 1011


async def test_somebody_elses_chat_is_refused_everywhere(upstream, shell, ada, sign_up):
    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", component_type="core.form", corr="form_1", payload={"secret": 1})
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    eve = await sign_up("eve")
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        chat = tab.chat["chat"]
        for target in (chat, "no-such-chat"):
            async with running.browser(eve) as hers:
                await hers.send(t="open", chat=target, **{"from": -1})
                assert await hers.hung_up() == 4003
                assert hers.frames == []
        for call in (
            chats.tool_view(eve.principal, chat, "form_1"), chats.open_tools(eve.principal, chat),
            chats.rename_chat(eve.principal, chat, "mine"), chats.delete_chat(eve.principal, chat),
            chats.answer_tool(eve.principal, chat, "form_1", {}), chats.transcript(eve.principal, chat),
        ):  # fmt: skip
            with pytest.raises(chats.NotFound):
                await call
        with pytest.raises(chats.RunEnded):
            await chats.say(eve.principal, chat, "hello", "m1")
        assert await chats.list_chats(eve.principal) == []
        origin = {"origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers={"cookie": eve.cookie, **origin}) as http:
            assert (await http.get("/api/chats")).json()["count"] == 0
            assert (await http.get(f"/api/chats/{chat}")).status_code == 404
            assert (await http.patch(f"/api/chats/{chat}", json={"title": "x"})).status_code == 404
            assert (await http.delete(f"/api/chats/{chat}")).status_code == 404
            assert (await http.post("/api/workflows/start", json={"chat_id": chat})).status_code == 403
            assert (await http.post("/api/workflows/start", json={"chat_id": "nope"})).status_code == 404


async def test_dropping_the_socket_in_the_middle_of_an_answer_loses_and_doubles_nothing(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("First.", sequence=2)
        for word in WORDS:
            await line.send("chat.print", agent="Helper", content=word)
            await asyncio.sleep(0.0005)
        await line.text("".join(WORDS), sequence=500)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running:
        async with running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            seen = tab
        for _ in range(6):  # come back again and again with what was seen so far; an offset never comes twice
            async with running.browser(ada) as again:
                again.items, again.offset, again.live, again.writing = seen.items, seen.offset, seen.live, seen.writing
                await again.open(chat=seen.chat["chat"])
                again.chat = again.chat or seen.chat
                text = "".join(again.live.values())
                assert "".join(WORDS).startswith(text)
                await again.until(lambda again=again, size=len(text): len("".join(again.live.values())) > size or again.asked())
                seen = again
        async with running.browser(ada) as last:
            last.items, last.offset, last.live, last.writing = seen.items, seen.offset, seen.live, seen.writing
            await last.open(chat=seen.chat["chat"])
            await last.until(last.asked)
            assert last.messages() == [("agent", "Helper", "First."), ("agent", "Helper", "".join(WORDS))]
            assert last.live == {}


async def test_a_reader_that_takes_nothing_costs_bounded_memory_and_catches_up(upstream, shell, ada):
    big = "x" * 8000
    done = asyncio.Event()

    async def play(line):
        await line.meta()
        await asyncio.wait_for(done.wait(), 60)
        for number in range(3000):
            await line.text(f"{number} {big}", sequence=number + 2)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        headers, url = {"cookie": ada.cookie}, running.url.replace("http", "ws") + "/ws/chat"
        async with connect(
            url, additional_headers=headers, origin=get_settings().origin, max_queue=1, compression=None, proxy=None
        ) as slow:
            await slow.send(json.dumps({"t": "open", "chat": tab.chat["chat"], "from": -1}))
            await slow.recv()
            done.set()
            await tab.until(tab.asked, 300)
            channel = chats.runs().bridge(ada.principal, tab.chat["chat"]).channel
            assert any(tail.lost for tail in channel._tails), "the slow reader was never told to read the log"
            assert sum(tail._chars for tail in channel._tails) < 3_000_000
            numbers = []
            async with asyncio.timeout(300):
                while True:
                    frame = json.loads(await slow.recv())
                    if frame.get("k") == "message":
                        numbers.append(int(frame["text"].split()[0]))
                    elif frame.get("k") == "ask":
                        break
            assert numbers == list(range(3000))


async def test_a_streamed_word_costs_few_bytes(upstream, shell, ada):
    async def play(line):
        await line.meta()
        for word in WORDS:
            await line.send("chat.print", agent="Helper", content=word)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: "".join(tab.live.values()) == "".join(WORDS))
        pieces = [frame for frame in tab.frames if isinstance(frame, list)]
        sent = sum(len(json.dumps(piece, separators=(",", ":")).encode()) + 4 for piece in pieces)
        assert sent / len("".join(WORDS)) <= 4


async def test_windows_per_person_message_size_and_junk(upstream, shell, ada, monkeypatch):
    async def play(line):
        await line.meta()
        await line.idle()

    monkeypatch.setenv("WEBSOCKET_MAX_CONNECTIONS_PER_USER", "2")
    get_settings.cache_clear()
    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as one, running.browser(ada) as two:
        for tab in (one, two):
            await tab.send(t="ping")
            await tab.until(lambda tab=tab: {"t": "pong"} in tab.frames)
        async with running.browser(ada) as three:
            assert await three.hung_up() == 4008
        for junk in ("not json", "[]", "7", '{"t":5}', '{"t":"say"}', '{"t":"answer","tool":{},"response":[]}', '{"t":"stop"}'):
            await one.socket.send(junk)
        await one.send(t="say", text="no chat yet", id="m1")
        await one.until(lambda: len(one.refusals()) == 4)
        assert one.refusals() == ["NO_CHAT"] * 4
        await one.open(workflow="Assistant")
        await one.send(t="say", text=" ", id="m2")
        await one.send(t="say", text="x" * 33_000, id="m3")
        await one.until(lambda: one.refusals()[4:] == ["EMPTY_MESSAGE", "TOO_LARGE"])
        await one.socket.send("x" * 70_000)
        assert await one.hung_up() == 1009


async def test_rename_and_delete_over_http(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.text("Hello.", sequence=2)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.messages)
        chat = tab.chat["chat"]
        headers = {"cookie": ada.cookie, "origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
            assert (await http.patch(f"/api/chats/{chat}", json={"title": "Plans"})).status_code == 204
            await tab.until(lambda: tab.chat["title"] == "Plans")
            listed = (await http.get("/api/chats")).json()["sessions"]
            assert [(one["title"], one["status"], one["last_text"]) for one in listed] == [("Plans", "running", "Hello.")]
            items = (await http.get(f"/api/chats/{chat}")).json()["items"]
            assert [one["text"] for one in items] == ["Hello."]
            assert (await http.delete(f"/api/chats/{chat}")).status_code == 204
            assert (await http.get("/api/chats")).json()["count"] == 0
            assert (await http.get(f"/api/chats/{chat}")).status_code == 404
