"""A plugin of a higher plan, a broken plugin, a page for administrators, and sign-in through an issuer."""

import json
from collections.abc import Iterator
from pathlib import Path
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


def plugin(folder: Path, name: str, page: str, **manifest: str) -> None:
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
    eve = crowd.eve
    me = eve.client().get("/api/user-profile").json()
    with crowd.root.client() as client:
        answer = client.post(f"/api/billing/users/{me.get('user_id') or me['id']}/plan", json={"plan": "pro"})
        assert answer.status_code == 200, answer.text
    page = visit_there(eve, "/plugins/vault")
    expect(page.locator("main")).to_contain_text("For those who pay.")


def test_a_broken_plugin_breaks_nobody_else_and_the_operator_reads_why(visit_there, shell, crowd):
    assert httpx.get(f"{shell.base}/health").json()["plugins_loaded"] == 2
    reports = crowd.root.client().get("/api/admin/plugins").json()
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
