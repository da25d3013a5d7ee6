"""What open conversations cost: 1,000 idle ones, then 200 more that stream at once while the others stay open.

    python -m benchmarks.sessions [rounds]

A conversation is a browser's chat socket, its chat in the database and one socket to the runtime (a double in a process
of its own). Memory is that of all processes of the server, shared pages counted once, before and after. Latency is from
the double's ``send`` to the client's receipt, 50 tokens of 8 bytes a second in each stream; client, shell and double
share the machine's cores. Comparator for the memory: as many idle sockets of Chainlit.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import uuid4

import websockets

from benchmarks.bridge import PER_PERSON, added, all_sent, people, through
from benchmarks.common import answers, calm, comparator, host, memory_mib, percentile, publish, spread
from tests.live import ROOT, Server, Site, clean_environment, free_port

IDLE, STREAMING, AT_ONCE = 1000, 200, 40
MARKS = [f"{chr(97 + number // 10)}{number % 10}" for number in range(STREAMING)]


async def idle(base: str, cookie: str) -> websockets.ClientConnection:
    """A conversation that is open and waits for its person."""
    socket = await websockets.connect(
        f"{base.replace('http', 'ws', 1)}/ws/chat", origin=base, additional_headers={"Cookie": cookie}, compression=None,
        ping_interval=None,
    )  # fmt: skip
    await socket.send(json.dumps({"t": "open", "chat": None, "workflow": "Assistant", "from": -1, "new": True}))
    ready = status = False
    while not (ready and status):
        value = json.loads(await socket.recv())
        if isinstance(value, dict):
            assert value.get("t") != "refused", value
            ready = ready or value.get("t") == "caught_up"
            status = status or value.get("status") in {"running", "waiting"}
    return socket


async def chainlit_idle(base: str, _: str) -> websockets.ClientConnection:
    """A connected Chainlit session that waits for its person."""
    where = f"{base.replace('http', 'ws', 1)}/ws/socket.io/?EIO=4&transport=websocket"
    session = {"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": "", "threadId": ""}
    socket = await websockets.connect(where, compression=None, ping_interval=None)
    await socket.recv()
    await socket.send("40" + json.dumps(session))
    await socket.send('42["connection_successful"]')
    await asyncio.wait_for(socket.recv(), 20)
    return socket


async def keep(sockets: list[websockets.ClientConnection], beat: str) -> None:
    """Read what comes and send a sign of life now and then, as browsers do."""

    async def one(socket: websockets.ClientConnection) -> None:
        with suppress(websockets.ConnectionClosed):
            async for frame in socket:
                if frame == "2":
                    await socket.send("3")

    readers = [asyncio.create_task(one(socket)) for socket in sockets]
    while True:
        await asyncio.sleep(15)
        for socket in sockets:
            if beat and not readers[0].cancelled():
                await socket.send(beat)


async def opened(connect, base: str, cookies: list[str], count: int) -> list[websockets.ClientConnection]:  # type: ignore[no-untyped-def]
    """That many conversations, some at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> websockets.ClientConnection:
        async with gate:
            return await connect(base, cookies[number // PER_PERSON] if cookies else "")

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def one_round(server: Server, runtime: str, cookies: list[str]) -> dict[str, float]:
    """KiB of an idle conversation; milliseconds of the streams beside them."""
    assert server.process is not None
    before = memory_mib(server.process.pid)
    sockets = await opened(idle, server.base, cookies, IDLE)
    alive = asyncio.create_task(keep(sockets, '{"t":"ping"}'))
    await asyncio.sleep(5)
    after = memory_mib(server.process.pid)
    gate = asyncio.Barrier(STREAMING)
    rest = cookies[IDLE // PER_PERSON :]
    streams = await asyncio.gather(
        *(through(server, rest[number // PER_PERSON], MARKS[number], gate, number) for number in range(STREAMING))
    )
    late = added(streams, all_sent(runtime))
    streaming = memory_mib(server.process.pid)
    alive.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets))
    kib = (after - before) / IDLE * 1024
    return {"kib": kib, "p50": percentile(late, 0.5), "p99": percentile(late, 0.99), "mib": streaming}


async def chainlit_round(base: str, pid: int) -> float:
    """KiB of an idle session."""
    before = memory_mib(pid)
    sockets = await opened(chainlit_idle, base, [], IDLE)
    alive = asyncio.create_task(keep(sockets, ""))
    await asyncio.sleep(5)
    after = memory_mib(pid)
    alive.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return (after - before) / IDLE * 1024


def main(rounds: int) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "idle": IDLE, "streaming": STREAMING}
    ours: list[dict[str, float]] = []
    theirs: list[float] = []
    for _ in range(rounds):
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
            cookies = people(server, (IDLE + STREAMING) // PER_PERSON + 1)
            calm()
            asyncio.run(_warm(server, cookies.pop()))
            ours.append(asyncio.run(one_round(server, runtime, cookies)))
        with comparator("chainlit") as other:
            theirs.append(asyncio.run(chainlit_round(other.base, other.pid)))
    rows = [
        {
            "system": "Mozaiks Shell",
            "KiB each, idle": spread([one["kib"] for one in ours], 0),
            "idle sessions in a GiB": spread([2**20 / one["kib"] for one in ours], 0),
            f"p50 ms, {STREAMING} streaming": spread([one["p50"] for one in ours], 1),
            f"p99 ms, {STREAMING} streaming": spread([one["p99"] for one in ours], 1),
            "MiB with all": spread([one["mib"] for one in ours], 0),
        },
        {
            "system": "Chainlit 2.12.0",
            "KiB each, idle": spread(theirs, 0),
            "idle sessions in a GiB": spread([2**20 / one for one in theirs], 0),
        },
    ]
    publish("sessions", about, rows)


async def _warm(server: Server, cookie: str) -> None:
    await (await idle(server.base, cookie)).close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
