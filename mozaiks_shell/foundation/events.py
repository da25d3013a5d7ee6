"""The in-process event bus (F-202). Rooms that only listen (usage, insights, audit, notifications)
subscribe here, so that nobody has to import them to do business."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``data`` is JSON-able; ``user_id`` is empty for acts of nobody.

    ``kept`` names the row that tells of it until somebody saw to it (:mod:`.outbox`); empty for events that are only told.
    ``recorded``: what :func:`.outbox.record_with` makes of it is written. ``row`` names the row of an event that every listener
    gets, whatever dies (:func:`.outbox.for_all`), and ``moment`` what had to be known of the moment it happened in.
    """

    name: str
    app_id: str
    user_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)
    kept: str = ""
    recorded: bool = False
    row: str = ""
    moment: dict[str, Any] | None = None


Listener = Callable[[Event], Awaitable[None]]
_listeners: dict[str, list[Listener]] = defaultdict(list)


def subscribe(*names: str) -> Callable[[Listener], Listener]:
    """Decorator: run the coroutine for every event of these names (``*`` for all)."""

    def keep(listener: Listener) -> Listener:
        for name in names:
            if listener not in _listeners[name]:
                _listeners[name].append(listener)
        return listener

    return keep


def listeners_of(module: str) -> set[Listener]:
    """Every listener that this module, or one below it, defined."""
    return {one for listeners in _listeners.values() for one in listeners if f"{one.__module__}.".startswith(f"{module}.")}


def unsubscribe(module: str) -> None:
    """Drop every listener that this module, or one below it, defined: for code that is taken out of the process."""
    drop(listeners_of(module))


def drop(gone: Collection[Listener]) -> None:
    """Run these listeners no more."""
    for name, listeners in _listeners.items():
        _listeners[name] = [one for one in listeners if one not in gone]


async def publish(event: Event) -> None:
    """Run the listeners, each tried three times; one that fails is logged and hurts nobody else."""
    for listener in [*_listeners[event.name], *_listeners["*"]]:
        for attempt in range(3):
            try:
                await listener(event)
                break
            except Exception:
                if attempt == 2:
                    log.exception("listener failed", event_name=event.name, listener=getattr(listener, "__name__", "?"))
                else:
                    await asyncio.sleep(0.05 * (attempt + 1))
