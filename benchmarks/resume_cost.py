"""What it costs to go on after a break: 200 answers of 500 tokens, broken off near token 250.

    python -m benchmarks.resume_cost [rounds [clients]]

First every browser loses its socket and the shell lives on; then, in new chats, the shell is killed with SIGKILL and
started again. Each time the browsers come back at once, all together, with the offset they had seen; and, as the
comparator, in the same minute, all together with nothing, as after a full reload of the page. Until a browser is caught
up are counted: seconds (after the kill from the moment the shell is ready again), bytes on the wire, bytes of text that
it had before, and the SELECTs of the whole server for each browser. No token may be lost, doubled or out of order, and
nothing a browser had seen may be missing, or the benchmark fails.

After the kill the runtime's double, like a published runtime, is not connected to again by itself: whole is then what
had arrived at the shell (protocol §2.8).
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any
from uuid import uuid4

import websockets

from benchmarks.bridge import PER_PERSON, SPACING, people
from benchmarks.common import answers, calm, host, percentile, publish, spread
from tests.live import ROOT, Server, Site, clean_environment, free_port

CLIENTS, TOKENS, RATE, BREAK = 200, 500, 50, 250
PROBE = ROOT / "benchmarks" / "probe"


@dataclass
class Seen:
    """What a browser holds of its chat: the newest offset, the text of the answer, and what it cost to get it."""

    cookie: str
    mark: str
    chat: str = ""
    live: str = ""
    offset: int = -1
    text: str = ""
    wire: int = 0
    again: int = 0
    seconds: float = 0.0

    def take(self, frame: str) -> dict[str, Any]:
        """Note a frame; the decoded frame, or an empty one for a piece of text."""
        size = len(frame.encode())
        self.wire += size + (2 if size < 126 else 4 if size < 65536 else 10)
        value = json.loads(frame)
        if isinstance(value, list):
            assert value[0] > self.offset, "an offset came twice"
            self.offset, self.text = value[0], self.text + value[1]
            return {}
        self.offset = max(self.offset, value.get("o", -1))
        if value.get("k") == "live":
            self.live = value["id"]
        if value.get("k") == "message" and value["role"] == "agent":
            rest = bool(value.get("rest")) and value["id"] == self.live
            known, self.text = self.text, self.text + value["text"] if rest else value["text"]
            assert self.text.startswith(known), "something that was seen is gone"
            self.again += 0 if rest else len(known)
            self.live = ""
        self.chat = value.get("chat") or self.chat
        return dict(value)

    def whole(self) -> int:
        """How many tokens it holds, which must be the first so many."""
        numbers = [int(one) for one in re.findall(rf"{self.mark}(\d{{5}}) ", self.text)]
        assert numbers == list(range(len(numbers))), "a token is lost, doubled or out of order"
        return len(numbers)


def connect(base: str, cookie: str) -> websockets.connect:
    """A browser's socket."""
    where = f"{base.replace('http', 'ws', 1)}/ws/chat"
    return websockets.connect(
        where, origin=base, additional_headers={"Cookie": cookie}, compression=None, open_timeout=120, close_timeout=1
    )


async def watch(base: str, seen: Seen, gate: asyncio.Barrier, place: int) -> None:
    """Begin an answer and read until token 250; then leave, without a word."""
    async with connect(base, seen.cookie) as socket:
        await socket.send(json.dumps({"t": "open", "chat": None, "workflow": "Assistant", "from": -1, "new": True}))
        ready = status = False
        while not (ready and status):
            value = seen.take(str(await socket.recv()))
            assert value.get("t") != "refused", value
            ready = ready or value.get("t") == "caught_up"
            status = status or value.get("status") in {"running", "waiting"}
        await gate.wait()
        await asyncio.sleep(place * SPACING)
        await socket.send(json.dumps({"t": "say", "text": f"stream {TOKENS} at {RATE} as {seen.mark}", "id": uuid4().hex}))
        while len(seen.text) < BREAK * 8:
            seen.take(str(await socket.recv()))
        socket.transport.abort()


async def back(base: str, seen: Seen) -> None:
    """Come back with what was seen, until caught up."""
    seen.wire, seen.again, began = 0, 0, time.monotonic()
    async with connect(base, seen.cookie) as socket:
        await socket.send(json.dumps({"t": "open", "chat": seen.chat, "from": seen.offset, "live": seen.live}))
        while (value := seen.take(str(await socket.recv()))).get("t") != "caught_up":
            assert value.get("t") != "refused", value
        seen.seconds = time.monotonic() - began
    seen.whole()


async def resume(server: Server, reads: Path, all_seen: list[Seen]) -> tuple[dict[str, float], dict[str, float]]:
    """All come back at once with their offset, then all with nothing."""
    found = []
    for fresh in (False, True):
        again = [Seen(one.cookie, one.mark, one.chat) if fresh else one for one in all_seen]
        held, before = [one.text for one in all_seen], reads.stat().st_size
        await asyncio.gather(*(back(server.base, one) for one in again))
        cost = {"seconds": percentile([one.seconds for one in again], 0.5)}
        cost["last"] = max(one.seconds for one in again)
        cost["wire"] = sum(one.wire for one in again) / len(again)
        cost["again"] = sum(len(text) if fresh else one.again for one, text in zip(again, held, strict=True)) / len(again)
        cost["reads"] = (reads.stat().st_size - before) / len(again)
        assert all(one.text.startswith(text) for one, text in zip(again, held, strict=True)), "something that was seen is gone"
        found.append(cost)
    return found[0], found[1]


async def begin(server: Server, cookies: list[str], count: int) -> list[Seen]:
    """So many answers, each broken off where its browser had token 250."""
    gate = asyncio.Barrier(count)
    marks = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(count)]
    all_seen = [Seen(cookies[number // PER_PERSON], mark) for number, mark in enumerate(marks)]
    await asyncio.gather(*(watch(server.base, one, gate, place) for place, one in enumerate(all_seen)))
    return all_seen


def one_round(server: Server, reads: Path, clients: int) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Sockets cut, then the shell killed."""
    cookies = people(server, -(-clients // PER_PERSON))
    calm()

    async def cut() -> tuple[dict[str, float], dict[str, float]]:
        return await resume(server, reads, await begin(server, cookies, clients))

    found = {"sockets cut": asyncio.run(cut())}
    all_seen = asyncio.run(begin(server, cookies, clients))
    server.stop(SIGKILL)
    server.start()
    found["shell killed"] = asyncio.run(resume(server, reads, all_seen))
    return found


def main(rounds: int, clients: int = CLIENTS) -> None:
    """Measure and publish."""
    about = {
        "host": host(),
        "rounds": rounds,
        "clients": clients,
        "tokens": TOKENS,
        "tokens_per_second": RATE,
        "broken_at": BREAK,
    }
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        reads, port = data / "reads", free_port()
        reads.touch()
        double = subprocess.Popen([sys.executable, "-m", "tests.double", str(port)], cwd=ROOT, env=clean_environment())
        stack.callback(double.wait)
        stack.callback(double.terminate)
        runtime = f"http://127.0.0.1:{port}"
        answers(f"{runtime}/api/health", time.monotonic())
        probe = {"PYTHONPATH": str(PROBE), "READS_COUNTED_IN": str(reads)}
        server = Site.copy("bench").serve(data, MOZAIKS_AI_URL=runtime, MOZAIKS_AI_STARTS_PER_APP="100000", **probe)
        stack.callback(server.stop)
        found = [one_round(server, reads, clients) for _ in range(rounds)]
    rows = []
    for name in ("sockets cut", "shell killed"):
        for number, way in enumerate(("from the offset seen", "full reload")):
            costs = [one[name][number] for one in found]
            rows.append(
                {
                    "break": name,
                    "browsers come back": way,
                    "s until caught up": spread([one["seconds"] for one in costs], 2),
                    "s, the last one": spread([one["last"] for one in costs], 2),
                    "wire bytes each": spread([one["wire"] for one in costs], 0),
                    "of them text it had": spread([one["again"] for one in costs], 0),
                    "reads each": spread([one["reads"] for one in costs], 1),
                }
            )
    publish("resume_cost", about, rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]) if len(sys.argv) > 1 else (1,))
