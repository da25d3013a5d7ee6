"""The operator's navigation file in a real browser: pages by component, gates, landing page, edits and plan changes at once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from mozaiks_shell.appconfig import live
from tests.browser.conftest import browsing, picture, settled
from tests.live import Server, Site, until
from tests.people import PASSWORD, People

ENTRIES = [
    {"path": "/plugins/tasks", "label": "To-dos", "order": 1},
    {"path": "/team", "component": "DashboardPage", "label": "Team", "icon": "users", "order": 2},
    {"path": "/about", "component": "NobodyKnowsThis", "label": "About us", "meta": {"requiresAuth": False}, "order": 3},
    {"path": "/ops", "component": "DashboardPage", "label": "Operations", "requiresRole": "admin", "order": 4},
    {"path": "/lab", "component": "DashboardPage", "label": "Lab", "requiresPlan": "pro", "order": 5},
    {"path": "/admin", "component": "DashboardPage"},
]
REFUSED = ("answer 40[34]", "status of 40[34]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


@pytest.fixture(scope="module")
def shell(live: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    arrange(folder)
    data = tmp_path_factory.mktemp("navigation")
    server = Site.copy("navigation").serve(data, configs_built=False, MOZAIKS_CONFIGS_PATH=str(folder))
    yield server
    server.stop()


def arrange(folder: Path, *entries: dict, **more: str) -> None:
    """Write the file as an editor does: whole, at once. Returns when the server has to look at it again."""
    new = folder / "navigation.json.new"
    new.write_text(json.dumps({"pages": [*(entries or ENTRIES)], **more}), "utf-8")
    new.rename(folder / "navigation.json")
    time.sleep(live.INTERVAL)


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def visit_there(browser, shell):
    opened = []

    def go(person, path: str, *expected: str) -> Page:
        manager = browsing(browser, shell.base, person)
        context, watch = manager.__enter__()
        watch.expect(*expected)
        opened.append((manager, watch))
        page = context.new_page()
        page.goto(path)
        settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def menu(page: Page):
    return page.get_by_role("navigation", name="Main")


def paths(person) -> list[str]:
    return [one["path"] for one in person.client().get("/api/navigation").json()["navigation"]]


def give(crowd: People, person, plan: str) -> None:
    me = person.client().get("/api/user-profile").json()
    with crowd.root.client() as client:
        answer = client.post(f"/api/billing/users/{me.get('user_id') or me['id']}/plan", json={"plan": plan})
        assert answer.status_code == 200, answer.text


def test_f004_statuses_of_pages_that_only_the_file_declares(shell, crowd):
    def status(path: str, person=None) -> tuple[int, str]:
        headers = {"accept": "text/html", **({"cookie": person.cookie} if person else {})}
        answer = httpx.get(shell.base + path, headers=headers, follow_redirects=False, timeout=60)
        return answer.status_code, answer.headers.get("location", "")

    assert status("/team?tab=2") == (303, "/sign-in?next=/team%3Ftab%3D2")
    assert status("/team", crowd.ada)[0] == 200
    assert status("/about")[0] == 200
    assert status("/ops", crowd.ada)[0] == 403
    assert status("/ops", crowd.root)[0] == 200
    assert status("/lab", crowd.ada)[0] == 403
    assert status("/nowhere", crowd.ada)[0] == 404
    assert status("/admin", crowd.ada)[0] == 403, "F-008: the core page keeps its place"


def test_f027_a_page_is_drawn_by_the_component_the_file_names(visit_there, crowd):
    page = visit_there(crowd.ada, "/team")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada Lovelace")
    assert page.title().startswith("Team · ")
    expect(menu(page)).to_contain_text("To-dos")
    expect(menu(page)).not_to_contain_text("Operations")
    menu(page).get_by_role("link", name="About us").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is not available")
    expect(page.locator("main")).to_contain_text("NobodyKnowsThis")
    picture(page, "component-not-registered")
    menu(page).get_by_role("link", name="To-dos").click()
    expect(page.get_by_label("New task")).to_be_visible()


def test_f031_pages_of_the_file_say_what_opens_them(visit_there, crowd):
    page = visit_there(crowd.ada, "/lab", *REFUSED)
    expect(page.locator("main")).to_contain_text("Pro")
    page.goto("/ops")
    expect(page.locator("main")).to_contain_text("admin")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no page here")


def test_f030_a_stranger_comes_back_to_a_page_of_the_file(visit_there, crowd):
    zoe = crowd.sign_up("zoe", "Zoe Quinn")
    page = visit_there(None, "/team?tab=2")
    page.get_by_label("User name or e-mail").fill(zoe.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/team?tab=2")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zoe Quinn")


def test_f005_f006_a_plan_change_shows_at_once_in_the_api_and_in_an_open_tab(visit_there, crowd):
    eve = crowd.sign_up("evelyn", "Evelyn Moreau")
    page = visit_there(eve, "/team")
    lab = menu(page).get_by_role("link", name="Lab")
    expect(lab).to_contain_text("Part of the plan Pro")
    assert "/lab" not in paths(eve)
    give(crowd, eve, "pro")
    assert "/lab" in paths(eve)
    assert "/lab" not in paths(crowd.ada)
    menu(page).get_by_role("link", name="Settings").click()
    expect(lab).not_to_contain_text("Part of the plan Pro")
    lab.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Evelyn Moreau")


def test_f002_f025_an_edit_counts_at_the_next_step(visit_there, crowd, folder):
    page = visit_there(crowd.ada, "/team")
    try:
        arrange(
            folder, {"path": "/plugins/tasks", "label": "Errands"}, {"path": "/fresh", "component": "PlansPage", "label": "Fresh"}
        )
        until(lambda: "/fresh" in paths(crowd.ada), what="the edited menu")
        menu(page).get_by_role("link", name="Settings").click()
        expect(menu(page)).to_contain_text("Errands")
        menu(page).get_by_role("link", name="Fresh").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Plans")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Plans")
    finally:
        arrange(folder)


def test_f007_the_start_leads_to_the_landing_page(visit_there, shell, crowd, folder):
    page = visit_there(crowd.ada, "/plans")
    try:
        arrange(folder, *ENTRIES, landing_spot="/plugins/tasks")
        with crowd.ada.client() as client:
            until(lambda: client.get("/").headers.get("location", "") == "/plugins/tasks", what="the landing page")
        assert httpx.get(shell.base + "/", follow_redirects=False, timeout=60).headers["location"] == "/sign-in?next=/"
        page.get_by_role("banner").get_by_role("link").first.click()
        page.wait_for_url("**/plugins/tasks")
        expect(page.get_by_label("New task")).to_be_visible()
        expect(menu(page).get_by_role("link", name="Home")).to_have_count(0)
        page.goto("/")
        assert urlsplit(page.url).path == "/plugins/tasks"
    finally:
        arrange(folder)


def test_f012_what_discover_lists_is_what_this_person_may_open(crowd):
    assert "/ops" not in paths(crowd.ada)
    assert "/ops" in paths(crowd.root)


def test_the_sitemap_has_the_public_pages_of_the_file(shell):
    found = httpx.get(shell.base + "/sitemap.xml", timeout=60).text
    assert f"{shell.base}/about</loc>" in found
    assert "/team" not in found
