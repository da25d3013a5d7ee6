"""``events``: tell others that something happened, and listen (F-088, F-297).

await events.publish("created", task_id=task.id)                 # in the plugin tasks
await events.publish("created", within=session, task_id=task.id) # told if, and as soon as, the session's rows are stored

@events.subscribe("tasks:created")                               # in any plugin
async def count(event): ...

events.on_update(Tasks.load)                                     # on a page: the person's open tabs follow
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import reflex as rx

from mozaiks_shell.foundation import events as _bus
from mozaiks_shell.foundation import live as _live
from mozaiks_shell.foundation import outbox as _outbox
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.db import ScopedSession
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import faults as _faults
from mozaiks_shell.plugin_host import registry as _registry
from mozaiks_shell.plugin_host.service import calling, either_way
from mozaiks_shell.ui.live import live as _listener
from mozaiks_shell.ui.page import also_forget

log = get_logger("sdk")

Listener = Callable[[Event], Awaitable[None]]


def publish(name: str, /, *, within: ScopedSession | None = None, **data: Any) -> Any:
    """Publish ``<plugin>:<name>`` on behalf of the current person, and tell their open tabs.

    Awaited in ``async`` code, called plainly in ``def``.

    Args:
        name: What happened, in the past tense: ``created``.
        within: The open session that did it. The event is told once that is committed, and never if it is rolled back; one
            that a rule of ``triggers.json`` names is stored with it, so that it is not lost when the process dies in between.
        **data: JSON-able facts; more than 16 kB of them reach subscribers, but no tab.

    Example:
        >>> await events.publish("created", task_id=task.id)     # others hear "tasks:created"
        >>> async with db.session() as session:
        ...     session.add(task)
        ...     await events.publish("created", within=session, task_id=task.id)
    """
    plugin = calling()
    return either_way(_publish(plugin.name if plugin else "app", name, data, within))


def push(action: str, /, *, user_id: str = "", **data: Any) -> Any:
    """Tell open tabs something that is no event for other plugins: ``{"type": "<plugin>_update", "action", "data"}``.

    Args:
        action: What pages look at: ``progress``.
        user_id: Whose tabs. Default: the current person's.
        **data: JSON-able facts, at most 16 kB.

    Raises:
        TooLarge, Invalid: the data cannot be sent.

    Example:
        >>> await events.push("progress", percent=40)
    """
    plugin, person = calling(), current_principal()
    name = plugin.name if plugin else "app"
    app_id = person.app_id if person else get_settings().app_id
    return either_way(_push(name, app_id, user_id or (person.user_id if person else ""), action, data))


def on_update(handler: Any, *, plugin: str = "") -> rx.Component:
    """An invisible component: while the page is open, run the handler whenever this plugin tells this person's tabs.

    It also runs, with the action ``reconnected``, when the connection was lost and is back, so that nothing is missed.

    Args:
        handler: An event handler; it may take ``(action: str, data: dict)``, only the action, or nothing.
        plugin: Listen to another plugin's updates.

    Example:
        >>> return ui.stack(events.on_update(Tasks.load), task_list())
    """
    mine = calling()
    return _listener(f"{plugin or (mine.name if mine else 'app')}_update", handler)


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
            except (SystemExit, Exception) as error:
                if plugin is not None:
                    _faults.record(plugin.name, "listener", error, event.name)
                if isinstance(error, SystemExit):
                    raise RuntimeError(repr(error)) from error
                raise

        _bus.subscribe(*names)(bounded)
        return listener

    return keep


def _forget(owner: str) -> None:
    if (plugin := _registry.find(owner)) is not None:
        _bus.unsubscribe(plugin.module)


async def _publish(plugin: str, name: str, data: dict[str, Any], within: ScopedSession | None) -> None:
    person = current_principal()
    app_id, user_id = (person.app_id, person.user_id) if person else (get_settings().app_id, "")
    event = Event(f"{plugin}:{name}", app_id, user_id, data)
    if within is not None:
        await _outbox.along(within, event, functools.partial(_tell_tabs, plugin, event, name))
        return
    await _bus.publish(event)
    await _tell_tabs(plugin, event, name)


async def _tell_tabs(plugin: str, event: Event, name: str) -> None:
    try:
        await _push(plugin, event.app_id, event.user_id, name, event.data)
    except (TypeError, ValueError, ShellError) as error:
        log.warning("an event could not be told to tabs", plugin=plugin, event_name=name, error=str(error))


async def _push(plugin: str, app_id: str, user_id: str, action: str, data: dict[str, Any]) -> None:
    if user_id:
        await _live.push(app_id, user_id, {"type": f"{plugin}_update", "action": action, "data": data})


also_forget(_forget)

__all__ = ["Event", "on_update", "publish", "push", "subscribe"]
