"""The operator's plugin pages on a real product with a plugin in every state, and what people see of it meanwhile
(F-077, F-081, F-082, F-092, abuse 40 and 42)."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.browser.plugin_folders import LOGIC, add, add_all
from tests.browser.test_accessibility import CUT, axe, violations  # noqa: F401 - axe is a fixture
from tests.live import Server, Site
from tests.people import People, Person

LIST = "/admin/plugins"
ON_PURPOSE = "on purpose"


@pytest.fixture(scope="module")
def shop(live: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with plugins that run, and with some that cannot. (``live`` has built the packages this one links to.)"""
    site = Site.copy("admin-plugins")
    add_all(site.folder / "plugins")
    server = site.serve(tmp_path_factory.mktemp("admin-plugins"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shop: Server) -> People:
    return People(shop.base)


@pytest.fixture
def see(browser: Browser, shop: Server) -> Iterator[Callable[..., Page]]:
    """``page = see(person, "/path", size=, scheme=)``; what went wrong in it fails the test."""
    opened = []

    def go(person: Person, path: str, **options: object) -> Page:
        manager = browsing(browser, shop.base, person, **options)  # type: ignore[arg-type]
        context, watch = manager.__enter__()
        watch.expect(ON_PURPOSE)
        opened.append((manager, watch))
        page = context.new_page()
        page.watch = watch  # type: ignore[attr-defined]
        page.goto(path)
        settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def row(page: Page, name: str):
    return page.locator(".mz-plug-row").filter(has=page.get_by_role("link", name=name, exact=True))


def states(people: People) -> dict[str, str]:
    return {one["name"]: one["state"] for one in people.root.client().get("/api/admin/plugins").json()["plugins"]}


def test_the_list_says_of_each_how_it_stands_and_what_to_do(see, crowd):
    page = see(crowd.root, LIST)
    expect(row(page, "Wreck")).to_contain_text("logic.py:3")
    expect(row(page, "Wreck")).to_contain_text("Quarantined")
    expect(row(page, "Missing")).to_contain_text('pip install "no-such-package-anywhere>=3"')
    expect(row(page, "Tomorrow")).to_contain_text("Incompatible")
    expect(row(page, "Asleep")).to_contain_text("Switched off by its manifest.")
    expect(row(page, "Board")).to_contain_text("Running")
    order = [one.get_attribute("data-state") for one in page.locator(".mz-plug-row").all()]
    assert order.index("incompatible") < order.index("loaded") < order.index("disabled") and order[0] == "quarantined"
    picture(page, "admin-plugins")


def test_filter_and_search_narrow_the_list(see, crowd):
    page = see(crowd.root, LIST)
    page.get_by_role("button", name=re.compile("^Incompatible")).click()
    expect(page.locator(".mz-plug-row")).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^Incompatible"))).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("^All")).click()
    page.get_by_role("searchbox", name="Search plugins").fill("scanned letters")
    expect(page.locator(".mz-plug-row")).to_have_count(1)
    page.get_by_role("searchbox", name="Search plugins").fill("no such words at all")
    expect(page.get_by_text("No plugin matches")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(row(page, "Board")).to_be_visible()


def test_what_is_missing_comes_with_the_line_to_copy(see, crowd):
    page = see(crowd.root, f"{LIST}/missing")
    expect(page.locator(".mz-plug-pip code")).to_have_text('pip install "no-such-package-anywhere>=3"')
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == 'pip install "no-such-package-anywhere>=3"'
    expect(page.get_by_text("It comes back with the next start, once the cause is gone.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_retry_that_fails_says_so_and_one_that_helps_too(see, crowd, shop):
    page = see(crowd.root, f"{LIST}/stubborn")
    expect(page.get_by_label("State")).to_contain_text("the key file is missing")
    expect(page.get_by_label("Log", exact=True)).to_contain_text("looking for its key file")
    expect(page.get_by_label("Log", exact=True)).to_contain_text("api_key=[hidden]")
    expect(page.locator("main")).not_to_contain_text("never shown")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Stubborn still does not work")).to_be_visible()
    key = shop.site.folder / "plugins" / "stubborn" / "key"
    key.touch()
    try:
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Stubborn runs again.")).to_be_visible()
        expect(page.get_by_label("State")).to_have_count(0)
        assert states(crowd)["stubborn"] == "loaded"
    finally:
        key.unlink()


def test_a_plugin_is_switched_off_and_on_while_somebody_is_on_its_page(see, crowd):
    """Abuse 42: the page says so where it was, with everything around it alive."""
    ada, root = see(crowd.ada, "/plugins/board"), see(crowd.root, f"{LIST}/board")
    ada.locator("#press").click()
    expect(ada.locator("#presses")).to_have_text("1")
    root.get_by_role("button", name="Switch off").click()
    dialog = root.get_by_role("dialog", name="Switch Board off?")
    expect(dialog).to_contain_text("Its data and settings are kept.")
    dialog.get_by_role("button", name="Switch off").click()
    expect(root.get_by_text("Board is switched off.")).to_be_visible()
    expect(root.get_by_role("navigation", name="Main").get_by_role("link", name="Board")).to_have_count(0)
    ada.locator("#press").click()
    expect(ada.get_by_role("heading", name="Board is switched off")).to_be_visible()
    picture(ada, "plugin-switched-off")
    assert crowd.ada.client().post("/api/execute/board", json={}).status_code == 404
    root.get_by_role("button", name="Switch on").click()
    expect(root.get_by_text("Board is switched on.")).to_be_visible()
    expect(root.get_by_role("navigation", name="Main").get_by_role("link", name="Board")).to_have_count(1)
    ada.get_by_role("button", name="Try again").click()
    expect(ada.locator("#press")).to_be_visible()
    acts = see(crowd.root, "/admin").locator("main")
    expect(acts).to_contain_text("Plugin switched off")
    expect(acts).to_contain_text("Plugin switched on")


def test_what_breaks_in_the_browser_breaks_inside_the_frame(see, crowd):
    page = see(crowd.ada, "/plugins/board")
    page.locator("#break").click()
    expect(page.get_by_role("heading", name="This page stopped working")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"It has been reported\. Reference \w{8}\."))
    picture(page, "plugin-broken")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("This page stopped working")
    operator = see(crowd.root, f"{LIST}/board")
    expect(operator.locator("main")).to_contain_text("drawn wrong, on purpose")


def test_what_does_not_load_is_told_on_the_page_which_stays(see, crowd):
    page = see(crowd.ada, "/plugins/board?fail")
    expect(page.locator("main").get_by_role("status")).to_contain_text("Board could not load everything.")
    page.locator("#press").click()
    expect(page.locator("#presses")).to_have_text("1")
    page.get_by_role("button", name="Close notice").click()
    expect(page.get_by_text("Board could not load everything.")).to_have_count(0)


def test_what_fails_again_and_again_goes_out_of_service_and_comes_back(see, crowd):
    """Abuse 40: counted, quarantined, brought back by the operator; nobody else notices."""
    page = see(crowd.ada, "/plugins/board")
    for _ in range(6):
        if states(crowd)["board"] != "loaded":
            break
        page.locator("#fail").click()
        page.wait_for_timeout(100)
    expect(page.get_by_role("heading", name="Board is out of service")).to_be_visible()
    expect(page.get_by_role("link", name="See why")).to_have_count(0)
    assert crowd.ada.client().post("/api/execute/board", json={}).status_code == 503
    assert crowd.ada.client().get("/plugins/tasks").status_code == 200
    operator = see(crowd.root, "/plugins/board")
    operator.get_by_role("link", name="See why").click()
    expect(operator.get_by_label("State")).to_contain_text("faults within")
    expect(operator.get_by_text("pressing fails, on purpose").first).to_be_visible()
    picture(operator, "admin-plugin-faults")
    operator.get_by_role("button", name="Try again").click()
    expect(operator.get_by_text("Board runs again.")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#press")).to_be_visible()


def test_looking_again_finds_what_was_put_there(see, crowd, shop):
    page = see(crowd.root, LIST)
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Nothing new in the plugins folders.")).to_be_visible()
    name = f"newcomer-{time.time_ns()}"
    add(shop.site.folder / "plugins", name, {"logic.py": LOGIC})
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("1 new plugin; the next start loads it.")).to_be_visible()
    expect(row(page, name.replace("-", " ").title())).to_contain_text("Discovered")
    row(page, "Asleep").get_by_role("button", name="Switch on: Asleep").click()
    expect(row(page, "Asleep")).to_contain_text("The next start loads it.")
    assert states(crowd)["asleep"] == "discovered"
    with crowd.root.client() as client:
        assert client.post("/api/admin/plugins/asleep/disable").is_success


def test_by_keyboard_alone(see, crowd):
    page = see(crowd.root, LIST)
    page.get_by_role("searchbox", name="Search plugins").focus()
    page.keyboard.press("Tab")
    first = page.locator(".mz-plug-row").first.get_by_role("link")
    expect(first).to_be_focused()
    page.get_by_role("link", name="Ledger", exact=True).last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}/ledger")
    settled(page)
    off = page.get_by_role("button", name="Switch off")
    off.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Switch Ledger off?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(off).to_be_focused()
    assert states(crowd)["ledger"] == "loaded"


def test_only_administrators_come_here(see, crowd):
    assert crowd.ada.client().get(LIST).status_code == 403
    assert crowd.ada.client().get(f"{LIST}/board").status_code == 403
    missing = see(crowd.root, f"{LIST}/nothing-of-this-name")
    expect(missing.get_by_text("There is no plugin of this name")).to_be_visible()


SCENES = [("root", LIST), *[("root", f"{LIST}/{one}") for one in ("missing", "wreck", "board")], ("ada", "/plugins/ledger")]
LOOKS = [("light", WIDE, "en"), ("dark", WIDE, "en"), ("light", NARROW, "en"), ("dark", NARROW, "ar")]


@pytest.mark.parametrize(("scheme", "size", "language"), LOOKS, ids=["light", "dark", "narrow", "right to left"])
def test_nothing_is_inaccessible_or_cut_off(see, crowd, shop, axe, scheme, size, language):  # noqa: F811
    for who, path in SCENES:
        person = getattr(crowd, who)
        page = see(person, "/sign-in", size=size, scheme=scheme)
        page.watch.expect("403")
        page.context.add_cookies([{"name": "mozaiks_locale", "value": language, "url": shop.base}])
        page.goto(path)
        settled(page)
        holds(page, f"document.documentElement.lang.startsWith('{language}')")
        assert violations(page, axe) == [], (path, scheme)
        assert page.evaluate(CUT) == [], (path, scheme)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
        picture(page, f"admin-plugins-{scheme}-{size['width']}-{language}-{path.strip('/').replace('/', '-')}")
