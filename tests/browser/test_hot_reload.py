"""Development: a saved plugin file shows on the open page without a restart, and so does what is wrong with it (F-091)."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.live import Server, Site, until

pytestmark = pytest.mark.live

PATIENCE = 60_000  # ms; how fast it is, benchmarks/hot_reload.py measures
MANIFEST = '{"name": "%s", "access": "public", "display_name": "%s"}'
PAGE = """from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx

from .state import Hot


@sdk.page(access=sdk.Access.public(), on_load=Hot.load)
def hot() -> rx.Component:
    return sdk.ui.stack(
        rx.el.h2("TEXT", id="text"),
        rx.el.p(Hot.said, id="said"),
        rx.el.p(Hot.clicks, id="clicks"),
        rx.el.input(id="kept", aria_label="Kept"),
        sdk.ui.button("Click", on_click=Hot.click),
    )
"""
STATE = """from typing import ClassVar

from mozaiks_shell import sdk


class Hot(sdk.State):
    access: ClassVar[sdk.Access | None] = sdk.Access.public()
    said: str = ""
    clicks: int = 0

    @sdk.event
    def load(self):
        self.said = "TEXT"

    @sdk.event
    def click(self):
        self.clicks += 1
"""
LOGIC = "def execute(data):\n    return {'said': '%s'}\n"
SECOND = """from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx


@sdk.page(title="Second", access=sdk.Access.public())
def second() -> rx.Component:
    return rx.el.p("Here")
"""


def save(folder: Path, name: str, text: str) -> None:
    """Write a file as an editor does: a new one takes the old one's place."""
    folder.mkdir(exist_ok=True)
    fresh = folder / f"{name}~"
    fresh.write_text(text, "utf-8")
    fresh.replace(folder / name)


@pytest.fixture(scope="module")
def developing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`reflex run` with the plugins ``hot`` and ``steady``."""
    site = Site.copy("hot")
    hot = site.folder / "plugins" / "hot"
    save(hot, "manifest.json", MANIFEST % ("hot", "Hot"))
    save(hot, "page.py", PAGE.replace("TEXT", "page0"))
    save(hot, "state.py", STATE.replace("TEXT", "state0"))
    save(hot, "logic.py", LOGIC % "logic0")
    save(hot.with_name("steady"), "manifest.json", MANIFEST % ("steady", "Steady"))
    save(hot.with_name("steady"), "logic.py", LOGIC % "steady")
    server = site.serve(tmp_path_factory.mktemp("developing"), prod=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def page(developing: Server, browser: Browser) -> Iterator[Page]:
    """The plugin's page, open all the time."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()

    def ready() -> bool:
        """The first visit of a fresh site waits for Vite, which may load the page once more while it prepares packages."""
        opened.goto(f"{developing.base}/plugins/hot", timeout=PATIENCE)
        opened.wait_for_timeout(2000)
        return opened.locator("#said", has_text="state0").count() == 1

    until(ready, 120, "the plugin's page")
    yield opened
    opened.close()


def said(server: Server) -> str:
    """What the plugin's logic answers just now."""
    return str(httpx.post(f"{server.base}/api/execute/hot", json={}, timeout=60).json().get("said"))


@pytest.fixture
def hot(developing: Server, page: Page) -> Path:
    """The plugin's folder, as it was at first, with the page open that shows it."""
    folder = developing.site.folder / "plugins" / "hot"
    if not page.url.endswith("/plugins/hot"):
        page.goto(f"{developing.base}/plugins/hot", timeout=PATIENCE)
    again = f"as at first, {time.time_ns()}"  # other words than before, so that one sees when they have come
    save(folder, "page.py", PAGE.replace("TEXT", again))
    save(folder, "state.py", STATE.replace("TEXT", again))
    save(folder, "logic.py", LOGIC % again)
    expect(page.locator("#text")).to_have_text(again, timeout=PATIENCE)
    expect(page.locator("#said")).to_have_text(again, timeout=PATIENCE)
    until(lambda: said(developing) == again, 60, "the logic")
    return folder


def test_f091_a_saved_page_and_state_show_and_what_the_person_did_stays(page: Page, hot: Path) -> None:
    count = int(page.locator("#clicks").inner_text())
    page.get_by_role("button", name="Click").click()
    expect(page.locator("#clicks")).to_have_text(str(count + 1), timeout=PATIENCE)
    save(hot, "page.py", PAGE.replace("TEXT", "page1"))
    expect(page.locator("#text")).to_have_text("page1", timeout=PATIENCE)
    page.wait_for_timeout(3000)  # a page that is busy may load anew to get there
    page.get_by_label("Kept").fill("typed")
    save(hot, "state.py", STATE.replace("TEXT", "state1").replace("+= 1", "+= 10"))
    expect(page.locator("#said")).to_have_text("state1", timeout=PATIENCE)
    assert page.get_by_label("Kept").input_value() == "typed"
    page.get_by_role("button", name="Click").click()
    # the count of before, with the code of now
    expect(page.locator("#clicks")).to_have_text(str(count + 11), timeout=PATIENCE)


def test_f091_an_error_shows_with_file_line_and_source_and_goes_when_corrected(page: Page, hot: Path, developing: Server) -> None:
    before, answer = page.locator("#text").inner_text(), said(developing)
    save(hot, "page.py", PAGE.replace("TEXT", "page2").replace("rx.el.h2(", "rx.el.h2(("))
    notice = page.get_by_role("article").filter(has_text="hot could not be reloaded")
    expect(notice).to_contain_text("plugins/hot/page.py:", timeout=PATIENCE)
    expect(notice).to_contain_text("The last version that worked stays in service.")
    expect(notice.locator("mark")).to_have_count(1)
    expect(page.locator("#text")).to_have_text(before)
    assert said(developing) == answer
    assert "changed plugin code refused" in developing.tail(2000)
    page.reload(timeout=PATIENCE)
    expect(notice).to_be_visible(timeout=PATIENCE)  # also on a page that is opened now
    save(hot, "page.py", PAGE.replace("TEXT", "page3"))
    expect(page.locator("#text")).to_have_text("page3", timeout=PATIENCE)
    expect(notice).to_have_count(0, timeout=PATIENCE)


def test_f091_a_new_plugin_is_in_the_menu_and_a_removed_one_is_not(page: Page, hot: Path) -> None:
    entry = page.locator(".mz-sidebar").get_by_role("link", name="Second")
    save(hot.with_name("second"), "manifest.json", MANIFEST % ("second", "Second"))
    save(hot.with_name("second"), "page.py", SECOND)
    expect(entry).to_be_visible(timeout=PATIENCE)

    def opens() -> bool:
        """The menu is told at once; the development server may still be taking up the new page."""
        entry.click()
        with suppress(AssertionError, PlaywrightTimeout):
            page.wait_for_url("**/plugins/second", timeout=10_000)  # else the reload is of the page before
            page.reload(timeout=PATIENCE)
            expect(page.get_by_text("Here", exact=True)).to_be_visible(timeout=10_000)
            return True
        return False

    until(opens, PATIENCE / 1000, "the new page")
    shutil.rmtree(hot.with_name("second"))
    expect(entry).to_have_count(0, timeout=PATIENCE)  # and this page, which was open, says that it is not there
    expect(page.get_by_text("Here", exact=True)).to_have_count(0, timeout=PATIENCE)


def test_f091_fifty_rewrites_fail_no_request_of_others(developing: Server, page: Page, hot: Path) -> None:
    over, counted, failures = threading.Event(), [0], list[str]()

    def ask() -> None:
        with httpx.Client(base_url=developing.base, timeout=60) as client:
            while not over.is_set():
                answers = {"/health": client.get("/health"), "steady": client.post("/api/execute/steady", json={})}
                counted[0] += len(answers)
                failures.extend(
                    f"{what}: {answer.status_code} {answer.text}" for what, answer in answers.items() if not answer.is_success
                )

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for number in range(50):
            broken = "def execute(:\n" if number % 7 == 0 else LOGIC % f"rewrite{number}"
            before = counted[0]
            save(hot, "logic.py", broken)
            until(lambda before=before: counted[0] > before, 60, "an answer")  # somebody asks during every rewrite
        save(hot, "logic.py", LOGIC % "last")
        until(lambda: said(developing) == "last", 60, "the last save")
    finally:
        over.set()
        asking.join()
    assert counted[0] >= 100 and not failures, failures[:3]
