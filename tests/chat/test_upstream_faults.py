"""Faults of the runtime and of the way to it, really done: frozen, cut, killed, slow, huge, garbled (abuse 26, 27, 33; F-187)."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import pytest

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import bridge as bridges
from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat import upstream_line as lines
from mozaiks_shell.foundation.settings import get_settings
from tests.chat.processes import doomed
from tests.live import free_port

ROOT = Path(__file__).resolve().parents[2]


def offered(tab):
    found = [one for one in tab.items if one["k"] == "choice"]
    return [one["id"] for one in found[-1]["options"]] if found else []


def texts(tab):
    return [text for _, _, text in tab.messages()]


@contextlib.asynccontextmanager
async def process(port):
    """A runtime of its own on this port; killed at the end."""
    async with doomed(port, "-m", "tests.chat.upstream_process", str(port)) as child:
        yield child


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(lines, "PING_EVERY", 0.3)
    monkeypatch.setattr(bridges, "_ASK_AGAIN", (0.05, 0.05))


def use(monkeypatch, url, ws=""):
    monkeypatch.setenv("MOZAIKS_AI_URL", url)
    monkeypatch.setenv("MOZAIKSAI_WS_URL", ws)
    get_settings.cache_clear()


class Cable:
    """A TCP way to a port that can be cut without a word, as a dying network does."""

    def __init__(self, port):
        self._port, self.cut = port, False

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _join(self, reader, writer):
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pass(reader, forth), self._pass(back, writer), return_exceptions=True)

    async def _pass(self, reader, writer):
        while data := await reader.read(65536):
            if not self.cut:
                writer.write(data)
        writer.close()


async def test_a_frozen_runtime_is_waited_for_and_nothing_is_lost(database, shell, ada, impatient, monkeypatch):
    """SIGSTOP: busy or dead, nobody can know. Its socket is kept, the person is told, and the answer still comes."""
    port = free_port()
    use(monkeypatch, f"http://127.0.0.1:{port}")
    monkeypatch.setattr("mozaiks_shell.broker.adapters.transport.SECONDS", 0.5, raising=False)
    async with process(port) as child, shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        os.kill(child.pid, signal.SIGSTOP)
        await tab.send(t="say", text="still there?", id="m1")
        await tab.until(lambda: "does not answer at the moment" in tab.chat["detail"], 30)
        assert tab.saw_status("running")
        os.kill(child.pid, signal.SIGCONT)
        await tab.until(lambda: "Heard: still there?" in texts(tab) and tab.asked(), 30)
        await tab.until(lambda: tab.chat["detail"] == "", 30)
        assert texts(tab) == ["Ready.", "still there?", "Heard: still there?"]
        assert not offered(tab)
    get_settings.cache_clear()


async def test_a_half_open_socket_is_found_when_the_runtime_is_alive_elsewhere(upstream, shell, ada, impatient, monkeypatch):
    async def play(line):
        await line.meta()
        await line.text("Before.", sequence=2)
        await line.idle()

    upstream.plays = [play]
    http = get_settings().ai_url
    async with Cable(int(http.rpartition(":")[2])) as cable:
        use(monkeypatch, http, cable.url)
        async with shell() as running, running.browser(ada) as tab:
            await tab.open(workflow="Assistant")
            await tab.until(lambda: texts(tab) == ["Before."])
            await asyncio.sleep(0.7)  # an open line that says nothing is left alone, however often it is pinged
            assert tab.saw_status("running")
            cable.cut = True
            await tab.until(lambda: tab.saw_status("interrupted") and offered(tab))
            assert "connection to the run was lost" in texts(tab)[-1]
    assert upstream.count("ws") == 1


async def test_a_killed_runtime_that_comes_back_is_not_connected_to(database, shell, ada, impatient, monkeypatch):
    """Its sequence begins anew and it holds messages: the one reconnect that freezes a published runtime (§2.8 a)."""
    port = free_port()
    use(monkeypatch, f"http://127.0.0.1:{port}")
    async with shell() as running, running.browser(ada) as tab:
        async with process(port) as child:
            await tab.open(workflow="Assistant")
            await tab.until(tab.asked)
            await tab.send(t="say", text="one", id="m1")
            await tab.until(lambda: "Heard: one" in texts(tab))
            os.kill(child.pid, signal.SIGKILL)
            await tab.until(lambda: offered(tab) == ["check", "restart", "leave"])
        before = texts(tab)
        async with process(port):
            await tab.send(t="say", text="two", id="m2")
            await tab.until(lambda: tab.refusals() == ["RUN_ENDED"])
            assert texts(tab) == before == ["Ready.", "one", "Heard: one", before[-1]]
    get_settings.cache_clear()


async def test_the_embedded_runtime_is_reconnected_to_without_gap_or_double(database, ada, shell, monkeypatch):
    """F-186, F-187: its socket breaks in the middle of an answer; the person sees it come back, and one whole answer."""
    monkeypatch.setattr(bridges, "_AGAIN", (0.05,) * 50)
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        greeting = len(tab.messages())
        for number in range(3):
            await tab.send(t="say", text=f"What can you do? {number}", id=f"m{number}")
            await tab.until(lambda: any(tab.live.values()))
            bridge = chats.runs().bridge(ada.principal, tab.chat["chat"])
            bridge._line._socket.transport.abort()
            await tab.until(lambda: "Connecting again" in tab.chat["detail"] or not tab.live)
            await tab.until(tab.asked, 20)
        said = tab.messages()
        assert [role for role, _, _ in said[greeting:]] == ["user", "agent"] * 3, said
        alone = [text for role, _, text in said[greeting:] if role == "agent"]
        assert all(alone) and tab.saw_status("waiting") and not offered(tab)
        known = broker.embedded_runtime()
        assert known is not None
        session = await broker.connect(ada.principal, bridge.chat)
        meta = await (await broker.runtime()).meta("dev-app", "Assistant", bridge.chat.runtime_chat_id, session.token)
        assert meta["last_sequence"] >= len([one for one in said if one[0] != "notice"])


async def test_a_frame_over_the_limit_ends_the_connection_with_the_reason(upstream, shell, ada, monkeypatch):
    monkeypatch.setattr(lines, "MAX_FRAME", 1024 * 1024)

    async def play(line):
        await line.meta()
        await line.text("x" * 500_000, sequence=2)  # large and taken, though cut to what a message may hold
        await line.ask("r1")
        await line.receive()
        await line.text("y" * 2_000_000, sequence=3)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert len(texts(tab)[0]) == 200_000
        await tab.send(t="say", text="more", id="m1")
        await tab.until(lambda: offered(tab))
        assert "more than 1 MB at once" in tab.chat["detail"] and "reconnect" not in offered(tab)


async def test_an_oversized_form_is_named_and_its_run_goes_on(upstream, shell, ada):
    got = []

    async def play(line):
        await line.meta()
        await line.send("chat.tool_call", component_type="core.table", corr="t1", payload={"title": "Rows", "x": "y" * 600_000})
        got.append(await line.receive())
        await line.text("Without it, then.", sequence=2)
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: "Without it, then." in texts(tab))
        assert texts(tab)[0] == "“Rows” is too large to be shown."
    assert (got[0]["type"], got[0]["eventId"], got[0]["response"]["status"]) == ("ui_tool_response", "t1", "error")


async def test_garbage_between_good_frames_is_left_out(upstream, shell, ada):
    junk = [
        "{", "null", "[]", "x", '{"type":{}}', '{"type":"chat.text","data":7}', '{"type":"chat.input_request"}',
        '{"type":"chat.tool_call","data":{"component_type":[],"corr":{}}}',
        '{"type":"chat.error","data":{"message":{"a":1}}}',
        '{"type":"tool_progress","data":{"progress_percent":1e999}}',
        '{"type":"chat_meta","data":{"chat_id":17}}',
    ]  # fmt: skip

    async def play(line):
        await line.meta()
        for number, one in enumerate(junk):
            await line.frame(one)
            await line.socket.send_bytes(b"\xff\x00" + one.encode())
            await line.text(f"good {number}", sequence=number + 2)
        await line.ask("r1", "Done?")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        assert [text for role, _, text in tab.messages() if role == "agent"] == [f"good {number}" for number in range(len(junk))]


def resident():
    """This process's memory, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory on Linux only")
async def test_bursts_are_read_within_bounded_memory(upstream, shell, ada):
    """100 MB in big frames and thousands of small ones; what is not shown must not stay (abuse 31 upstream)."""
    big = json.dumps({"type": "chat.unheard_of", "data": {"x": "y" * 1_000_000}})

    async def play(line):
        await line.meta()
        for _ in range(100):
            await line.frame(big)
        for number in range(4000):
            await line.send("chat.context_update", variable="v", value=number)
            await line.send("chat.print", agent="Helper", content="w ")
        await line.text("w " * 4000, sequence=2)
        await line.ask("r1", "Done?")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        before = resident()
        await tab.open(workflow="Assistant")
        most = before
        async with asyncio.timeout(120):
            while not tab.asked():
                most = max(most, resident())
                await asyncio.sleep(0.02)
        assert texts(tab) == ["w " * 4000]
        assert most - before < 90, f"{before:.0f} MB before, {most:.0f} MB at most"


def raw_frame(text):
    data = text.encode()
    assert 126 <= len(data) < 65536
    return bytes([0x81, 126]) + len(data).to_bytes(2, "big") + data


@pytest.mark.parametrize("fault", ["slow", "silent", "mid-frame", "not http"])
async def test_a_line_that_dribbles_stalls_or_breaks(upstream, shell, ada, monkeypatch, fault):
    """A TCP server that speaks the handshake by hand, so that bytes come as nobody's library would send them."""
    monkeypatch.setattr(lines, "OPEN_WITHIN", 1.0 if fault in {"silent", "not http"} else 10.0)
    from websockets.utils import accept_key

    async def serve(reader, writer):
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        if fault == "silent":
            await reader.read()
            return
        if fault == "not http":
            writer.write(b"220 smtp ready\r\n" * 3)
            await writer.drain()
            writer.close()
            return
        key = next(line.split(": ")[1] for line in request.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        head = "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"
        answer = "\r\n".join([*head, f"Sec-WebSocket-Accept: {accept_key(key)}", "", ""])
        writer.write(answer.encode())
        pad = "." * 120
        meta = raw_frame(json.dumps({"type": "chat_meta", "data": {"chat_id": "chat-1", "status": 0}, "pad": pad}))
        text = raw_frame(json.dumps({"type": "chat.text", "data": {"agent": "Helper", "content": "Slow but whole.", "pad": pad}}))
        writer.write(meta)
        if fault == "mid-frame":
            writer.write(text[: len(text) // 2])
            await writer.drain()
            writer.close()
            return
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
        await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    monkeypatch.setattr(bridges, "_ASK_AGAIN", ())
    use(monkeypatch, get_settings().ai_url, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        match fault:
            case "slow":
                await tab.until(lambda: texts(tab) == ["Slow but whole."])
            case "mid-frame":
                await tab.until(lambda: tab.saw_status("interrupted") and offered(tab))
                assert "Slow" not in json.dumps(tab.items)
            case "silent":
                await tab.until(lambda: tab.saw_status("failed"))
                assert "did not answer in time" in tab.chat["detail"]
            case "not http":
                await tab.until(lambda: tab.saw_status("failed"))
                assert "not reachable" in tab.chat["detail"]
    server.close()
