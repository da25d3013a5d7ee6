"""Processes that tests kill."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.live import clean_environment

ROOT = Path(__file__).resolve().parents[2]


@contextlib.asynccontextmanager
async def doomed(port: int, *arguments: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process with these arguments, once it answers on the port; killed with SIGKILL at the latest at the end."""
    env = clean_environment(PYTHONPATH=str(ROOT), **variables)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env, cwd=ROOT)
    try:
        async with asyncio.timeout(120):
            while True:
                with contextlib.suppress(OSError):
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()
