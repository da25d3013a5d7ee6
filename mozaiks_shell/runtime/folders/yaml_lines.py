"""A YAML file written by hand: read within limits, without running anything, with the line of every value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .problems import Where

LARGEST = 1_000_000  # bytes: prompts are long
DEEPEST = 40
MOST_VALUES = 50_000


class Unreadable(Exception):
    """The file is no usable YAML; the message says why, ``line`` where."""

    def __init__(self, text: str, line: int | None = None, fix: str = "") -> None:
        super().__init__(text)
        self.line, self.fix = line, fix


class Document:
    """A parsed file: its value, the line of every place, and keys that stand twice."""

    def __init__(self) -> None:
        self.raw: Any = None
        self.lines: dict[Where, int] = {}
        self.twice: list[tuple[Where, int]] = []

    def line(self, where: Where) -> int | None:
        """The line (from 1) of the value at ``where``, or of the nearest value around it."""
        return next((self.lines[where[:end]] for end in range(len(where), -1, -1) if where[:end] in self.lines), None)


def read(file: Path) -> Document:
    """Read ``file``. An empty file is an empty mapping.

    Raises:
        Unreadable: missing, too large, not UTF-8, not YAML, several documents, foreign tags, nested too deep.
    """
    try:
        with file.open("rb") as source:
            data = source.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}.") from None
    if len(data) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 1000} kB.", fix="Move long texts into tool files.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8 text.", data[: error.start].count(b"\n") + 1, "Save it as UTF-8.") from None
    try:
        loader = yaml.SafeLoader(text)
    except yaml.YAMLError as error:
        raise Unreadable(f"is not YAML: {' '.join(str(error).split())[:200]}.") from None
    document = Document()
    try:
        node = loader.get_single_node()
        document.raw = {} if node is None else _Values(loader, document).of(node, ())
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        fix = "Indent with spaces, not with tabs." if "\\t" in str(error.problem) else ""
        raise Unreadable(f"is not YAML: {error.problem or error.context}.", mark.line + 1 if mark else None, fix) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(f"is not YAML: {' '.join(str(error).split())[:200]}.") from None
    finally:
        loader.dispose()


class _Values:
    """Plain values of nodes; remembers their lines."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader, self._document, self._count = loader, document, 0

    def of(self, node: Node, where: Where) -> Any:
        self._count += 1
        line = node.start_mark.line + 1
        if len(where) > DEEPEST or self._count > MOST_VALUES:
            raise Unreadable("holds too much, or too deep.", line, "Split it, and avoid anchors that repeat large parts.")
        self._document.lines.setdefault(where, line)
        if isinstance(node, SequenceNode):
            return [self.of(child, (*where, index)) for index, child in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        assert isinstance(node, ScalarNode)
        value = self._loader.construct_object(node)
        return value if isinstance(value, (str, int, float, bool)) or value is None else str(node.value)

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
        self._loader.flatten_mapping(node)
        out: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                raise Unreadable("has a list or a mapping where a key should be.", key.start_mark.line + 1)
            name = str(key.value)
            if name in out and written.count(name) > 1:
                self._document.twice.append(((*where, name), key.start_mark.line + 1))
            out[name] = self.of(child, (*where, name))
            self._document.lines[(*where, name)] = key.start_mark.line + 1
        return out
