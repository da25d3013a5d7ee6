"""The app can be installed, and without a connection it says so, in its own looks, until there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import FLAGS, PATIENCE, WIDE, chromium_path, holds, picture, settled
from tests.live import Server
from tests.people import People

OFFLINE = ("ERR_INTERNET_DISCONNECTED", "WebSocket connection", "failed: GET")


@pytest.fixture
def profile(browser: Browser, live: Server, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser profile that is no private window: one cannot install from there."""
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path / "profile"), executable_path=chromium_path(), args=FLAGS, base_url=live.base, viewport=WIDE
    )  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def with_worker(page: Page) -> None:
    """Wait until the worker has what it needs."""
    holds(page, "navigator.serviceWorker.getRegistration().then((one) => Boolean(one && one.active))")


def test_it_can_be_installed(profile: BrowserContext, people: People):
    profile.add_cookies(people.ada.cookies())
    page = profile.new_page()
    page.goto("/")
    settled(page)
    with_worker(page)
    devtools = profile.new_cdp_session(page)
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == [] and manifest["url"].endswith("/manifest.webmanifest")


def test_without_a_connection_one_reads_so_and_comes_back_by_itself(visit, people: People):
    page = visit(people.ada, "/")
    page.watch.expect(*OFFLINE)
    with_worker(page)
    page.context.set_offline(True)
    page.goto("/plugins/tasks")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    picture(page, "offline")
    page.emulate_media(color_scheme="dark")
    picture(page, "offline-dark")
    assert page.url.endswith("/plugins/tasks")
    page.context.set_offline(False)
    expect(page.get_by_label("New task")).to_be_visible()


def test_the_worker_keeps_nothing_of_anybody(visit, people: People):
    page = visit(people.ada, "/")
    with_worker(page)
    page.goto("/settings")
    settled(page)
    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
          (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat().sort()"""
    )
    assert kept == ["/offline", "/offline.js"]
    html = page.evaluate("fetch('/offline').then((answer) => answer.text())")
    assert people.ada.name not in html and people.ada.email not in html
