"""Folders of workflow folders, and keeping up with their files."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from .loader import Loaded, load_folder
from .problems import Problem

log = logging.getLogger(__name__)

Mark = tuple[tuple[str, int, int], ...]
_WATCHED = (".yaml", ".py", ".json", ".txt", ".md")
_MOST_FILES = 2000
_NOT_WORKFLOWS = ("_pack", "_shared")


class Shelf:
    """All workflow folders below some roots; of two with one name the one on the earlier root counts.

    Args:
        roots: Folders of the operator and of the runtime itself.
        guests: More folders, of plugins, by where they come from (``crm/workflows``); asked anew each time. What they bring
            never takes the place of another workflow: a name that is taken is a mistake in theirs.
        taken: Names that are workflows without a folder.
    """

    def __init__(
        self, roots: Iterable[Path], guests: Callable[[], Mapping[str, Path]] = dict, taken: Collection[str] = ()
    ) -> None:
        self._roots, self._guests, self._taken = list(roots), guests, frozenset(taken)
        self._marks: dict[Path, Mark] = {}
        self._busy = threading.Lock()
        self._usable: list[Loaded] = []
        self._clashes: list[Problem] = []
        self.loaded: dict[Path, Loaded] = {}

    def refresh(self) -> bool:
        """Read what is new or changed, forget what is gone; whether anything was. Blocking: call it in a thread."""
        with self._busy:
            places = {folder: "" for root in self._roots for folder in _folders(root)}
            for guest, root in sorted(self._guests().items()):
                places |= {folder: guest for folder in _folders(root) if folder not in places}
            marks = {folder: _mark(folder) for folder in places}
            changed = False
            for folder in set(self._marks) - set(marks):
                changed = True
                self._drop(folder)
            for folder, mark in marks.items():
                if self._marks.get(folder) != mark:
                    changed = True
                    self._read(folder, mark, places[folder])
            if changed:
                self._choose(list(places))
            return changed

    def _drop(self, folder: Path) -> None:
        self._marks.pop(folder, None)
        old = self.loaded.pop(folder, None)
        if old is not None and old.files is not None:
            old.files.forget()

    def _read(self, folder: Path, mark: Mark, guest: str) -> None:
        loaded = load_folder(folder, guest)
        self._drop(folder)
        self._marks[folder], self.loaded[folder] = mark, loaded
        for problem in loaded.problems:
            log.log(logging.ERROR if problem.fatal else logging.WARNING, "%s", problem)

    def _choose(self, order: list[Path]) -> None:
        """Who is offered, in the order of the roots and then by name; guests last."""
        chosen: dict[str, Loaded] = {}
        clashes: list[Problem] = []
        for folder in order:
            one = self.loaded[folder]
            if one.definition is None:
                continue
            if one.guest and (one.name in chosen or one.name in self._taken):
                other = chosen[one.name].guest if one.name in chosen else ""
                where = f" of {other.partition('/')[0]}" if other else ""
                text = f"there is a workflow {one.name!r}{where} already."
                fix = "Rename the folder, and workflow_name in it."
                clashes.append(Problem(f"{one.guest}/{one.name}", "orchestrator.yaml", text, fix))
                continue
            chosen.setdefault(one.name, one)
        for problem in clashes:
            if problem not in self._clashes:
                log.error("%s", problem)
        self._usable, self._clashes = list(chosen.values()), clashes

    def usable(self) -> list[Loaded]:
        """The folders that can run, in the order of their roots, then by name."""
        return self._usable

    @property
    def problems(self) -> list[Problem]:
        """What is wrong anywhere."""
        return [problem for folder in sorted(self.loaded) for problem in self.loaded[folder].problems] + self._clashes


def guests_in(file: Path) -> dict[str, Path]:
    """The folders that the shell's list of plugins with workflows names; none without the file. Never raises."""
    try:
        told = json.loads(file.read_text("utf-8"))["folders"]
        return {f"{name}/workflows": Path(path) for name, path in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("%s cannot be used: %s: %s", file, type(error).__name__, error)
        return {}


def _folders(root: Path) -> list[Path]:
    try:
        inside = [one for one in root.iterdir() if one.is_dir() and not one.name.startswith((".", "__"))]
    except OSError:
        return []
    files = ("orchestrator.yaml", "agents.yaml", "tools.yaml")
    found = [one for one in inside if one.name not in _NOT_WORKFLOWS and any((one / file).is_file() for file in files)]
    return sorted(found, key=lambda one: one.name.lower())


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
