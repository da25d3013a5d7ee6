"""What stands around a plugin's event handlers and routes: a time, a number of calls, and a count of what goes wrong."""

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any, Self

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIWebSocketRoute
from reflex_base.event import EventHandler
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation.errors import ShellError, TimedOut
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.plugin_host import faults
from mozaiks_shell.plugin_host.execution import call, seconds_of
from mozaiks_shell.plugin_host.registry import Plugin

_GUARDED = "__mozaiks_guarded__"
_REFUSALS = (HTTPException, WebSocketException, RequestValidationError, ClientDisconnect, WebSocketDisconnect)


def guard_handlers(plugin: Plugin, states: list[Any]) -> None:
    """Wrap every event handler that the plugin's States define.

    An exception counts as a fault and goes on to whoever tells the person. ``SystemExit``, which would end the server's
    loop, becomes an ordinary error. An ``async`` handler that is not in the background gets as long as any call of the
    plugin, because the tab it belongs to waits for it. A plain one runs on the loop, where :mod:`.loop_guard` watches it.
    """
    for state in states:
        for handler in state.event_handlers.values():
            if handler.state is state or getattr(handler.fn, "__module__", "") == state.__module__:
                _guard_handler(plugin, handler)


def _guard_handler(plugin: Plugin, handler: EventHandler) -> None:
    function = handler.fn
    if getattr(function, _GUARDED, False):
        return
    waits = not handler.is_background
    wrapped = _wrapped(plugin, function, seconds_of(plugin) if waits else None)
    setattr(wrapped, _GUARDED, True)
    object.__setattr__(handler, "fn", wrapped)  # the registry, the class and the pages hold this very object


def _wrapped(plugin: Plugin, function: Callable[..., Any], seconds: float | None) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def stream(*args: Any, **kwargs: Any) -> Any:
            steps = function(*args, **kwargs)
            while True:
                with _told(plugin, function) as call:
                    try:
                        async with call.within(seconds):
                            one = await anext(steps)
                    except StopAsyncIteration:
                        return
                yield one

        return stream
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            with _told(plugin, function) as call:
                async with call.within(seconds):
                    return await function(*args, **kwargs)

        return run
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def several(*args: Any, **kwargs: Any) -> Any:
            with _told(plugin, function):
                return (yield from function(*args, **kwargs))

        return several

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with _told(plugin, function):
            return function(*args, **kwargs)

    return plain


class _told:
    """Counts what leaves a handler, and lets only ordinary exceptions leave."""

    def __init__(self, plugin: Plugin, function: Callable[..., Any]) -> None:
        self.plugin, self.function = plugin, function
        self._limit: asyncio.Timeout | None = None

    def __enter__(self) -> Self:
        return self

    def within(self, seconds: float | None) -> asyncio.Timeout:
        """The handler's time."""
        self._limit = asyncio.timeout(seconds)
        return self._limit

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, asyncio.CancelledError | GeneratorExit):
            return
        if isinstance(error, TimeoutError) and self._limit is not None and self._limit.expired():
            late = TimedOut(tr("{name} took too long.", name=self.plugin.manifest.title), reason=f"{self._name} took too long")
            faults.record(self.plugin.name, faults.handler_kind(self.plugin, error), late, self._name)
            raise late from error
        faults.record(self.plugin.name, faults.handler_kind(self.plugin, error), error, self._name)
        if not isinstance(error, Exception):
            raise RuntimeError(repr(error)) from error

    @property
    def _name(self) -> str:
        return getattr(self.function, "__qualname__", "a handler")


def guard_routes(plugin: Plugin, router: APIRouter) -> APIRouter:
    """Wrap the endpoints of a plugin's router, before it is included anywhere; returns it.

    HTTP endpoints get the plugin's time and number of calls until they answer (a stream may go on for longer); plain
    ones run in a thread of their own, so that none of them uses up the server's. Sockets only count their faults.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            if not getattr(route.endpoint, _GUARDED, False) and not _is_generator(route.endpoint):
                route.endpoint = _bounded(plugin, route.endpoint, f"{', '.join(sorted(route.methods or ()))} {route.path}")
        elif isinstance(route, APIWebSocketRoute) and not getattr(route.endpoint, _GUARDED, False):
            route.endpoint = _counted(plugin, route.endpoint, f"socket {route.path}")
    return router


def _is_generator(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _bounded(plugin: Plugin, endpoint: Callable[..., Any], where: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(endpoint):

        async def once(values: dict[str, Any]) -> Any:
            return await endpoint(**values)
    else:

        def once(values: dict[str, Any]) -> Any:  # type: ignore[misc]
            return endpoint(**values)

    @functools.wraps(endpoint)
    async def bounded(**values: Any) -> Any:
        try:
            return await call(plugin, "route", once, values, passing=_REFUSALS)
        except ShellError as error:
            error.details.pop("reason", None)
            raise

    setattr(bounded, _GUARDED, True)
    return bounded


def _counted(plugin: Plugin, endpoint: Callable[..., Any], where: str) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    async def counted(*args: Any, **kwargs: Any) -> None:
        try:
            await endpoint(*args, **kwargs)
        except (*_REFUSALS, asyncio.CancelledError):
            raise
        except BaseException as error:
            faults.record(plugin.name, "route", error, where)
            raise WebSocketException(1011, "failed") from error

    setattr(counted, _GUARDED, True)
    return counted
