"""What happens when a worker starts and stops, in order; and the plain lines that say what it uses."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.state import process
from mozaiks_shell.identity.service import is_fresh_installation

RETRY_SECONDS = 2.0  # between two looks at a database that is away

Step = Callable[[], Awaitable[Callable[[], Awaitable[None]] | None]]


def lifespan(settings: Settings, steps: Sequence[tuple[str, Step]], facts: Callable[[], list[tuple[str, str]]]):  # type: ignore[no-untyped-def]
    """The lifespan of a worker: migrate, run each named step, tell the operator, and undo in reverse.

    A step returns its own undo, or None. Without a database there is no start, unless ``MOZAIKS_ALLOW_NO_DB`` lets the worker
    wait for it (F-262): then it serves what needs none, and ``/ready`` says why it is not.
    """

    async def bring_up(stack: AsyncExitStack) -> None:
        await asyncio.to_thread(upgrade, settings)
        for name, step in steps:
            process.not_ready = f"starting: {name}"
            if (undo := await step()) is not None:
                stack.push_async_callback(undo)
        process.not_ready = ""
        await _tell(settings, facts())

    async def until_it_answers(stack: AsyncExitStack) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                return await bring_up(stack)
            except OperationalError as error:
                process.not_ready = _away(error)

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(db.dispose)
            waiting: asyncio.Task[None] | None = None
            try:
                await bring_up(stack)
            except OperationalError as error:
                sys.stderr.write(f"\nThe database {shown(settings)} cannot be reached: {_away(error)}\n\n")
                if not settings.allow_no_db:
                    raise
                process.not_ready = _away(error)
                waiting = asyncio.create_task(until_it_answers(stack))
            yield
            process.not_ready = "stopping"
            if waiting is not None:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)

    return run


def shown(settings: Settings) -> str:
    """The database without its password: ``sqlite (path)``, ``postgresql (url)``."""
    url = make_url(settings.sql_url_sync)
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    return f"{url.get_backend_name()} ({where})"


def _away(error: OperationalError) -> str:
    return f"database: {str(error.orig).strip().splitlines()[0][:200]}"


async def _tell(settings: Settings, facts: list[tuple[str, str]]) -> None:
    lines = [("Open", settings.origin), ("Database", shown(settings)), *facts]
    if await is_fresh_installation():
        lines.append(("First run", f"create the first account at {settings.origin}/register; it becomes the administrator"))
    width = max(len(name) for name, _ in lines)
    body = "\n".join(f"  {name.ljust(width)}  {value}" for name, value in lines)
    sys.stderr.write(f"\n{process.app_name} is ready ({settings.env}).\n{body}\n\n")
    sys.stderr.flush()
