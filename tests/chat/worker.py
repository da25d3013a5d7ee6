"""A shell in a process of its own, for the tests that kill it: broker, chats and socket behind uvicorn on the given port.

python -m tests.chat.worker PORT [SECONDS OF A LEASE]
"""

import asyncio
import sys

import uvicorn

from tests.chat.conftest import shell_app


async def main(port: int, lease: float = 0.0) -> None:
    from mozaiks_shell.broker import service as broker
    from mozaiks_shell.chat import processes
    from mozaiks_shell.chat import service as chats

    processes.LEASE_SECONDS = lease or processes.LEASE_SECONDS
    await broker.start_runtime()
    await chats.start_chats()
    config = uvicorn.Config(shell_app(), port=port, log_level="warning", ws="websockets-sansio")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *map(float, sys.argv[2:])))
