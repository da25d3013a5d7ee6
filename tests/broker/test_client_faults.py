"""The runtime client against a server process that is killed, frozen, slow, endless or talks nonsense (F-150, F-163)."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from mozaiks_shell.broker import circuit as circuits
from mozaiks_shell.broker.adapters import transport
from mozaiks_shell.broker.adapters.runtime_http import HttpRuntime
from mozaiks_shell.broker.circuit import FAILURES
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError, TimedOut, TooMany, Unavailable, Upstream
from tests.live import ROOT


class Process:
    """The misbehaving runtime as an operating system sees it."""

    def __init__(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "tests.broker.misbehaving", str(port)]
        self.child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout
        self.port = int(self.child.stdout.readline())
        self.base = f"http://127.0.0.1:{self.port}"

    def mode(self, **wanted: object) -> None:
        httpx.put(f"{self.base}/mode", json=wanted).raise_for_status()

    def asked(self) -> list[list[str]]:
        return httpx.get(f"{self.base}/asked").json()["asked"]

    def end(self) -> None:
        self.child.send_signal(signal.SIGCONT)
        self.child.kill()
        self.child.wait()


@pytest.fixture(autouse=True)
def opened_for_long(monkeypatch):
    """A circuit that opens stays so until the test says otherwise."""
    monkeypatch.setattr(circuits, "FIRST_PAUSE", 60.0)


@pytest.fixture
def process():
    one = Process()
    yield one
    one.end()


@pytest.fixture
async def client(settings, process) -> AsyncIterator[HttpRuntime]:
    one = HttpRuntime(process.base)
    yield one
    await one.close()


@pytest.fixture
def short(monkeypatch):
    """A call may take a second."""
    monkeypatch.setattr(transport, "SECONDS", 1.0)


async def meta(client):
    return await client.meta("app", "Assistant", "chat-1", "t")


async def test_a_get_is_repeated_and_a_start_that_was_cut_makes_one_chat(client, process):
    process.mode(do="cut", times=2)
    assert (await meta(client))["status"] == 0
    assert len(process.asked()) == 3
    process.mode(do="cut", times=1)
    chat = await client.start("app", "Assistant", "usr", "t", "req-1")
    first, second = process.asked()
    assert '"force_new":true' in first[2].replace(" ", "") and '"force_new":false' in second[2].replace(" ", "")
    assert chat == "chat-0", "the chat of the request that was cut was not taken up"


async def test_a_start_never_takes_the_chat_another_request_was_given(client, process):
    given = await client.start("app", "Assistant", "usr", "t", "req-1")
    process.mode(do="status", status=200, body={"chat_id": given, "reused": True})

    seen: list[bool] = []
    real = client._start

    async def start(*arguments):
        seen.append(arguments[-1])
        if len(seen) == 1:
            raise Unavailable("cut") from ConnectionError()
        if len(seen) == 3:
            process.mode()
        return await real(*arguments)

    client._start = start
    assert await client.start("app", "Assistant", "usr", "t", "req-2") != given
    assert seen == [True, False, True]


@pytest.mark.parametrize("how", ["garbage", "nested", "huge"])
async def test_nonsense_is_an_error_and_does_not_fill_the_memory(client, process, how):
    process.mode(do=how)
    with pytest.raises(Upstream) as raised:
        await meta(client)
    assert raised.value.code == "RUNTIME_ERROR" and len(process.asked()) == 1
    assert client.transport.circuit.state == "closed", "somebody is there"


async def test_an_answer_that_drips_ends_in_time(client, process, short):
    process.mode(do="drip")
    async with asyncio.timeout(20):  # it drips for half a minute
        with pytest.raises(TimedOut):
            await meta(client)


async def test_a_killed_runtime_opens_the_circuit_and_one_that_is_back_closes_it(client, process, monkeypatch):
    assert (await meta(client))["exists"]
    process.child.kill()
    process.child.wait()
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            await meta(client)
    circuit = client.transport.circuit
    assert circuit.state == "open" and circuit.retry_in >= 1
    callers = 0

    async def called(_, writer):
        nonlocal callers
        callers += 1
        writer.close()

    async with await asyncio.start_server(called, "127.0.0.1", process.port):
        refused = await asyncio.gather(*(meta(client) for _ in range(100)), return_exceptions=True)
    assert {one.code for one in refused} == {"RUNTIME_UNAVAILABLE"} and callers == 0
    again = Process(process.port)
    try:
        circuit._retry_at = time.monotonic()
        assert circuit.state == "half_open"
        answers = await asyncio.gather(*(meta(client) for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(one, dict) for one in answers) >= 1
        assert sum("/api/health" in path for _, path, _ in again.asked()) == 1, "more than one looked whether anybody is there"
        assert circuit.state == "closed" and (await meta(client))["exists"]
    finally:
        again.end()


async def test_a_frozen_runtime_costs_a_bounded_wait_and_never_the_loop(client, process, monkeypatch):
    assert (await meta(client))["exists"]
    process.child.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(transport, "SECONDS", 1.0)
    turns = 0

    async def tick():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    clock = asyncio.create_task(tick())
    refused = await asyncio.gather(*(meta(client) for _ in range(5)), return_exceptions=True)
    clock.cancel()
    assert {type(one) for one in refused} == {TimedOut}
    assert turns > 15, "the loop was kept waiting"  # five calls that block it leave it a turn or two each
    circuit = client.transport.circuit
    assert circuit.state == "open"
    circuit._retry_at = time.monotonic()
    monkeypatch.setattr(transport, "SECONDS", 3600.0)
    monkeypatch.setattr(transport, "PROBE_SECONDS", 0.5)
    async with asyncio.timeout(60):  # the one who looks waits shortly, whatever a call may take
        with pytest.raises(Unavailable):
            await meta(client)
    assert circuit.state == "open"
    monkeypatch.setattr(transport, "PROBE_SECONDS", 60.0)
    process.child.send_signal(signal.SIGCONT)
    circuit._retry_at = time.monotonic()
    assert (await meta(client))["exists"] and circuit.state == "closed"


async def test_long_work_that_runs_out_of_its_own_time_says_nothing_about_the_runtime(client, process):
    process.mode(do="drip")
    for _ in range(FAILURES + 1):
        with pytest.raises(TimedOut):
            await client.execute({"workflow": "x"}, "t", 0.2)
    assert client.transport.circuit.state == "closed"
    assert 1 <= len(process.asked()) <= FAILURES + 1, "an execute was repeated"


async def test_a_health_route_that_wants_a_token_is_an_answer(client, process):
    process.mode(do="health401")
    assert await client.transport.probe() is True


@pytest.mark.parametrize(
    ("status", "detail", "error", "message"),
    [
        (500, "Failed to submit user input: 404: Chat not found", NotFound, "does not know"),
        (500, "Failed to submit user input: 400: 'message' must not be empty", Invalid, "must not be empty"),
        (500, "boom", Upstream, "reported an error"),
        (409, "Finish ValueEngine first", Conflict, "Finish ValueEngine first"),
        (409, {"reason": "Finish it"}, Conflict, "Finish it"),
        (429, "slow", TooMany, "busy"),
        (403, "no", Upstream, "credentials"),
    ],
)
async def test_f152_refusals_hidden_in_a_500_are_found(client, process, status, detail, error, message):
    process.mode(do="status", status=status, body={"detail": detail})
    with pytest.raises(ShellError) as raised:
        await client.say("app", "Assistant", "chat-1", "usr", "hello", "t", 5)
    assert type(raised.value) is error and message in raised.value.message
    assert len(process.asked()) == 1, "a refusal was repeated"
