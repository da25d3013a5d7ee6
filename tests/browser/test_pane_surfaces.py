"""The pane's layouts, pages, host API and modes in a browser, wide and on a phone (F-171 to F-176, F-188, F-189, F-195)."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, picture, settled
from tests.live import until
from tests.people import People, Person


def pane(page: Page):
    return page.locator(".mzc-pane")


def composer(page: Page):
    return page.get_by_role("textbox", name="Message")


def log(page: Page):
    return page.get_by_role("log", name="Messages")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def shows(page: Page, **attributes: str) -> None:
    """What the pane says of itself: ``surface``, ``extent``, ``layout``, ``mode``."""
    for name, value in attributes.items():
        expect(pane(page)).to_have_attribute(f"data-{name}", value)


def chat_of(page: Page) -> str:
    """Id of the chat the pane is attached to."""

    def attached() -> str:
        return str(page.evaluate("sessionStorage.getItem('mozaiks.current_chat_id') || ''")).strip('"')

    return until(attached, 30, "an open chat")


def ask(page: Page, text: str = "") -> str:
    """Open the assistant; say something."""
    press(page, "Open chat")
    expect(log(page)).to_contain_text("offline assistant")
    if text:
        composer(page).fill(text)
        page.keyboard.press("Enter")
        expect(page.locator(".mzc-message[data-role=user]")).to_contain_text(text)
    return chat_of(page)


def compare(page: Page, what: str = "hosting plans") -> str:
    """Start a workflow from the list and let it show its table."""
    before = chat_of(page)
    page.locator(".mzc-switch").click()
    page.get_by_role("navigation", name="Chats").get_by_role("button", name=re.compile("^Compare options")).first.click()
    until(lambda: chat_of(page) != before, 30, "another chat")
    expect(log(page)).to_contain_text("What shall I compare")
    composer(page).fill(what)
    page.keyboard.press("Enter")
    expect(page.locator(".mzc-artifact table")).to_be_visible()
    return chat_of(page)


def widths(page: Page) -> tuple[float, float]:
    """Shares of the pane's width that conversation and artifact have."""
    whole, *parts = (page.locator(one).bounding_box()["width"] for one in (".mzc-columns", ".mzc-conversation", ".mzc-artifact"))
    return parts[0] / whole, parts[1] / whole


# -- layouts ---------------------------------------------------------------------------------------------------------------


def test_f175_a_wide_window_is_split_narrowed_left_to_one_and_closed(visit, people):
    page = visit(people.sign_up("wide", "Wi De"), "/settings")
    ask(page)
    shows(page, surface="widget", mode="ask", layout="full")
    composer(page).fill("")
    compare(page)
    shows(page, surface="overlay", mode="workflow", layout="split")
    talk, artifact = widths(page)
    assert 0.45 < talk < 0.55 and 0.45 < artifact < 0.55
    composer(page).fill("half a thought")
    press(page, "Make the conversation narrow")
    shows(page, layout="minimized")
    talk, artifact = widths(page)
    assert 0.07 < talk < 0.13 and 0.87 < artifact < 0.93
    expect(composer(page)).to_be_hidden()
    picture(page, "pane-minimized")
    press(page, "Show the conversation")
    shows(page, layout="split")
    expect(composer(page)).to_have_value("half a thought")
    page.locator(".mzc-talk-toggle").click()
    shows(page, layout="view")
    expect(log(page)).to_be_hidden()
    page.locator(".mzc-talk-toggle").click()
    shows(page, layout="split")
    press(page, "Close the artifact")
    shows(page, layout="full")
    expect(page.locator(".mzc-artifact")).to_be_hidden()
    assert page.locator(".mzc-conversation").bounding_box()["width"] > 1300
    press(page, "Show the artifact")
    shows(page, layout="split")
    expect(page.locator(".mzc-artifact table")).to_be_visible()
    assert page.url.endswith("/settings")


def test_f175_on_a_phone_the_artifact_is_a_drawer_that_peeks_rises_and_hides(visit, people):
    page = visit(people.sign_up("phone", "Pho Ne"), "/settings", size=NARROW, scheme="dark")
    ask(page)
    compare(page)
    drawer = page.locator(".mzc-artifact")
    expect(drawer).to_have_attribute("data-drawer", "expanded")
    assert drawer.bounding_box()["height"] > 650
    press(page, "Hide")
    expect(drawer).to_have_attribute("data-drawer", "peek")
    until(lambda: abs(drawer.bounding_box()["height"] - 80) < 2, 30, "5rem of it")
    expect(composer(page)).to_be_in_viewport()
    picture(page, "pane-peek")
    press(page, "Show")
    expect(drawer).to_have_attribute("data-drawer", "expanded")
    press(page, "Close the artifact")
    expect(drawer).to_be_hidden()
    expect(composer(page)).to_be_in_viewport()
    press(page, "Show the artifact")
    expect(drawer).to_have_attribute("data-drawer", "expanded")
    press(page, "Minimise chat")
    shows(page, surface="widget")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_f174_an_artifact_forces_workflow_and_ask_is_always_full(visit, people):
    page = visit(people.sign_up("forced", "For Ced"), "/settings")
    ask(page)
    compare(page)
    shows(page, mode="workflow", layout="split")
    page.locator(".mzc-talk-toggle").click()
    press(page, "Ask")
    shows(page, mode="ask", layout="full")
    press(page, "Workflow")
    shows(page, mode="workflow", layout="split")  # the layout that is remembered is never the artifact alone
    expect(page.locator(".mzc-artifact table")).to_be_visible()


# -- pages -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_f172_the_widget_is_everywhere_but_on_the_pages_of_chats(visit, people, size):
    page = visit(people.sign_up("widget", "Wid Get"), "/settings", size=size)
    ask(page, "the blue whale")
    assert page.locator(".mzc-tools button").count() <= 2
    expect(page.get_by_role("button", name="New chat", exact=True)).to_be_visible()
    composer(page).fill("half a thought")
    page.evaluate("window.same = 1")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/chat")
    expect(page.locator(".mz-chats-row").or_(page.locator(".mz-empty"))).not_to_have_count(0)
    expect(page.locator("#mzc-bubble")).to_be_hidden()
    expect(pane(page)).to_be_hidden()
    page.go_back()
    page.wait_for_url("**/settings")
    expect(composer(page)).to_have_value("half a thought")
    shows(page, surface="widget")
    assert page.evaluate("window.same") == 1


def test_f172_on_a_page_of_chats_a_chat_opens_large_and_closes_at_once(visit, people):
    page = visit(people.sign_up("pageof", "Page Of"), "/chat")
    page.locator("main").get_by_role("button", name="New chat").click()
    shows(page, surface="overlay")
    press(page, "Minimise chat")
    shows(page, surface="closed")
    expect(page.locator("#mzc-bubble")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "content"


# -- host API --------------------------------------------------------------------------------------------------------------

LISTEN = """window.told = [];
for (const what of ['open', 'close']) addEventListener('mozaiks:chat:' + what, (event) => told.push([what, event.detail]));"""


def test_f176_a_call_before_the_program_runs_is_kept_and_each_change_is_told_once(visit, people):
    page = visit(people.sign_up("host", "Ho St"))
    page.add_init_script(LISTEN + "document.addEventListener('DOMContentLoaded', () => window.mozaiksChat.open({mode: 'ask'}));")
    page.goto("/settings")
    shows(page, surface="widget", mode="ask")
    expect(log(page)).to_contain_text("offline assistant")
    assert [what for what, _ in page.evaluate("told")] == ["open"]
    page.evaluate("mozaiksChat.open()")
    until(lambda: len(page.evaluate("told")) == 2, 30, "word of the second call")
    page.evaluate("mozaiksChat.close()")
    shows(page, surface="closed")
    until(lambda: len(page.evaluate("told")) == 3, 30, "word of the end")
    page.wait_for_timeout(300)
    what, detail = page.evaluate("told.at(-1)")
    assert (what, detail["mode"], detail["chat_id"], detail["surface"]) == ("close", "ask", chat_of(page), "closed")
    assert len(page.evaluate("told")) == 3


def test_f176_the_console_opens_the_named_chat_and_nobody_elses(visit, people):
    person = people.sign_up("named", "Na Med")
    page = visit(person, "/settings")
    first = ask(page, "the blue whale")
    page.reload()
    settled(page)
    press(page, "New chat")
    until(lambda: chat_of(page) != first, 30, "another chat")
    page.evaluate(LISTEN)
    press(page, "Close chat")
    until(lambda: page.evaluate("told.splice(0).length") == 1, 30, "word of the end")
    page.evaluate(f"mozaiksChat.open({{mode: 'workflow', chat_id: '{first}'}})")
    expect(log(page)).to_contain_text("the blue whale")
    shows(page, surface="overlay", mode="workflow")
    until(lambda: page.evaluate("told.length"), 30, "word of it")
    assert [(what, detail["chat_id"], detail["mode"]) for what, detail in page.evaluate("told")] == [("open", first, "workflow")]
    other = visit(people.eve, "/settings")
    other.evaluate(f"mozaiksChat.open({{chat_id: '{first}'}})")
    expect(other.get_by_role("alert")).to_contain_text("This chat is not here")
    assert "whale" not in other.content()


def test_f176_a_visitor_is_asked_to_sign_in(visit):
    page = visit(None, "/plans")
    page.evaluate("mozaiksChat.open({mode: 'ask'})")
    expect(page.get_by_role("link", name="Sign in to chat")).to_be_visible()


def test_f176_the_api_costs_a_page_a_few_hundred_bytes(live):
    found = [
        one
        for one in re.findall(r"<script[^>]*>(.*?)</script>", httpx.get(f"{live.base}/sign-in").text, re.S)
        if "mozaiksChat" in one
    ]
    assert len(found) == 1 and len(found[0]) < 300


# -- modes and history -----------------------------------------------------------------------------------------------------


def test_f173_ask_workflow_ask_shows_the_ask_history_again(visit, people):
    page = visit(people.sign_up("modes", "Mo Des"), "/settings")
    asked = ask(page, "the blue whale")
    press(page, "Workflow")
    menu = page.get_by_role("navigation", name="Chats")
    expect(menu).to_be_visible()  # no workflow to go back to: some to start
    menu.get_by_role("button", name=re.compile("^Compare options")).first.click()
    expect(log(page)).to_contain_text("What shall I compare")
    shows(page, mode="workflow")
    work = chat_of(page)
    press(page, "Ask")
    expect(log(page)).to_contain_text("the blue whale")
    assert chat_of(page) == asked
    press(page, "Workflow")
    expect(log(page)).to_contain_text("What shall I compare")
    assert chat_of(page) == work


def test_f189_several_workflows_run_and_each_has_its_own_messages_and_artifact(visit, people):
    page = visit(people.sign_up("several", "Se Veral"), "/settings")
    ask(page)
    first = compare(page, "hosting plans")
    title = page.locator(".mzc-artifact-title").inner_text()
    second = compare(page, "backup services")
    expect(page.locator(".mzc-artifact-title")).not_to_have_text(title)
    menu = page.get_by_role("navigation", name="Chats")
    page.locator(".mzc-switch").click()
    expect(menu.locator(".mzc-running")).to_have_count(3)
    expect(menu.locator("[aria-current=true]")).to_contain_text("backup services")
    picture(page, "pane-running")
    menu.get_by_role("button", name=re.compile("^hosting plans")).click()
    expect(page.locator(".mzc-artifact-title")).to_have_text(title)
    expect(log(page)).to_contain_text("hosting plans")
    expect(log(page)).not_to_contain_text("backup services,")
    assert (chat_of(page), first != second) == (first, True)


def test_f188_the_history_is_searched_renamed_downloaded_and_emptied(visit, people):
    person = people.sign_up("history", "His Tory")
    page = visit(person, "/settings")
    whale = ask(page, "the blue whale")
    press(page, "New chat")
    until(lambda: chat_of(page) != whale, 30, "another chat")
    menu, rows = page.get_by_role("navigation", name="Chats"), page.locator(".mzc-chats > li")
    page.locator(".mzc-switch").click()
    expect(rows).to_have_count(2)
    menu.get_by_role("searchbox").fill("whale")
    expect(rows).to_have_count(1)
    menu.get_by_role("searchbox").fill("zebra")
    expect(menu).to_contain_text("No chat matches")
    menu.get_by_role("searchbox").fill("whale")
    rows.get_by_role("button", name=re.compile("^More for")).click()
    with page.expect_download() as download:
        rows.get_by_role("link", name="Download").click()
    assert "the blue whale" in download.value.path().read_text()
    rows.get_by_role("button", name="Rename").click()
    menu.get_by_role("textbox", name="Name of this chat").fill("Large animals")
    page.keyboard.press("Enter")
    expect(rows).to_contain_text("Large animals")
    rows.get_by_role("button", name="More for Large animals").click()
    rows.get_by_role("button", name="Delete").click()
    expect(menu).to_contain_text("Delete for good?")
    rows.get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    with person.client() as client:
        assert client.get(f"/api/chats/{whale}").status_code == 404


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_f195_a_reload_returns_to_the_same_chat_mode_and_layout(visit, people, size):
    page = visit(people.sign_up("reload", "Re Load"), "/settings", size=size)
    ask(page)
    chat = compare(page)
    press(page, "Use the whole window")
    shows(page, extent="page")
    page.reload()
    settled(page)
    shows(page, surface="overlay", extent="page", mode="workflow", layout="split")
    expect(page.locator(".mzc-artifact table")).to_be_attached()
    expect(page.locator(".mzc-message[data-role=user]")).to_contain_text("hosting plans")
    assert chat_of(page) == chat


def test_f188_the_conversation_is_there_after_signing_in_again_and_on_another_device(browser, live, people):
    person: Person = people.sign_up("device", "De Vice")
    with browsing(browser, live.base, person) as (context, watch):
        page = context.new_page()
        page.goto("/settings")
        settled(page)
        asked = ask(page, "the blue whale")
        with person.client() as client:
            client.post("/auth/logout")
        context.clear_cookies()
        context.add_cookies(People.sign_in(people, person).cookies())
        page.goto("/settings")
        settled(page)
        if pane(page).count() == 0 or pane(page).get_attribute("data-surface") == "closed":
            press(page, "Open chat")
        expect(log(page)).to_contain_text("the blue whale")
        assert chat_of(page) == asked
        assert [one for one in watch.verdict() if "4001" not in one and "401" not in one] == []
    with browsing(browser, live.base, people.sign_in(person)) as (context, watch):
        page = context.new_page()
        page.goto("/plans")
        settled(page)
        press(page, "Open chat")
        expect(log(page)).to_contain_text("the blue whale")
        assert chat_of(page) == asked
        assert watch.verdict() == []
