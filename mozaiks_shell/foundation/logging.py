"""Structured logs: pretty in a terminal, one JSON object per line with ``LOGS_AS_JSON`` (F-314)."""

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from mozaiks_shell.foundation.settings import Settings

Tap = Callable[[Mapping[str, Any]], None]
_taps: list[Tap] = []
_SECRET = ("password", "secret", "token", "cookie", "authorization", "api_key")


def _hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET):
            event[key] = "[hidden]"
    return event


def add_tap(tap: Tap) -> None:
    """Let ``tap`` see every line that is written, secrets hidden, before it is rendered. One that fails is left alone."""
    if tap not in _taps:
        _taps.append(tap)


def _show_taps(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for tap in _taps:
        with contextlib.suppress(Exception):  # whoever logs must not pay for whoever reads
            tap(event)
    return event


def configure(settings: Settings) -> None:
    """Install the processors. Called once by the front door."""
    # Plain tracebacks: the pretty ones print local variables, and with them a password that was being checked.
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if settings.log_json else console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_secrets,
            _show_taps,
            *([structlog.processors.format_exc_info] if settings.log_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=_stream()),
        cache_logger_on_first_use=False,
    )


def _stream() -> TextIO:
    """Standard error that never fails over a character it cannot encode."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    return sys.stderr


def get_logger(room: str) -> Any:
    """A logger whose lines carry the room's name. Lazy: made at import, it still obeys :func:`configure`."""
    return structlog.get_logger(room=room)
