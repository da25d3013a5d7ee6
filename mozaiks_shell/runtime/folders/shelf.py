"""Folders of workflow folders, and keeping up with their files."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from .loader import Loaded, load_folder
from .problems import Problem

log = logging.getLogger(__name__)

Mark = tuple[tuple[str, int, int], ...]
_WATCHED = (".yaml", ".py", ".json", ".txt", ".md")
_MOST_FILES = 2000
_NOT_WORKFLOWS = ("_pack", "_shared")


class Shelf:
    """All workflow folders below some roots; of two with one name the one on the earlier root counts."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = list(roots)
        self._marks: dict[Path, Mark] = {}
        self._busy = threading.Lock()
        self.loaded: dict[Path, Loaded] = {}

    def refresh(self) -> bool:
        """Read what is new or changed, forget what is gone; whether anything was. Blocking: call it in a thread."""
        with self._busy:
            marks = {folder: _mark(folder) for root in self._roots for folder in _folders(root)}
            changed = False
            for folder in set(self._marks) - set(marks):
                changed = True
                self._drop(folder)
            for folder, mark in marks.items():
                if self._marks.get(folder) != mark:
                    changed = True
                    self._read(folder, mark)
            return changed

    def _drop(self, folder: Path) -> None:
        self._marks.pop(folder, None)
        old = self.loaded.pop(folder, None)
        if old is not None and old.files is not None:
            old.files.forget()

    def _read(self, folder: Path, mark: Mark) -> None:
        loaded = load_folder(folder)
        self._drop(folder)
        self._marks[folder], self.loaded[folder] = mark, loaded
        for problem in loaded.problems:
            log.log(logging.ERROR if problem.fatal else logging.WARNING, "%s", problem)

    def usable(self) -> list[Loaded]:
        """The folders that can run, in the order of their roots, then by name."""
        seen: set[str] = set()
        out: list[Loaded] = []
        for root in self._roots:
            for folder in sorted(self.loaded, key=lambda one: one.name.lower()):
                one = self.loaded[folder]
                if folder.parent == root and one.definition is not None and one.name not in seen:
                    seen.add(one.name)
                    out.append(one)
        return out

    @property
    def problems(self) -> list[Problem]:
        """What is wrong anywhere."""
        return [problem for folder in sorted(self.loaded) for problem in self.loaded[folder].problems]


def _folders(root: Path) -> list[Path]:
    try:
        inside = [one for one in root.iterdir() if one.is_dir() and not one.name.startswith((".", "__"))]
    except OSError:
        return []
    files = ("orchestrator.yaml", "agents.yaml", "tools.yaml")
    return [one for one in inside if one.name not in _NOT_WORKFLOWS and any((one / file).is_file() for file in files)]


def _mark(folder: Path) -> Mark:
    """Names, times and sizes of the files that make a workflow."""
    found: list[tuple[str, int, int]] = []
    try:
        for file in folder.rglob("*"):
            if file.suffix in _WATCHED and "__pycache__" not in file.parts:
                stat = file.stat()
                found.append((str(file.relative_to(folder)), stat.st_mtime_ns, stat.st_size))
                if len(found) >= _MOST_FILES:
                    break
    except OSError:
        found.append(("changing", 0, 0))
    return tuple(sorted(found))
