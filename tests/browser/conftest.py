"""A real Chromium on the real product. Every page opened through :func:`visit` is watched: a console error,
a refused resource, a failed request or a request to somebody else's host fails the test that opened it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.live import ROOT, Server, until
from tests.people import Person

ARTIFACTS = ROOT / "tests" / "_artifacts"
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


PATIENCE = 30_000  # ms for whatever will come; a machine may be busy
expect.set_options(timeout=PATIENCE)

LEFT_EARLY = "WebSocket is closed before the connection is established"  # the page moved on while it connected


def chromium_path() -> str | None:
    """The browser ``./test`` found, else one on PATH, else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("MOZAIKS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium per module: Playwright's loop must be gone before asyncio tests run."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield opened
        opened.close()


SETTLED = """document.title && !document.querySelector('.mz-skeleton, main [aria-busy=true]')
  && (document.documentElement.dataset.runs || !document.getElementById('mz-boot'))"""


@dataclass
class Watch:
    """What went wrong in a page. ``allow`` are patterns a test expects."""

    base: str
    problems: list[str] = field(default_factory=list)
    allow: list[str] = field(default_factory=lambda: [LEFT_EARLY])

    def attach(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("request", self._request)
        page.on("websocket", lambda socket: self._origin(socket.url))

    def expect(self, *patterns: str) -> None:
        """These problems belong to the test."""
        self.allow += patterns

    def _note(self, problem: str) -> None:
        self.problems.append(problem)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._note(f"console {message.type}: {message.text} @ {message.location.get('url', '')}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page moved on
            self._note(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"answer {response.status}: {response.request.method} {response.url}")

    def _request(self, request: Request) -> None:
        self._origin(request.url)

    def _origin(self, url: str) -> None:
        ours, theirs = urlsplit(self.base), urlsplit(url)
        if theirs.scheme not in {"data", "blob", "about"} and theirs.netloc != ours.netloc:
            self._note(f"foreign origin: {url}")

    def verdict(self) -> list[str]:
        """Problems nobody expected."""
        return [one for one in self.problems if not any(re.search(pattern, one) for pattern in self.allow)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Picture every open page of a test that fails."""
    report = yield
    if report.when == "call" and report.failed:  # type: ignore[attr-defined]
        for browser in (value for value in item.funcargs.values() if isinstance(value, Browser)):  # type: ignore[attr-defined]
            pages = [page for context in browser.contexts for page in context.pages]
            for number, page in enumerate(pages):
                with suppress(PlaywrightError):  # a page that hangs has no picture, but its test has a name
                    picture(page, f"failed-{item.name}-{number}".replace("/", "_"))
    return report


@contextmanager
def browsing(
    browser: Browser,
    base: str,
    person: Person | None = None,
    size: dict[str, int] = WIDE,
    scheme: str = "light",
    **options: object,
) -> Iterator[tuple[BrowserContext, Watch]]:
    """A fresh browser profile, signed in as ``person``; every page in it is watched."""
    context = browser.new_context(base_url=base, viewport=size, color_scheme=scheme, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    if person:
        context.add_cookies(person.cookies())
    watch = Watch(base)
    context.on("page", watch.attach)
    yield context, watch
    context.close()


@pytest.fixture
def visit(browser: Browser, live: Server) -> Iterator[Callable[..., Page]]:
    """``page = visit(person, "/path", size=, scheme=)``; the page has a ``watch`` attribute."""
    opened: list[tuple[object, Watch]] = []

    def go(person: Person | None = None, path: str = "", **options: object) -> Page:
        manager = browsing(browser, live.base, person, **options)  # type: ignore[arg-type]
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.watch = watch  # type: ignore[attr-defined]
        if path:
            page.goto(path)
            settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)  # type: ignore[attr-defined]
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def settled(page: Page) -> None:
    """Wait until the page has its data and answers: it has a title, no skeleton is left, nothing says it is busy, and
    its program runs (pages that stand alone, as the offline page, have none).

    A page with a parameter in its address is drawn by the script alone: before that there is nothing in it.
    """
    page.wait_for_selector("main", state="attached")
    holds(page, SETTLED)


def holds(page: Page, expression: str, seconds: float = 30) -> None:
    """Wait for a JavaScript expression. Playwright's own ``wait_for_function`` needs eval, which our pages forbid."""

    def true() -> object:
        try:
            return page.evaluate(expression)
        except PlaywrightError as error:
            if "navigation" in str(error):  # the page is being loaded anew
                return False
            raise

    until(true, seconds, f"{expression} on {page.url}")


def picture(page: Page, name: str) -> Path:
    """Keep a screenshot for human eyes in ``tests/_artifacts`` (git-ignored), where ``MOZAIKS_TEST_PICTURES`` asks for them:
    they take as long as the tests themselves."""
    path = ARTIFACTS / f"{name}.png"
    if os.environ.get("MOZAIKS_TEST_PICTURES"):
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=True)
    return path
