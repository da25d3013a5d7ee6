"""Everything can be done with the keyboard alone, with the focus where one expects it and in sight at every step."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NARROW, holds, settled
from tests.live import until
from tests.people import PASSWORD, Person

# Whether the element with the focus looks different from without it, and is not covered. "" is well.
SHOWN = r"""() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "nothing has the focus";
  const drawn = (look) => look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1 && !/, 0\)$/.test(look.outlineColor);
  const ring = (look) => drawn(look) || / 0px 0px 0px [1-9]px/.test(one.matches("input, textarea, select") ? look.boxShadow : "");
  const around = [one, one.parentElement, one.nextElementSibling, one.parentElement?.parentElement].filter(Boolean);
  const name = one.outerHTML.slice(0, 140);
  if (!around.some((part) => ring(getComputedStyle(part)))) return "no visible focus: " + name;
  const box = (around.find((part) => part.getBoundingClientRect().width > 2) || one).getBoundingClientRect();
  if (box.bottom < 1 || box.top > innerHeight - 1 || box.right < 1 || box.left > innerWidth - 1) return "out of sight: " + name;
  const spots = [[.5, .5], [.1, .5], [.9, .5], [.5, .15], [.5, .85]].map(([x, y]) =>
    document.elementFromPoint(box.left + box.width * x, box.top + box.height * y)).filter(Boolean);
  const own = (spot) => one.contains(spot) || spot.contains(one) || around.includes(spot)
    || spot.closest("label")?.control === one || spot.parentElement === one.parentElement;
  return spots.some(own) ? "" : "covered: " + name;
}"""
MOVING = r"""() => {
  const seconds = (text) => Math.max(...text.split(",").map((one) => parseFloat(one) * (one.trim().endsWith("ms") ? 1 : 1000)));
  const still = (look) => seconds(look.transitionDuration) <= 0.01
    && (look.animationName === "none" || (seconds(look.animationDuration) <= 0.01 && look.animationIterationCount === "1"));
  return [...document.querySelectorAll("*")].flatMap((one) => [null, "::before", "::after", "::backdrop"].flatMap((part) => {
    const look = getComputedStyle(one, part);
    return still(look) ? [] : [`${one.tagName}.${one.className} ${part || ""} ${look.transitionDuration} ${look.animationName}`];
  }));
}"""


def press(page: Page, *keys: str) -> None:
    """Press keys; after each of them one sees where the focus is."""
    for key in keys:
        page.keyboard.press(key)
        assert page.evaluate(SHOWN) == "", f"after {key} on {page.url}"


def focused(page: Page) -> Locator:
    return page.locator("*:focus")


def tab_to(page: Page, wanted: Locator, back: bool = False, most: int = 60) -> None:
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(most):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        press(page, "Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


@pytest.fixture
def tab(visit):
    """As ``visit``, for somebody who asked for less motion."""

    def go(person: Person | None, path: str, **options: object) -> Page:
        page = visit(person, path, reduced_motion="reduce", **options)
        expect(page.locator("main h1")).to_be_visible()
        return page

    return go


@pytest.fixture(scope="module")
def kim(people) -> Person:
    """Somebody whose settings this module may change."""
    return people.sign_up("kim", "Kim Keys")


EVERYWHERE = ["/", "/chat", "/plans", "/profile", "/settings", "/settings/security", "/settings/data", "/admin", "/plugins/tasks"]


@pytest.mark.parametrize("path", ["/sign-in", "/register", *EVERYWHERE, "/admin/settings"])
def test_tab_leads_through_the_whole_page_and_out_and_one_always_sees_where_it_is(tab, people, path):
    page = tab(None if path in ("/sign-in", "/register") else people.root, path)
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    page.locator(".mz-skip").focus()
    seen: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert page.evaluate(SHOWN) == "", f"stop {len(seen)} on {path}"
        seen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 60)"))
    else:
        raise AssertionError(f"no way out of {path}: {seen[-6:]}")
    assert len(seen) > 3
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].every((one) => one.tabIndex <= 0)"), "the page's own order"


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_skip_link_comes_first_and_leads_to_the_content(tab, people, locale):
    page = tab(people.ada, "/plans", locale=locale)
    press(page, "Tab")
    expect(focused(page)).to_have_attribute("href", "#content")
    assert focused(page).bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    press(page, "Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")


def test_signing_in_out_and_in_again(tab, people, kim):
    page = tab(None, f"/sign-in?next={quote('/plugins/tasks')}")
    expect(page.get_by_label("User name or e-mail")).to_be_focused()
    page.keyboard.type(kim.username)
    press(page, "Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    settled(page)
    expect(page.get_by_label("User name or e-mail")).to_have_value(kim.username)
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Tasks")).to_be_visible()
    settled(page)
    tab_to(page, page.get_by_role("button", name="Profile"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in**")
    expect(page.get_by_label("User name or e-mail")).to_be_visible()


def test_navigation_with_pages_beneath_a_page(tab, people):
    page = tab(people.root, "/plans")
    nav = page.get_by_role("navigation", name="Main")
    fold, beneath = nav.get_by_role("button", name="Pages beneath Admin"), nav.get_by_role("link", name="App settings")
    tab_to(page, fold)
    expect(fold).to_have_attribute("aria-expanded", "true")
    press(page, "Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(beneath).to_be_hidden()
    press(page, "Tab")
    assert not page.evaluate("Boolean(document.activeElement.closest('.mz-nav-parent'))"), "what is folded is skipped"
    press(page, "Shift+Tab", "Space", "Tab")
    tab_to(page, beneath)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/settings")
    expect(beneath).to_have_attribute("aria-current", "page")
    expect(beneath).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="App settings")).to_have_count(1)  # said to those who do not see it
    holds(page, "document.title.startsWith('App settings')")


def test_the_collapsed_sidebar_tells_its_names_and_opens_what_is_beneath(tab, people):
    page = tab(people.root, "/plans")
    nav, toggle = page.get_by_role("navigation", name="Main"), page.get_by_role("button", name="Collapse sidebar")
    tab_to(page, toggle)
    press(page, "Enter")
    expect(page.get_by_role("button", name="Expand sidebar")).to_be_focused()
    panel = nav.locator(".mz-nav-parent > ul[data-title=Admin]")
    expect(panel).to_be_hidden()
    press(page, "Shift+Tab")
    expect(nav.get_by_role("link", name="Admin", exact=True)).to_be_focused()
    expect(panel).to_be_visible()
    tab_to(page, nav.get_by_role("link", name="Branding"))
    tab_to(page, nav.get_by_role("link", name="Settings", exact=True), back=True)
    expect(panel).to_be_hidden()
    assert nav.get_by_role("link", name="Settings", exact=True).get_by_text("Settings").bounding_box()["width"] > 30, (
        "the name beside the icon"
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings")
    expect(nav.get_by_role("link", name="Settings", exact=True)).to_be_focused()


def test_the_drawer_navigates_and_says_where_one_arrived(tab, people):
    page = tab(people.ada, "/", size=NARROW)
    opener = page.get_by_role("button", name="Menu", exact=True)
    tab_to(page, opener)
    page.keyboard.press("Enter")
    expect(page.locator("aside")).to_be_visible()
    tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Tasks"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/tasks")
    expect(opener).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Tasks")).to_have_count(1)


def test_the_palette_and_the_sheet_of_shortcuts(tab, people):
    page = tab(people.ada, "/plans")
    opener = page.get_by_role("banner").get_by_role("button", name="Search or jump to…")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    box = page.get_by_role("combobox", name="Search or jump to…")
    expect(box).to_be_focused()
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_have_count(1)
    before = chosen.inner_text()
    page.keyboard.press("ArrowDown")
    expect(chosen).not_to_have_text(before)
    assert page.evaluate("getComputedStyle(document.querySelector('[role=option][aria-selected=true]')).backgroundColor") != (
        page.evaluate("getComputedStyle(document.querySelector('[role=option][aria-selected=false]')).backgroundColor")
    )
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    tab_to(page, sheet.get_by_role("switch"))
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.type("tasks")
    expect(chosen).to_contain_text("Tasks")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/tasks")


def test_changing_and_saving_a_setting_and_leaving_without(tab, kim):
    page = tab(kim, "/profile")
    name, bar = page.get_by_label("Name", exact=True), page.locator(".mz-savebar").first
    tab_to(page, name)
    page.keyboard.press("Control+a")
    page.keyboard.type("Kim of the Keys")
    expect(bar).to_have_attribute("data-state", "dirty")
    page.keyboard.press("Enter")
    expect(bar).to_have_attribute("data-state", "saved")
    expect(name).to_be_focused()
    page.keyboard.type("!")
    link = page.get_by_role("navigation", name="Settings").get_by_role("link", name="Security")
    tab_to(page, link, back=True)
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_be_visible()
    assert page.evaluate("Boolean(document.activeElement.closest('dialog'))")
    tab_to(page, question.get_by_role("button", name="Stay"))
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    expect(link).to_be_focused()
    expect(name).to_have_value("Kim of the Keys!")


def test_theme_language_and_time_zone_in_the_settings(tab, people):
    page = tab(people.sign_up("theo", "Theo Themes"), "/settings")
    look = page.locator("input[type=radio]:checked")
    tab_to(page, look)
    page.keyboard.press("ArrowUp")
    holds(page, "document.documentElement.classList.contains('dark')")
    assert page.evaluate(SHOWN) == ""
    tab_to(page, page.locator("#set-locale"))
    zone = page.locator("#set-timezone")
    tab_to(page, zone)
    zone.locator("optgroup").first.wait_for(state="attached")

    def typed() -> bool:
        page.keyboard.type("Berl")
        if chosen := zone.input_value() == "Europe/Berlin":
            return chosen
        page.wait_for_timeout(1500)  # a list forgets what was typed long ago: on a busy machine that is between two keys
        return False

    until(typed, 60, "the zone one has typed")
    tab_to(page, page.get_by_role("button", name="Save", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".mz-savebar").last).to_have_attribute("data-state", "saved")
    assert page.evaluate("document.documentElement.dataset.timezone") == "Europe/Berlin"


def test_the_language_menu_of_a_visitor(tab):
    page = tab(None, "/register")
    opener = page.get_by_role("button", name="Language")
    tab_to(page, opener, back=True)
    page.keyboard.press("Enter")
    press(page, "Tab")
    expect(focused(page)).to_have_text("English")
    press(page, "ArrowUp")
    expect(focused(page)).to_have_text("עברית")
    press(page, "ArrowUp")
    expect(focused(page)).to_have_text("العربية")
    page.keyboard.press("Enter")
    expect(page.locator("html[lang=ar][dir=rtl]")).to_be_attached()
    expect(page.locator("main h1")).to_be_visible()


@pytest.mark.parametrize(
    ("who", "path", "menu", "first"), [("", "/register", "Theme", "Light"), ("ada", "/plans", "Profile", "Light")]
)
def test_a_menu_opens_closes_and_gives_the_focus_back(tab, people, who, path, menu, first):
    page = tab(people.ada if who else None, path)
    opener = page.get_by_role("banner").get_by_role("button", name=menu)
    opener.focus()
    page.keyboard.press("Enter")
    press(page, "Tab")
    assert (focused(page).get_attribute("aria-label") or focused(page).inner_text()) == first
    press(page, "ArrowDown", "ArrowDown", "ArrowUp")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert page.evaluate(SHOWN) == ""


def test_a_dialog_keeps_the_focus_and_gives_it_back(tab, kim):
    page = tab(kim, "/settings/data")
    opener = page.get_by_role("main").get_by_role("button", name="Delete account")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Delete your account?")
    expect(question).to_be_visible()
    tab_to(page, question.get_by_role("button", name="Cancel"))
    for _ in range(8):  # the browser's own controls aside, Tab goes round in it
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(opener).to_be_focused()


def test_tasks(tab, people):
    page = tab(people.sign_up("tabitha", "Tabitha Tasks"), "/plugins/tasks")
    new = page.get_by_label("New task")
    tab_to(page, new)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Give the task a title.")
    expect(new).to_be_focused()
    page.keyboard.type("Write")
    page.keyboard.press("Enter")
    edit = page.get_by_role("button", name="Edit Write")
    expect(edit).to_be_visible()
    expect(new).to_be_focused()
    tab_to(page, edit)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Edit Write it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit Write it")).to_be_focused()
    press(page, "Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Delete this task?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete Write it")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True))
    page.keyboard.press("Enter")
    expect(edit).to_have_count(0)
    expect(page.get_by_label("New task")).to_be_focused()


def test_the_chat(tab, people):
    page = tab(people.ada, "/settings")
    bubble, box = page.get_by_role("button", name="Open chat"), page.get_by_role("textbox", name="Message")
    tab_to(page, bubble)
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    assert page.evaluate(SHOWN) == ""
    expect(page.get_by_role("log", name="Messages")).to_contain_text("offline assistant")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Hello, Ada")
    page.get_by_role("button", name="Expand chat").focus()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    for _ in range(12):  # Tab stays inside the overlay
        press(page, "Tab")
        assert page.evaluate("!!document.activeElement.closest('[data-surface=overlay]')")
    page.get_by_role("button", name="Chats:").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    assert page.locator(".mzc-columns").get_attribute("inert") is not None  # nothing behind the list takes the focus
    page.get_by_role("navigation", name="Chats").get_by_role("button", name="Assistant").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Chats")).to_have_count(0)
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(bubble).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/profile", "/admin/branding", "/plugins/tasks", "/no-such-page"])
def test_nothing_moves_for_those_who_asked_for_that(visit, people, path):
    page = visit(people.root, reduced_motion="reduce")
    page.watch.expect("answer 404", "status of 404")
    page.goto(path)
    settled(page)
    expect(page.locator("h1")).to_have_count(1)  # an unknown address is drawn by the script
    page.keyboard.press("Control+k")
    expect(page.locator(".mz-pal[open]")).to_be_visible()
    assert page.evaluate(MOVING) == []


def test_nothing_moves_in_the_chat_either(tab, people):
    page = tab(people.eve, "/plans")
    page.get_by_role("button", name="Open chat").click()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("offline assistant")
    assert page.evaluate(MOVING) == []
