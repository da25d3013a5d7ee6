"""Notices what changed in the plugin folders (F-091): which plugin, which files.

Only files a plugin is made of count. What matters is their content: a file that was merely touched, or saved unchanged,
is no change. A folder that disappears for a moment, as when it is replaced as a whole, is no removal.
"""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from mozaiks_shell.foundation.logging import get_logger

log = get_logger("plugin_host")

Kind = Literal["added", "changed", "removed"]
Stamp = tuple[int, int, int]

SETTLE: Final = 0.2  # seconds a vanished folder has to come back
POLL: Final = 0.5  # seconds between two looks where the system reports no changes
CHECK: Final = 3.0  # seconds after which we look even if the system reported nothing
_YOUNG: Final = 100_000_000  # ns; a file written less than this ago may change again within the clock's tick
_LARGEST: Final = 2_000_000  # bytes of a file that are compared

_SKIPPED_FOLDERS: Final = {"node_modules", "tests", "data", "build", "dist", "venv"}
_SUFFIXES: Final = {".py", ".po", ".css", ".js", ".jsx", ".mjs", ".svg"}
_METADATA: Final = {"manifest.json", "register.json", "entitlements.yaml", "entitlements.yml"}
_EDITORS: Final = re.compile(r"^[.#~]|[~#]$|___jb_|^4913$")


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one plugin folder. ``files`` are relative to it, with ``/``; all of them for a new or removed folder."""

    folder: Path
    kind: Kind
    files: frozenset[str]

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.folder.name


def counts(file: str) -> bool:
    """Whether this file (relative to the plugin's folder, with ``/``) is part of what a plugin is made of.

    Compiled code, editors' swap and backup files, tests and data are not.
    """
    path = PurePosixPath(file)
    if any(part in _SKIPPED_FOLDERS or part == "__pycache__" or _EDITORS.search(part) for part in path.parts):
        return False
    return path.suffix in _SUFFIXES or (len(path.parts) == 1 and path.name in _METADATA)


def files_of(folder: Path) -> dict[str, Stamp]:
    """The files of a plugin that count, each with what tells whether it was written since."""
    found: dict[str, Stamp] = {}
    for where, folders, names in os.walk(folder):
        base = Path(where).relative_to(folder).as_posix()
        prefix = "" if base == "." else base + "/"
        folders[:] = [one for one in folders if one not in _SKIPPED_FOLDERS and not one.startswith((".", "__"))]
        for name in names:
            if counts(prefix + name):
                with suppress(OSError):
                    status = Path(where, name).stat()
                    found[prefix + name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


@dataclass(slots=True)
class _Seen:
    """A folder as it was at the last look. A stamp of None is looked at again whatever it says."""

    stamps: dict[str, Stamp | None] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)


class Follower:
    """Compares plugin folders with what they were at the last look.

    Args:
        roots: Gives the folders whose sub-folders are plugins, and single plugin folders, at every look.
    """

    def __init__(self, roots: Callable[[], Iterable[Path]]) -> None:
        self._roots = roots
        self._seen: dict[Path, _Seen] = {}
        self.look()

    def roots(self) -> list[Path]:
        """The plugins folders that exist now."""
        return [root for root in self._roots() if root.is_dir()]

    def look(self) -> list[Change]:
        """What changed since the last look, by plugin name. Blocking, but cheap while nothing changed."""
        folders = {folder for root in self.roots() for folder in _folders(root)}
        changes = [
            Change(folder, "removed", frozenset(seen.stamps)) for folder, seen in self._seen.items() if folder not in folders
        ]
        for one in changes:
            del self._seen[one.folder]
        for folder in folders:
            known = folder in self._seen
            files = _changed(folder, self._seen.setdefault(folder, _Seen()))
            if files or not known:
                changes.append(Change(folder, "changed" if known else "added", files))
        return sorted(changes, key=lambda one: (one.name, str(one.folder)))

    async def settled(self) -> list[Change]:
        """As :meth:`look`; a folder that is gone gets a moment to come back before it counts as removed."""
        before = {folder: _Seen(dict(seen.stamps), dict(seen.digests)) for folder, seen in self._seen.items()}
        changes = self.look()
        if not any(one.kind == "removed" for one in changes):
            return changes
        await asyncio.sleep(SETTLE)
        self._seen = before
        return self.look()


def _folders(root: Path) -> list[Path]:
    with suppress(OSError):
        return [one for one in root.iterdir() if one.is_dir() and not one.name.startswith(("_", "."))]
    return []


def _changed(folder: Path, seen: _Seen) -> frozenset[str]:
    """The files whose content is another than at the last look; ``seen`` is brought up to date."""
    now, stamps = time.time_ns(), files_of(folder)
    changed = {file for file in seen.stamps if file not in stamps}
    for file, stamp in stamps.items():
        if seen.stamps.get(file) == stamp:
            continue
        digest = _digest(folder / file)
        if seen.digests.get(file) != digest:
            changed.add(file)
        seen.digests[file] = digest
    seen.stamps = {file: None if abs(now - stamp[0]) < _YOUNG else stamp for file, stamp in stamps.items()}
    seen.digests = {file: seen.digests[file] for file in stamps}
    return frozenset(changed)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return hashlib.blake2b(source.read(_LARGEST), digest_size=16).digest()
    except OSError:
        return b""


async def changes(follower: Follower, interval: float | None = None) -> AsyncIterator[list[Change]]:
    """Every change, as it happens, for ever.

    Args:
        follower: Which folders.
        interval: Look every so many seconds. None: when the system reports a change (and now and then besides, for network
            drives that report none); where it cannot report, every half second.
    """
    if interval is not None:
        while True:
            await asyncio.sleep(interval)
            if found := await asyncio.to_thread(follower.look):
                yield found
    async for _ in _wakes(follower):
        if found := await follower.settled():
            yield found


async def _wakes(follower: Follower) -> AsyncIterator[None]:
    """Yields when it is worth looking."""
    watching = True
    while True:
        roots = follower.roots()
        if not (watching and roots):
            await asyncio.sleep(POLL)
            yield
            continue
        try:
            async for _ in _reported(roots):
                yield
                if follower.roots() != roots:
                    break
        except (ImportError, OSError, RuntimeError) as error:
            log.warning("the system reports no file changes; plugins are looked at every half second", reason=str(error)[:200])
            watching = False


async def _reported(roots: list[Path]) -> AsyncIterator[Any]:
    from watchfiles import awatch  # comes with Reflex's server; without it we look by ourselves

    options: dict[str, Any] = {"debounce": 250, "step": 30, "rust_timeout": int(CHECK * 1000), "yield_on_timeout": True}
    async for batch in awatch(*roots, watch_filter=lambda _, path: _interesting(roots, path), **options):
        yield batch


def _interesting(roots: list[Path], path: str) -> bool:
    """Whether this path may matter: a folder (its name tells nothing), or a file that counts."""
    for root in roots:
        with suppress(ValueError):
            parts = Path(path).relative_to(root).parts
            return len(parts) < 2 or "." not in parts[-1] or counts("/".join(parts[1:]))
    return True


__all__ = ["Change", "Follower", "changes", "counts", "files_of"]
