"""Answers in the pane: Markdown while it streams, code, formulas, diagrams, pictures, agents, tools, usage, long logs."""

import gzip
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.doubles import running
from tests.live import Server, Site, until
from tests.people import People

RICH = """A **bold** word, `code`, [a link](https://example.com), <b onclick=x>no tag</b>. It costs $5, not $6.

- [x] done
- [ ] to do

```python
def greet(name: str) -> str:
    return f"Hello {name}!"  # 42
```

| name | value |
| :-- | --: |
| alpha | 1 |

The end."""
FORMULA = "Euler: $e^{i\\pi}+1=0$ and\n\n$$\\left(\\frac{\\sqrt{\\pi}}{2}\\right)$$\n\nA wrong one: $\\frac{1$"
DRAWN = '```mermaid\nflowchart LR\n  A[Start] --> B{Good?}\n  B -->|yes| C["<img src=x onerror=alert(1)>"]\n```'
BROKEN = "```mermaid\nflowchart LR\n  A --> --> [[\n```"
KEEP_DRAWN = """{ const make = URL.createObjectURL; window.drawn = [];
URL.createObjectURL = (made) => { made.text?.().then((text) => window.drawn.push(text)); return make.call(URL, made); } }"""
LAZY = re.compile(r"chat_(colours|math|diagram)-")


@pytest.fixture(scope="module")
def runtime() -> Iterator[str]:
    """The answering double, as a process of its own."""
    with running("tests.answering") as url:
        yield url


@pytest.fixture(scope="module")
def shell(live: Server, runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to that runtime."""
    server = Site.copy("answers").serve(tmp_path_factory.mktemp("answers"), MOZAIKS_AI_URL=runtime)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def pane(browser, shell, crowd):
    """Opens the pane of a fresh person: ``page = pane()``. What the page asked for is in ``page.asked``."""
    opened = []

    def open_(size=WIDE, scheme="light", person=None) -> Page:
        manager = browsing(browser, shell.base, person or crowd.sign_up("ann", "Ann Swers"), size, scheme)
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.asked = []  # type: ignore[attr-defined]
        page.watch = watch  # type: ignore[attr-defined]
        page.add_init_script(KEEP_DRAWN)
        page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
        page.goto("/")
        settled(page)
        page.locator("#mzc-bubble").click()
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
        expect(log(page)).not_to_be_empty()  # connected: what is typed will be sent
        return page

    yield open_
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def log(page: Page):
    return page.get_by_role("log", name="Messages")


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def lazy(page: Page) -> set[str]:
    return {found[1] for url in page.asked if (found := LAZY.search(url))}  # type: ignore[attr-defined]


sizes = pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])


def test_light_opening_the_widget_costs_at_most_60_kb(pane, shell):
    """Everything the click on the bubble brings, zipped as well as it can be, before the first message."""
    page = pane()
    page.wait_for_load_state("networkidle")
    entries = page.evaluate(
        """() => { const ours = (one) => new URL(one.name).pathname.startsWith('/assets/');
        const brought = performance.getEntriesByType('resource').filter(ours);
        const pane = brought.find(one => /pane-.*[.]js/.test(one.name));
        return brought.filter(one => one.startTime >= pane.startTime - 50).map(one => new URL(one.name).pathname) }"""
    )
    client = shell.site.folder / ".web" / "build" / "client"
    cost = {path: len(gzip.compress((client / path.lstrip("/")).read_bytes(), 9)) for path in set(entries)}
    assert any("pane-" in path for path in cost)
    assert sum(cost.values()) <= 60_000, cost
    assert not lazy(page)


@sizes
def test_f178_markdown_is_drawn_while_it_streams_and_nothing_is_drawn_twice(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "write " + json.dumps(RICH))
    growing = log(page).locator(".mzc-prose[data-live]")
    expect(growing.locator("strong", has_text="bold")).to_be_visible()  # while the rest is still to come
    first = growing.locator("p").first.element_handle()
    expect(log(page)).to_contain_text("The end.")
    expect(growing).to_have_count(0)
    assert first.evaluate("one => one.isConnected"), "what was drawn while it streamed is what stays"
    expect(log(page)).to_contain_text("<b onclick=x>no tag</b>")
    expect(log(page)).to_contain_text("It costs $5, not $6.")
    expect(log(page).locator("b, [onclick]")).to_have_count(0)
    assert log(page).locator("input[type=checkbox]").evaluate_all("all => all.map(one => one.checked)") == [True, False]
    code = log(page).locator(".mzc-code")
    expect(code.locator(".mzc-code-head")).to_contain_text("Python")
    expect(code.locator(".hljs-keyword").first).to_have_text("def")
    expect(log(page).get_by_role("columnheader", name="value")).to_have_attribute("data-align", "right")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code.get_by_role("button", name="Copy code").click()
    holds(page, "navigator.clipboard.readText().then(text => text.startsWith('def greet') && text.includes('# 42'))")
    assert lazy(page) == {"colours"}
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    picture(page, f"answers-markdown-{scheme}")


@sizes
def test_formulas_come_with_a_program_of_their_own_and_a_wrong_one_shows_its_source(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "say " + json.dumps("No formula here."))
    expect(log(page)).to_contain_text("No formula here.")
    assert not lazy(page)
    say(page, "say " + json.dumps(FORMULA))
    expect(log(page).locator(".katex")).to_have_count(2)
    expect(log(page).locator(".katex-display")).to_be_visible()
    expect(log(page)).to_contain_text("A wrong one: \\frac{1")
    assert lazy(page) == {"math"}
    picture(page, f"answers-formula-{scheme}")


@sizes
def test_f199_diagrams_are_cleaned_pictures_and_a_failing_one_shows_its_source(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "say " + json.dumps(f"{DRAWN}\n\n{BROKEN}\n\nDone."))
    drawing = log(page).locator(".mzc-diagram img")
    expect(drawing).to_have_count(1)
    holds(page, "document.querySelector('.mzc-diagram img')?.naturalWidth > 50")
    drawn = until(lambda: page.evaluate("window.drawn.length && window.drawn"), 30, "the picture's text")
    assert all("<svg" in one and "Good?" in one for one in drawn)
    assert not [one for one in drawn if re.search(r"<[^>]*\son\w+\s*=|<script|<ima?ge?\b|foreignObject", one)]
    expect(log(page)).to_contain_text("This diagram cannot be drawn; here is its source.")
    expect(log(page)).to_contain_text("A --> --> [[")
    log(page).get_by_role("button", name="Show source").click()
    expect(log(page)).to_contain_text("B{Good?}")
    assert lazy(page) == {"diagram"}
    assert page.evaluate("document.querySelectorAll('[id^=dmzc-diagram], [id^=mzc-diagram]').length") == 0
    picture(page, f"answers-diagram-{scheme}")


def test_f199_a_remote_image_is_not_asked_for_until_the_person_allows_it(pane):
    page = pane()
    page.watch.expect(r"answer 50\d|answer 403|status of (502|504|403)|/picture")  # no such server
    say(page, "say " + json.dumps("![A chart](https://pictures.invalid/chart.png) and ![two](https://other.invalid/2.png)"))
    cards = log(page).get_by_role("group", name="A chart")
    expect(cards).to_contain_text("pictures.invalid")
    assert not [url for url in page.asked if ".invalid" in url]
    picture(page, "answers-picture")
    cards.get_by_role("button", name="Show image").click()
    expect(log(page)).to_contain_text("This image could not be loaded.")
    ours = [url for url in page.asked if "invalid" in url]
    assert len(ours) == 1 and "/picture?url=https%3A%2F%2Fpictures.invalid" in ours[0]  # through the shell, one only
    log(page).get_by_role("group", name="two").get_by_role("button", name="Show all in this chat").click()
    until(lambda: page.evaluate("1") and any("other.invalid" in url for url in page.asked), 30, "the other image")


@sizes
def test_f178_agents_are_named_hand_over_and_hidden_ones_are_not_there(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "play handoff")
    expect(log(page)).to_contain_text("Here is the summary.")
    expect(log(page).locator("[data-handoff]")).to_contain_text("Planner")
    expect(log(page).locator("[data-handoff] strong")).to_have_text("Writer")
    expect(log(page).locator(".mzc-thinking")).to_contain_text("Writer")  # who is at work now
    expect(log(page)).to_contain_text("And here is the end.")
    assert "Auditor" not in page.content() and "Secret notes" not in page.content()
    picture(page, f"answers-handoff-{scheme}")


@sizes
def test_f180_a_tool_at_work_is_a_quiet_line_and_folded_when_it_is_done(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "play steps")
    working = log(page).locator(".mzc-progress")
    expect(working).to_contain_text("search_web")
    expect(working.locator("progress")).to_have_attribute("value", "60")
    picture(page, f"answers-working-{scheme}")
    expect(log(page)).to_contain_text("Both tools are done.")
    expect(working).to_have_count(0)
    folded = log(page).locator(".mzc-steps")
    expect(folded.locator("summary")).to_have_text("2 tools used")
    expect(folded.get_by_text("read_page")).to_be_hidden()
    folded.locator("summary").press("Enter")
    expect(folded.get_by_text("read_page")).to_be_visible()


@sizes
def test_f191_the_ticker_rises_and_each_answer_tells_what_it_took(pane, size, scheme):
    page = pane(size, scheme)
    say(page, "play costs")
    expect(page.locator(".mzc-total")).to_have_text("1,600 tokens")
    say(page, "play costs")
    expect(page.locator(".mzc-total")).to_have_text("3,200 tokens")
    expect(page.locator(".mzc-spent")).to_have_text(["1,600 tokens", "1,600 tokens"])
    page.reload()
    settled(page)
    expect(page.locator(".mzc-total")).to_have_text("3,200 tokens")
    expect(page.locator(".mzc-spent")).to_have_text(["1,600 tokens", "1,600 tokens"])
    picture(page, f"answers-usage-{scheme}")


def numbers(page: Page) -> list[int]:
    return [int(one) for one in re.findall(r"Message number (\d{4})", log(page).text_content() or "")]


def test_f188_a_chat_of_5000_messages_opens_at_its_end_and_stays_where_the_reader_is(pane, browser, shell, crowd):
    person = crowd.sign_up("lou", "Lou Long")
    page = pane(WIDE, "light", person)
    say(page, "play long")
    expect(log(page).get_by_text("Message number 4999")).to_be_attached(timeout=180_000)
    page.close()

    page = pane(NARROW, "light", person)
    expect(log(page).get_by_text("Message number 4999")).to_be_visible()
    page.get_by_role("button", name="Close chat").click()
    page.reload()
    settled(page)
    page.locator("#mzc-bubble").click()
    expect(log(page).get_by_text("Message number 4999")).to_be_visible()
    assert len(numbers(page)) < 200, "the newest page, not all of it"

    box = log(page)
    for _ in range(12):
        before = len(numbers(page))
        line = box.evaluate(
            """one => { one.scrollTop = 40; const top = one.getBoundingClientRect().top;
            window.line = [...one.querySelectorAll('.mzc-message')].find(each => each.getBoundingClientRect().bottom > top);
            return window.line.getBoundingClientRect().top - top }"""
        )
        until(lambda before=before: len(numbers(page)) > before, 30, "older messages")
        page.wait_for_timeout(200)
        now = box.evaluate("one => window.line.getBoundingClientRect().top - one.getBoundingClientRect().top")
        assert abs(now - line) < 30, "the line that was read has moved by more than its height"
    found = numbers(page)
    assert found == list(range(found[0], 5000)), "nothing is missing, doubled or out of order"
    assert len(found) > 700
    assert page.locator(".mzc-far").count() > 10, "what is far from the screen is skipped by the browser"
    say(page, "hello")
    expect(log(page)).to_contain_text("You said: hello")


def test_f188_jump_to_latest_counts_what_came_meanwhile(pane):
    page = pane()
    say(page, "say " + json.dumps("\n\n".join(f"Paragraph {n}." for n in range(60))))
    expect(log(page)).to_contain_text("Paragraph 59.")
    log(page).hover()
    page.mouse.wheel(0, -1500)
    jump = page.get_by_role("button", name="Jump to latest")
    expect(jump).to_be_visible()
    page.evaluate("window.kept = document.querySelector('.mzc-scroller').scrollTop")
    other = page.context.new_page()
    other.goto("/")
    settled(other)
    other.locator("#mzc-bubble").click()
    expect(log(other)).to_contain_text("Paragraph 59.")
    say(other, "play handoff")
    expect(jump).to_contain_text("3")
    assert abs(page.evaluate("document.querySelector('.mzc-scroller').scrollTop - window.kept")) < 2
    picture(page, "answers-jump")
    jump.click()
    expect(jump).to_have_count(0)
    expect(log(page).get_by_text("And here is the end.")).to_be_in_viewport()
