"""What happens when a worker starts and stops, in order; and the plain lines that say what it uses."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.engine import make_url

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.state import process
from mozaiks_shell.identity.service import is_fresh_installation

Step = Callable[[], Awaitable[Callable[[], Awaitable[None]] | None]]


def lifespan(settings: Settings, steps: Sequence[tuple[str, Step]], facts: Callable[[], list[tuple[str, str]]]):  # type: ignore[no-untyped-def]
    """The lifespan of a worker: migrate, run each named step, tell the operator, and undo in reverse.

    A step returns its own undo, or None.
    """

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        await asyncio.to_thread(upgrade, settings)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(db.dispose)
            for name, step in steps:
                process.not_ready = f"starting: {name}"
                if (undo := await step()) is not None:
                    stack.push_async_callback(undo)
            process.not_ready = ""
            await _tell(settings, facts())
            yield
            process.not_ready = "stopping"

    return run


async def _tell(settings: Settings, facts: list[tuple[str, str]]) -> None:
    url = make_url(settings.sql_url_sync)
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    lines = [("Open", settings.origin), ("Database", f"{url.get_backend_name()} ({where})"), *facts]
    if await is_fresh_installation():
        lines.append(("First run", f"create the first account at {settings.origin}/register; it becomes the administrator"))
    width = max(len(name) for name, _ in lines)
    body = "\n".join(f"  {name.ljust(width)}  {value}" for name, value in lines)
    sys.stderr.write(f"\n{process.app_name} is ready ({settings.env}).\n{body}\n\n")
    sys.stderr.flush()
