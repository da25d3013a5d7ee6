"""The State base class. Every handler of a subclass is refused until the class says who may call it."""

from collections.abc import Callable
from typing import Any, ClassVar

import reflex as rx

from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn

HANDLER_ACCESS = "__mozaiks_access__"


class ShellState(rx.State):
    """Base of every State in the shell and in plugins.

    A subclass declares ``access: ClassVar[Access]``; a single handler may ask for more with
    ``@event(access=...)``. The event gate (``shell/event_gate.py``) checks it on every event.
    """

    access: ClassVar[Access | None] = None

    _owner: str = ""  # session id this tab's tree belongs to; kept by the event gate

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
        if access is not None:
            setattr(handler, HANDLER_ACCESS, access)
        return rx.event(handler, **options)

    return wrap(fn) if fn is not None else wrap
