"""Builds of the product, kept by what went into them: two sites of the same content are compiled once, also when different
processes run their tests."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

_KEPT = 30  # builds
_OF_THE_BUILD = ("backend", "env.json", "reflex.json", "build/client")  # in .web
_LEFT_OUT = {".web", ".states", "__pycache__", "external"}
# What the product reads when it starts; everything else may be in the pages it builds.
_READ_AT_START = {
    "ADDITIONAL_CORS_ORIGINS", "DATABASE_URL", "MOZAIKS_AI_URL", "MOZAIKS_DATA_DIR", "MOZAIKS_DEV_BACKEND_PORT", "PORT",
    "MOZAIKS_EMBED_ORIGINS", "OPENAI_BASE_URL", "REDIS_URL",
}  # fmt: skip


def stamp(site: Path, env: Mapping[str, str]) -> str:
    """Digest of what a build is made of: every file of the site, what configures it, and the versions of the tools.

    Args:
        site: Folder of the product.
        env: The variables it is started with, beyond those of every process.
    """
    digest = hashlib.sha256(f"{sys.version} {sys.prefix} {version('reflex')}".encode())
    for name, value in sorted(env.items()):
        if name == "MOZAIKS_CONFIGS_PATH":
            _add_files(digest, Path(value))
        elif name not in _READ_AT_START:
            digest.update(f"\n{name}={value}\n".encode())
    _add_files(digest, site)
    return digest.hexdigest()[:24]


def _add_files(digest: "hashlib._Hash", root: Path) -> None:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        for name in sorted(files):
            path = Path(folder, name)
            digest.update(f"\n{path.relative_to(root)}\n".encode() + path.read_bytes())


@contextlib.contextmanager
def only_one(builds: Path, stamp: str) -> Iterator[Path]:
    """The folder of this build; nobody else makes it meanwhile."""
    builds.mkdir(parents=True, exist_ok=True)
    with (builds / f"{stamp}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield builds / stamp


def keep(web: Path, build: Path, port: int) -> None:
    """Keep what was built in ``.web`` for a server on this port."""
    fresh = build.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for part in _OF_THE_BUILD:
        _link(web / part, fresh / part)
    (fresh / "port").write_text(str(port))
    shutil.rmtree(build, ignore_errors=True)
    fresh.rename(build)
    _forget_the_oldest(build.parent)


def lay_out(build: Path, web: Path, port: int) -> bool:
    """Put a kept build into ``.web``, for a server on another port. False: it is not there."""
    if not (build / "port").is_file():
        return False
    os.utime(build)
    shutil.rmtree(web / "build", ignore_errors=True)
    for part in _OF_THE_BUILD:
        _link(build / part, web / part)
    built_for = (build / "port").read_text()
    if built_for != str(port):
        _move(web, f"//localhost:{built_for}/".encode(), f"//localhost:{port}/".encode())
    return True


def _link(source: Path, target: Path) -> None:
    """Files of a build are replaced, never written in place: a link is as good as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=os.link)
    else:
        target.unlink(missing_ok=True)
        shutil.copy2(source, target)


def _move(web: Path, before: bytes, after: bytes) -> None:
    """Reflex writes the address of its socket into the program."""
    moved = 0
    for file in [web / "env.json", *(web / "build" / "client" / "assets").glob("*.js")]:
        if before in (text := file.read_bytes()):
            file.unlink()
            file.write_bytes(text.replace(before, after))
            for packed in file.parent.glob(f"{file.name}.*"):
                packed.unlink()
            moved += file.suffix == ".js"
    assert moved, f"no program in {web} knows {before!r}"


def _forget_the_oldest(builds: Path) -> None:
    kept = sorted((one for one in builds.iterdir() if (one / "port").is_file()), key=lambda one: one.stat().st_mtime)
    for one in kept[:-_KEPT]:
        shutil.rmtree(one, ignore_errors=True)
