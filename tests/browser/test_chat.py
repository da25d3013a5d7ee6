"""The chat in a browser, against a runtime that streams what it is told: nothing is lost, nothing comes twice."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.browser.conftest import browsing, picture, settled
from tests.doubles import running
from tests.live import Server, Site, until
from tests.people import People


@pytest.fixture(scope="module")
def runtime() -> Iterator[str]:
    """The streaming double, as a process of its own."""
    with running("tests.double") as url:
        yield url


@pytest.fixture(scope="module")
def shell(live: Server, runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to that runtime."""
    server = Site.copy("chat").serve(tmp_path_factory.mktemp("chat"), MOZAIKS_AI_URL=runtime)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def tab(browser, shell, crowd):
    """Opens a tab of a fresh browser of Ada's."""
    with browsing(browser, shell.base, crowd.ada) as (context, watch):

        def new(path: str = "/") -> Page:
            page = context.new_page()
            page.opened = []  # type: ignore[attr-defined]
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: note(page, frame)))
            page.goto(path)
            settled(page)
            return page

        new.watch = watch  # type: ignore[attr-defined]
        yield new
    assert watch.verdict() == []


def note(page: Page, frame: str | bytes) -> None:
    """Keep the ids of the chats whose replay is complete, in order."""
    for value in [json.loads(frame)] if str(frame).startswith("{") else []:
        if value.get("t") == "chat":
            page.naming = value["chat"]  # type: ignore[attr-defined]
        elif value.get("t") == "caught_up":
            page.opened.append(page.naming)  # type: ignore[attr-defined]


def composer(page: Page):
    return page.get_by_role("textbox", name="Message")


def open_chat(page: Page) -> None:
    """Open the pane; wait until its chat is there."""
    page.get_by_role("button", name="Open chat").click()
    until(lambda: page.evaluate("1") and page.opened, 30, "an open chat")  # type: ignore[attr-defined]
    expect(page.get_by_role("log", name="Messages")).not_to_be_empty()


def new_chat(page: Page) -> None:
    """Leave the chat and wait until another one is there."""
    before = set(page.opened)  # type: ignore[attr-defined]
    page.get_by_role("button", name="New chat").first.click()
    until(lambda: page.evaluate("1") and set(page.opened) - before, 30, "a new chat")  # type: ignore[attr-defined]
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Nothing here yet")


def say(page: Page, text: str) -> None:
    composer(page).fill(text)
    page.keyboard.press("Enter")


def tokens(page: Page) -> list[int]:
    """Numbers of all tokens shown, in the order they stand there."""
    shown = page.get_by_role("log", name="Messages").inner_text()
    return [int(number) for number in re.findall(r"t(\d{6})", shown)]


def has_exactly(page: Page, count: int, seconds: float = 20) -> None:
    until(lambda: len(tokens(page)) >= count, seconds, f"{count} tokens")
    assert tokens(page) == list(range(count))


def test_f167_what_is_typed_reaches_the_runtime_and_its_answer_streams_in_token_by_token(tab):
    page = tab()
    open_chat(page)
    new_chat(page)
    say(page, "stream 60 at 30")
    until(lambda: 0 < len(tokens(page)) < 60, 30, "a part of the answer")
    has_exactly(page, 60)
    picture(page, "chat-answer")


def test_f167_f168_a_typed_line_is_a_frame_at_the_runtime_and_no_token_of_it_reaches_the_browser(browser, shell, crowd, runtime):
    """Everything that this browser sends, gets or keeps is searched for the credentials that the runtime was shown."""
    seen: list[str] = []

    def answered(response) -> None:
        seen.append(f"{response.url} {response.request.headers} {response.request.post_data} {response.headers}")
        with suppress(PlaywrightError):  # redirects have no body
            seen.append(response.body().decode("utf-8", "replace"))

    def opened(socket) -> None:
        seen.append(socket.url)
        for way in ("framesent", "framereceived"):
            socket.on(way, lambda frame: seen.append(str(frame)))

    person = crowd.sign_up("tess", "Tess Token")
    with browsing(browser, shell.base, person) as (context, watch):
        page = context.new_page()
        page.opened = []  # type: ignore[attr-defined]
        page.on("response", answered)
        page.on("websocket", opened)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: note(page, frame)))
        page.goto("/")
        settled(page)
        open_chat(page)
        say(page, "stream 40 at 40 as 68")
        log = page.get_by_role("log", name="Messages")
        expect(log).to_contain_text("6800000")
        assert "6800039" not in log.inner_text(), "it came at once instead of token by token"
        expect(log).to_contain_text("6800039")
        seen += [page.content(), page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")]
    told = httpx.get(f"{runtime}/heard", timeout=60).json()
    inbound = [json.loads(frame) for frame in told["frames"]]
    assert [one["type"] for one in inbound if one.get("text") == "stream 40 at 40 as 68"] == ["user.input.submit"]
    tokens = [token for token in told["tokens"] if token]
    assert tokens and all(token.count(".") == 2 for token in tokens), "the runtime was shown no token"
    for token in tokens:
        for part in (token, token.rsplit(".", 1)[1]):
            assert all(part not in one for one in seen), "a token of the runtime reached the browser"
    assert any("6800039" in one for one in seen), "nothing was recorded"
    assert watch.verdict() == []


def test_reload_in_the_middle_of_an_answer(tab):
    page = tab()
    open_chat(page)
    new_chat(page)
    say(page, "stream 150 at 40")
    until(lambda: len(tokens(page)) > 20, 30, "a part of the answer")
    page.reload()
    settled(page)
    expect(composer(page)).to_be_visible()  # what was open comes back by itself
    has_exactly(page, 150)


def test_a_second_tab_shows_the_same(tab):
    first = tab()
    open_chat(first)
    new_chat(first)
    say(first, "stream 120 at 40")
    until(lambda: len(tokens(first)) > 10, 30, "a part of the answer")
    second = tab()
    open_chat(second)
    has_exactly(second, 120)
    has_exactly(first, 120)


def test_what_is_typed_survives_every_change_of_surface(tab):
    page = tab()
    open_chat(page)
    composer(page).fill("half a thought")
    page.get_by_role("button", name="Expand chat").click()
    expect(composer(page)).to_have_value("half a thought")
    page.get_by_role("button", name="Minimise chat").click()
    expect(composer(page)).to_have_value("half a thought")
    page.get_by_role("button", name="Close chat").click()
    page.get_by_role("link", name="Settings").first.click()
    page.wait_for_url("**/settings**")
    page.get_by_role("button", name="Open chat").click()
    expect(composer(page)).to_have_value("half a thought")


def test_f171_an_answer_goes_on_being_written_through_every_surface(tab):
    page = tab("/settings")
    open_chat(page)
    new_chat(page)
    say(page, "stream 400 at 60")
    composer(page).fill("half a thought")
    pane, address = page.locator(".mzc-pane"), page.url

    def written() -> int:
        """Also while nobody can see it."""
        return len(re.findall(r"t\d{6}", page.locator(".mzc-scroller").text_content() or ""))

    for press, surface, extent in (
        ("Expand chat", "overlay", ""), ("Use the whole window", "overlay", "page"), ("Leave the whole window", "overlay", ""),
        ("Minimise chat", "widget", ""), ("Close chat", "closed", ""), ("Open chat", "widget", ""),
    ):  # fmt: skip
        before = written()
        page.get_by_role("button", name=press, exact=True).click()
        expect(pane).to_have_attribute("data-surface", surface)
        expect(pane).to_have_attribute("data-extent", extent)
        if before < 380:
            until(lambda before=before: written() > before, 30, "more of the answer")
        assert page.url == address
    expect(composer(page)).to_have_value("half a thought")
    has_exactly(page, 400)
    assert len(page.opened) == 2, "the chat was never opened again"


def test_f171_the_line_that_was_read_stays_through_the_surfaces(tab):
    page = tab("/settings")
    open_chat(page)
    new_chat(page)
    for number in range(14):
        say(page, f"line {number} " + "word " * 40)
        expect(page.get_by_role("log", name="Messages")).to_contain_text(f"You said: line {number} ")
    top = "(() => { const box = document.querySelector('.mzc-scroller'), y = box.getBoundingClientRect().top;"
    line = (
        top + " return [...document.querySelectorAll('.mzc-message')].findIndex(m => m.getBoundingClientRect().bottom > y) })()"
    )
    page.locator(".mzc-scroller").evaluate("box => box.scrollTop = box.scrollHeight / 2")
    page.mouse.move(1300, 700)
    page.mouse.wheel(0, -40)
    page.wait_for_timeout(300)
    read = page.evaluate(line)
    assert read > 4
    for press in ("Expand chat", "Use the whole window", "Minimise chat", "Minimise chat", "Close chat", "Open chat"):
        page.get_by_role("button", name=press, exact=True).click()
        page.wait_for_timeout(300)
        assert abs(page.evaluate(line) - read) <= 1, press


def test_f172_messages_that_come_while_it_is_closed_are_counted_on_the_bubble(tab):
    page = tab("/settings")
    open_chat(page)
    new_chat(page)
    other = tab("/settings")
    open_chat(other)
    page.get_by_role("button", name="Close chat").click()
    for number in (1, 2):
        say(other, f"hello {number}")
        expect(page.locator(".mzc-count")).to_have_text(str(number))
    bubble = page.get_by_role("button", name="Open chat")
    expect(bubble).to_have_attribute("aria-description", "New messages: 2")
    picture(page, "chat-unread")
    bubble.click()
    expect(page.locator(".mzc-count")).to_have_count(0)
    expect(page.get_by_role("log", name="Messages")).to_contain_text("You said: hello 2")


def test_a_lost_run_is_told_and_the_person_chooses(tab):
    page = tab()
    open_chat(page)
    new_chat(page)
    say(page, "hang up")
    card = page.get_by_role("region", name="What should become of this run")
    expect(card).to_contain_text("Connecting to it again could break it")
    expect(card.get_by_role("button")).to_have_text(["Ask again", "Start again", "Leave it"])
    harmless = "Looks up how the run stands; changes nothing."
    expect(card.get_by_role("button", name="Ask again")).to_have_accessible_description(harmless)
    expect(page.locator(".mzc-status").get_by_role("button")).to_have_count(0)
    picture(page, "chat-lost-run")
    lost = page.opened[-1]
    card.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("You chose: Ask again")).to_be_visible()
    expect(card).to_have_count(1)
    second = tab(f"/chat?chat_id={lost}")
    expect(second.get_by_role("region", name="What should become of this run")).to_be_visible()
    card.get_by_role("button", name="Start again").click()
    until(lambda: page.evaluate("1") and page.opened[-1] != lost, 20, "the new chat")
    expect(card).to_have_count(0)
    expect(second.get_by_text("You chose: Start again")).to_be_visible()
    second.get_by_role("button", name="Open the new conversation").click()
    until(lambda: second.evaluate("1") and second.opened[-1] == page.opened[-1], 20, "the same new chat in the other tab")
    say(page, "stream 5 at 50")
    has_exactly(page, 5)


def test_a_text_that_was_turned_down_is_not_lost(tab):
    page = tab()
    open_chat(page)
    new_chat(page)
    say(page, "turn it down")
    expect(page.get_by_text("Not delivered.", exact=True)).to_be_visible()
    picture(page, "chat-undelivered")
    page.get_by_role("button", name="Write it again").click()
    expect(composer(page)).to_have_value("turn it down")
    expect(composer(page)).to_be_focused()


def test_the_shell_dies_in_the_middle_and_comes_back(tab, shell):
    """kill -9: what had arrived is kept in order, the status is honest, and one can go on."""
    page = tab()
    tab.watch.expect("WebSocket", "ERR_CONNECTION", "net::ERR", "websocket")
    open_chat(page)
    new_chat(page)
    say(page, "stream 400 at 40")
    until(lambda: len(tokens(page)) > 60, 30, "a part of the answer")
    shell.stop(signal.SIGKILL)
    before = tokens(page)
    assert before == list(range(len(before)))
    shell.start()
    page.reload()
    settled(page)
    expect(composer(page)).to_be_visible()  # what was open comes back by itself
    until(lambda: len(tokens(page)) >= len(before) - 5, 30, "what had arrived")
    after = tokens(page)
    assert after == list(range(len(after))), "in order, nothing twice"
    expect(page.get_by_text(re.compile("interrupted|lost", re.IGNORECASE)).first).to_be_visible()
    new_chat(page)
    say(page, "stream 10 at 50")
    has_exactly(page, 10)


def test_f186_the_open_page_is_sent_the_rest_of_a_cut_answer(tab, shell):
    """kill -9, and nobody reloads: the page puts the end to the part it has, which is not sent a second time."""
    page = tab()
    tab.watch.expect("WebSocket", "ERR_CONNECTION", "net::ERR", "websocket", "answer 50")
    open_chat(page)
    new_chat(page)
    rests: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: rests.append(str(frame))))
    say(page, "stream 400 at 40")
    until(lambda: len(tokens(page)) > 60, 30, "a part of the answer")
    shell.stop(signal.SIGKILL)
    before = tokens(page)
    shell.start()
    told = "The connection to the run was lost when the app restarted."
    expect(page.get_by_role("log", name="Messages")).to_contain_text(told)  # comes after the answer's end
    after = tokens(page)
    assert after == list(range(len(after))) and len(after) >= len(before) > 60, "in order, nothing lost, nothing twice"
    (rest,) = [json.loads(frame) for frame in rests if '"rest":true' in frame]
    assert rest["k"] == "message" and "t000000" not in rest["text"]
    assert not any("t000000" in frame for frame in rests if '"k":' in frame), "what the page had was sent again"
