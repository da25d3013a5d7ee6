"""What a start through the broker costs: ``POST /api/workflows/start`` with a session cookie, at 32 and 256 connections.

    python -m benchmarks.broker [rounds]

Each request is a new chat of one of many people: session, plan, capability, budget and rate are checked, the runtime (a
double in a process of its own) is asked, a row is written, an RS256 token is signed and returned. Comparator: a bare
Starlette route that only signs such a token. Client, shell, double and database share the machine's cores.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks.bridge import people
from benchmarks.common import answers, calm, comparator, host, percentile, publish, spread
from tests.live import ROOT, Site, clean_environment, free_port

CONNECTIONS, REQUESTS = (32, 256), 1024
EACH = 8  # starts of one person; a minute's limit is more


async def load(base: str, cookies: list[str], connections: int) -> tuple[float, float, float]:
    """``(requests a second, p50, p99)``, the latter in milliseconds; every answer has a token."""
    waiting = iter(range(REQUESTS))
    taken: list[float] = []

    async def one(client: httpx.AsyncClient) -> None:
        for number in waiting:
            cookie = cookies[number % len(cookies)] if cookies else ""
            headers = {"cookie": cookie, "origin": base, "idempotency-key": uuid4().hex}
            begun = time.monotonic()
            answer = await client.post("/api/workflows/start", json={"workflow_name": "Assistant"}, headers=headers)
            taken.append((time.monotonic() - begun) * 1000)
            assert answer.status_code == 200, answer.text
            assert answer.json()["runtime_token"].count(".") == 2, answer.text

    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as client:
        begun = time.monotonic()
        await asyncio.gather(*(one(client) for _ in range(connections)))
        seconds = time.monotonic() - begun
    return REQUESTS / seconds, percentile(taken, 0.5), percentile(taken, 0.99)


def main(rounds: int) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "requests": REQUESTS}
    found: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        double = subprocess.Popen([sys.executable, "-m", "tests.double", str(port)], cwd=ROOT, env=clean_environment())
        stack.callback(double.wait)
        stack.callback(double.terminate)
        runtime = f"http://127.0.0.1:{port}"
        answers(f"{runtime}/api/health", time.monotonic())
        server = Site.copy("bench").serve(
            data, MOZAIKS_AI_URL=runtime, MOZAIKS_DIRECT_RUNTIME="true", MOZAIKS_AI_STARTS_PER_APP="1000000"
        )
        stack.callback(server.stop)
        other = stack.enter_context(comparator("starlette"))
        crowds = {(n, count): people(server, REQUESTS // EACH) for n in range(rounds) for count in CONNECTIONS}
        calm()
        for number in range(rounds):
            for count in CONNECTIONS:
                ours = asyncio.run(load(server.base, crowds[number, count], count))
                theirs = asyncio.run(load(other.base, [], count))
                found.setdefault(("Mozaiks Shell, whole start", count), []).append(ours)
                found.setdefault(("Starlette, RS256 token only", count), []).append(theirs)
    rows = [
        {
            "system": system,
            "connections": count,
            "requests/s": spread([one[0] for one in runs], 0),
            "p50 ms": spread([one[1] for one in runs], 1),
            "p99 ms": spread([one[2] for one in runs], 1),
        }
        for (system, count), runs in found.items()
    ]
    publish("broker", about, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
