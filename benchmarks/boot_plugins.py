"""What plugins cost at the start.

    python -m benchmarks.boot_plugins [rounds]

With pages: ``reflex run --env prod`` from the command to ``/ready``, with 0, 50 and 200 plugins that each have a manifest, a
State, a page and an ``execute``; it compiles and builds every time. Comparator: NiceGUI with as many pages.

Without pages: the same with 0, 200 and 1000 plugins that only have a manifest and an ``execute``, one in a hundred of them
broken. Comparator: Datasette with as many one-file plugins.

And what the host itself takes for them (find, check, probe or remember the probe, import, draw the pages, check migrations), in
one process: for the first time, again in a process that builds the pages, and again in one that serves what was built.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common import calm, comparator, host, memory_mib, publish, spread
from tests.live import Server, Site, clean_environment

PAGES, PLAIN = (0, 50, 200), (0, 200, 1000)
BROKEN_EVERY = 100
MANIFEST = """{{
  "name": "{name}",
  "version": "1.0.0",
  "display_name": "Made up {number}",
  "description": "One of many.",
  "icon": "list-checks",
  "contract_version": "1",
  "access": "signed_in",
  "requires": {{
    "shell": ">=0.1,<1",
    "sdk": ">=1,<2"
  }},
  "author": "Mozaiks",
  "license": "MIT"
}}
"""
LOGIC = '''"""Counts what it is given."""

from typing import Any


async def execute(request: dict[str, Any]) -> dict[str, Any]:
    """Echo."""
    return {"items": len(request)}
'''
PAGE = '''"""A list one can add to."""

from mozaiks_shell import sdk


class Items(sdk.State):
    items: list[str] = []

    @sdk.event
    def add(self):
        self.items = [*self.items, f"Item {len(self.items)}"]


@sdk.page()
def front():
    return sdk.ui.stack(
        sdk.ui.page_header("Items"),
        sdk.rx.foreach(Items.items, lambda item: sdk.rx.el.p(item)),
        sdk.ui.button("Add", on_click=Items.add),
    )
'''


HOST = """
import asyncio, json, sys, time
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.migrate import upgrade
import mozaiks_shell.sdk
from mozaiks_shell.plugin_host import loader, startup
settings = get_settings()
upgrade(settings)
begun = time.perf_counter()
plugins = loader.load_all(settings, builds=sys.argv[1] == "builds")
asyncio.run(startup.start_plugins(settings))
took = time.perf_counter() - begun
print(json.dumps({"seconds": took, "loaded": sum(one.live for one in plugins), "found": len(plugins)}))
"""


def generate(folder: Path, count: int, pages: bool) -> int:
    """Replace the plugins of a site by ``count`` made-up ones; returns how many of them can load."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    broken = 0
    for number in range(count):
        plugin = folder / f"made-{number:04d}"
        plugin.mkdir()
        (plugin / "manifest.json").write_text(MANIFEST.format(name=plugin.name, number=number), "utf-8")
        bad = not pages and number % BROKEN_EVERY == BROKEN_EVERY // 2
        broken += bad
        (plugin / "logic.py").write_text("import no_such_module\n" if bad else LOGIC, "utf-8")
        if pages:
            (plugin / "page.py").write_text(PAGE, "utf-8")
    return count - broken


def start(site: Site) -> tuple[float, float, int]:
    """Seconds to ready, MiB after it, and how many plugins the server counts."""
    with tempfile.TemporaryDirectory() as data:
        server = Server(site, Path(data))
        begun = time.monotonic()
        server.start()
        seconds = time.monotonic() - begun
        assert server.process is not None
        loaded = httpx.get(f"{server.base}/health").json()["plugins_loaded"]
        memory = memory_mib(server.process.pid)
        server.stop()
    return seconds, memory, loaded


ALONE = {"first time": "builds", "again, building": "builds", "again, serving": "serves"}


def host_alone(site: Site, wanted: int) -> dict[str, float]:
    """Seconds the plugin host takes in one process, by what it knows of these plugins and does with their pages."""
    taken = {}
    with tempfile.TemporaryDirectory() as data:
        for name, what in ALONE.items():
            run = subprocess.run(
                [sys.executable, "-c", HOST, what], cwd=site.folder, env=clean_environment(MOZAIKS_DATA_DIR=data),
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            told = json.loads(run.stdout.splitlines()[-1])
            assert told["loaded"] == wanted, told
            taken[name] = told["seconds"]
    return taken


def main(rounds: int) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds, "broken": f"one in {BROKEN_EVERY} of those without pages"}
    site = Site.copy("bench-boot")
    start(site)  # installs the JavaScript packages
    calm()
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    memory: dict[tuple[str, int], list[float]] = defaultdict(list)
    alone: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for kind, counts, rival in (("with a page", PAGES, "nicegui"), ("execute only", PLAIN, "datasette")):
            for count in counts:
                wanted = generate(site.folder / "plugins", count, pages=rival == "nicegui")
                taken, used, loaded = start(site)
                assert loaded == wanted, f"{loaded} of {wanted} plugins loaded"
                system = f"Mozaiks Shell, {kind}"
                seconds[system, count].append(taken)
                memory[system, count].append(used)
                for name, spent in host_alone(site, wanted).items():
                    alone[f"{kind}, the host alone, {name}", count].append(spent)
                other_system = "NiceGUI 3.18.0, pages" if rival == "nicegui" else "Datasette 0.65.5, plugins"
                with comparator(rival, str(count)) as other:
                    seconds[other_system, count].append(other.seconds_to_ready)
                    memory[other_system, count].append(memory_mib(other.pid))
    rows = [row(system, count, found, seconds[system, 0], memory[system, count]) for (system, count), found in seconds.items()]
    rows += [row(f"Mozaiks Shell, {name}", count, found, alone[name, 0], []) for (name, count), found in sorted(alone.items())]
    publish("boot_plugins", about, rows)


def row(system: str, count: int, found: list[float], none: list[float], memory: list[float]) -> dict[str, Any]:
    """A line of the table."""
    more = statistics.median(found) - statistics.median(none)
    return {
        "system": system,
        "plugins or pages": count,
        "s to ready": spread(found, 2),
        "ms each": round(more / count * 1000, 2) if count else "",
        "MiB": spread(memory, 0) if memory else "",
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
