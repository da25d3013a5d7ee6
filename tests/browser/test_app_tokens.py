"""App tokens made and revoked by an operator, and used by a program (F-158); the builds it reports, in the overview (F-165)."""

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, picture, settled

LIST = "/admin/app-tokens"


def row(page, name: str):
    return page.locator(".mz-plug-row").filter(has=page.get_by_role("heading", name=name, exact=True))


def make(page, name: str, *scopes: str) -> str:
    """Make a token through the form; its secret, which the page no longer shows."""
    page.get_by_role("button", name="New token").first.click()
    form = page.get_by_role("dialog", name="New token")
    form.get_by_label("Name", exact=True).fill(name)
    for scope in scopes:
        form.get_by_label(scope, exact=True).check()
    form.get_by_role("button", name="Make the token").click()
    made = page.get_by_role("dialog", name="The token is made")
    expect(made.get_by_text("It is not shown again.")).to_be_visible()
    secret = made.locator("code").inner_text()
    picture(page, f"app-token-made-{len(scopes)}")
    made.get_by_role("button", name="Done").click()
    expect(made).to_have_count(0)
    return secret


def program(base: str, secret: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers={"authorization": f"Bearer {secret}"}, timeout=60)


def test_f158_an_operator_makes_a_token_uses_it_and_revokes_it(visit, people, live):
    page = visit(people.root, LIST)
    secret = make(page, "Nightly report", "Send notifications", "Call every plugin")
    assert secret.startswith("mzk_") and len(secret) > 40
    expect(row(page, "Nightly report")).to_contain_text("Never used")
    expect(row(page, "Nightly report")).to_contain_text("Call every plugin")
    page.reload()
    settled(page)
    assert secret not in page.content() and secret[:12] in page.content()
    message = {"message": "The report is there.", "user_id": people.ada.client().get("/api/user-profile").json()["user_id"]}
    with program(live.base, secret) as client:
        assert client.post("/api/notifications", json=message).status_code == 201
        assert client.get("/api/apps/dev-app/builds").json()["code"] == "SCOPE_MISSING"
        page.reload()
        settled(page)
        expect(row(page, "Nightly report")).to_contain_text("Last used")
        picture(page, "app-tokens")
        row(page, "Nightly report").get_by_role("button", name="Revoke").click()
        question = page.get_by_role("dialog", name="Revoke Nightly report?")
        question.get_by_role("button", name="Cancel").click()
        assert client.post("/api/notifications", json=message).status_code == 201
        row(page, "Nightly report").get_by_role("button", name="Revoke").click()
        question.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("Nightly report is revoked.")).to_be_visible()
        expect(row(page, "Nightly report")).to_contain_text("Revoked")
        refused = client.post("/api/notifications", json=message)
        assert (refused.status_code, refused.json()["code"]) == (401, "APP_TOKEN_INVALID")


def test_f158_a_form_that_lacks_something_says_what(visit, people):
    page = visit(people.root, LIST, size=NARROW)
    page.get_by_role("button", name="New token").first.click()
    form = page.get_by_role("dialog", name="New token")
    form.get_by_role("button", name="Make the token").click()
    expect(form.get_by_text("Give the token a name")).to_be_visible()
    form.get_by_label("Name", exact=True).fill("Half a token")
    form.get_by_role("button", name="Make the token").click()
    expect(form.get_by_text("Choose at least one.")).to_be_visible()
    form.get_by_label("Send notifications").check()
    form.get_by_label("Acts for").fill("nobody-of-this-name")
    form.get_by_role("button", name="Make the token").click()
    expect(form.get_by_text("There is no such person.")).to_be_visible()
    expect(form.get_by_label("Name", exact=True)).to_have_value("Half a token")
    form.get_by_label("Acts for").fill("ada")
    assert people.ada.username == "ada"
    form.get_by_role("button", name="Make the token").click()
    page.get_by_role("dialog", name="The token is made").get_by_role("button", name="Done").click()
    expect(row(page, "Half a token")).to_contain_text("Acts for Ada Lovelace")


def test_f158_the_page_is_for_administrators(visit, people):
    page = visit(people.ada)
    page.watch.expect("403")
    assert page.goto(LIST).status == 403


def test_f165_builds_are_seen_in_the_overview_once_there_are_any(visit, people, live):
    page = visit(people.root, "/admin")
    builds = page.get_by_role("region", name="Builds")
    expect(page.get_by_role("heading", name="Recent activity")).to_be_visible()
    expect(builds).to_have_count(0)
    page.goto(LIST)
    settled(page)
    secret = make(page, "App generator", "Report and download builds")
    reports = (
        ("b-1", "building", {}),
        ("b-1", "built", {"artifacts": {"previewUrl": "https://preview.example/b-1"}}),
        ("b-1", "deployable", {}),
        ("b-1", "deployed", {}),
        ("b-2", "building", {}),
        ("b-2", "error", {"error": {"message": "3 of 41 tests failed."}}),
    )
    with program(live.base, secret) as client:
        for build, status, more in reports:
            told = client.post("/api/apps/dev-app/build-events", json={"buildId": build, "status": status, **more})
            assert (told.status_code, told.json()["status"]) == (200, status), told.text
        assert client.post("/api/apps/dev-app/build-events", json={"buildId": "b-1", "status": "built"}).status_code == 409
    page.goto("/admin")
    settled(page)
    first, second = builds.get_by_role("row").nth(1), builds.get_by_role("row").nth(2)
    expect(first).to_contain_text("b-2")
    expect(first).to_contain_text("3 of 41 tests failed.")
    expect(first.get_by_role("link")).to_have_count(0)
    expect(second).to_contain_text("Deployed")
    expect(second).to_contain_text("In use")
    expect(second.get_by_role("link", name="Preview: b-1")).to_have_attribute("href", "https://preview.example/b-1")
    expect(second.get_by_role("link", name="Download: b-1")).to_have_attribute("href", "/api/apps/dev-app/builds/b-1/export")
    expect(page.locator("main")).to_contain_text("Build b-1: Ready to deploy")
    picture(page, "admin-builds")
