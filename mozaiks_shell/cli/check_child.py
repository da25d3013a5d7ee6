"""``python -m mozaiks_shell.cli.check_child NAME RESULT``: load one plugin as the host does and write down what came of it.

A process of its own, started by :mod:`.check_run` in an empty folder with bounded time and memory.
"""

import asyncio
import importlib
import inspect
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mozaiks_shell.cli.check_effects import Snapshot

_FILE_SIZE = 256 << 20


def main(name: str, result: Path, memory: int) -> None:
    """Everything, in the order in which it can go wrong; the file is written anew after each step."""
    from mozaiks_shell.foundation.logging import configure
    from mozaiks_shell.foundation.settings import get_settings
    from mozaiks_shell.hosting.migrate import upgrade
    from mozaiks_shell.plugin_host import loader, registry, traces

    settings = get_settings()
    configure(settings)
    upgrade(settings)
    importlib.import_module("mozaiks_shell.sdk")
    told: dict[str, Any] = {"stage": "import", "findings": []}

    def tell(stage: str) -> None:
        told["stage"] = stage
        staged = result.with_suffix(".part")
        staged.write_text(json.dumps(told), "utf-8")
        staged.rename(result)

    places: dict[int, tuple[Any, str, int]] = {}
    folder = settings.plugins_path / name
    _record_places(folder, places)
    _bound(memory)
    tell("import")
    traces.put_back = lambda before: None  # what the host would put back is what we want to see
    before = Snapshot()
    loader.load_all(settings)
    effects = list(before.effects())
    told["findings"] += [("import-effects", message, "", 0, fix) for message, fix in effects]
    plugin = registry.find(name)
    if plugin is None:
        told["findings"].append(("loads", "The host does not find it.", "", 0, "The folder's name may not be one of a plugin."))
        tell("done")
        return
    _problem(told, plugin)
    told["findings"] += [
        ("loads-clean", one.message, *_split(one.where), one.remedy)
        for one in plugin.notes
        if one.level == "warning" and (one.message, one.remedy) not in effects
    ]
    tell("migrate")
    if plugin.problem is None:
        asyncio.run(_start(plugin, settings))
        _problem(told, plugin)
    if plugin.problem is None:
        told["findings"] += _differences(plugin, settings)
        tell("pages")
        told["findings"] += _pages(plugin, places, folder)
    told["loaded"] = plugin.problem is None
    tell("done")


_RULES = {
    "migration": "tables-migrated",
    "manifest": "manifest-valid",
    "syntax": "parses",
    "forbidden_import": "imports-sdk",
    "hang": "import-bounded",
    "memory": "import-bounded",
    "crash": "import-bounded",
}


def _problem(told: dict[str, Any], plugin: Any) -> None:
    if (problem := plugin.problem) is None:
        return
    rule = _RULES.get(problem.cause.value, "loads")
    told["findings"].append((rule, problem.message, problem.file, problem.line, problem.remedy))


async def _start(plugin: Any, settings: Any) -> None:
    from mozaiks_shell.foundation import db
    from mozaiks_shell.plugin_host.startup import start_plugins

    await start_plugins(settings)
    await db.dispose()


def _differences(plugin: Any, settings: Any) -> Iterator[tuple[str, str, str, int, str]]:
    """Where the tables its migrations make are not those of its models, and what a downgrade leaves behind."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine, inspect
    from sqlmodel import SQLModel

    from mozaiks_shell.plugin_host.migrations import downgrade

    engine = create_engine(settings.sql_url_sync)
    mine = set(plugin.tables)

    def of_mine(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        table = name if kind == "table" else getattr(getattr(thing, "table", None), "name", "")
        return table in mine and not (kind in {"index", "unique_constraint"} and reflected and other is None)

    fix = "Write a migration for it (mozaiks-shell migration drafts one)."
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": of_mine, "compare_type": True})
        for one in compare_metadata(context, SQLModel.metadata):
            yield "tables-migrated", f"Models and migrations differ: {_said(one)}.", "migrations", 0, fix
    if mine and (plugin.folder / "migrations").is_dir():
        try:
            downgrade(plugin, settings)
        except Exception as error:  # noqa: BLE001 - whatever its scripts raise
            where = getattr(error, "file", "migrations"), getattr(error, "line", 0)
            yield "migrations-reversible", f"downgrade fails: {error}", *where, "Undo in it what upgrade() does."
        else:
            if left := mine & set(inspect(engine).get_table_names()):
                message = f"After downgrade {', '.join(sorted(left))} is still there."
                yield "migrations-reversible", message, "migrations", 0, "Undo in downgrade() what upgrade() does."
    engine.dispose()


def _said(difference: Any) -> str:
    if isinstance(difference, list):
        return _said(difference[0])
    kind, *parts = difference
    names = [str(getattr(one, "name", one)) for one in parts if isinstance(one, str) or hasattr(one, "name")]
    return f"{str(kind).replace('_', ' ')} {'.'.join(names)}"


def _pages(plugin: Any, places: dict[int, tuple[Any, str, int]], folder: Path) -> Iterator[tuple[str, str, str, int, str]]:
    from mozaiks_shell.cli.check_pages import findings
    from mozaiks_shell.ui.page import pages

    for page in pages():
        if page.owner != plugin.name:
            continue
        places.clear()
        try:
            shown = inspect.unwrap(page.render)()  # what stands around it is the shell's
        except Exception as error:  # noqa: BLE001 - whatever its page raises
            yield "loads", f"{page.route}: {type(error).__name__}: {error}", "page.py", 0, "The page function must not raise."
            continue
        for rule, message, component in findings(shown):
            _, file, line = places.get(id(component)) or (None, "", 0)
            yield rule, f"{page.route}: {message}", file or _file_of(page.render, folder), line, _FIXES[rule]


_FIXES = {
    "a11y-image": 'Give it alt="…", or alt="" when it only decorates.',
    "a11y-label": "Put it into ui.field(label, …), or give it an aria_label.",
    "a11y-name": "Give it a text, or an aria_label when it shows an icon only.",
    "a11y-heading": "Begin with ui.page_header(title), then ui.card(title=…), and leave out no level.",
    "a11y-tabindex": "Leave it out, or 0; put the elements into the order in which they are used.",
}


def _file_of(render: Any, folder: Path) -> str:
    code = getattr(inspect.unwrap(render), "__code__", None)
    file = Path(code.co_filename) if code else folder
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) and file != folder else "page.py"


def _record_places(folder: Path, places: dict[int, tuple[Any, str, int]]) -> None:
    """Have every component remember which line of the plugin made it."""
    from reflex_base.components.component import Component

    before, root = Component._post_init, str(folder.resolve()) + os.sep

    def after(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = before(self, *args, **kwargs)
        frame = sys._getframe(1)
        while frame is not None and not frame.f_code.co_filename.startswith(root):
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            places[id(self)] = (self, frame.f_code.co_filename.removeprefix(root), frame.f_lineno)
        return answer

    Component._post_init = after  # type: ignore[method-assign]


def _bound(memory: int) -> None:
    """No more memory than this above what the process has, and no endless files."""
    try:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        size = 2 << 30
    resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE, _FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _split(where: str) -> tuple[str, int]:
    file, _, line = where.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (where, 0)


if __name__ == "__main__":
    asked = sys.argv[1:]
    del sys.argv[1:]  # where the result is kept is none of the plugin's business
    main(asked[0], Path(asked[1]), int(asked[2]))
