"""Reads the metadata out of a founders' ``register.js`` (F-076): the literals of its object, without running any JavaScript."""

import re
from dataclasses import dataclass
from typing import Any, Final

_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w$.])")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}
_TOLD_BY: Final = frozenset({"name", "displayName", "display_name", "version", "id", "title"})
_CLOSES: Final = {"{": "}", "[": "]", "(": ")"}
_DEEPEST: Final = 8
_LONGEST: Final = 100_000  # characters that are looked at
_MOST_OBJECTS: Final = 50


class _NoLiteral(Exception):
    """What stands here is code, not a value."""


def metadata_in(text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The literal fields of the first object that names or versions a plugin, and the line of each.

    Values that are code (a component, an import, a function) are passed over. Both are empty when there is no such object.
    """
    text = text[:_LONGEST]
    reader = _Reader(text)
    at = 0
    for _ in range(_MOST_OBJECTS):
        try:
            at = reader.next_brace(at)
        except _NoLiteral:
            break
        if at < 0:
            break
        try:
            fields, lines, _ = reader.fields(at, 0)
        except _NoLiteral:
            fields, lines = {}, {}
        if _TOLD_BY & fields.keys():
            return fields, lines
        at += 1
    return {}, {}


@dataclass
class _Reader:
    text: str

    def next_brace(self, at: int) -> int:
        """The next ``{`` that is in no string and no comment; -1 without one."""
        while at < len(self.text):
            at = self._after_blank(at)
            mark = self.text[at : at + 1]
            if mark == "{":
                return at
            at = self._after_string(at) if mark and mark in "\"'`" else at + 1
        return -1

    def fields(self, at: int, depth: int) -> tuple[dict[str, Any], dict[str, int], int]:
        """Keys, their lines, and where the object that begins at ``at`` ends."""
        found: dict[str, Any] = {}
        lines: dict[str, int] = {}
        at += 1
        while True:
            at = self._after_blank(at)
            if self._mark(at) == "}":
                return found, lines, at + 1
            begins = at
            key, at = self._key(at)
            at = self._after_blank(at)
            if key and self._mark(at) == ":":
                try:
                    value, at = self.value(self._after_blank(at + 1), depth + 1)
                    if self._mark(self._after_blank(at)) not in {",", "}"}:
                        raise _NoLiteral
                    found[key], lines[key] = value, self.text.count("\n", 0, begins) + 1
                except _NoLiteral:
                    found.pop(key, None)
            at = self._after_value(at)
            if self._mark(at) == ",":
                at += 1

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        """A string, number, word, list or object, and where it ends."""
        mark = self._mark(at)
        if depth > _DEEPEST:
            raise _NoLiteral
        if mark in {'"', "'", "`"}:
            end = self._after_string(at)
            inner = self.text[at + 1 : end - 1]
            if mark == "`" and "${" in inner:
                raise _NoLiteral
            return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.|\n)", _unescaped, inner, flags=re.DOTALL), end
        if mark == "{":
            found, _, end = self.fields(at, depth)
            return found, end
        if mark == "[":
            listed: list[Any] = []
            at = self._after_blank(at + 1)
            while self._mark(at) != "]":
                one, at = self.value(at, depth + 1)
                listed.append(one)
                at = self._after_blank(at)
                if self._mark(at) == ",":
                    at = self._after_blank(at + 1)
                elif self._mark(at) != "]":
                    raise _NoLiteral
            return listed, at + 1
        if (number := _NUMBER.match(self.text, at)) is not None:
            plain = number[0]
            return (float(plain) if any(one in plain for one in ".eE") else int(plain)), number.end()
        if (word := _NAME.match(self.text, at)) is not None and word[0] in _WORDS:
            return _WORDS[word[0]], word.end()
        raise _NoLiteral

    def _key(self, at: int) -> tuple[str, int]:
        mark = self._mark(at)
        if mark in {'"', "'"}:
            end = self._after_string(at)
            return self.text[at + 1 : end - 1], end
        if (name := _NAME.match(self.text, at)) is not None:
            return name[0], name.end()
        if not mark:
            raise _NoLiteral
        return "", at

    def _after_value(self, at: int) -> int:
        """Where the ``,`` or ``}`` after a value stands, whatever code the value is."""
        waiting: list[str] = []
        while at < len(self.text):
            at = self._after_blank(at)
            mark = self._mark(at)
            if not waiting and mark in {",", "}"}:
                return at
            if mark and mark in "\"'`":
                at = self._after_string(at)
                continue
            if mark in _CLOSES:
                waiting.append(_CLOSES[mark])
            elif waiting and mark == waiting[-1]:
                waiting.pop()
            at += 1
        raise _NoLiteral

    def _mark(self, at: int) -> str:
        return self.text[at : at + 1]

    def _after_blank(self, at: int) -> int:
        return blank.end() if (blank := _BLANK.match(self.text, at)) is not None else at

    def _after_string(self, at: int) -> int:
        mark, at = self.text[at], at + 1
        while at < len(self.text):
            if self.text[at] == "\\":
                at += 2
            elif self.text[at] == mark:
                return at + 1
            else:
                at += 1
        raise _NoLiteral


def _unescaped(found: re.Match[str]) -> str:
    told = found[1]
    return chr(int(told[1:], 16)) if len(told) > 1 else _ESCAPES.get(told, told)
