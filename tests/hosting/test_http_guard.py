"""The head of a request has a limit in time and in size, over a real socket."""

import asyncio
import contextlib

import pytest
import uvicorn

from mozaiks_shell.hosting import http_guard
from mozaiks_shell.hosting.server import ShellWorker


async def hello(scope, receive, send):
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def connect():
    settings = {**ShellWorker.CONFIG_KWARGS, "lifespan": "off", "log_level": "error"}
    server = uvicorn.Server(uvicorn.Config(hello, host="127.0.0.1", port=0, **settings))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    writers = []

    async def run():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield run
    for writer in writers:
        writer.close()
    server.should_exit = True
    await serving


async def everything(reader):
    async with asyncio.timeout(30):
        return await reader.read()


async def test_a_head_that_does_not_come_closes_the_connection(connect, monkeypatch):
    monkeypatch.setattr(http_guard, "HEAD_SECONDS", 0.2)
    for sent in (b"", b"GET / HTTP/1.1\r\nhost: x\r\n"):
        reader, writer = await connect()
        writer.write(sent)
        assert await everything(reader) == b"", sent


async def test_the_next_request_of_a_connection_is_timed_too(connect, monkeypatch):
    monkeypatch.setattr(http_guard, "HEAD_SECONDS", 0.3)
    reader, writer = await connect()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    async with asyncio.timeout(30):
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
    await asyncio.sleep(0.6)  # between requests nothing is timed here
    writer.write(b"GET / HTTP/1.1\r\nhost:")
    assert await everything(reader) == b""


async def test_a_slow_body_is_not_a_slow_head(connect, monkeypatch):
    monkeypatch.setattr(http_guard, "HEAD_SECONDS", 0.2)
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na")
    await asyncio.sleep(0.6)
    writer.write(b"b")
    async with asyncio.timeout(30):
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_a_head_without_end_is_refused(connect):
    reader, writer = await connect()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
    line = b"x: " + b"y" * 1000 + b"\r\n"
    for _ in range(2000):
        try:
            writer.write(line)
            await writer.drain()
        except ConnectionError:
            break
        if reader.at_eof():
            break
        await asyncio.sleep(0)
    with contextlib.suppress(ConnectionError):  # reset because we were still writing
        assert (await everything(reader)).startswith(b"HTTP/1.1 431")


async def test_a_large_body_is_not_a_large_head(connect):
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n" + b"a" * 300_000)
    async with asyncio.timeout(30):
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
