"""A YAML file written by hand: read within limits, without running anything, and asked afterwards for the line of a value."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mozaiks_shell.appconfig.document import Unreadable
from mozaiks_shell.appconfig.problems import Finding, Location, shown

LARGEST: Final = 256_000  # bytes
DEEPEST: Final = 12  # mappings and lists within each other
MOST_VALUES: Final = 20_000


@dataclass
class YamlDocument:
    """A parsed file. ``raw`` is its value, ``findings`` what reading alone found (a key written twice)."""

    raw: Any
    findings: list[Finding] = field(default_factory=list)
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, where: Location) -> int | None:
        """The line (from 1) on which the value at ``where`` begins, or the nearest value around it."""
        return next((self.lines[where[:end]] for end in range(len(where), -1, -1) if where[:end] in self.lines), None)


def read(file: Path) -> YamlDocument:
    """The document in ``file``. Keys are text as written, so that ``on:`` and ``1:`` stay what they look like.

    Raises:
        Unreadable: missing, too large, not UTF-8, not YAML, several documents, tags, or nested too deep.
    """
    try:
        with file.open("rb") as source:
            data = source.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}.") from error
    if len(data) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 1000} kB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8 text.", data[: error.start].count(b"\n") + 1, fix="Save it as UTF-8.") from error
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise Unreadable("is empty.", 1)
        document = YamlDocument(None)
        document.raw = _Reader(loader, document).value(node, ())
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        fix = "YAML is indented with spaces, not with tabs." if "\\t" in str(error.problem) else ""
        raise Unreadable(f"is not YAML: {error.problem or error.context}.", line, fix=fix) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"is not YAML: {' '.join(str(error).split())[:200]}.") from error
    finally:
        loader.dispose()


class _Reader:
    """Makes plain values of nodes and remembers their lines."""

    def __init__(self, loader: yaml.SafeLoader, document: YamlDocument) -> None:
        self._loader, self._document, self._count = loader, document, 0

    def value(self, node: Node, where: Location) -> Any:
        """The value of a node that stands at ``where``."""
        self._count += 1
        line = node.start_mark.line + 1
        if len(where) > DEEPEST:
            raise Unreadable(f"is nested deeper than {DEEPEST} levels.", line)
        if self._count > MOST_VALUES:  # aliases of aliases of aliases
            raise Unreadable(f"holds more than {MOST_VALUES} values.", line)
        self._document.lines.setdefault(where, line)
        if isinstance(node, SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(one, (*where, place)) for place, one in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, where)
        if isinstance(node, ScalarNode) and node.tag.startswith("tag:yaml.org,2002:"):
            made = self._loader.construct_object(node)
            return made if made is None or isinstance(made, str | int | float | bool) else node.value
        raise Unreadable(f"uses the tag {shown(node.tag)}, which is not allowed here.", line)

    def _mapping(self, node: MappingNode, where: Location) -> dict[Hashable, Any]:
        made: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise Unreadable("has a key that is no text.", key.start_mark.line + 1)
            place = (*where, str(key.value))
            if key.value in made:
                said = f"the key {shown(key.value)} is written twice; the last counts."
                self._document.findings.append(Finding(place, "error", said, "Remove one of the two."))
            self._document.lines[place] = key.start_mark.line + 1
            made[key.value] = self.value(value, place)
        return made
