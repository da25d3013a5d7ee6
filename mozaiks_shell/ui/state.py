"""The State base class. Every handler of a subclass is refused until the class says who may call it."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import reflex as rx
import wrapt

from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn

HANDLER_ACCESS = "__mozaiks_access__"


class _About:
    """Who tells a State more of its person than this floor knows (F-299); set once by the rooms above."""

    user: Callable[[Principal], Any] = staticmethod(lambda principal: principal)
    plan: Callable[[Principal], Awaitable[Any]] | None = None


def tell_states(user: Callable[[Principal], Any], plan: Callable[[Principal], Awaitable[Any]]) -> None:
    """Name what ``self.user`` and ``await self.plan`` are in every State."""
    _About.user, _About.plan = staticmethod(user), staticmethod(plan)


class ShellState(rx.State):
    """Base of every State in the shell and in plugins.

    A subclass declares ``access: ClassVar[Access]``; a single handler may ask for more with
    ``@event(access=...)``. The event gate (``shell/event_gate.py``) checks it on every event.
    """

    access: ClassVar[Access | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        written = str(vars(cls).get("__annotations__", {}).get("access", "" if "access" in vars(cls) else "ClassVar"))
        if "ClassVar" not in written:
            raise TypeError(f"{cls.__name__}: write `access: ClassVar[Access | None] = ...`, or Reflex takes it for page state")
        super().__init_subclass__(**kwargs)

    _owner: str = ""  # session id this tab's tree belongs to; kept by the event gate

    @property
    def user(self) -> Any:
        """The person this event runs for: ``id``, ``name``, ``email``, ``roles``, ``app_id`` (F-299).

        Raises:
            NotSignedIn: as :meth:`_me`.
        """
        return _About.user(self._me())

    @property
    def plan(self) -> Any:
        """The person's plan now, to be awaited: ``(await self.plan).name`` (F-299)."""
        if _About.plan is None:
            raise RuntimeError("nobody told what a plan is: import mozaiks_shell.sdk")
        return _About.plan(self._me())

    def _me(self) -> Principal:
        """The person this event runs for, as the gate resolved them just now.

        Raises:
            NotSignedIn: in a handler with public access and nobody signed in.
        """
        principal = current_principal()
        if principal is None:
            raise NotSignedIn("Sign in to continue.")
        return principal


def event(fn: Callable[..., Any] | None = None, *, access: Access | None = None, **options: Any) -> Any:
    """``rx.event`` that can also carry its own access declaration.

    Args:
        access: Stricter (or looser) than the class's; None means the class's.
        **options: As for ``rx.event`` (``background``, ``supersedes``, ``throttle``, ...).
    """

    def wrap(handler: Callable[..., Any]) -> Any:
        if options.get("background"):
            handler = _for_its_person(handler)
        if access is not None:
            setattr(handler, HANDLER_ACCESS, access)
        return rx.event(handler, **options)

    return wrap(fn) if fn is not None else wrap


class _OwnedProxy(wrapt.ObjectProxy):
    """The state proxy of a background handler: it opens only while the tab still belongs to who started it."""

    def __init__(self, proxy: Any) -> None:
        super().__init__(proxy)
        principal = current_principal()
        self._self_owner = principal.session_id if principal else ""

    async def __aenter__(self) -> "_OwnedProxy":
        await self.__wrapped__.__aenter__()
        if self.__wrapped__._owner != self._self_owner:
            await self.__wrapped__.__aexit__(None, None, None)
            raise asyncio.CancelledError("another person uses this tab now")
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.__wrapped__.__aexit__(*error)


def _for_its_person(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A background handler outlives sign-out; what it writes then must not reach the next person at the same tab."""
    if inspect.isasyncgenfunction(handler):

        @functools.wraps(handler)
        async def stream(self: Any, *args: Any, **kwargs: Any) -> Any:
            async for one in handler(_OwnedProxy(self), *args, **kwargs):
                yield one

        return stream

    @functools.wraps(handler)
    async def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await handler(_OwnedProxy(self), *args, **kwargs)

    return run
