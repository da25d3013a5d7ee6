"""Whether what a browser sent fits the handler it is for.

Any socket may send any JSON to any handler it may call. What a handler's signature does not allow is refused before the
handler runs, so that a made-up payload neither fills the log with tracebacks nor counts against a plugin.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

_DEPTH = 4


def misfit(function: Callable[..., Any], payload: Mapping[str, Any]) -> str:
    """What is wrong with a payload for a State's handler: an argument that is missing, unknown or of another type.

    Only what JSON can show is compared: text, truth values, numbers (also as text, which Reflex converts), lists, objects,
    literals. Every other annotation is left to Reflex. Empty when it fits.
    """
    signature, hints = _signature(function)
    try:
        signature.bind(None, **payload)
    except TypeError as error:
        return str(error)
    return next((f"{name} is no {hints[name]}" for name, value in payload.items() if not _fits(value, hints.get(name, Any))), "")


@lru_cache(maxsize=4096)
def _signature(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - a name that only type checkers know
        hints = {}
    return inspect.signature(function), hints


def _fits(value: Any, hint: Any, depth: int = 0) -> bool:
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (typing.Union, types.UnionType):
        return any(_fits(value, one, depth) for one in inner)
    if kind is Literal:
        return any(type(value) is type(one) and value == one for one in inner)
    if kind in (None, types.NoneType):
        return value is None
    if kind is str:
        return isinstance(value, str)
    if kind is bool:
        return isinstance(value, bool)
    if kind in (int, float):
        return _is_number(value, kind)
    if kind in (list, set, frozenset, tuple):
        each = inner[0] if inner and depth < _DEPTH else Any
        return isinstance(value, list) and all(_fits(one, each, depth + 1) for one in value)
    if isinstance(kind, type) and issubclass(kind, dict) or typing.is_typeddict(kind):
        return isinstance(value, dict)
    return True


def _is_number(value: Any, kind: type) -> bool:
    if isinstance(value, str):
        try:
            kind(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)
