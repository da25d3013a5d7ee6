"""CPU that a streamed token costs: 500 answers at once, 10 tokens of 8 bytes a second each, from a double of the runtime.

    python -m benchmarks.stream_cpu [rounds]

Counted are the seconds of CPU, user and kernel, of all processes of the server between the moment every stream is open
and the moment the last token has arrived, for a million tokens. Comparator in the same run: a WebSocket that passes
frames on and does nothing else (Starlette and websockets; ``comparators/pump_app.py``). On a machine that is shared seconds
of CPU grow, too: a crowded one made the same work cost many times as many.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bridge import PER_PERSON, Stream, direct, people, through
from benchmarks.common import answers, calm, comparator, cpu_seconds, host, publish, spread
from tests.live import ROOT, Server, Site, clean_environment, free_port

STREAMS, TOKENS, RATE = 500, 200, 10
MARKS = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(STREAMS)]

Read = Callable[[int, asyncio.Barrier], Awaitable[Stream]]


async def one_round(group: int, read: Read, streams: int) -> dict[str, float]:
    """All streams at once; seconds of CPU per million tokens, wire bytes of a token."""
    gate = asyncio.Barrier(streams + 1)
    reading = asyncio.gather(*(read(number, gate) for number in range(streams)))
    opening = asyncio.ensure_future(gate.wait())
    await asyncio.wait([reading, opening], return_when=asyncio.FIRST_COMPLETED)
    if reading.done():
        await reading  # says why
    before, began = cpu_seconds(group), time.monotonic()
    found = await reading
    tokens = sum(len(one.arrived) for one in found)
    spent, wall = cpu_seconds(group) - before, time.monotonic() - began
    return {"cpu": spent / tokens * 1e6, "wire": sum(one.wire for one in found) / tokens, "rate": tokens / wall}


def main(rounds: int, streams: int = STREAMS) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "streams": streams, "tokens": TOKENS, "tokens_per_second": RATE}
    found: dict[str, list[dict[str, float]]] = {"Mozaiks Shell": [], "raw pump, Starlette 1.10.0 and websockets 17.4": []}
    ours, theirs = found.values()
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
        pump = stack.enter_context(comparator("pump", RUNTIME=runtime))
        assert server.process is not None
        for _ in range(rounds):
            cookies = people(server, -(-streams // PER_PERSON))
            calm()
            ours.append(asyncio.run(one_round(server.process.pid, _shell(server, cookies), streams)))
            theirs.append(asyncio.run(one_round(pump.pid, _pump(pump.base), streams)))
    rows = [
        {
            "system": name,
            "CPU s per million tokens": spread([one["cpu"] for one in each], 1),
            "wire bytes a token": spread([one["wire"] for one in each], 1),
            "tokens a second": spread([one["rate"] for one in each], 0),
        }
        for name, each in found.items()
    ]
    publish("stream_cpu", about, rows)


def _shell(server: Server, cookies: list[str]) -> Read:
    return lambda number, gate: through(server, cookies[number // PER_PERSON], MARKS[number], gate, number, TOKENS, RATE)


def _pump(base: str) -> Read:
    return lambda number, gate: direct(base, MARKS[number], gate, number, TOKENS, RATE)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]) if len(sys.argv) > 1 else (1,))
