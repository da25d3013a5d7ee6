"""``new``: folders that run as they are, and read like an example (F-282, F-283, F-284). Templates are in ``templates/``.

A template is the file itself with ``$name`` for words. Lines ``#if NAME``, ``#else`` and ``#end`` keep or leave out what
stands between them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from string import Template
from typing import Final

from mozaiks_shell.plugin_host.compat import CONTRACT, SDK_VERSION, SHELL_VERSION
from mozaiks_shell.plugin_host.discovery import RESERVED
from mozaiks_shell.plugin_host.manifest import is_name

TEMPLATES: Final = Path(__file__).parent / "templates"
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,39}")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a new plugin has besides its API, its tests and its manifest."""

    settings: bool = True
    entitlements: bool = False
    frontend: bool = True
    model: bool = True

    @property
    def names(self) -> list[str]:
        """Those that are there."""
        return [one.name for one in fields(self) if getattr(self, one.name)]


_NEEDS: Final = {
    "models.py": "model",
    "migrations/0001_items.py": "model",
    "settings.py": "settings",
    "entitlements.yaml": "entitlements",
    "state.py": "frontend",
    "page.py": "frontend",
}


def scaffold(root: Path, name: str, parts: Parts | None = None) -> list[Path]:
    """Write ``root/name/`` and return its files.

    Raises:
        ValueError: the name cannot be a plugin's, or the folder exists.
    """
    parts = parts or Parts()
    if not NAME.fullmatch(name) or not is_name(name) or name in RESERVED:
        raise ValueError(
            f"{name!r} cannot name a plugin: use 2 to 40 lower-case letters, digits, - and _, a letter first"
            f"{'; that name is reserved' if name in RESERVED else ''}."
        )
    title = name.replace("-", " ").replace("_", " ").capitalize()
    camel = "".join(part.capitalize() for part in re.split(r"[-_]", name))
    words = {
        "name": name,
        "slug": name.replace("-", "_"),
        "title": title,
        "description": "A list for each person.",
        "state": f"{camel}State",
        "more": ",\n  `get_settings`, `save_settings`" if parts.settings else "",
    }
    manifest = {
        "name": name,
        "version": "0.1.0",
        "display_name": title,
        "description": words["description"],
        "icon": "list",
        "contract_version": str(CONTRACT),
        "requires": {"shell": compatible(SHELL_VERSION), "sdk": compatible(SDK_VERSION)},
        "access": "signed_in",
        "quality": "silver",
    }
    keep = [*parts.names, *(["any"] if parts.model or parts.entitlements else [])]
    left_out = {file for file, part in _NEEDS.items() if part not in parts.names}
    return write(
        root / name,
        {"manifest.json": json.dumps(manifest, indent=2) + "\n", **filled("plugin", words, keep, left_out)},
    )


def compatible(version: str) -> str:
    """The range of versions that keep the promises of this one: ``0.1.0`` -> ``>=0.1,<1``."""
    major, minor = (version.split(".") + ["0"])[:2]
    return f">={major}.{minor},<{int(major) + 1}"


def filled(kind: str, words: Mapping[str, str], keep: Iterable[str], left_out: Iterable[str] = ()) -> dict[str, str]:
    """The files of a template folder by path, with their words and conditions resolved."""
    folder, without = TEMPLATES / kind, set(left_out)
    found = {_path(file.relative_to(folder)): file for file in sorted(folder.rglob("*.in"))}
    return {path: fill(file.read_text("utf-8"), words, set(keep)) for path, file in found.items() if path not in without}


def _path(template: Path) -> str:
    """Where the file goes: ``dot-env.in`` becomes ``.env``, because wheels leave hidden files out."""
    name = template.name.removesuffix(".in")
    return template.with_name("." + name.removeprefix("dot-") if name.startswith("dot-") else name).as_posix()


def fill(text: str, words: Mapping[str, str], keep: set[str]) -> str:
    """One template's text."""
    lines: list[str] = []
    shown: list[bool] = []
    for line in text.splitlines():
        mark, _, name = line.partition(" ")
        if mark == "#if":
            shown.append(name.strip() in keep)
        elif mark == "#else":
            shown[-1] = not shown[-1]
        elif mark == "#end":
            shown.pop()
        elif all(shown):
            lines.append(line)
    return Template("\n".join(lines) + "\n").safe_substitute(words)


def write(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write the files of a new folder.

    Raises:
        ValueError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists.")
    for path, text in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return [folder / path for path in contents]
