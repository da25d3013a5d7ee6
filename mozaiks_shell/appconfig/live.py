"""Configuration files that may be edited while the server runs (F-025, F-026).

A :class:`LiveFile` is asked for its content again and again; it looks at the disk at most every half second and reads
only what changed. An edit with an error is refused and the last good content stays; at the first read only the
offending entries are left out. Whatever was found is in :func:`problems`, and in the log once.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

import structlog
from pydantic import BaseModel

from mozaiks_shell.appconfig import document
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.appconfig.problems import Finding, Location, Problem, json_path, ordered
from mozaiks_shell.appconfig.reading import Reading, check
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings

Content = TypeVar("Content")
Stamp = tuple[int, int, int] | None

INTERVAL: Final = 0.5  # seconds between two looks at a file
_YOUNG: Final = 100_000_000  # ns; a file written less than this ago may change again within the clock's tick
_APP: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MOST_APPS: Final = 512

log = get_logger("appconfig")
_lock = threading.RLock()
_files: "list[LiveFile[Any]]" = []
_listeners: list[Callable[[], None]] = []


class Report:
    """Handed to a file's ``build``: say what is wrong at a place of the model; line and file are added."""

    def __init__(self, reading: Reading[Any]) -> None:
        self._reading, self.findings, self.marks = reading, list[Finding](), dict[str, Location]()

    def __call__(self, level: str, where: Location, message: str, fix: str = "") -> None:
        """``where`` counts list entries as the model has them."""
        self.findings.append(Finding(self.place(where), cast(Any, level), message, fix))

    def mark(self, name: str, where: Location) -> None:
        """Remember where something stands, for the checks that come late."""
        self.marks[name] = self.place(where)

    def place(self, where: Location) -> Location:
        """The place in the file."""
        return self._reading.original(where)

    def path(self, where: Location) -> str:
        """The same as a JSON path."""
        return json_path(self.place(where))


@dataclass
class _Kept(Generic[Content]):
    """One file as last read."""

    path: Path | None
    stamp: Stamp
    digest: str
    value: Content
    problems: list[Problem] = field(default_factory=list)
    marks: dict[str, Location] = field(default_factory=dict)
    clean: bool = True
    refused: bool = False
    logged: bool = False
    source: document.Document | None = None


class LiveFile(Generic[Content]):
    """One configuration file by name.

    Args:
        name: File name below the configuration folder.
        model: Shape of the file, or several, of which ``choose`` picks one by the keys.
        build: Makes the content from the shape and may report further problems; without it the shape is the content.
        default: The content where neither the operator nor the package has the file; without it an empty shape.
        late: Looks at the content, and at what ``build`` marked, for problems that depend on what else is loaded.
    """

    def __init__(
        self,
        name: str,
        model: type[BaseModel] | Sequence[type[BaseModel]],
        *,
        choose: Callable[[Any], type[BaseModel]] | None = None,
        build: Callable[[Any, Report], Content] | None = None,
        default: Callable[[], Content] | None = None,
        late: Callable[[Content, Mapping[str, Location]], Iterable[Finding]] | None = None,
    ) -> None:
        self.name = name
        self.models: tuple[type[BaseModel], ...] = (model,) if isinstance(model, type) else tuple(model)
        self._choose = choose or (lambda _: self.models[0])
        self._build, self._default, self._late = build, default, late
        self._settings: Settings | None = None
        self._seen: dict[str, tuple[float, _Kept[Content]]] = {}
        self._by_path: dict[Path | None, _Kept[Content]] = {}
        _files.append(self)

    def current(self, app_id: str = "", fresh: bool = False) -> Content:
        """The content that counts for this app (empty: the installation's own). Never raises.

        ``fresh`` looks at the disk even if that was done a moment ago.
        """
        return self._kept(app_id, fresh).value

    def problems(self, app_id: str = "") -> list[Problem]:
        """What is wrong with the file that counts for this app."""
        kept = self._kept(app_id)
        late = [] if self._late is None else [_problem(kept, finding) for finding in self._late(kept.value, kept.marks)]
        return ordered([*kept.problems, *late])

    def path(self, app_id: str = "") -> Path | None:
        """The file that counts: of the app, else of the installation, else the packaged one; None when there is none."""
        settings = get_settings()
        app_id = app_id or settings.app_id
        if (folder := settings.configs_path) is not None:
            if _APP.fullmatch(app_id) and (file := folder / "apps" / app_id / self.name).is_file():
                return file
            if (file := folder / self.name).is_file():
                return file
        return file if (file := DEFAULTS / self.name).is_file() else None

    def is_own(self, app_id: str = "") -> bool:
        """Whether the operator has such a file."""
        return (file := self.path(app_id)) is not None and not file.is_relative_to(DEFAULTS)

    def refused(self, app_id: str = "") -> bool:
        """Whether the newest edit was refused, so that an older content is in use."""
        return self._kept(app_id).refused

    def withdraw(self) -> None:
        """Stop counting this file among the configuration."""
        if self in _files:
            _files.remove(self)

    def _kept(self, app_id: str, fresh: bool = False) -> _Kept[Content]:
        settings = get_settings()
        key = app_id or settings.app_id
        now = time.monotonic()
        seen = self._seen.get(key) if settings is self._settings else None
        if seen is not None and now < seen[0] and not fresh:
            return seen[1]
        with _lock:
            if settings is not self._settings:
                self._settings = settings
                self._seen.clear()
                self._by_path.clear()
            before = self._seen.get(key)
            kept = self._look(key, before[1] if before else None)
            if len(self._seen) >= _MOST_APPS:
                self._seen.clear()
            self._seen[key] = (now + INTERVAL, kept)
        if not kept.logged and structlog.is_configured():
            kept.logged = True
            _write_log(kept)
        if before is not None and before[1].value is not kept.value:
            for listener in list(_listeners):
                listener()
        return kept

    def _look(self, key: str, before: _Kept[Content] | None) -> _Kept[Content]:
        path = self.path(key)
        stamp = _stamp(path)
        known = self._by_path.get(path)
        if known is not None and known.stamp == stamp and stamp is not None:
            return known
        if path is None:
            if known is None:
                known = self._by_path[None] = _Kept(None, None, "", self._empty())
            return known
        if known is None or known.digest != _digest(path):
            known = self._by_path[path] = self._read(path, known or before)
        known.stamp = None if stamp is None or abs(time.time_ns() - stamp[0]) < _YOUNG else stamp
        return known

    def _read(self, path: Path, before: _Kept[Content] | None) -> _Kept[Content]:
        digest = _digest(path)
        kept: _Kept[Any] = _Kept(path, None, digest, None)
        findings: list[Finding] = []
        try:
            kept.source = document.read(path)
        except document.Unreadable as error:
            kept.problems.append(Problem(_shown(path), json_path(error.where), "error", str(error), error.line, error.fix))
        else:
            try:
                findings = self._understand(kept, kept.source)
            except Exception as error:
                log.exception("configuration reader failed", file=str(path))
                kept.problems.append(Problem(_shown(path), "$", "error", f"could not be read: {type(error).__name__}."))
        kept.problems += [_problem(kept, finding) for finding in findings]
        kept.clean = not any(one.level == "error" for one in kept.problems)
        if not kept.clean and before is not None and before.clean:
            kept.value, kept.refused, kept.clean, kept.marks = before.value, True, True, {}
        elif kept.value is None:
            packaged = DEFAULTS / self.name
            kept.value = self._read(packaged, None).value if packaged.is_file() and path != packaged else self._empty()
        kept.problems = ordered(kept.problems)
        if not kept.problems:
            kept.source = None if self._late is None else kept.source
        return kept

    def _understand(self, kept: _Kept[Any], source: document.Document) -> list[Finding]:
        reading = check(self._choose(source.raw), source.raw)
        findings = [*source.findings, *reading.findings]
        if reading.value is None:
            return findings
        report = Report(reading)
        kept.value = reading.value if self._build is None else self._build(reading.value, report)
        kept.marks = report.marks
        return findings + report.findings

    def _empty(self) -> Content:
        if self._default is not None:
            return self._default()
        made = self.models[0].model_validate({})
        return cast(Content, made) if self._build is None else self._build(made, Report(Reading(made)))


def on_change(callback: Callable[[], None]) -> None:
    """Have ``callback()`` called after any file was read again with other content; for dropping caches. It must be quick."""
    _listeners.append(callback)


def files() -> list[LiveFile[Any]]:
    """Every live file there is."""
    return list(_files)


def apps() -> list[str]:
    """App ids with a folder of their own below ``apps/``."""
    folder = get_settings().configs_path
    if folder is None or not (folder / "apps").is_dir():
        return []
    names = sorted(one.name for one in (folder / "apps").iterdir() if one.is_dir() and _APP.fullmatch(one.name))
    return names[:_MOST_APPS]


def problems() -> list[Problem]:
    """What is wrong with any registered file, for the installation and for every app with files of its own."""
    found = [problem for file in files() for app_id in ("", *apps()) for problem in file.problems(app_id)]
    return ordered(found)


def _problem(kept: _Kept[Any], finding: Finding) -> Problem:
    line = kept.source.line(finding.where) if kept.source is not None else None
    name = _shown(kept.path) if kept.path is not None else ""
    return Problem(name, json_path(finding.where), finding.level, finding.message, line, finding.fix)


def _shown(path: Path) -> str:
    folder = get_settings().configs_path
    if folder is not None and path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return f"{path.name} (packaged)"


def _stamp(path: Path | None) -> Stamp:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if status else None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return hashlib.sha256(source.read(document.LARGEST + 1)).hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _write_log(kept: _Kept[Any]) -> None:
    for one in kept.problems:
        write = {"error": log.error, "warning": log.warning, "hint": log.info}[one.level]
        write("configuration problem", file=str(kept.path), path=one.path, line=one.line, problem=one.message, fix=one.fix)
    if kept.refused:
        log.error("configuration edit refused; the last good content stays in use", file=str(kept.path))
