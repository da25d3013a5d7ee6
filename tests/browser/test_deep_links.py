"""Links to chats, workflows and artifacts: in a fresh browser, after signing in, and within the app (F-011)."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import browsing, settled
from tests.live import until
from tests.people import PASSWORD, People, Person


def pane(page: Page):
    return page.locator(".mzc-pane")


def shows(page: Page, surface: str, layout: str = "full") -> None:
    expect(pane(page)).to_have_attribute("data-surface", surface)
    expect(pane(page)).to_have_attribute("data-layout", layout)


def chat_of(page: Page) -> str:
    """Id of the chat the pane is attached to."""

    def attached() -> str:
        return str(page.evaluate("sessionStorage.getItem('mozaiks.current_chat_id') || ''")).strip('"')

    return until(attached, 30, "an open chat")


@pytest.fixture(scope="module")
def person(people: People) -> Person:
    """Somebody of this module only, so that the list of chats is known."""
    return people.sign_up("linker", "Lin Kerr")


@pytest.fixture(scope="module")
def chats(browser, live, person) -> dict[str, str]:
    """Ids of a chat with the assistant and of an artifact, made through links to their workflows."""
    with browsing(browser, live.base, person) as (context, watch):
        page = context.new_page()
        page.goto("/chat/Assistant")
        shows(page, "overlay")
        chat = chat_of(page)
        page.get_by_role("textbox", name="Message").fill("the blue whale")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log", name="Messages")).to_contain_text("the blue whale")
        page.goto("/chat?workflow=CompareOptions")
        shows(page, "overlay", "split")
        until(lambda: chat_of(page) != chat, 30, "the other chat")
        page.get_by_role("textbox", name="Message").fill("hosting plans")
        page.keyboard.press("Enter")
        compare = chat_of(page)
        with person.client() as client:

            def artifact() -> str:
                items = client.get(f"/api/chats/{compare}").json()["items"]
                return next((one["id"] for one in items if one.get("display") == "artifact"), "")

            made = {"chat": chat, "artifact": until(artifact, 30, "an artifact")}
        assert watch.verdict() == []
    return made


def test_f011_a_workflow_link_restores_its_last_chat_instead_of_starting_another(visit, person, chats):
    page = visit(person, "/chat/Assistant")
    shows(page, "overlay")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("the blue whale")
    assert chat_of(page) == chats["chat"]


@pytest.mark.parametrize("name", ["chat_id", "chatId"])
def test_f011_a_chat_link_lands_on_that_chat_in_a_fresh_browser(visit, person, chats, name):
    page = visit(person, f"/chat?{name}={chats['chat']}")
    shows(page, "overlay")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("the blue whale")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_f011_also_after_signing_in(visit, person, chats):
    page = visit(None, f"/chat?chat_id={chats['chat']}")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label(re.compile("user name|username|e-mail", re.IGNORECASE)).first.fill(person.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**/chat?chat_id={chats['chat']}")
    shows(page, "overlay")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("the blue whale")


def test_f011_an_artifact_link_shows_it_alone_and_leads_to_its_conversation(visit, person, chats):
    page = visit(person, f"/artifacts/{chats['artifact']}")
    shows(page, "overlay", "view")
    expect(pane(page).get_by_role("region", name="Artifact")).to_be_visible()
    expect(page.get_by_role("log", name="Messages")).to_be_hidden()
    page.locator(".mzc-talk-toggle").click()
    shows(page, "overlay", "split")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("hosting plans")


@pytest.mark.parametrize(
    "path", ["/chat?chat_id={chat}", "/artifacts/{artifact}", "/chat?chat_id=no-such-chat", "/artifacts/nothing"]
)
def test_f011_what_is_somebody_elses_is_not_there_and_nothing_is_told_of_it(visit, people, chats, path):
    page = visit(people.eve, path.format(**chats))
    expect(page.get_by_text(re.compile("is not here"))).to_be_visible()
    expect(pane(page)).to_have_count(0)
    assert "whale" not in page.content()
    assert "Hosting plans" not in page.content()


def test_f011_a_workflow_nobody_may_start_is_not_there(visit, person):
    page = visit(person, "/chat/NoSuchWorkflow")
    expect(page.get_by_text("There is no such workflow for you to start.")).to_be_visible()
    expect(pane(page)).to_have_count(0)


def test_f011_a_missing_chat_is_told_although_another_one_was_open(visit, person, chats):
    page = visit(person, f"/chat?chat_id={chats['chat']}")
    shows(page, "overlay")
    page.goto("/chat?chat_id=gone")
    expect(page.get_by_text(re.compile("This chat is not here"))).to_be_visible()
    expect(page.locator(".mzc-pane[data-surface=overlay]")).to_have_count(0)


def test_f011_within_the_app_a_line_of_the_list_opens_its_chat_again_and_again(visit, person, chats):
    page = visit(person, "/chat")
    line = page.get_by_role("link", name=re.compile("the blue whale"))
    for _ in range(2):
        line.click()
        shows(page, "overlay")
        expect(page).to_have_url(re.compile(chats["chat"]))
        page.get_by_role("button", name="Close chat").click()
        shows(page, "closed")


def test_the_list_is_searched_renamed_and_emptied(visit, people):
    page = visit(people.sign_up(f"lister{time.time_ns()}", "Li Ster"), "/chat")
    expect(page.get_by_text("No chats yet")).to_be_visible()
    page.goto("/chat/Assistant")
    chat_of(page)
    page.goto("/chat")
    settled(page)
    page.get_by_role("button", name="Close chat").click()
    page.get_by_role("searchbox", name="Search your chats").fill("zebra")
    expect(page.get_by_text("No chat matches")).to_be_visible()
    page.get_by_role("searchbox", name="Search your chats").fill("ASSIST")
    row = page.locator(".mz-chats-row")
    expect(row).to_have_count(1)
    row.hover()
    page.get_by_role("button", name=re.compile("^Rename")).click()
    expect(page.get_by_role("textbox", name="Name of this chat")).to_be_focused()
    page.get_by_role("textbox", name="Name of this chat").fill("Zebras")
    page.keyboard.press("Enter")
    page.get_by_role("searchbox", name="Search your chats").fill("")
    expect(row).to_contain_text("Zebras")
    row.hover()
    page.get_by_role("button", name="Delete Zebras").click()
    page.get_by_role("button", name="Keep").click()
    expect(row).to_have_count(1)
    row.hover()
    page.get_by_role("button", name="Delete Zebras").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No chats yet")).to_be_visible()
