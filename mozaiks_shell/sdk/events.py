"""``events``: tell others that something happened, and listen (F-088, F-297)."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from mozaiks_shell.foundation import events as _bus
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.service import calling

Listener = Callable[[Event], Awaitable[None]]


async def publish(name: str, **data: Any) -> None:
    """Publish ``<plugin>:<name>`` on behalf of the current person.

    Args:
        name: What happened, in the past tense: ``created``.
        **data: JSON-able facts.

    Example:
        >>> await events.publish("created", task_id=task.id)     # others hear "tasks:created"
    """
    plugin = calling()
    person = current_principal()
    full = f"{plugin.name if plugin else 'app'}:{name}"
    await _bus.publish(Event(full, person.app_id if person else get_settings().app_id, person.user_id if person else "", data))


def subscribe(*names: str) -> Callable[[Listener], Listener]:
    """Decorator: run the coroutine for every event of these full names, as the person who caused it.

    A listener that fails is tried three times and then logged; the publisher never notices. It falls
    silent while its plugin is in quarantine.

    Example:
        >>> @events.subscribe("tasks:created")
        ... async def count(event):
        ...     await db.counts.create(task=event.data["task_id"])
    """
    plugin = calling()

    def keep(listener: Listener) -> Listener:
        @functools.wraps(listener)
        async def bounded(event: Event) -> None:
            if plugin is not None and not plugin.live:
                return
            try:
                async with asyncio.timeout(get_settings().plugin_timeout):
                    await listener(event)
            except SystemExit as error:
                raise RuntimeError(repr(error)) from error

        _bus.subscribe(*names)(bounded)
        return listener

    return keep


__all__ = ["Event", "publish", "subscribe"]
