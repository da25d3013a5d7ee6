"""Sections of the dashboard that could not load: each says so in its own place, and the others do not notice."""

import inspect
from types import CodeType
from typing import Any, ClassVar, TypedDict

from reflex.event import EventSpec

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.shell.slots import dashboard
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("shell")


class Failure(TypedDict):
    """What is told of a failure; ``reference`` is in the log, and empty where there is nothing to search for."""

    message: str
    reference: str


def reported(error: Exception) -> Failure:
    """Write an unexpected error to the log under a new reference; our own below 500 speak for themselves."""
    if isinstance(error, ShellError) and error.status < 500:
        return Failure(message=error.message, reference="")
    reference = new_id("err")
    log.error("handler failed", reference=reference, exc_info=error)
    message = error.message if isinstance(error, ShellError) else tr("Something went wrong on our side.")
    return Failure(message=message, reference=reference[-8:])


class Sections(ShellState):
    """Which sections of this person's dashboard failed."""

    access: ClassVar[Access | None] = Access.signed_in()

    failed: dict[str, Failure] = {}

    @event
    def fail(self, key: str, message: str, reference: str) -> None:
        """Say in the section that it did not load."""
        known = {piece.key for piece in dashboard.pieces()}
        if all(isinstance(one, str) for one in (key, message, reference)) and key in known:
            self.failed = {**self.failed, key: Failure(message=message[:300], reference=reference[:40])}

    @event
    def forget(self, key: str) -> None:
        """The section tries again."""
        if isinstance(key, str) and key in self.failed:
            self.failed = {name: one for name, one in self.failed.items() if name != key}


def fallen(error: Exception, failure: Failure) -> list[EventSpec]:
    """When the error comes out of a handler that loads a section: the events that tell it there. Else nothing."""
    ran: set[CodeType] = set()
    place = error.__traceback__
    while place is not None:
        ran.add(place.tb_frame.f_code)
        place = place.tb_next
    pieces = [piece for piece in dashboard.pieces() if ran & {_code(handler) for handler in piece.on_load}]
    return [Sections.fail(piece.key, failure["message"], failure["reference"]) for piece in pieces]


def _code(handler: Any) -> CodeType | None:
    function = getattr(getattr(handler, "handler", handler), "fn", None)
    return getattr(inspect.unwrap(function), "__code__", None) if function else None
