"""What plugins cost at the start: 0, 50 and 200 small ones, each with a State, a page and an ``execute``.

    python -m benchmarks.boot_plugins [rounds]

Time to ready is ``reflex run --env prod`` from the command to ``/ready``; it compiles and builds every time.
Comparator: NiceGUI with as many pages.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import httpx

from benchmarks.common import calm, comparator, host, memory_mib, publish, spread
from tests.live import Server, Site

COUNTS = (0, 50, 200)
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


def generate(folder: Path, count: int) -> None:
    """Replace the plugins of a site by ``count`` made-up ones."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number in range(count):
        plugin = folder / f"made-{number:03d}"
        plugin.mkdir()
        (plugin / "logic.py").write_text(LOGIC, "utf-8")
        (plugin / "page.py").write_text(PAGE, "utf-8")


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


def main(rounds: int) -> None:
    """Measure and publish."""
    about = {"host": host(), "rounds": rounds}
    site = Site.copy("bench-boot")
    start(site)  # installs the JavaScript packages
    calm()
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    memory: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for count in COUNTS:
            generate(site.folder / "plugins", count)
            taken, used, loaded = start(site)
            assert loaded == count, f"{loaded} of {count} plugins loaded"
            seconds["Mozaiks Shell", count].append(taken)
            memory["Mozaiks Shell", count].append(used)
            with comparator("nicegui", str(count)) as other:
                seconds["NiceGUI 3.18.0", count].append(other.seconds_to_ready)
                memory["NiceGUI 3.18.0", count].append(memory_mib(other.pid))
    rows = []
    for (system, count), found in sorted(seconds.items()):
        more = statistics.median(found) - statistics.median(seconds[system, 0])
        rows.append(
            {
                "system": system,
                "plugins or pages": count,
                "s to ready": spread(found, 2),
                "ms each": round(more / count * 1000, 1) if count else "",
                "MiB": spread(memory[system, count], 0),
            }
        )
    publish("boot_plugins", about, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
