"""Kinds of values in the operator's files: texts for people, addresses, icons, colours. Each refuses what could break out.

``Advice`` in a field's annotation adds a warning or hint for values that are usable but not ideal; the reader
(``reading.py``) collects them with their place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from mozaiks_shell.appconfig.colors import parse
from mozaiks_shell.appconfig.problems import Level, nearest, shown

LONGEST_LABEL: Final = 80
MOST_ENTRIES: Final = 500  # of any list in a file

_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_ROUTE = re.compile(r"/(?:[A-Za-z0-9_\-.~:*\[\]%@]+(?:/[A-Za-z0-9_\-.~:*\[\]%@]+)*/?)?")
_LENGTH = re.compile(r"(?:0|\d{1,4}(?:\.\d{1,3})?(?:px|rem|em|%))")
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_ICON = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}|(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}/){0,4}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Advice:
    """Looks at a value that is allowed; returns ``(level, message, fix)`` when there is something to say."""

    look: Callable[[Any], tuple[Level, str, str] | None]


def part(model: type[BaseModel], description: str) -> Any:
    """A field whose value is another shape; missing, it is that shape with its own defaults."""
    return Field(default_factory=lambda: model.model_validate({}), description=description)


class FileModel(BaseModel):
    """Base of every shape in a file. Unknown keys are not read; the reader names them."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


def _showable(text: str) -> str:
    if found := _UNSHOWABLE.search(text):
        raise ValueError(f"holds the character U+{ord(found[0]):04X}, which is invisible or turns the reading direction")
    return text.strip()


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1].rstrip() + "…"


def _too_long(text: Any) -> tuple[Level, str, str] | None:
    if isinstance(text, str) and len(text.strip()) > LONGEST_LABEL:
        return "warning", f"has {len(text.strip())} characters; {LONGEST_LABEL} are shown.", "Shorten it."
    return None


def _none_is(empty: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: empty if value is None else value)


def route(value: str) -> str:
    """A path of this app in the notation of routes: ``/notes/:id`` becomes ``/notes/[id]``, ``/docs/*`` ``/docs/[[...rest]]``.

    Raises:
        ValueError: not a path that begins with one slash.
    """
    value = value.strip()
    if not _ROUTE.fullmatch(value) or "//" in value or "/../" in f"{value}/" or "/./" in f"{value}/":
        raise ValueError("must be a path of this app that begins with one /, such as /reports")
    parts = [
        f"[{part[1:].rstrip('?*')}]" if part.startswith(":") else "[[...rest]]" if part == "*" else part
        for part in value.strip("/").split("/")
    ]
    return "/" + "/".join(parts)


def maybe_route(value: str) -> str:
    """A :func:`route`, or empty."""
    return route(value) if value.strip() else ""


def place(value: str) -> str:
    """Where a link leads: a path of this app (with query and fragment), or an http, https, mailto or tel address.

    Raises:
        ValueError: anything else, such as ``javascript:`` or ``//elsewhere``.
    """
    value = value.strip()
    if not value:
        return ""
    if re.search(r"[\s\\<>\"'`]", value) or _UNSHOWABLE.search(value):
        raise ValueError("must be an address without spaces, quotes, backslashes or control characters")
    if value.startswith("/"):
        if value.startswith("//"):
            raise ValueError("must not begin with //, which leads to another site; write https:// in full")
        return value
    try:
        parts = urlsplit(value)
        scheme, host, user = parts.scheme.lower(), parts.hostname, parts.username
    except ValueError:
        raise ValueError("is not an address") from None
    if scheme not in _SCHEMES:
        raise ValueError("must be a /path of this app or begin with http://, https://, mailto: or tel:")
    if scheme.startswith("http") and (not host or user is not None):
        raise ValueError("must be https://host/path without a user name")
    return value


def own_place(value: str) -> str:
    """A :func:`place` within this app; empty stays empty.

    Raises:
        ValueError: it leads elsewhere.
    """
    if (value := place(value)) and not value.startswith("/"):
        raise ValueError("must be a path of this app that begins with one /")
    return value


def _icon(value: str) -> str:
    value = value.strip().removeprefix("/").removeprefix("assets/")
    if value and not (_ICON.fullmatch(value) and ".." not in value):
        raise ValueError("must be the name of an icon (house) or of a file below assets/ (spark.svg)")
    return value


def _color(value: str) -> str:
    value = value.strip()
    parse(value)
    return value


def _length(value: Any) -> str:
    text = f"{value}px" if isinstance(value, int | float) and not isinstance(value, bool) else str(value).strip()
    if not _LENGTH.fullmatch(text):
        raise ValueError("must be a length such as 12px, 1.5rem or 50%")
    return text


def _unknown_icon(value: Any) -> tuple[Level, str, str] | None:
    if not isinstance(value, str) or not value.strip() or "." in value:
        return None
    from mozaiks_shell.ui.icon_names import COMMON, FALLBACK, known

    if known(value) != FALLBACK or value == FALLBACK:
        return None
    meant = nearest(value, COMMON)
    return "warning", f"{shown(value)} is no icon; a neutral glyph is shown.", f"Did you mean {meant!r}?" if meant else ""


Label = Annotated[str, _none_is(""), Field(max_length=4000), AfterValidator(_showable), AfterValidator(_short), Advice(_too_long)]
Sentence = Annotated[str, _none_is(""), Field(max_length=1000), AfterValidator(_showable)]
Route = Annotated[str, Field(max_length=300), AfterValidator(route)]
MaybeRoute = Annotated[str, _none_is(""), Field(max_length=300), AfterValidator(maybe_route)]
Link = Annotated[str, _none_is(""), Field(max_length=2000), AfterValidator(place)]
OwnLink = Annotated[str, _none_is(""), Field(max_length=2000), AfterValidator(own_place)]
Icon = Annotated[str, _none_is(""), Field(max_length=200), AfterValidator(_icon), Advice(_unknown_icon)]
Colour = Annotated[str, Field(max_length=64), AfterValidator(_color)]
Length = Annotated[str, BeforeValidator(_length), WithJsonSchema({"type": ["string", "number"], "pattern": _LENGTH.pattern})]
Ident = Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]*$")]
MaybeIdent = Annotated[str, _none_is(""), Field(max_length=80, pattern=r"^(?:[A-Za-z0-9_][A-Za-z0-9_.:-]*)?$")]
Word = Annotated[str, _none_is(""), Field(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")]
Entries = Field(max_length=MOST_ENTRIES)
