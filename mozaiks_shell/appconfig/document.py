"""A JSON file written by hand: read within limits, and asked afterwards on which line a value stands."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.appconfig.problems import Finding, Location, shown

LARGEST: Final = 1_000_000  # bytes
DEEPEST: Final = 32  # lists and objects within each other

_GAP = re.compile(r"[ \t\n\r,:]*")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Unreadable(ValueError):
    """The file is no JSON that may be used; ``line`` is where reading ended."""

    def __init__(self, message: str, line: int | None = None, where: Location = (), fix: str = "") -> None:
        self.line, self.where, self.fix = line, where, fix
        super().__init__(message)


@dataclass
class Document:
    """A parsed file. ``raw`` is its value, ``findings`` what reading alone found (a key written twice)."""

    text: str
    raw: Any
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def _places(self) -> dict[Location, int]:
        return places(self.text)[0]

    def line(self, where: Location) -> int | None:
        """The line (from 1) on which the value at ``where`` begins, or the nearest value around it."""
        for end in range(len(where), -1, -1):
            if (at := self._places.get(where[:end])) is not None:
                return at
        return None


def read(file: Path) -> Document:
    """The document in ``file``.

    Raises:
        Unreadable: missing, too large, not UTF-8, not JSON, nested too deep, or with a character no text should hold.
    """
    try:
        with file.open("rb") as source:
            data = source.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}.") from error
    if len(data) > LARGEST:
        raise Unreadable(
            f"is larger than {LARGEST // 1000} kB ({file.stat().st_size / 1_000_000:.1f} MB).",
            fix="Keep images and data out of configuration files.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable("is not UTF-8 text.", line, fix="Save it as UTF-8.") from error
    return parse(text)


def parse(text: str) -> Document:
    """The document in ``text``.

    Raises:
        Unreadable: as :func:`read`.
    """
    if not text.strip():
        raise Unreadable("is empty.", 1, fix="Write at least {}.")
    twice = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = dict(pairs)
        twice = twice or len(made) < len(pairs)
        return made

    try:
        raw = json.loads(text, object_pairs_hook=members, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        fix = "JSON has no comments." if _comment(text, error.pos) else ""
        raise Unreadable(f"is not JSON: {message} (line {error.lineno}, column {error.colno}).", error.lineno, fix=fix) from error
    except RecursionError:
        raise Unreadable(f"is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON: {error}.") from error
    document = Document(text, raw)
    _check_depth_and_texts(document)
    if twice:
        document.findings += [
            Finding(where, "error", f"the key {shown(where[-1])} is written twice; the last counts.", "Remove one of the two.")
            for where in places(text)[1]
        ]
    return document


def _comment(text: str, at: int) -> bool:
    return text[at : at + 2] in {"//", "/*"} or text[at : at + 1] == "#"


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _check_depth_and_texts(document: Document) -> None:
    level: list[tuple[Location, Any]] = [((), document.raw)]
    depth = 0
    while level:
        inner: list[tuple[Location, Any]] = []
        for where, one in level:
            if isinstance(one, str):
                if _CONTROL.search(one):
                    raise Unreadable(f"{shown(one)} holds a control character.", document.line(where), where, "Remove it.")
            elif isinstance(one, dict | list):
                if depth == DEEPEST:
                    raise Unreadable(f"is nested deeper than {DEEPEST} levels.", document.line(where), where[:4])
                pairs = one.items() if isinstance(one, dict) else enumerate(one)
                for key, value in pairs:
                    if isinstance(key, str) and _CONTROL.search(key):
                        raise Unreadable(f"the key {shown(key)} holds a control character.", document.line(where), where)
                    inner.append(((*where, key), value))
        level, depth = inner, depth + 1


def places(text: str) -> tuple[dict[Location, int], list[Location]]:
    """Line of every value of a valid JSON text, and the places of keys that appear twice in one object."""
    found: dict[Location, int] = {}
    twice: list[Location] = []
    stack: list[list[Any]] = []  # of [kind, next index or key, keys seen]
    line, counted, at = 1, 0, 0

    def begins() -> Location:
        nonlocal line, counted
        line += text.count("\n", counted, at)
        counted = at
        where = tuple(frame[1] for frame in stack)
        found[where] = line
        return where

    while at < len(text):
        at = _GAP.match(text, at).end()  # type: ignore[union-attr]
        if at >= len(text):
            break
        mark = text[at]
        if mark in "}]":
            stack.pop()
            at += 1
            _done(stack)
            continue
        if stack and stack[-1][0] == "{" and stack[-1][1] is None and mark == '"':
            key, at = scanstring(text, at + 1)
            stack[-1][1] = key
            if key in stack[-1][2]:
                twice.append(tuple(frame[1] for frame in stack))
            stack[-1][2].add(key)
            continue
        begins()
        if mark in "{[":
            stack.append([mark, None if mark == "{" else 0, set()])
            at += 1
            continue
        at = scanstring(text, at + 1)[1] if mark == '"' else (word.end() if (word := _WORD.match(text, at)) else at + 1)
        _done(stack)
    return found, twice


def _done(stack: list[list[Any]]) -> None:
    if stack:
        stack[-1][1] = None if stack[-1][0] == "{" else stack[-1][1] + 1
