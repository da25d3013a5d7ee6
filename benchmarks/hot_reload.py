"""From saving a plugin file to seeing it on the open page of `reflex run`, in Chromium.

    python -m benchmarks.hot_reload [rounds] [--whole-process]

Every kind of change is saved in turn as an editor saves (a new file takes the old one's place). `--whole-process` switches
the plugins' hot reload off (`PLUGIN_WATCH=false`), so that Reflex restarts the server and compiles the whole app.
"""

import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks.common import calm, chromium_path, host, publish, spread
from benchmarks.first_paint import FLAGS
from tests.live import Server, Site, until

PATIENCE = 60_000  # ms
MANIFEST = '{{"name": "{name}", "access": "public", "display_name": "{title}"}}'
PAGE = """from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, t

from .state import Hot


@sdk.page(access=sdk.Access.public(), on_load=Hot.load)
def hot() -> rx.Component:
    return sdk.ui.stack(
        rx.el.h2("TEXT", id="text"), rx.el.p(Hot.said, id="said"), rx.el.p(t("Good morning"), id="word"),
        rx.el.input(id="kept", aria_label="Kept"),
    )
"""
STATE = """from typing import ClassVar

from mozaiks_shell import sdk

from .logic import word


class Hot(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
    said: str = ""

    @sdk.event
    def load(self):
        self.said = f"TEXT {word()}"
"""
LOGIC = """def word():
    return "TEXT"


def execute(data):
    return {"said": word()}
"""
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Good morning"\nmsgstr "TEXT"\n'
SECOND = """from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx


@sdk.page("/TEXT", title="TEXT", access=sdk.Access.public())
def second() -> rx.Component:
    return rx.el.h2("TEXT")
"""


class Author:
    """Somebody who edits the plugin ``hot`` while its page is open."""

    def __init__(self, server: Server, page: Page) -> None:
        self.server, self.page = server, page
        self.folder = server.site.folder / "plugins" / "hot"
        self.other = self.folder.with_name("hot-two")

    def save(self, name: str, text: str, folder: Path | None = None) -> None:
        """Write a file as an editor does."""
        path = (folder or self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + "~")
        fresh.write_text(text, "utf-8")
        fresh.replace(path)

    def begin(self) -> None:
        """The first version, and its page."""
        self.save("manifest.json", MANIFEST.format(name="hot", title="Hot"))
        self.save("logic.py", LOGIC.replace("TEXT", "logic0"))
        self.save("state.py", STATE.replace("TEXT", "state0"))
        self.save("locales/de.po", PO.replace("TEXT", "word0"))
        self.save("page.py", PAGE.replace("TEXT", "page0"))
        until(self._opened, 120, "the plugin's page")

    def _opened(self) -> bool:
        self.page.goto(f"{self.server.base}/plugins/hot")
        self.page.wait_for_timeout(3000)
        return self.page.locator("#said", has_text="state0 logic0").count() == 1

    def sees(self, selector: str, text: str) -> Callable[[], None]:
        """Waits until the text is there."""
        return lambda: self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=PATIENCE)

    def misses(self, selector: str, text: str) -> Callable[[], None]:
        """Waits until the text is gone."""
        return lambda: self.page.locator(selector).filter(has_text=text).first.wait_for(state="detached", timeout=PATIENCE)

    def answers(self, said: str) -> Callable[[], None]:
        """Waits until the API answers this."""

        def asked() -> bool:
            try:
                return httpx.post(f"{self.server.base}/api/execute/hot", json={}, timeout=30).json().get("said") == said
            except (httpx.HTTPError, ValueError):
                return False

        return lambda: until(asked, PATIENCE / 1000, said) and None

    def kinds(self, number: int, *, whole: bool) -> dict[str, tuple[Callable[[], object], Callable[[], None]]]:
        """Kind of change -> (do it, wait until it shows), in an order that leads back to where it began."""
        n = str(number)
        broken = PAGE.replace("TEXT", f"page{n}").replace("rx.el.h2(", "rx.el.h2((")
        found: dict[str, tuple[Callable[[], object], Callable[[], None]]] = {
            "page text": (lambda: self.save("page.py", PAGE.replace("TEXT", f"page{n}")), self.sees("#text", f"page{n}")),
            "State": (lambda: self.save("state.py", STATE.replace("TEXT", f"state{n}")), self.sees("#said", f"state{n}")),
            "logic, on the page": (
                lambda: self.save("logic.py", LOGIC.replace("TEXT", f"logic{n}")),
                self.sees("#said", f"logic{n}"),
            ),
            "logic, API": (lambda: self.save("logic.py", LOGIC.replace("TEXT", f"api{n}")), self.answers(f"api{n}")),
            "catalogue": (lambda: self.save("locales/de.po", PO.replace("TEXT", f"word{n}")), self.sees("#word", f"word{n}")),
            "manifest (menu)": (
                lambda: self.save("manifest.json", MANIFEST.format(name="hot", title=f"Hot{n}")),
                self.sees(".mz-sidebar", f"Hot{n}"),
            ),
            "new page file": (
                lambda: self.save("pages/more.py", SECOND.replace("TEXT", f"more{n}")),
                self.sees(".mz-sidebar", f"more{n}"),
            ),
            "new plugin": (self._second_plugin, self.sees(".mz-sidebar", "Second")),
            "removed plugin": (lambda: shutil.rmtree(self.other), self.misses(".mz-sidebar a", "Second")),
        }
        if not whole:
            found["syntax error shown"] = (lambda: self.save("page.py", broken), self.sees("#mz-hot", "page.py:"))
            found["correction shown"] = (
                lambda: self.save("page.py", PAGE.replace("TEXT", f"again{n}")),
                lambda: (self.misses("#mz-hot article", "page.py"), self.sees("#text", f"again{n}"))[1](),
            )
        return found

    def _second_plugin(self) -> None:
        self.save("page.py", SECOND.replace('"/TEXT", title="TEXT"', '"", title="Second"'), self.other)
        self.save("manifest.json", MANIFEST.format(name="hot-two", title="Second"), self.other)


def main(rounds: int, *, whole: bool) -> None:
    """Measure and publish."""
    calm()
    about = {"host": host(), "rounds": rounds}
    samples: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        more = {"PLUGIN_WATCH": "false"} if whole else {}
        server = Site.copy("hot").serve(data, prod=False, **more)
        stack.callback(server.stop)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        stack.callback(browser.close)
        page = browser.new_context(locale="de-DE", viewport={"width": 1440, "height": 900}).new_page()
        author = Author(server, page)
        author.begin()
        for number in range(1, rounds + 1):
            for kind, (act, shows) in author.kinds(number, whole=whole).items():
                page.wait_for_timeout(1500 if not whole else 6000)
                began = time.perf_counter()
                act()
                shows()
                samples[kind].append(time.perf_counter() - began)
                print(f"{kind}: {samples[kind][-1]:.2f} s (load {os.getloadavg()[0]:.1f})", flush=True)
    way = "whole process" if whole else "plugin alone"
    rows = [{"change": kind, "reload of": way, "save to screen, s": spread(found, 2)} for kind, found in samples.items()]
    publish("hot_reload_whole" if whole else "hot_reload", about, rows)


if __name__ == "__main__":
    wanted = [one for one in sys.argv[1:] if one.isdigit()]
    main(int(wanted[0]) if wanted else 5, whole="--whole-process" in sys.argv)
