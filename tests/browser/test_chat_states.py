"""How a chat stands, in a browser (F-187, F-194): why it does not go on, and what can be done next."""

import re
import signal
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, picture, settled
from tests.browser.puppets import Puppet, frame, open_pane, pane, puppet
from tests.live import Server, Site, until
from tests.people import People

SIZES = pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])


@pytest.fixture(scope="module")
def runtime() -> Iterator[Puppet]:
    with puppet() as one:
        yield one


@pytest.fixture(scope="module")
def shell(live: Server, runtime: Puppet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to the puppet."""
    server = Site.copy("tools").serve(tmp_path_factory.mktemp("states"), MOZAIKS_AI_URL=runtime.url)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def visit_as(browser, shell: Server, crowd: People, runtime: Puppet):
    """``page = visit_as(size, scheme)``: somebody new at the front page."""
    opened = []
    runtime.forget()

    def go(size=WIDE, scheme: str = "light") -> Page:
        manager = browsing(browser, shell.base, crowd.sign_up("sten", "Sten State"), size, scheme)
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.watch = watch  # type: ignore[attr-defined]
        page.goto("/")
        settled(page)
        return page

    yield go
    for manager, watch in opened:
        manager.__exit__(None, None, None)
        assert watch.verdict() == []


def card(page: Page):
    return page.locator(".mzc-standing")


@SIZES
def test_f194_a_completed_run_offers_to_start_again_something_else_and_the_export(visit_as, runtime, size, scheme):
    page = visit_as(size, scheme)
    open_pane(page)
    runtime.play(frame("chat.text", content="That was all."), frame("chat.run_complete", status=1))
    expect(card(page)).to_contain_text("This conversation is complete.")
    expect(card(page)).to_contain_text("It can still be read; nothing can be added to it.")
    expect(page.locator(".mzc-write")).to_have_attribute("inert", "")
    expect(card(page).get_by_role("button", name=re.compile("Project brief|Compare options"))).not_to_have_count(0)
    with page.expect_download() as download:
        card(page).get_by_role("link", name="Export").click()
    assert "That was all." in download.value.path().read_text()
    picture(page, f"state-completed-{scheme}")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    card(page).get_by_role("button", name="Start again").click()
    expect(card(page)).to_have_count(0)
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Nothing here yet")
    expect(page.locator(".mzc-write")).not_to_have_attribute("inert", "")


def test_f194_what_ended_stays_so_for_who_comes_back(visit_as, runtime):
    page = visit_as()
    open_pane(page)
    runtime.play(frame("chat.text", content="The end."), frame("chat.run_complete", status=1))
    expect(card(page)).to_be_visible()
    page.reload()
    settled(page)
    expect(card(page)).to_contain_text("This conversation is complete.")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("The end.")


@SIZES
@pytest.mark.parametrize(
    ("refuse", "title", "reason", "way_out"),
    [
        ((409, "Please finish a Project brief first."), "Something else comes first.", "Please finish a Project brief first.",
         "Start Project brief"),
        ((402, "The tokens of May are spent."), "Your budget is used up.", "The tokens of May are spent.", "See usage"),
        ((404, "Workflow not found"), "The assistant is not set up.", "", ""),
        ((503, "busy"), "The assistant cannot be reached right now.", "", "Try again"),
    ],
    ids=["prerequisites", "budget", "not-configured", "down"],
)  # fmt: skip
def test_f194_a_start_that_is_refused_says_why_and_leads_on(visit_as, runtime, size, scheme, refuse, title, reason, way_out):
    page = visit_as(size, scheme)
    runtime.set(refuse=refuse)
    page.locator("#mzc-bubble").click()
    expect(card(page)).to_have_accessible_name(title)
    expect(card(page)).to_contain_text(reason)
    picture(page, f"state-{refuse[0]}-{scheme}")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    if not way_out:
        expect(card(page).get_by_role("button")).to_have_count(0)
        return
    step = card(page).get_by_role("button", name=way_out).or_(card(page).get_by_role("link", name=way_out))
    runtime.set(refuse=None)
    step.click()
    if way_out == "See usage":
        page.wait_for_url("**/usage**")
    else:
        expect(card(page)).to_have_count(0)
        expect(page.get_by_role("log", name="Messages")).to_contain_text("Nothing here yet")


def test_f194_a_broken_run_says_so_and_can_be_started_again(visit_as, runtime):
    page = visit_as()
    open_pane(page)
    runtime.play(frame("error", message="KeyError: 'x'", error_code="WORKFLOW_EXECUTION_FAILED"))
    expect(card(page)).to_contain_text("This run could not go on.", timeout=60_000)
    expect(pane(page)).not_to_contain_text("KeyError")
    card(page).get_by_role("button", name="Start again").click()
    expect(card(page)).to_have_count(0)


def test_f187_while_the_shell_is_away_it_says_reconnecting_and_comes_back_by_itself(visit_as, runtime, shell):
    page = visit_as()
    page.watch.expect("WebSocket", "ERR_CONNECTION", "net::ERR", "websocket", "answer 50")  # type: ignore[attr-defined]
    open_pane(page)
    runtime.play(frame("chat.text", content="Before."))
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Before.")
    shell.stop(signal.SIGKILL)
    line = page.locator(".mzc-status")
    expect(line).to_contain_text("Connection lost. Reconnecting")
    expect(line).to_have_attribute("data-tone", "reconnecting")
    picture(page, "state-reconnecting")
    shell.start()
    until(lambda: httpx.get(f"{shell.base}/ready", timeout=5).status_code == 200, 60, "the shell")
    expect(line).not_to_contain_text("Reconnecting", timeout=90_000)
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Before.")


def test_f187_a_runtime_that_dies_is_told_of_and_one_can_begin_anew_when_it_is_back(visit_as, runtime):
    page = visit_as()
    open_pane(page)
    runtime.play(frame("chat.text", content="Before."))
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Before.")
    runtime.stop()
    choice = page.get_by_role("region", name="What should become of this run")
    expect(choice).to_be_visible(timeout=60_000)
    expect(card(page)).to_be_hidden()  # the choice is the way out
    picture(page, "state-runtime-died")
    runtime.start()

    def begun() -> bool:
        """The shell leaves a runtime alone for a while that was away; it says so, and one tries again."""
        if choice.count():
            choice.get_by_role("button", name="Start again").click()
            page.wait_for_timeout(1500)
        return choice.count() == 0

    until(begun, 90, "another run")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Nothing here yet")
