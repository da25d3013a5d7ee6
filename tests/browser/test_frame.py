"""What every person sees on every page: header, sidebar, drawer, menus, footer (F-001, F-012, F-016, F-029)."""

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import NARROW, holds, settled
from tests.live import until

ZOOMED = {"width": 720, "height": 450}  # 1440 x 900 at 200 %
SHIFTS = """window.shifts = []; new PerformanceObserver((seen) => { for (const one of seen.getEntries()) {
  if (!one.hadRecentInput) window.shifts.push([one.value, ...one.sources.map((it) => (it.node?.outerHTML || "").slice(0, 120))])
}}).observe({type: "layout-shift", buffered: true})"""


def main_nav(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Main")


def family(entry: dict) -> list[str]:
    """Its label and those beneath it."""
    return [entry["label"], *(label for one in entry.get("children", []) for label in family(one))]


def discovered(page: Page) -> list[str]:
    """The lines of the Discover menu, with the workflows there."""
    page.get_by_role("button", name="Discover").click()
    panel = page.locator("#mz-discover")
    expect(panel.get_by_text("Compare options")).to_be_visible()
    return panel.locator("li:visible").all_inner_texts()


@pytest.mark.parametrize("who", ["ada", "root"])
def test_f012_discover_lists_what_the_person_may_open_and_nothing_else(visit, people, who):
    person = getattr(people, who)
    page = visit(person, "/plugins/tasks")
    with person.client() as client:
        pages = [label for one in client.get("/api/navigation").json()["navigation"] for label in family(one)]
    shown = discovered(page)
    assert shown[: len(pages)] == pages
    assert set(shown[len(pages) :]) == {"Assistant", "Project brief", "Compare options"}


def test_f012_discover_is_searched_by_typing_and_used_by_keyboard(visit, people):
    page = visit(people.ada, "/plugins/tasks")
    opener = page.get_by_role("button", name="Discover")
    opener.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("searchbox", name="Find a page or agent")
    expect(box).to_be_focused()
    page.keyboard.type("sett")
    expect(page.locator("#mz-discover li:visible")).to_have_text(["Settings"])
    page.keyboard.type("zzz")
    expect(page.locator("#mz-discover").get_by_text("Nothing with that name.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_have_value("")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("*:focus")).to_have_text("Home")
    box.fill("settings")
    box.press("Enter")
    page.wait_for_url("**/settings")
    expect(page.locator("#mz-discover")).to_be_hidden()


def test_a_menu_has_done_its_work_when_something_of_it_was_chosen(visit, people):
    page = visit(people.ada, "/plugins/tasks")
    page.get_by_role("button", name="Profile").click()
    page.locator("#mz-profile").get_by_role("link", name="Settings").click()
    page.wait_for_url("**/settings")
    expect(page.locator("#mz-profile")).to_be_hidden()


def test_f016_the_sidebar_stays_as_it_was_left(visit, people):
    page = visit(people.ada, "/plugins/tasks")
    wide = page.locator("aside").bounding_box()["width"]
    page.get_by_role("button", name="Collapse sidebar").click()
    assert page.locator("aside").bounding_box()["width"] < wide / 2
    page.add_init_script(
        """const look = () => { if (document.body) window.first ??= document.documentElement.dataset.nav }
        new MutationObserver(look).observe(document, {childList: true, subtree: true})"""
    )
    page.reload()
    settled(page)
    assert page.evaluate("window.first") == "mini", "collapsed before anything is drawn"
    link = main_nav(page).get_by_role("link", name="Tasks")
    link.hover()
    tip = link.get_by_text("Tasks")
    holds(page, "document.querySelector('.mz-nav-link:hover .mz-nav-words').getBoundingClientRect().width > 30")
    assert tip.bounding_box()["x"] > 60, "the name stands beside the icon"
    page.get_by_role("button", name="Expand sidebar").click()
    assert page.locator("aside").bounding_box()["width"] == wide


@pytest.mark.parametrize("size", [None, NARROW])
@pytest.mark.parametrize("path", ["/plugins/tasks", "/plans", "/sign-in"])
def test_nothing_of_the_frame_jumps_when_the_data_arrives(visit, people, path, size):
    page = visit(None if path == "/sign-in" else people.ada, **({"size": size} if size else {}))
    page.add_init_script(SHIFTS)
    page.goto(path)
    settled(page)
    page.wait_for_load_state("networkidle")
    moved = [
        one
        for one in page.evaluate("window.shifts")
        if one[0] > 0.001 and any(part in "".join(one[1:]) for part in ("mz-nav", "mz-header", "mz-brand"))
    ]  # below that a fraction of a pixel moved: nobody sees it
    assert moved == []


def test_one_is_told_where_one_is(visit, people):
    page = visit(people.root, "/settings")
    crumbs = page.get_by_role("navigation", name="Breadcrumbs")
    expect(crumbs.locator("[aria-current=page]")).to_have_text("Settings")
    main_nav(page).get_by_role("link", name="Tasks").click()
    expect(crumbs.locator("[aria-current=page]")).to_have_text("Tasks")
    expect(main_nav(page).locator("a[aria-current=page]")).to_have_text("Tasks")
    page.go_back()
    expect(crumbs.locator("[aria-current=page]")).to_have_text("Settings")


def test_the_served_page_already_says_where_one_is(people):
    with people.ada.client() as client:
        page = client.get("/plugins/tasks").text
    head = page[page.index("<header") : page.index("</header>")]
    assert "Breadcrumbs" in head
    assert ">Tasks</span>" in head


def test_f029_the_drawer_keeps_the_focus_and_gives_it_back(visit, people):
    page = visit(people.ada, "/plans", size=NARROW)
    opener = page.get_by_role("button", name="Menu", exact=True)
    expect(page.locator("aside")).to_be_hidden()
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("*:focus")).to_have_text("Plans")
    for key in ["Tab"] * 12 + ["Shift+Tab"] * 16:
        page.keyboard.press(key)
        assert page.evaluate("!!document.activeElement.closest('aside')"), "what the drawer covers is out of reach"
    page.keyboard.press("Escape")
    expect(page.locator("aside")).to_be_hidden()
    opener.click()
    page.get_by_role("button", name="Close menu").click()
    expect(page.locator("aside")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_theme_is_chosen_in_the_profile_menu_and_kept(visit, people):
    person = people.sign_up("thea", "Thea Dark")
    page = visit(person, "/plans")
    page.get_by_role("button", name="Profile").click()
    dark = page.locator("#mz-profile").get_by_role("button", name="Dark")
    dark.click()
    expect(dark).to_have_attribute("aria-pressed", "true")
    holds(page, "document.documentElement.classList.contains('dark')")
    person.has_theme("dark")
    elsewhere = visit(people.sign_in(person), "/plans")
    holds(elsewhere, "document.documentElement.classList.contains('dark')")


def test_visitors_choose_theme_and_language_and_find_the_other_way_in(visit):
    page = visit(None, "/sign-in")
    page.get_by_role("button", name="Theme").click()
    page.locator("#mz-theme").get_by_role("button", name="Dark").click()
    holds(page, "document.documentElement.classList.contains('dark')")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Language")).to_be_visible()
    expect(page.get_by_role("button", name="Profile")).to_have_count(0)
    expect(page.get_by_role("button", name="Discover")).to_have_count(0)
    main_nav(page).get_by_role("link", name="Create an account").click()
    page.wait_for_url("**/register")
    expect(main_nav(page).get_by_role("link", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("menu", ["Profile", "Discover"])
def test_enlarged_to_200_percent_a_menu_fits(visit, people, menu):
    page = visit(people.root, "/plans", size=ZOOMED)
    page.get_by_role("button", name=menu).click()
    box = page.locator(f"#mz-{menu.lower()}").bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= ZOOMED["width"]
    assert box["y"] + box["height"] <= ZOOMED["height"]


LONG = "Wolfeschlegelsteinhausenbergerdorff " * 2 + "🚀 مرحبا"


@pytest.mark.parametrize("size", [None, NARROW])
def test_a_long_name_is_cut_and_can_be_read_in_full(visit, people, size):
    person = people.sign_up(f"long{'wide' if size is None else 'narrow'}", LONG)
    page = visit(person, "/plans", **({"size": size} if size else {}))
    page.get_by_role("button", name="Profile").click()
    name = page.locator("#mz-profile .mz-who-line > .mz-strong")
    assert name.evaluate("one => one.scrollWidth > one.clientWidth")
    name.hover()
    expect(name).to_have_attribute("title", LONG.strip())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_going_back_leads_to_the_same_place_on_the_page(visit, people):
    page = visit(people.root, "/plans", size={"width": 900, "height": 320})
    page.evaluate("window.scrollTo(0, 260)")
    page.get_by_role("button", name="Profile").click()
    page.locator("#mz-profile").get_by_role("link", name="Settings").click()
    page.wait_for_url("**/settings")
    settled(page)
    assert page.evaluate("scrollY") == 0
    page.go_back()
    page.wait_for_url("**/plans")
    holds(page, "scrollY === 260")
    page.reload()
    holds(page, "scrollY === 260")


def test_what_is_pressed_before_the_program_runs_is_done_once_it_does(visit, people):
    page = visit(people.ada)
    held: list[Route] = []
    waiting = True
    page.route("**/assets/*.js", lambda route: held.append(route) if waiting else route.continue_())
    page.goto("/plans", wait_until="commit")
    page.get_by_role("banner").get_by_role("button", name="Search or jump to…").click()
    until(lambda: page.evaluate("1") and held, what="the fetching of the program")
    expect(page.locator(".mz-pal[open]")).to_have_count(0)
    waiting = False
    for route in held:
        route.continue_()
    expect(page.locator(".mz-pal").get_by_role("combobox")).to_be_focused()


def test_a_visitor_is_served_no_persons_frame(live):
    """What a person would see is hidden before the first paint, whatever this browser remembers."""
    page = httpx.get(f"{live.base}/sign-in", timeout=60).text
    assert 'data-person="none"' in page[page.index("<html") : page.index("<head")]
