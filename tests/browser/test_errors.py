"""Every failure ends on a page in the shell with the right status and a way on (F-031); a section of the start page that
fails says so in its own place (F-028)."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.live import Server, Site, until
from tests.people import People

ROUTES = '''"""Fails as asked."""
from fastapi import APIRouter
from mozaiks_shell.sdk import errors

router = APIRouter()
FAILURES = {
    "401": errors.NotSignedIn("Sign in."), "plan": errors.PlanNeeded("No.", needed="Pro"),
    "role": errors.RoleNeeded("No.", needed="editor"), "403": errors.Forbidden("Only the owner may see this."),
    "404": errors.NotFound("No such thing."), "429": errors.TooMany("Slowly.", retry_after=6),
    "500": RuntimeError("on purpose"), "502": errors.Upstream("No."), "503": errors.Unavailable("It is being repaired."),
    "422": errors.Invalid("The date is not a date."),
}
state = {"repaired": False}

@router.get("/fail/{how}")
async def fail(how: str):
    raise FAILURES[how]

@router.get("/once")
async def once():
    if not state["repaired"]:
        raise errors.Unavailable("It is being repaired.")
    return state

@router.get("/repair/{done}")
async def repair(done: bool):
    state["repaired"] = done
'''
PAGE = '''"""Sections that work and sections that do not."""
from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, ui


class Fine(sdk.State):
    visits: int = 0

    @sdk.event
    async def load(self):
        self.visits += 1


class Bad(sdk.State):
    fixed: bool = False

    @sdk.event
    async def load(self):
        if not self.fixed:
            self.fixed = True
            raise RuntimeError("secret detail")

    @sdk.event
    async def refuse(self):
        raise sdk.errors.Conflict("The list is being rebuilt.")


@sdk.page()
def front():
    return ui.page_header("Trouble")


@sdk.dashboard.section("Fine section", on_load=Fine.load)
def fine():
    return ui.card(rx.el.p("Visits: ", Fine.visits))


@sdk.dashboard.section("Bad section", on_load=Bad.load)
def bad():
    return ui.card(rx.el.p("It is there."))


@sdk.dashboard.section("Refused section", on_load=Bad.refuse, place="side")
def refused():
    return rx.el.p("never")


@sdk.dashboard.section("Broken in the browser")
def broken():
    trap = f"({Fine.visits} > 0 ? (() => {{ throw new Error('on purpose') }})() : 'whole')"
    return rx.el.p(rx.Var(trap, _var_data=Fine.visits._get_all_var_data()))


@sdk.dashboard.section("Cannot be drawn", place="side")
def cannot():
    raise ValueError("no drawing")
'''
SHOWN = {
    "401": (401, "Sign in to continue", "Sign in"),
    "plan": (403, "Your plan does not include this", "See plans"),
    "role": (403, "You may not open this", "Ask for help"),
    "403": (403, "You may not open this", "Ask for help"),
    "404": (404, "There is no page here", "Go home"),
    "429": (429, "That was too fast", "Go home"),
    "500": (500, "Something went wrong on our side", "Ask for help"),
    "502": (502, "Another system does not answer", "Go home"),
    "503": (503, "We will be right back", "Go home"),
    "422": (422, "That did not work", "Go home"),
}
EXPECTED = (r"answer [45]\d\d", r"status of [45]\d\d")
FAIL = "/api/plugins/trouble/fail/"
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


@pytest.fixture(scope="module")
def shell(live: Server, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = Site.copy("failing")
    folder = site.folder / "plugins" / "trouble"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"name": "trouble", "version": "1.0.0", "display_name": "Trouble"}', "utf-8")
    (folder / "routes.py").write_text(ROUTES, "utf-8")
    (folder / "page.py").write_text(PAGE, "utf-8")
    more = {"MOZAIKS_SUPPORT_CONTACT": "help@example.com", "MOZAIKS_CONFIGS_PATH": str(configs)}
    server = site.serve(tmp_path_factory.mktemp("failing"), **more)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def visit_there(browser: Browser, shell: Server) -> Iterator[Visit]:
    """As ``visit``, on this product; ``expected`` are problems that belong to the test."""
    opened = []

    def go(person, path: str = "", *expected: str, **options) -> Page:
        manager = browsing(browser, shell.base, person, **options)
        context, watch = manager.__enter__()
        watch.expect(*expected)
        opened.append((manager, watch))
        page = context.new_page()
        if path:
            page.goto(path)
            settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


@pytest.mark.parametrize("how", SHOWN)
def test_f031_a_failed_navigation_is_a_page_in_the_shell_with_its_status(visit_there: Visit, crowd: People, how: str):
    status, title, way = SHOWN[how]
    page = visit_there(crowd.ada, "", *EXPECTED)
    answer = page.goto(FAIL + how + "?a=1")
    assert answer is not None and answer.status == status
    assert answer.headers["content-type"].startswith("text/html") and answer.headers["cache-control"] == "no-store"
    expect(page.locator("h1")).to_have_count(1)
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    assert page.get_by_role("banner").count() == page.locator("main").count() == 1
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("Trouble")  # the person's own menu
    expect(page.locator("main").get_by_role("link", name=way)).to_be_visible()
    holds(page, f"document.title.startsWith({json.dumps(title)})")
    holds(page, f"location.pathname === '{FAIL}{how}' && location.search === '?a=1'")  # where one wanted to go
    for size, label in ((WIDE, "1440"), (NARROW, "390")):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            picture(page, f"error-{how}-{label}-{scheme}")
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("path", ["/no-such-page", "/_error", "/api/no-such-route"])
def test_f031_an_unknown_address_is_404_and_says_so_before_any_script(shell: Server, crowd: People, path: str):
    with crowd.ada.client() as client:
        answer = client.get(path, headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    assert answer.status_code == 404
    assert 'data-error="404"' in answer.text and "There is no page here" in answer.text
    assert '<meta name="robots" content="noindex">' in answer.text and "canonical" not in answer.text


def test_f031_an_address_that_looks_like_a_host_is_an_unknown_page_too(visit_there: Visit, crowd: People, shell: Server):
    page = visit_there(crowd.ada, "", *EXPECTED)
    page.goto(f"{shell.base}//nowhere.example/x")
    expect(page.get_by_role("heading", level=1, name="There is no page here")).to_be_visible()
    holds(page, "location.pathname === '//nowhere.example/x'")


def test_f031_programs_get_problem_documents(crowd: People):
    with crowd.ada.client() as client:
        answer = client.get(FAIL + "plan", headers={"accept": "application/json"})
    assert answer.status_code == 403 and answer.json()["code"] == "FEATURE_GATED" and answer.json()["needed"] == "Pro"


def test_f031_403_names_the_plan_or_the_role_and_the_way_to_get_it(visit_there: Visit, crowd: People):
    page = visit_there(crowd.ada, FAIL + "plan", *EXPECTED)
    expect(page.locator("main")).to_contain_text("The plan Pro opens it.")
    expect(page.get_by_role("link", name="See plans")).to_have_attribute("href", "/plans?plan=Pro")
    page.goto(FAIL + "role")
    expect(page.locator("main")).to_contain_text("It needs the role editor, which an administrator of this app can give you.")
    expect(page.get_by_role("link", name="Ask for help")).to_have_attribute("href", "mailto:help@example.com")
    page.goto(FAIL + "403")
    expect(page.locator("main")).to_contain_text("Only the owner may see this.")


def test_f031_401_leads_back_to_where_one_wanted(visit_there: Visit):
    page = visit_there(None, FAIL + "401?a=1", *EXPECTED)
    link = page.locator("main").get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", f"/sign-in?next={quote(FAIL + '401?a=1', safe='')}")
    link.click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to continue")


def test_f031_429_counts_down_and_then_lets_one_try_again(visit_there: Visit, crowd: People):
    page = visit_there(crowd.ada, "", *EXPECTED)
    page.goto(FAIL + "429")
    again = page.locator("main").get_by_role("button", name="Try again")
    expect(again).to_be_disabled()
    expect(again).to_contain_text(re.compile(r"in \d seconds?"))
    expect(again).to_be_enabled()
    expect(again).to_have_text("Try again")


def test_f031_500_has_a_reference_that_is_in_the_log(visit_there: Visit, crowd: People, shell: Server):
    page = visit_there(crowd.ada, FAIL + "500", *EXPECTED)
    facts = page.locator("main .mz-error-facts").filter(visible=True)  # what is built has all kinds, one is shown
    expect(facts).to_contain_text("PLUGIN_FAILED")
    found = re.search(r"req_[0-9a-f]{32}", facts.inner_text())
    assert found
    until(lambda: found[0] in shell.log.read_text("utf-8", "replace"), what="the reference in the log")
    assert "on purpose" not in page.content()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    facts.get_by_role("button", name="Copy").click()
    expect(facts.get_by_role("button", name="Copied")).to_be_visible()
    assert found[0] in page.evaluate("navigator.clipboard.readText()")


def test_f031_503_opens_by_itself_when_it_is_there(visit_there: Visit, crowd: People):
    with crowd.ada.client() as client:
        assert client.get("/api/plugins/trouble/repair/false").is_success
        page = visit_there(crowd.ada, "/api/plugins/trouble/once", *EXPECTED)
        expect(page.locator("main")).to_contain_text("It is being repaired.")
        expect(page.locator("main")).to_contain_text(re.compile(r"Trying again in \d"))
        assert client.get("/api/plugins/trouble/repair/true").is_success
    expect(page.locator("body")).to_contain_text('"repaired"', timeout=90_000)


def test_f031_from_an_error_one_can_go_on(visit_there: Visit, crowd: People):
    page = visit_there(crowd.ada, FAIL + "422", *EXPECTED)
    expect(page.locator("main")).to_contain_text("The date is not a date.")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Tasks").click()
    expect(page.get_by_label("New task")).to_be_visible()
    assert page.url.endswith("/plugins/tasks")


@pytest.mark.parametrize(("locale", "direction"), [("de", "ltr"), ("ar", "rtl")])
def test_f031_in_another_language(visit_there: Visit, crowd: People, locale: str, direction: str):
    page = visit_there(crowd.eve, "", *EXPECTED, locale=locale)
    page.goto(FAIL + "404")
    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("There is no page here")
    picture(page, f"error-404-{locale}")


def section(page: Page, title: str):
    return page.locator("main").get_by_role("region", name=title, exact=True)


def test_f028_a_section_that_fails_says_so_in_its_place_and_the_others_stand(visit_there: Visit, crowd: People, shell: Server):
    page = visit_there(crowd.ada, "/", "on purpose")
    expect(section(page, "Fine section")).to_contain_text("Visits: 1")
    expect(section(page, "Recent chats")).to_contain_text("No chats yet")
    bad = section(page, "Bad section")
    expect(bad.get_by_role("alert")).to_contain_text("Something went wrong on our side.")
    assert "secret detail" not in page.content()
    found = re.search(r"Reference (\S+)", bad.inner_text())
    assert found
    until(lambda: found[1] in shell.log.read_text("utf-8", "replace"), what="the reference in the log")
    expect(section(page, "Refused section")).to_contain_text("The list is being rebuilt.")
    expect(section(page, "Broken in the browser")).to_contain_text("This section stopped working.")
    expect(section(page, "Cannot be drawn")).to_contain_text("This section stopped working.")
    assert page.get_by_role("region", name="Notices").get_by_role("alert").count() == 0  # told once, where it happened
    picture(page, "home-sections-failing")
    bad.get_by_role("button", name="Try again").click()
    expect(bad).to_contain_text("It is there.")


def test_f028_the_file_arranges_the_start_page_while_it_is_open(visit_there: Visit, crowd: People, configs: Path):
    file = configs / "ui.json"
    wanted = ["budget", "trouble.fine_section", {"id": "recent_chats", "title": "Where you left off"}, "nonsense"]
    page = visit_there(crowd.root, "/", "on purpose")
    headings = page.locator("main").get_by_role("heading", level=2)
    expect(headings.first).to_have_text("Recent chats")
    file.write_text(json.dumps({"dashboard": {"sections": wanted}}), "utf-8")
    try:

        def arranged() -> bool:
            page.get_by_role("navigation", name="Main").get_by_role("link", name="Plans").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Plans")
            page.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
            expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")
            shown = headings.all_inner_texts()
            return shown[:2] == ["Fine section", "Where you left off"] and "Your plan" in shown[2:]

        until(arranged, 30, "the new arrangement")
        expect(page.locator("main")).to_contain_text("ui.json names sections that do not exist: nonsense")
        other = visit_there(crowd.ada, "/", "on purpose")
        expect(section(other, "Fine section")).to_be_visible()
        expect(other.locator("main")).not_to_contain_text("nonsense")  # a hint for the operator only
    finally:
        file.unlink()


def test_f028_nothing_jumps_when_the_start_page_gets_its_content(visit_there: Visit, crowd: People):
    page = visit_there(crowd.eve, "", "on purpose")
    page.add_init_script(
        """window.shifts = 0
        new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shifts += one.value }))
          .observe({type: 'layout-shift', buffered: true})"""
    )
    page.goto("/")
    settled(page)
    expect(section(page, "Recent chats")).to_be_visible()
    assert page.evaluate("window.shifts") < 0.05


def test_the_head_says_what_a_shared_link_shows(shell: Server):
    page = httpx.get(f"{shell.base}/sign-in", timeout=60).text
    head = page[: page.index("</head>")]
    assert f'<link rel="canonical" href="{shell.base}/sign-in">' in head
    assert f'<meta property="og:image" content="{shell.base}/brand/icons/social.png' in head
    assert head.count('rel="manifest"') == 1 and head.count('name="theme-color"') == 2


def test_f031_while_the_server_is_away_an_open_page_says_so_and_a_new_one_waits(
    visit_there: Visit, crowd: People, shell: Server
):  # fmt: skip
    """Last in this module: the server is stopped and started again."""
    page = visit_there(crowd.eve, "/plugins/tasks", "ERR_CONNECTION_REFUSED", "WebSocket", "failed: ", "Failed to fetch")
    holds(page, "navigator.serviceWorker.getRegistration().then((one) => Boolean(one && one.active))")
    shell.stop()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible()
    other = page.context.new_page()
    other.goto("/plugins/tasks")
    expect(other.get_by_role("heading", level=1)).to_have_text("The app cannot be reached")
    shell.start()
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_hidden(timeout=30_000)
    expect(other.get_by_label("New task")).to_be_visible(timeout=70_000)
