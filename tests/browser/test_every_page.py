"""F-001: every page the app serves stands in the same frame, works at 390 px and in the dark, and loads nothing foreign."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, holds, picture, settled
from tests.invariants.product import assembled


def shell_pages() -> list[dict]:
    """Pages with a fixed address (no ``[id]`` part). The error page is looked at in ``test_errors.py``, the one without a
    frame in ``test_embedding.py``."""
    return [one for one in assembled()["pages"] if "[" not in one["route"] and one["route"] not in {"/_error", "/embed"}]


PAGES = {one["route"]: one for one in shell_pages()}


def name_of(route: str) -> str:
    return route.strip("/").replace("/", "_") or "home"


@pytest.mark.parametrize("route", [*PAGES, "/no-such-page"])
def test_page_stands_in_the_frame(visit, people, route):
    anonymous = PAGES.get(route, {}).get("access") == ["public"] and route in {"/sign-in", "/register"}
    page = visit(None if anonymous else people.root)
    if route not in PAGES:
        page.watch.expect("answer 404", "status of 404")
    page.goto(route)
    settled(page)
    assert page.locator("main").count() == 1
    assert page.get_by_role("banner").count() == 1
    expect(page.locator("h1")).to_have_count(1)  # an unknown address is drawn by the script
    assert page.title().strip()
    if not anonymous:
        assert page.get_by_role("navigation", name="Main").count() == 1
        bubble = PAGES.get(route, {"chat": True})["chat"] and route != "/chat"  # the page of the chats has no widget (F-172)
        expect(page.get_by_role("button", name="Open chat")).to_be_visible(visible=bubble)
    for size, label in ((WIDE, "1440"), (NARROW, "390")):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            picture(page, f"{name_of(route)}-{label}-{scheme}")
            assert overflow <= 0, f"{route} scrolls sideways by {overflow} px at {label} px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_is_right_before_the_first_paint(visit, people, scheme):
    """The class is on <html> before anything of the body is parsed, so nothing flashes."""
    page = visit(people.ada, scheme=scheme)
    page.add_init_script(
        """const look = () => {
          if (document.body && !window.firstTheme) window.firstTheme = document.documentElement.className
        }
        new MutationObserver(look).observe(document, {childList: true, subtree: true})"""
    )
    page.goto("/")
    settled(page)
    assert scheme in page.evaluate("window.firstTheme").split()
