"""What earlier probes found, kept on disk: a plugin that did not change is not probed again, neither by the next worker nor at
the next start."""

import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host.compat import SDK_VERSION, SHELL_VERSION
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem

try:
    import fcntl
except ImportError:  # not on Windows: there two processes may probe the same plugin at once
    fcntl = None  # type: ignore[assignment]

FILE: Final = "plugin-probes.json"
FAILURES_FOR: Final = 120.0  # seconds; what failed for a reason outside of the plugin's folder may work at the next start
_LEFT_OUT: Final = frozenset({"__pycache__", ".git", "node_modules", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_LASTING: Final = frozenset({Cause.SYNTAX, Cause.FORBIDDEN_IMPORT, Cause.SCAN, Cause.STATE, Cause.TABLE, Cause.PATCH})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe found: nothing in the way (``problem`` None), with notes; or why the plugin must not be imported.

    ``drawn`` says that its pages were drawn and that a process which loads it need not try that again.
    """

    problem: PluginProblem | None = None
    notes: tuple[Note, ...] = ()
    milliseconds: float = 0.0
    drawn: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the pipe and the disk."""
        found = self.problem
        told = None
        if found is not None:
            told = {
                "cause": found.cause.value, "message": found.message, "file": found.file, "line": found.line,
                "remedy": found.remedy, "pip": found.pip, "path": found.path,
            }  # fmt: skip
        notes = [[one.level, one.message, one.where, one.remedy] for one in self.notes]
        return {"problem": told, "notes": notes, "ms": self.milliseconds, "drawn": self.drawn}


def verdict_from(told: dict[str, Any]) -> Verdict:
    """The inverse of :meth:`Verdict.as_json`."""
    one = told.get("problem")
    problem = None
    if one is not None:
        problem = PluginProblem(
            Cause(one["cause"]), one["message"], one["file"], one["line"], remedy=one["remedy"], pip=one["pip"], path=one["path"]
        )
    notes = tuple(Note(*note) for note in told.get("notes", ()))
    return Verdict(problem, notes, float(told.get("ms", 0.0)), told.get("drawn") is True)


def fingerprint(folder: Path) -> str:
    """Changes whenever a file of the folder is written, added, removed or renamed. Reads no file."""
    digest = hashlib.blake2b(digest_size=16)
    for path, status in _walk(str(folder), ""):
        stamp = f"{path}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\0{status.st_size}\n"
        digest.update(stamp.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda one: one.name)
    for one in entries:
        if one.name in _LEFT_OUT:
            continue
        if one.is_dir(follow_symlinks=False):
            yield from _walk(one.path, f"{prefix}{one.name}/")
        else:
            yield prefix + one.name, one.stat(follow_symlinks=False)


def surroundings(settings: Settings) -> str:
    """What else a verdict depends on: Python, the shell, what is installed, the limits of the probe."""
    installed = []
    for place in sys.path:
        with suppress(OSError):
            installed.append(f"{place}:{Path(place).stat().st_mtime_ns if '-packages' in place else 0}")
    facts = [
        platform.python_implementation(), platform.python_version(), SHELL_VERSION, SDK_VERSION, _our_code(),
        str(settings.plugin_probe_seconds), str(settings.plugin_probe_memory_mb), settings.plugin_scan, *installed,
    ]  # fmt: skip
    return hashlib.blake2b("\n".join(facts).encode(), digest_size=16).hexdigest()


def _our_code() -> str:
    """Changes with an edit of the host or the SDK, so that a developer of the shell never sees an old verdict."""
    package = Path(__file__).parents[1]
    return ":".join(fingerprint(package / room) for room in ("sdk", "plugin_host", "ui", "foundation"))


class ProbeCache:
    """The verdicts of one installation. Damaged or foreign content counts as nothing."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data_dir / FILE
        self._key = surroundings(settings)
        self._verdicts: dict[str, dict[str, Any]] = {}
        self._changed = False
        self.reread()

    def reread(self) -> None:
        """Take over what another process wrote."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            if told["key"] == self._key:
                self._verdicts = {**told["plugins"], **(self._verdicts if self._changed else {})}
        except (OSError, ValueError, KeyError, TypeError):
            return

    def get(self, folder: Path, stamp: str) -> Verdict | None:
        """What is known of a folder with this fingerprint."""
        known = self._verdicts.get(str(folder))
        try:
            if known is None or known["stamp"] != stamp:
                return None
            verdict = verdict_from(known)
            if verdict.problem is not None and verdict.problem.cause not in _LASTING:
                return verdict if 0 <= time.time() - known["at"] < FAILURES_FOR else None
            return verdict
        except (KeyError, TypeError, ValueError):
            return None

    def put(self, folder: Path, stamp: str, verdict: Verdict) -> None:
        """Remember; written by :meth:`save`."""
        self._verdicts[str(folder)] = {"stamp": stamp, "at": time.time(), **verdict.as_json()}
        self._changed = True

    def forget(self, folder: Path) -> None:
        """Probe this folder again."""
        if self._verdicts.pop(str(folder), None) is not None:
            self._changed = True

    def save(self) -> None:
        """Write what is new, all or nothing. A folder that cannot be written only costs the next start its time."""
        if not self._changed:
            return
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._verdicts = {folder: one for folder, one in self._verdicts.items() if Path(folder).is_dir()}
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, prefix=FILE, delete=False, encoding="utf-8") as file:
                json.dump({"key": self._key, "plugins": self._verdicts}, file)
            Path(file.name).replace(self._path)
            self._changed = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold a lock, so that workers which start at once probe once; the others find the verdicts."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock").open("w")
        except OSError:
            yield
            return
        with lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            self.reread()
            yield
