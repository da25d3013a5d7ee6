"""A runtime in a process of its own, so that a test can freeze it and kill it: ``python -m tests.chat.upstream_process PORT``.

Every socket gets the meta frame and then, for each text it sends, that text back as an agent's; every chat is in progress.
"""

import asyncio
import sys

import uvicorn

from tests.chat.upstream import Line, Upstream


async def _echo(line: Line) -> None:
    await line.meta()
    await line.text("Ready.", sequence=2)
    number = 1
    await line.ask(f"r{number}")
    while True:
        said = await line.receive(None)
        number += 1
        await line.text(f"Heard: {said['text']}", sequence=number * 2)
        await line.ask(f"r{number}")


async def _main(port: int) -> None:
    double = Upstream()
    double.plays = [_echo] * 50
    double.known_by_default = {"last_sequence": 2}
    config = uvicorn.Config(double.app, port=port, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
