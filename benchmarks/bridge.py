"""What the shell adds between a runtime and a browser while 100 answers stream at once, 50 tokens of 8 bytes a second each.

    python -m benchmarks.bridge [rounds]

The same double runtime is read twice in the same minute: by raw WebSockets directly, and through the shell's real server
process (session, durable transcript, browser socket). Latency is from the double's ``send`` to the client's receipt of
that token, on one clock. Bytes are WebSocket frames as they cross the wire, headers included, per byte of text.
Comparator for the bytes: Chainlit's ``stream_token`` with the same tokens.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import websockets

from benchmarks.common import answers, calm, comparator, host, memory_mib, percentile, publish, spread
from tests.live import ROOT, Server, Site, clean_environment, free_port

STREAMS, TOKENS, RATE, PER_PERSON = 100, 250, 50, 5
SPACING = 0.0102  # seconds between the starts: tokens of different answers do not come in bursts, on either path
MARKS = [f"{number:02d}" for number in range(STREAMS)]

_PEOPLE = """
import asyncio, sys
from mozaiks_shell.identity import service

async def make():
    for number in range(int(sys.argv[1])):
        name = sys.argv[2] + str(number)
        user = await service.register(name, "correct horse battery", f"{name}@example.com")
        print(service.cookie_name() + "=" + await service.open_session(user))

asyncio.run(make())
"""


@dataclass
class Stream:
    """One answer as a client got it: two characters mark its tokens, ``arrived[n]`` is when token n came, ``wire`` counts
    bytes with frame headers."""

    mark: str
    arrived: list[float] = field(default_factory=list)
    wire: int = 0

    def take(self, frame: str, text: str) -> None:
        """Note the frame and the tokens in ``text``."""
        moment, size = time.monotonic(), len(frame.encode())
        self.wire += size + (2 if size < 126 else 4 if size < 65536 else 10)
        for number in re.findall(rf"{self.mark}(\d{{5}}) ", text):
            assert int(number) == len(self.arrived), "a token is lost, doubled or out of order"
            self.arrived.append(moment)


async def direct(runtime: str, mark: str, gate: asyncio.Barrier, place: int, tokens: int = TOKENS, rate: int = RATE) -> Stream:
    """Read an answer from the double itself, or from whoever speaks as it does. ``place`` is its turn to begin."""
    stream = Stream(mark)
    where = f"{runtime.replace('http', 'ws', 1)}/ws/Assistant/bench/{uuid4()}/bench"
    async with websockets.connect(where, compression=None) as socket:
        await socket.recv()
        await socket.recv()
        await gate.wait()
        await asyncio.sleep(place * SPACING)
        await socket.send(json.dumps({"type": "user.input.submit", "text": f"stream {tokens} at {rate} as {mark}"}))
        while len(stream.arrived) < tokens:
            frame = str(await socket.recv())
            value = json.loads(frame)
            if value["type"] == "chat.print":
                stream.take(frame, value["data"]["content"])
    return stream


async def through(
    server: Server, cookie: str, mark: str, gate: asyncio.Barrier, place: int, tokens: int = TOKENS, rate: int = RATE
) -> Stream:
    """Read an answer from the shell, as a browser would. ``place`` is its turn to begin."""
    stream = Stream(mark)
    where = f"{server.base.replace('http', 'ws', 1)}/ws/chat"
    async with websockets.connect(where, origin=server.base, additional_headers={"Cookie": cookie}, compression=None) as socket:
        await socket.send(json.dumps({"t": "open", "chat": None, "workflow": "Assistant", "from": -1, "new": True}))
        alive = asyncio.create_task(ping(socket))
        ready = status = False
        while not (ready and status):
            value = json.loads(await socket.recv())
            if isinstance(value, dict):
                assert value.get("t") != "refused", value
                ready = ready or value.get("t") == "caught_up"
                status = status or value.get("status") in {"running", "waiting"}
        await gate.wait()
        await asyncio.sleep(place * SPACING)
        await socket.send(json.dumps({"t": "say", "text": f"stream {tokens} at {rate} as {mark}", "id": uuid4().hex}))
        while len(stream.arrived) < tokens:
            frame = str(await socket.recv())
            value = json.loads(frame)
            if isinstance(value, list):
                stream.take(frame, value[1])
        alive.cancel()
    return stream


async def ping(socket: websockets.ClientConnection) -> None:
    """What a browser sends while it waits."""
    while True:
        await asyncio.sleep(15)
        await socket.send('{"t":"ping"}')


def added(streams: list[Stream], sent: dict[str, list[float]]) -> list[float]:
    """Milliseconds from send to receipt of every token."""
    return [
        (arrived - moment) * 1000 for stream in streams for arrived, moment in zip(stream.arrived, sent[stream.mark], strict=True)
    ]


def all_sent(runtime: str) -> dict[str, list[float]]:
    """When the double sent what, by mark."""
    return httpx.get(f"{runtime}/sent").json()


async def one_round(runtime: str, server: Server, cookies: list[str]) -> dict[str, dict[str, float]]:
    """Direct and through the shell, one after the other."""
    results = {}
    for name in ("direct", "through the shell"):
        httpx.delete(f"{runtime}/sent")
        gate = asyncio.Barrier(STREAMS)
        if name == "direct":
            work = [direct(runtime, mark, gate, int(mark)) for mark in MARKS]
        else:
            work = [through(server, cookies[int(mark) // PER_PERSON], mark, gate, int(mark)) for mark in MARKS]
        streams = await asyncio.gather(*work)
        sent = all_sent(runtime)
        late = added(streams, sent)
        text = STREAMS * TOKENS * 8
        results[name] = {
            "p50": percentile(late, 0.5),
            "p99": percentile(late, 0.99),
            "wire": sum(one.wire for one in streams) / text,
        }
    return results


async def chainlit(base: str) -> float:
    """Wire bytes per text byte of Chainlit's own stream."""
    stream = Stream("t0")
    where = f"{base.replace('http', 'ws', 1)}/ws/socket.io/?EIO=4&transport=websocket"
    session = {"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": "", "threadId": ""}
    async with websockets.connect(where, compression=None) as socket:
        await socket.recv()
        await socket.send("40" + json.dumps(session))
        await socket.send('42["connection_successful"]')
        message = {
            "id": str(uuid4()),
            "name": "user",
            "type": "user_message",
            "output": "go",
            "createdAt": "2026-01-01T00:00:00Z",
        }
        await socket.send("42" + json.dumps(["client_message", {"message": message, "fileReferences": None}]))
        while len(stream.arrived) < TOKENS:
            frame = str(await asyncio.wait_for(socket.recv(), 20))
            if frame == "2":
                await socket.send("3")
            elif frame.startswith('42["stream_'):  # the first token comes with stream_start
                stream.take(frame, frame)
    return stream.wire / (TOKENS * 8)


def people(server: Server, count: int) -> list[str]:
    """Sessions of that many new people, made behind the rate limits of the sign-up form."""
    command = [server.python, "-c", _PEOPLE, str(count), f"b{uuid4().hex[:8]}"]
    environment = server.environment() | {"PYTHONPATH": "."}
    answer = subprocess.run(command, cwd=server.site.folder, env=environment, capture_output=True, text=True, check=True)
    return [line for line in answer.stdout.splitlines() if "=" in line]


def main(rounds: int) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "streams": STREAMS, "tokens": TOKENS, "tokens_per_second": RATE}
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        double = subprocess.Popen([sys.executable, "-m", "tests.double", str(port)], cwd=ROOT, env=clean_environment())
        stack.callback(double.wait)
        stack.callback(double.terminate)
        runtime = f"http://127.0.0.1:{port}"
        answers(f"{runtime}/api/health", time.monotonic())
        server = Site.copy("bench").serve(data, MOZAIKS_AI_URL=runtime, MOZAIKS_AI_STARTS_PER_APP="100000")
        stack.callback(server.stop)
        crowds = [people(server, STREAMS // PER_PERSON) for _ in range(rounds)]
        calm()
        found = [asyncio.run(one_round(runtime, server, cookies)) for cookies in crowds]
        assert server.process is not None
        about["shell_mib"] = round(memory_mib(server.process.pid))
        with comparator("chainlit", TOKENS=str(TOKENS), RATE=str(RATE)) as other:
            theirs = [asyncio.run(chainlit(other.base)) for _ in range(rounds)]
    rows = [
        {
            "path": name,
            "p50 ms": spread([one[name]["p50"] for one in found], 2),
            "p99 ms": spread([one[name]["p99"] for one in found], 2),
            "wire bytes per text byte": spread([one[name]["wire"] for one in found], 2),
        }
        for name in ("direct", "through the shell")
    ]
    rows.append(
        {
            "path": "added by the shell",
            "p50 ms": spread([one["through the shell"]["p50"] - one["direct"]["p50"] for one in found], 2),
            "p99 ms": spread([one["through the shell"]["p99"] - one["direct"]["p99"] for one in found], 2),
        }
    )
    rows.append({"path": "Chainlit 2.12.0, one stream", "wire bytes per text byte": spread(theirs, 2)})
    publish("bridge", about, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
