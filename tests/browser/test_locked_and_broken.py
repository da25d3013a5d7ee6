"""A plugin of a higher plan, a broken plugin, a page for administrators, and sign-in through an issuer."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import oidc_provider_mock
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import browsing, picture, settled
from tests.live import Server, Site
from tests.people import People

PAGE = '''"""A page."""
from mozaiks_shell import sdk


@sdk.page()
def front():
    return sdk.ui.page_header("The vault", "For those who pay.")
'''


PULSE = '''"""A page that follows what happens elsewhere: in another tab, and in the background."""
from mozaiks_shell import sdk
from mozaiks_shell.sdk import db, events, jobs, notifications, rx, ui


@jobs.job
async def work(title):
    await db.beats.create(title=f"{title} in the background")
    await events.publish("worked", title=title)


class Pulse(sdk.State):
    beats: list[str] = []
    heard: str = ""

    @sdk.event
    async def load(self):
        self.beats = [one.title for one in await db.beats.list()]

    @sdk.event
    async def follow(self, action: str, data: dict):
        self.heard = f"{action} {data.get('title', '')}"
        yield Pulse.load

    @sdk.event
    async def beat(self):
        await db.beats.create(title="A beat")
        await events.publish("made", title="A beat")
        await jobs.enqueue(work, title="A beat")

    @sdk.event
    async def tell(self):
        await notifications.send("A beat is due", "It is <b>Monday</b>.", type="due", link="/plugins/pulse")


@sdk.page(on_load=Pulse.load)
def front():
    return ui.stack(
        events.on_update(Pulse.follow),
        ui.page_header("Pulse"),
        ui.button("Beat", on_click=Pulse.beat),
        ui.button("Tell", on_click=Pulse.tell),
        rx.el.p(Pulse.heard, id="heard"),
        rx.el.ul(rx.foreach(Pulse.beats, lambda one: rx.el.li(one)), id="beats"),
    )
'''


DUE = {"id": "due", "label": "A beat is due"}


def plugin(folder: Path, name: str, page: str, **manifest: Any) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "manifest.json").write_text(json.dumps({"name": name, "version": "1.0.0", **manifest}), "utf-8")
    (folder / name / "page.py").write_text(page, "utf-8")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def shell(live: Server, issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = Site.copy("locked")
    plugin(site.folder / "plugins", "vault", PAGE, access="plan:pro", display_name="Vault")
    plugin(site.folder / "plugins", "wreck", 'raise RuntimeError("this plugin is broken on purpose")\n')
    plugin(site.folder / "plugins", "pulse", PULSE, permissions=["jobs", "notifications"], notifications=[DUE])
    data = tmp_path_factory.mktemp("locked")
    env = {"MOZAIKS_OIDC_AUTHORITY": issuer, "MOZAIKS_OIDC_CLIENT_ID": "shell", "MOZAIKS_OIDC_CLIENT_SECRET": "secret"}
    server = site.serve(data, **env)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def visit_there(browser, shell):
    """As ``visit``, on this product."""
    opened = []

    def go(person, path: str, *expected: str):
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


REFUSED = ("answer 403", "status of 403")


def test_a_page_of_a_higher_plan_is_listed_locked_and_says_what_opens_it(visit_there, crowd):
    assert crowd.ada.client().get("/plugins/vault").status_code == 403
    page = visit_there(crowd.ada, "/plugins/vault", *REFUSED)
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("Vault")
    expect(page.locator("main")).to_contain_text("Pro")
    expect(page.locator("main")).not_to_contain_text("For those who pay.")
    picture(page, "locked-by-plan")


def test_with_the_plan_the_page_opens(visit_there, crowd):
    payer = crowd.sign_up("paula", "Paula Payer")
    me = payer.client().get("/api/user-profile").json()
    with crowd.root.client() as client:
        answer = client.post(f"/api/billing/users/{me.get('user_id') or me['id']}/plan", json={"plan": "pro"})
        assert answer.status_code == 200, answer.text
    page = visit_there(payer, "/plugins/vault")
    expect(page.locator("main")).to_contain_text("For those who pay.")


def test_a_broken_plugin_breaks_nobody_else_and_the_operator_reads_why(visit_there, shell, crowd):
    reports = crowd.root.client().get("/api/admin/plugins").json()
    loaded = {one["name"] for one in reports["plugins"] if one["state"] == "loaded"}
    assert {"vault", "pulse", "tasks"} <= loaded and "wreck" not in loaded
    assert httpx.get(f"{shell.base}/health", timeout=60).json()["plugins_loaded"] == len(loaded)
    assert "broken on purpose" in json.dumps(reports)
    assert "broken on purpose" not in crowd.ada.client().get("/api/available-plugins").text
    assert crowd.ada.client().get("/plugins/wreck").status_code == 404


def test_a_page_for_administrators_is_403_for_others_and_not_listed(visit_there, crowd):
    assert crowd.ada.client().get("/admin").status_code == 403
    page = visit_there(crowd.ada, "/admin", *REFUSED)
    expect(page.get_by_role("navigation", name="Main")).not_to_contain_text("Admin")
    expect(page.locator("main")).to_contain_text("admin", ignore_case=True)
    picture(page, "locked-by-role")


def test_sign_in_through_an_issuer_and_back_to_the_wanted_page(visit_there, crowd, issuer):
    page = visit_there(None, "/plugins/tasks?show=all", issuer, "cdn.jsdelivr.net")  # the issuer's own page
    page.get_by_role("link", name="Continue with").click()
    page.wait_for_url(f"{issuer}/**")
    page.locator("input[name=sub]").fill("grace")
    page.locator("button[type=submit]").first.click()
    page.wait_for_url("**/plugins/tasks**")
    assert urlsplit(page.url).query == "show=all"
    settled(page)
    expect(page.get_by_label("New task")).to_be_visible()


def test_f088_open_tabs_follow_what_happens_elsewhere(visit_there, crowd):
    """One tab acts; the person's other tab follows, also what a background job does; somebody else's does not."""
    acting, other, theirs = (visit_there(who, "/plugins/pulse") for who in (crowd.ada, crowd.ada, crowd.eve))
    for page in (acting, other, theirs):
        expect(page.get_by_role("button", name="Beat")).to_be_visible()
    acting.get_by_role("button", name="Beat").click()
    for page in (other, acting):
        expect(page.locator("#beats")).to_contain_text("A beat in the background", timeout=30_000)
        expect(page.locator("#heard")).to_have_text("worked A beat")
    assert theirs.locator("#heard").inner_text() == "" and theirs.locator("#beats li").count() == 0


def test_f209_the_bell_rings_in_every_tab_and_leads_there(visit_there, crowd):
    acting, other, theirs = (
        visit_there(who, where)
        for who, where in ((crowd.ada, "/plugins/pulse"), (crowd.ada, "/settings"), (crowd.eve, "/settings"))
    )
    quiet = theirs.get_by_role("button", name="Notifications", exact=True)
    expect(quiet).to_be_visible()
    expect(other.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    acting.get_by_role("button", name="Tell").click()
    bell = other.get_by_role("button", name="Notifications, 1 unread")
    expect(bell).to_be_visible(timeout=30_000)
    expect(other.locator(".mz-bell [role=status]")).to_have_text("A beat is due")
    bell.focus()
    other.keyboard.press("Enter")
    line = other.locator("#mz-bell").get_by_role("button", name="A beat is due")
    expect(line).to_contain_text("It is <b>Monday</b>.")
    picture(other, "bell-open")
    line.click()
    expect(other).to_have_url(re.compile("/plugins/pulse$"))
    expect(other.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    expect(quiet).to_be_visible()
    quiet.click()
    expect(theirs.locator("#mz-bell")).to_contain_text("Nothing new.")


def test_f087_what_is_switched_off_does_not_ring(visit_there, crowd):
    quiet = crowd.sign_up("quinn", "Quinn Quiet")
    page = visit_there(quiet, "/plugins/pulse")
    client = quiet.client()
    assert client.post("/api/plugin-settings/pulse", json={"notify.due": False}).status_code == 200
    before = client.get("/api/notifications").json()["unread_count"]
    page.get_by_role("button", name="Tell").click()
    page.get_by_role("button", name="Beat").click()
    expect(page.locator("#beats")).to_contain_text("in the background", timeout=30_000)
    assert client.get("/api/notifications").json()["unread_count"] == before == 0
