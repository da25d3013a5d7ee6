"""What a start through the broker costs: ``POST /api/workflows/start`` with a session cookie, at 32 and 256 connections.

    python -m benchmarks.broker [rounds] [--busy] [--no-postgres]

Each request is a new chat of one of many people: session, plan, capability, budget and rate are checked, the runtime (a
double in a process of its own) is asked, a row is written, an RS256 token is signed and returned. Comparator: a bare
Starlette route that only signs such a token. Client, shell, double and database share the machine's cores.

Milliseconds of CPU are those of all processes of the server; ``--busy`` measures on a machine that does other work, too,
which spoils every other figure. PostgreSQL is a server of its own, without fsync, and its CPU is not counted.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from benchmarks.bridge import people
from benchmarks.common import answers, calm, comparator, cpu_seconds, host, percentile, publish, spread
from tests.live import ROOT, Server, Site, clean_environment, free_port
from tests.servers import create_database, postgres

CONNECTIONS, REQUESTS = (32, 256), 1024
EACH = 8  # starts of one person; a minute's limit is more
BODY = b'{"workflow_name":"Assistant"}'


async def load(port: int, cookies: list[str], connections: int) -> tuple[float, float, float]:
    """``(requests a second, p50, p99)``, the latter in milliseconds; every answer has a token."""
    waiting = iter(range(REQUESTS))
    taken: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("localhost", port)
        for number in waiting:
            headers = {
                "host": f"localhost:{port}", "origin": f"http://localhost:{port}", "idempotency-key": uuid4().hex,
                "cookie": cookies[number % len(cookies)] if cookies else "", "content-type": "application/json",
                "content-length": str(len(BODY)),
            }  # fmt: skip
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            begun = time.monotonic()
            writer.write(f"POST /api/workflows/start HTTP/1.1\r\n{head}\r\n".encode() + BODY)
            said = (await reader.readuntil(b"\r\n\r\n")).lower()
            answer = await reader.readexactly(int(said.partition(b"content-length:")[2].split(b"\r\n")[0]))
            taken.append((time.monotonic() - begun) * 1000)
            assert said.startswith(b"http/1.1 200"), answer
            assert answer.partition(b'"runtime_token":')[2].count(b".") == 2, answer
        writer.close()

    begun = time.monotonic()
    await asyncio.gather(*(one() for _ in range(connections)))
    return REQUESTS / (time.monotonic() - begun), percentile(taken, 0.5), percentile(taken, 0.99)


def measured(port: int, group: int, cookies: list[str], connections: int) -> tuple[float, ...]:
    """As :func:`load`; then milliseconds of the server's CPU for each request, and the machine's load average."""
    before = cpu_seconds(group)
    found = asyncio.run(load(port, cookies, connections))
    return *found, (cpu_seconds(group) - before) * 1000 / REQUESTS, os.getloadavg()[0]


def main(rounds: int, *, busy: bool, with_postgres: bool) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "requests": REQUESTS}
    found: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    with ExitStack() as stack:
        port = free_port()
        double = subprocess.Popen([sys.executable, "-m", "tests.double", str(port)], cwd=ROOT, env=clean_environment())
        stack.callback(double.wait)
        stack.callback(double.terminate)
        runtime = f"http://127.0.0.1:{port}"
        answers(f"{runtime}/api/health", time.monotonic())
        databases: dict[str, dict[str, str]] = {"SQLite": {}}
        if with_postgres:
            databases["PostgreSQL"] = {"DATABASE_URL": create_database(stack.enter_context(postgres()), "bench")}
        site, servers = Site.copy("bench-broker"), dict[str, Server]()
        for name, more in databases.items():
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            env = {"MOZAIKS_AI_URL": runtime, "MOZAIKS_DIRECT_RUNTIME": "true", "MOZAIKS_AI_STARTS_PER_APP": "1000000", **more}
            servers[name] = Server(site, data, env=env)
            stack.callback(servers[name].stop)
            servers[name].start()
        other = stack.enter_context(comparator("starlette"))
        crowds = {
            (name, number, count): people(server, REQUESTS // EACH)
            for name, server in servers.items()
            for number in range(rounds)
            for count in CONNECTIONS
        }
        if not busy:
            calm()
        for number in range(rounds):
            for count in CONNECTIONS:
                for name, server in servers.items():
                    assert server.process is not None
                    run = measured(server.port, server.process.pid, crowds[name, number, count], count)
                    found.setdefault((f"Mozaiks Shell, {name}, whole start", count), []).append(run)
                run = measured(int(other.base.rpartition(":")[2]), other.pid, [], count)
                found.setdefault(("Starlette, RS256 token only", count), []).append(run)
    rows = [
        {
            "system": system,
            "connections": count,
            "CPU ms each": spread([one[3] for one in runs], 2),
            "requests/s": spread([one[0] for one in runs], 0),
            "p50 ms": spread([one[1] for one in runs], 1),
            "p99 ms": spread([one[2] for one in runs], 1),
            "load": spread([one[4] for one in runs], 1),
        }
        for (system, count), runs in found.items()
    ]
    publish("broker", about, rows)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(numbers[0] if numbers else 3, busy="--busy" in sys.argv, with_postgres="--no-postgres" not in sys.argv)
