"""Where a plugin's manifest is written: ``manifest.json``, ``PLUGIN_CONFIG``, ``register.json``, ``register.js`` (F-075, F-076).

All are read as text; nothing of the plugin is executed. The first that exists counts.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.appconfig.document import LARGEST, Document, Unreadable, read
from mozaiks_shell.appconfig.problems import Finding, Location, json_path
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.register_js import metadata_in

# Names the founders' documents use, as the manifest calls them.
ALIASES: Final = {
    "displayName": "display_name",
    "entryPoint": "entry_point",
    "contractVersion": "contract_version",
    "createdAt": "created_at",
    "id": "name",
    "title": "display_name",
}
_SCRIPTS: Final = ("register.js", "frontend/register.js", "register.mjs", "register.ts")
_PYTHON: Final = ("__init__.py", "logic.py", "backend/logic.py", "plugin.py", "page.py")


# What counts of a script, whose other keys are for its own front end (routes, components).
_FROM_SCRIPT: Final = frozenset(
    {"name", "version", "display_name", "description", "icon", "author", "homepage", "license", "access", "plan", "enabled"}
)


@dataclass
class Source:
    """What was found. ``file`` is relative to the plugin's folder, empty when only the folder's name tells something."""

    file: str
    fields: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    document: Document | None = None
    lines: Mapping[Location, int] = field(default_factory=dict)
    first: int = 0

    def line(self, where: Location) -> int | None:
        """The line on which a field, or what is around it, stands."""
        if self.document is not None:
            return self.document.line(where)
        for end in range(len(where), 0, -1):
            if (line := self.lines.get(where[:end])) is not None:
                return line
        return self.first or None


def find_source(folder: Path) -> Source:
    """The metadata of the plugin in this folder, unchecked.

    Raises:
        PluginProblem: a file that is there cannot be read.
    """
    for name in ("manifest.json", "register.json"):
        if name == "register.json" and (found := _from_python(folder)) is not None:
            return found
        if (folder / name).is_file():
            return _from_json(folder / name)
    for name in _SCRIPTS:
        if (folder / name).is_file() and (found := _from_script(folder, name)) is not None:
            return found
    return Source("", {})


def _from_json(path: Path) -> Source:
    try:
        document = read(path)
    except Unreadable as error:
        remedy = f"{error.fix} Correct {path.name}, then restart." if error.fix else ""
        raise PluginProblem(
            Cause.MANIFEST, str(error), path.name, error.line or 0, remedy=remedy, path=json_path(error.where)
        ) from error
    if not isinstance(document.raw, dict):
        raise PluginProblem(Cause.MANIFEST, "must be a JSON object", path.name, 1)
    return Source(path.name, renamed(document.raw), document.findings, document)


def renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields under the manifest's names."""
    return {ALIASES.get(key, key) if ALIASES.get(key) not in fields else key: value for key, value in fields.items()}


def _from_script(folder: Path, name: str) -> Source | None:
    text = (folder / name).read_bytes()[:LARGEST].decode("utf-8", "replace")
    fields, lines = metadata_in(text)
    if not fields:
        return None
    known = {key: value for key, value in fields.items() if ALIASES.get(key, key) in _FROM_SCRIPT and value is not None}
    return Source(name, renamed(known), lines={(ALIASES.get(key, key),): line for key, line in lines.items()}, first=1)


def _from_python(folder: Path) -> Source | None:
    for name in _PYTHON:
        path = folder / name
        if not path.is_file() or b"PLUGIN_CONFIG" not in (text := path.read_bytes()):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the loader reports it with its line
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            if any(isinstance(target, ast.Name) and target.id == "PLUGIN_CONFIG" for target in targets):
                return _config(name, node)
    return None


def _config(file: str, node: Any) -> Source:
    try:
        value = ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise PluginProblem(Cause.MANIFEST, "PLUGIN_CONFIG must be a literal dict", file, node.lineno) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PluginProblem(Cause.MANIFEST, "PLUGIN_CONFIG must be a dict with text keys", file, node.lineno)
    pairs = zip(node.value.keys, node.value.values, strict=True)
    lines: dict[Location, int] = {(ALIASES.get(key.value, key.value),): one.lineno for key, one in pairs}
    return Source(file, renamed(value), lines=lines, first=node.lineno)
