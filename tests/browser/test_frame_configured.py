"""The frame dressed by an operator's files: nesting, icons, header, footer, layout, brand, right-to-left (F-002 to F-017)."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mozaiks_shell.appconfig import live
from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.browser.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.live import Server, Site
from tests.people import People, Person

LONG = "Rechtsschutzversicherungsgesellschaften und ihre Angestellten 🚀"
ARABIC = "تقارير المبيعات الشهرية للشركة"
SPARK = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9" fill="#0f766e"/></svg>'
WORDMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 40" width="180" height="40"><rect width="180" height="40"/></svg>'
)
NAVIGATION = {
    "version": "1.0",
    "sidebar": {
        "items": [
            {"id": "tasks", "label": "To-dos", "icon": "ListChecks", "path": "/plugins/tasks", "order": 2, "badge": "12"},
            {"id": "home", "label": "Start", "icon": "spark.svg", "path": "/", "order": 1},
            {
                "id": "account",
                "label": "Account",
                "order": 3,
                "children": [
                    {"id": "plans", "label": "Plans", "icon": "no-such-icon", "path": "/plans"},
                    {"id": "settings", "label": "Settings", "path": "/settings", "badge": "New"},
                ],
            },
            {"id": "long", "label": LONG, "icon": "rocket", "href": "https://example.com/long", "order": 4},
            {"id": "constructor", "label": ARABIC, "icon": "globe", "path": "/profile", "order": 5},
            {
                "id": "compare",
                "label": "Compare things",
                "order": 6,
                "trigger": {"type": "workflow", "workflow": "CompareOptions", "input": {}, "mode": "ask"},
            },
        ]
    },
    "topNav": {"items": [{"id": "help", "label": "Help", "icon": "life-buoy", "href": "https://example.com/help"}]},
}
UI = {
    "header": {
        "logo": {"wordmark": "wordmark.svg", "alt": "Acme"},
        "actions": [
            {"id": "discover", "label": "Explore", "icon": "discover", "visible": True},
            {"id": "invite", "label": "Invite", "icon": "user-plus", "variant": "primary", "href": "/settings"},
            {
                "id": "more",
                "label": "More",
                "icon": "layers",
                "items": [{"id": "status", "label": "constructor", "href": "/plans"}],
            },
            {"id": "gone", "label": "Gone", "visible": False},
        ],
    },
    "profile": {
        "menu": [
            {"id": "me", "label": "My page", "icon": "user", "action": "navigate", "href": "/profile"},
            {"id": "line", "type": "divider"},
            {
                "id": "ops",
                "label": "Operations",
                "icon": "shield",
                "action": "navigate",
                "href": "/admin",
                "requiresRole": "admin",
            },
            {"id": "out", "label": "Leave", "icon": "log-out", "action": "signout", "variant": "danger"},
        ]
    },
    "footer": {
        "links": [
            {"label": "Privacy", "href": "/plans"},
            {"label": "Imprint", "href": "https://example.com/imprint", "external": True},
        ],
        "visible": True,
        "poweredBy": "Made in Lisbon",
    },
}
BRAND = {"name": "Acme Analytics", "assets": {"wordmark": "wordmark.svg"}, "colors": {"primary": {"main": "#0f766e"}}}
USUAL = {
    "sidebar": {"position": "left", "collapsible": True, "defaultCollapsed": False},
    "header": {"visible": True, "sticky": True},
}
RIGHT = {"sidebar": {"position": "right"}, "header": {"sticky": False}}
BARE = {"sidebar": {"position": "left"}, "header": {"visible": False}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dressed")
    (folder / "assets").mkdir()
    (folder / "assets" / "spark.svg").write_text(SPARK, "utf-8")
    (folder / "assets" / "wordmark.svg").write_text(WORDMARK, "utf-8")
    for name, content in (("navigation", NAVIGATION), ("ui", UI), ("brand", BRAND)):
        write(folder, name, content)
    return folder


@pytest.fixture(autouse=True)
def _as_it_was(folder: Path) -> None:
    write(folder, "ui", UI)
    arrange(folder, USUAL)


def write(folder: Path, name: str, content: dict) -> None:
    """As an editor does: whole, at once. Returns when the server has to look at the file again."""
    new = folder / f"{name}.json.new"
    new.write_text(json.dumps(content), "utf-8")
    new.rename(folder / f"{name}.json")
    time.sleep(live.INTERVAL)


def arrange(folder: Path, layout: dict) -> None:
    write(folder, "branding", {"app": {"name": BRAND["name"]}, "layout": layout})


@pytest.fixture(scope="module")
def dressed(live: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    arrange(folder, USUAL)
    server = Site.copy("dressed").serve(tmp_path_factory.mktemp("dressed-data"), MOZAIKS_CONFIGS_PATH=str(folder))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(dressed: Server) -> People:
    return People(dressed.base)


@pytest.fixture
def visit_there(browser: Browser, dressed: Server) -> Iterator[Callable[..., Page]]:
    opened = []

    def go(person: Person | None, path: str, **options: object) -> Page:
        manager = browsing(browser, dressed.base, person, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.goto(path)
        settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def lines(page: Page) -> list[str]:
    return page.locator(".mz-nav-person .mz-nav-group:not(.mz-nav-top) .mz-nav-label").all_inner_texts()


def left(page: Page, label: str) -> float:
    box = page.locator(".mz-nav-person").get_by_text(label, exact=True).bounding_box()
    assert box is not None
    return box["x"]


def test_f003_entries_stand_in_order_children_indented_badges_visible(visit_there, crowd):
    page = visit_there(crowd.ada, "/plans")
    assert lines(page)[:8] == ["Start", "To-dos", "Account", "Plans", "Settings", LONG, ARABIC, "Compare things"]
    assert left(page, "Plans") > left(page, "Account") + 10
    nav = page.get_by_role("navigation", name="Main")
    expect(nav.get_by_text("12", exact=True)).to_be_visible()
    expect(nav.get_by_text("New", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation", name="Breadcrumbs")).to_have_text("AccountPlans")
    picture(page, "frame-dressed")


def test_f003_what_was_folded_stays_folded_unless_one_is_in_it(visit_there, crowd):
    page = visit_there(crowd.ada, "/plugins/tasks")
    nav = page.get_by_role("navigation", name="Main")
    account, plans = nav.get_by_role("button", name="Account"), nav.get_by_role("link", name="Plans")
    expect(plans).to_be_visible()
    account.click()
    expect(account).to_have_attribute("aria-expanded", "false")
    expect(plans).to_be_hidden()
    page.add_init_script(
        """new MutationObserver(() => {
          const plans = document.querySelector('.mz-nav-person a[href="/plans"]')
          if (plans) window.first ??= getComputedStyle(plans).visibility
        }).observe(document, {childList: true, subtree: true})"""
    )
    page.reload()
    settled(page)
    assert page.evaluate("window.first") == "hidden", "folded before anything is drawn"
    expect(account).to_have_attribute("aria-expanded", "false")
    page.goto("/plans")
    settled(page)
    expect(plans).to_be_visible()
    expect(account).to_have_attribute("aria-expanded", "true")


def test_f032_icons_by_name_by_file_and_unknown_ones(visit_there, crowd):
    page = visit_there(crowd.ada, "/plugins/tasks")
    nav = page.get_by_role("navigation", name="Main")
    holds(page, "document.querySelector('.mz-nav-person img').naturalWidth > 0")
    assert nav.get_by_role("link", name="To-dos").locator("svg").count() == 1
    assert nav.get_by_role("link", name="Plans").locator("svg").count() == 1, "a neutral glyph"
    assert nav.get_by_role("button", name="Account").locator("svg").count() == 2, "a glyph, and the arrow that folds"


def test_links_elsewhere_open_a_tab_of_their_own(visit_there, crowd):
    page = visit_there(crowd.ada, "/plans")
    for link in (
        page.get_by_role("navigation", name="Main").get_by_role("link", name=LONG[:20]),
        page.get_by_role("banner").get_by_role("link", name="Help"),
        page.get_by_role("contentinfo").get_by_role("link", name="Imprint"),
    ):
        expect(link).to_have_attribute("target", "_blank")
        assert "noopener" in (link.get_attribute("rel") or "")
        assert "opens in a new tab" in (link.text_content() or "")


def test_f009_an_entry_starts_a_workflow(visit_there, crowd):
    page = visit_there(crowd.ada, "/plans")
    page.get_by_role("navigation", name="Main").get_by_role("button", name="Compare things").click()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("What shall I compare")


def test_f025_names_that_every_object_of_javascript_has_are_names(visit_there, crowd):
    page = visit_there(crowd.ada, "/plans")
    page.keyboard.press("Control+k")
    page.keyboard.type("plans")
    expect(page.get_by_role("option", name="Plans").first).to_be_visible()


def test_f013_the_header_is_as_the_file_says(visit_there, crowd, folder):
    page = visit_there(crowd.ada, "/plans")
    banner = page.get_by_role("banner")
    expect(banner.get_by_role("button", name="Explore")).to_be_visible()
    expect(banner.get_by_role("link", name="Invite")).to_have_attribute("href", "/settings")
    banner.get_by_role("button", name="More").click()
    expect(page.locator("#mz-action-more").get_by_role("link", name="constructor")).to_be_visible()
    expect(page.get_by_text("Gone")).to_have_count(0)
    expect(banner.get_by_role("img", name="Acme", exact=True)).to_be_visible()
    assert banner.locator(".mz-brand-name").bounding_box()["width"] <= 1, "for screen readers where images fail"
    write(folder, "ui", {**UI, "header": {"actions": [{**UI["header"]["actions"][0], "visible": False}]}})
    page.reload()
    expect(banner.get_by_role("button", name="Explore")).to_have_count(0)


def test_f014_what_is_another_roles_is_not_in_the_menu(visit_there, crowd):
    page = visit_there(crowd.ada, "/plans")
    page.get_by_role("button", name="Profile").click()
    menu = page.locator("#mz-profile")
    expect(menu.get_by_role("link", name="My page")).to_be_visible()
    expect(menu.get_by_role("button", name="Leave")).to_have_count(1)
    assert "Operations" not in page.locator("body").inner_html()
    page = visit_there(crowd.root, "/plans")
    page.get_by_role("button", name="Profile").click()
    expect(page.locator("#mz-profile").get_by_role("link", name="Operations")).to_be_visible()


def test_f014_the_profile_says_what_the_file_says_or_is_not_there(visit_there, crowd, folder):
    write(folder, "ui", {**UI, "profile": {"icon": "rocket", "sublabel": "Acme staff"}})
    page = visit_there(crowd.ada, "/plans")
    page.get_by_role("button", name="Profile").click()
    expect(page.locator("#mz-profile")).to_contain_text("Acme staff")
    expect(page.locator("#mz-profile")).not_to_contain_text("ada@example.com")
    write(folder, "ui", {**UI, "profile": {"show": False}})
    page.reload()
    expect(page.get_by_role("banner").get_by_role("button", name="Explore")).to_be_visible()
    expect(page.get_by_role("button", name="Profile")).to_have_count(0)


def test_f015_the_footer_goes_when_it_is_switched_off(visit_there, crowd, folder):
    page = visit_there(crowd.ada, "/plans")
    footer = page.get_by_role("contentinfo")
    expect(footer.get_by_text("Made in Lisbon")).to_be_visible()
    assert footer.bounding_box()["y"] > page.locator("main").bounding_box()["y"]
    write(folder, "ui", {**UI, "footer": {**UI["footer"], "visible": False}})
    page.reload()
    expect(footer).to_have_count(0)


def test_f016_the_sidebar_on_the_right(visit_there, crowd, folder):
    arrange(folder, RIGHT)
    page = visit_there(crowd.ada, "/plans")
    holds(page, "document.querySelector('aside').getBoundingClientRect().right === document.documentElement.clientWidth")
    assert page.locator("main").bounding_box()["x"] == 0
    toggle, bubble = page.get_by_role("button", name="Collapse sidebar"), page.get_by_role("button", name="Open chat")
    box = toggle.bounding_box()
    assert box["y"] + box["height"] <= bubble.bounding_box()["y"], "not under the bubble"


def test_f016_without_a_header_the_sidebar_holds_what_it_had(visit_there, crowd, folder):
    arrange(folder, BARE)
    page = visit_there(crowd.ada, "/plans")
    expect(page.get_by_role("banner")).to_be_hidden()
    side = page.locator("aside")
    expect(side.get_by_role("link", name="Help")).to_be_visible()
    expect(side.get_by_role("button", name="Search or jump to…")).to_be_visible()
    side.get_by_role("button", name="Profile").click()
    menu = page.locator("#mz-profile").bounding_box()
    assert menu["y"] >= 0
    assert menu["y"] + menu["height"] <= WIDE["height"]
    page.keyboard.press("Escape")
    page.set_viewport_size(NARROW)
    expect(page.get_by_role("link", name="Skip to content")).to_have_count(1)
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(side.get_by_role("link", name="To-dos")).to_be_visible()


def test_f016_a_sidebar_collapsed_by_default_until_one_says_otherwise(visit_there, crowd, folder):
    arrange(folder, {"sidebar": {"defaultCollapsed": True}})
    page = visit_there(crowd.ada, "/plans")
    page.get_by_role("button", name="Expand sidebar").click()
    page.reload()
    expect(page.get_by_role("button", name="Collapse sidebar")).to_be_visible()
    arrange(folder, {"sidebar": {"collapsible": False}})
    page.reload()
    expect(page.get_by_role("button", name="Collapse sidebar")).to_be_hidden()


@pytest.mark.parametrize("path", ["/plans", "/settings", "/sign-in", "/no-such-page"])
def test_f017_the_vendors_name_is_nowhere(browser, dressed, crowd, path):
    with browsing(browser, dressed.base, None if path == "/sign-in" else crowd.ada) as (context, _):
        page = context.new_page()
        page.goto(path)
        settled(page)
        page.wait_for_selector("h1")
        assert "mozaiks" not in (page.locator("body").inner_text() + page.title()).lower()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_right_to_left_the_frame_is_mirrored(visit_there, crowd, size):
    page = visit_there(crowd.ada, "/plans", size=size, locale="ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    if size is NARROW:
        page.locator(".mz-drawer-button").click()
    side, edge = page.locator("aside").bounding_box(), page.evaluate("document.documentElement.clientWidth")
    assert side["x"] + side["width"] == edge
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator(".mz-nav-person").get_by_text(ARABIC).get_attribute("dir") == "auto"
    picture(page, f"frame-rtl-{size['width']}")


def _nothing(_: Page) -> None:
    """The page as it comes."""


def _collapsed(page: Page) -> None:
    page.locator(".mz-nav-toggle").click()
    page.locator(".mz-nav-parent").first.hover()
    expect(page.locator(".mz-nav-parent a[href='/settings']")).to_be_visible()


def _opened(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


STATES = {
    "plain": (USUAL, WIDE, _nothing),
    "collapsed": (USUAL, WIDE, _collapsed),
    "right": (RIGHT, WIDE, _nothing),
    "no-header": (BARE, WIDE, _opened("[popovertarget=mz-profile]")),
    "discover": (USUAL, WIDE, _opened("[popovertarget=mz-discover]")),
    "drawer": (USUAL, NARROW, _opened(".mz-drawer-button")),
    "zoomed": (USUAL, {"width": 720, "height": 450}, _opened("[popovertarget=mz-profile]")),
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_axe_finds_nothing_in_the_dressed_frame(visit_there, crowd, folder, axe, name, locale):  # noqa: F811
    layout, size, act = STATES[name]
    arrange(folder, layout)
    page = visit_there(crowd.ada, "/plans", size=size, locale=locale)
    holds(page, f"document.documentElement.dataset.bar === '{'none' if layout is BARE else 'static' if layout is RIGHT else ''}'")
    act(page)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        holds(page, f"document.documentElement.classList.contains('{scheme}')")
        found += [f"{scheme} {one}" for one in violations(page, axe)]
        picture(page, f"frame-{name}-{locale}-{scheme}")
    assert found == [], "\n".join(found)
