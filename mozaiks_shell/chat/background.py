"""Work that nobody waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any

_tasks: set[asyncio.Task[Any]] = set()


def background(work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Run something nobody waits for, and keep it from being collected meanwhile."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task
