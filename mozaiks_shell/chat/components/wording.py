"""Any value of a payload as a person reads it."""

from collections.abc import Mapping
from typing import Any, Final

from mozaiks_shell.foundation.i18n import tr

MAX_TEXT: Final = 20_000
RESUME_SIGNAL: Final = "[SYSTEM_RESUME_SIGNAL]"  # what a published runtime tells itself may come back in what its agents show


def text(value: object, limit: int = MAX_TEXT) -> str:
    """A value as a person reads it: no ``None``, no braces for simple things, never longer than ``limit``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return tr("Yes") if value else tr("No")
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e15 else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text(inner, 200)}" for key, inner in list(value.items())[:20])[:limit]
    if isinstance(value, list | tuple | set):
        return ", ".join(text(inner, 200) for inner in list(value)[:50])[:limit]
    words = str(value)
    return "" if RESUME_SIGNAL in words else words[:limit]


def humane(key: object) -> str:
    """``due_date`` as ``Due date``."""
    words = text(key, 80).replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def dicts(value: object, limit: int) -> list[Mapping[str, Any]]:
    """The objects of a list, at most ``limit``."""
    return [one for one in value if isinstance(one, Mapping)][:limit] if isinstance(value, list | tuple) else []
