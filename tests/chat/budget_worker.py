"""A shell in a process of its own, with the token engine: ``python -m tests.chat.budget_worker PORT``."""

import asyncio
import sys

import uvicorn

from tests.chat.conftest import shell_app


async def main(port: int) -> None:
    from mozaiks_shell.broker import service as broker
    from mozaiks_shell.chat import service as chats
    from mozaiks_shell.usage import service as usage

    await usage.start_usage()
    await broker.start_runtime()
    await chats.start_chats()
    config = uvicorn.Config(shell_app(), port=port, log_level="warning", ws="websockets-sansio")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
