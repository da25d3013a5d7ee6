"""The latest log lines about each plugin, kept in memory for the operator's page.

What a plugin writes with its logger (``mozaiks_plugins.<name>``, structlog or Python's own ``logging``) and what the host
writes about it (lines with ``plugin=<name>``) is kept here, besides going where all lines go. Bounded: :data:`LINES` per
plugin, :data:`PLUGINS` plugins, so many characters per line. Secrets are taken out before a line is kept.
"""

import logging
import re
import sys
import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import SecretStr

from mozaiks_shell.foundation.logging import add_tap, get_logger
from mozaiks_shell.foundation.settings import get_settings

LINES: Final = 200
PLUGINS: Final = 2000
_TEXT, _FACT, _TRACE = 1000, 500, 6000  # characters
_NAMESPACE: Final = "mozaiks_plugins"
_ORDINARY: Final = frozenset({"event", "level", "timestamp", "room", "plugin", "exc_info", "exception", "stack_info", "stack"})
_HIDDEN: Final = "[hidden]"

# What looks like a secret wherever it stands: a named one, a bearer, a password in an address, a well-known key, a JWT.
# Every repetition is bounded: a plugin may log anything.
_NAMED: Final = re.compile(
    r"(?i)((?:passw(?:or)?d|secret|token|api[_-]?key|authorization|cookie)[\w-]{0,40}[\"']?\s{0,4}[=:]\s{0,4})"
    r"(?!\[hidden\])(?:bearer\s{1,4}|basic\s{1,4})?(\"[^\"]{0,4000}\"|'[^']{0,4000}'|[^\s,;&)}\]]{1,4000})"
)
_BARE: Final = (
    re.compile(r"(?i)\b(bearer|basic)\s{1,4}[\w.~+/=-]{8,4000}"),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,100}:)[^\s@/]{1,400}(?=@)"),
    re.compile(r"()\b(?:sk|rk|pk|whsec|ghp|gho|xox[abp])[_-][\w-]{8,400}"),
    re.compile(r"()\beyJ[\w-]{6,4000}\.[\w-]{6,4000}\.[\w-]{0,4000}"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One log line.

    Attributes:
        at: When, UTC.
        level: ``debug``, ``info``, ``warning``, ``error`` or ``critical``.
        text: What was said.
        facts: The key-value pairs of the line, as text.
        trace: The traceback, if there was one.
    """

    at: datetime
    level: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)
    trace: str = ""


_kept: "OrderedDict[str, deque[Line]]" = OrderedDict()
_lock = threading.Lock()


def lines(name: str, limit: int = LINES) -> list[Line]:
    """The latest lines about a plugin, oldest first; none when nothing was written."""
    with _lock:
        return list(_kept.get(_key(name), ()))[-max(0, limit) :] if limit > 0 else []


def forget(name: str) -> None:
    """Drop what is kept about a plugin."""
    with _lock:
        _kept.pop(_key(name), None)


def keep(event: Mapping[str, Any]) -> None:
    """Keep a structlog event if it is about a plugin."""
    about = _about(event)
    if not about:
        return
    facts = {key: redact(_text(value)[: 2 * _FACT])[:_FACT] for key, value in event.items() if key not in _ORDINARY}
    trace = _trace(event.get("exc_info")) or _text(event.get("stack", ""))
    _add(about, str(event.get("level", "info")), _text(event.get("event", "")), facts, trace)


def redact(text: str) -> str:
    """The text without what looks like a secret, and without any secret this installation is configured with."""
    for secret in _secrets():
        text = text.replace(secret, _HIDDEN)
    text = _NAMED.sub(lambda found: f"{found[1]}{_HIDDEN}", text)
    for pattern in _BARE:
        text = pattern.sub(lambda found: f"{found[1]} {_HIDDEN}" if found[1].isalpha() else f"{found[1]}{_HIDDEN}", text)
    return text


def _about(event: Mapping[str, Any]) -> str:
    if named := event.get("plugin"):
        return str(named)
    room = str(event.get("room", ""))
    return room.split(".")[1] if room.startswith(_NAMESPACE + ".") else ""


def _key(name: str) -> str:
    return name.replace("-", "_")[:64]


def _add(name: str, level: str, text: str, facts: dict[str, str], trace: str) -> None:
    # Shortened before and after: what is long takes long to look through.
    line = Line(datetime.now(UTC), level, redact(text[: 2 * _TEXT])[:_TEXT], facts, redact(trace[-2 * _TRACE :])[-_TRACE:])
    key = _key(name)
    with _lock:
        if key not in _kept:
            _kept[key] = deque(maxlen=LINES)
            if len(_kept) > PLUGINS:
                _kept.popitem(last=False)
        _kept[key].append(line)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an object of a plugin's own that cannot be written
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _trace(said: Any) -> str:
    error = said if isinstance(said, BaseException) else said[1] if isinstance(said, tuple) else None
    if said is True:
        error = sys.exc_info()[1]
    return "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""


def _secrets() -> tuple[str, ...]:
    """Every secret of the settings, the longest first; short ones would black out ordinary words."""
    found = {one.get_secret_value() for one in vars(get_settings()).values() if isinstance(one, SecretStr)}
    return tuple(sorted((one for one in found if len(one) >= 8), key=len, reverse=True))


class _Bridge(logging.Handler):
    """Leads lines of ``logging.getLogger(__name__)`` inside a plugin to where all lines go, and so to :func:`keep`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as a structured line of the plugin; a malformed one is dropped as ``logging`` does."""
        try:
            logger, text = get_logger(".".join(record.name.split(".")[:2])), record.getMessage()
        except Exception:  # noqa: BLE001 - wrong arguments must not raise in the plugin
            self.handleError(record)
            return
        more: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
        getattr(logger, record.levelname.lower(), logger.info)(text, **more)


def _listen() -> None:
    add_tap(keep)
    logger = logging.getLogger(_NAMESPACE)
    logger.handlers[:] = [_Bridge()]
    logger.setLevel(logging.DEBUG)  # structlog knows which level the operator wants
    logger.propagate = False


_listen()
