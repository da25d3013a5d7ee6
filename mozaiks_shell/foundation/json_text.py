"""JSON written by strangers: what is too deep to walk, or cannot be stored and sent on, is refused at the edge."""

import json
import re
from typing import Any, Final

from mozaiks_shell.foundation.errors import Invalid

DEEPEST: Final = 64  # lists and objects within each other
_UNFIT = re.compile("[\x00\ud800-\udfff]")


class NotJson(Invalid):
    """A text is no JSON at all."""

    code = "NOT_JSON"


def read_json(raw: str | bytes) -> Any:
    """The value in ``raw``.

    Raises:
        NotJson: it is something else; NaN and Infinity are.
        Invalid: as :func:`checked`.
    """
    try:
        value = json.loads(raw, parse_constant=_no_number)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise NotJson("This is not JSON.") from None
    return checked(value)


def checked(value: Any) -> Any:
    """A value that was parsed elsewhere, if it may go on.

    Raises:
        Invalid: deeper than :data:`DEEPEST`, or a text with NUL or half a character (a lone surrogate), which no
            database and no socket takes.
    """
    level, depth = [value], 0
    while level:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if not one.isascii() or "\x00" in one:
                    _fit(one)
            elif isinstance(one, dict | list):
                if depth == DEEPEST:
                    raise _too_deep()
                inner += one
                if isinstance(one, dict):
                    inner += one.values()
        level, depth = inner, depth + 1
    return value


def _fit(text: str) -> None:
    if _UNFIT.search(text):
        raise Invalid("A text holds a character that cannot be stored.", code="BAD_TEXT")


def _too_deep() -> Invalid:
    return Invalid(f"The JSON is nested deeper than {DEEPEST} levels.", code="TOO_DEEP")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
