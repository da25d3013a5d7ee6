"""What a generator workflow made in a chat, as one file to download. A build has the id of its chat."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from .chat import Chat

_PART = re.compile(r"[^A-Za-z0-9_. @()+-]+")
_FILES = 2000


def generated_files(chat: Chat) -> dict[str, str]:
    """Path -> content of the files in the chat's last artifact (``generated_files``, a tree or flat); paths lead nowhere else."""
    payload = (chat.last_artifact or {}).get("payload")
    tree = payload.get("generated_files") if isinstance(payload, dict) else None
    found: dict[str, str] = {}
    for path, content in _leaves(tree, ()):
        parts = [_PART.sub("_", part).strip() for one in path for part in re.split(r"[/\\]", one)]
        clean = "/".join(part for part in parts if part.strip(". "))
        if clean and len(found) < _FILES:
            found[clean[:400]] = content
    return found


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in tree.items() if isinstance(tree, dict) else ():
        if isinstance(value, str):
            yield (*path, str(name)), value
        elif len(path) < 30:
            yield from _leaves(value, (*path, str(name)))


def zipped(files: dict[str, str]) -> bytes:
    """The files as a zip archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for path, content in files.items():
            made.writestr(path, content.encode("utf-8", "replace"))
    return held.getvalue()
