"""What an answer costs the browser: 2,000 tokens of Markdown with code, tables and lists, 250 a second.

    python -m benchmarks.pane_stream [rounds]

Counted is the time the page's main thread is at work (Chromium's ``TaskDuration``) from the question until the whole answer
is there and coloured; also with a processor four times slower. Comparator in the same run, in turn with ours: Chainlit with
the same tokens at the same pace (``comparators/chainlit_app.py``). The last row is a chat of 5,000 messages that is opened:
from the click on the bubble until its newest message is on the screen. ``TaskDuration`` is by the clock: on a machine that
is shared the same work takes longer, in both.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.common import answers, calm, chromium_path, comparator, host, publish, spread
from benchmarks.first_paint import FLAGS, open_chat
from tests.answering import END, tokens
from tests.live import ROOT, Server, Site, clean_environment, free_port, until
from tests.people import People, Person

TOKENS, RATE, SETTLE = 2_000, 250, 1.5
PARTS = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def answer(context: BrowserContext, ready: Callable[[Page], Any], ask: Callable[[Page], Any], slower: int) -> dict[str, float]:
    """One streamed answer; seconds of the main thread."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Performance.enable")
    ready(page)
    page.wait_for_timeout(1_500)
    if slower > 1:
        wire.send("Emulation.setCPUThrottlingRate", {"rate": slower})

    def used() -> dict[str, float]:
        return {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}

    before, began = used(), time.monotonic()
    ask(page)
    page.wait_for_timeout(TOKENS / RATE * 1000)
    until(lambda: END in page.inner_text("body"), 120, "the end of the answer")
    took = time.monotonic() - began
    page.wait_for_timeout(SETTLE * 1000)
    after = used()
    page.close()
    return {name: after[name] - before[name] for name in PARTS} | {"took": took}


def ours(browser: Browser, server: Server, person: Person, slower: int) -> dict[str, float]:
    """The pane."""

    def ready(page: Page) -> None:
        page.goto(server.base, wait_until="networkidle")
        open_chat(page)
        page.get_by_role("button", name="New chat").first.click()
        page.get_by_text("Nothing here yet").wait_for(timeout=60_000)

    def ask(page: Page) -> None:
        page.get_by_role("textbox", name="Message").fill(f"markdown {TOKENS} at {RATE}")
        page.keyboard.press("Enter")

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(person.cookies())  # type: ignore[arg-type]
    found = answer(context, ready, ask, slower)
    context.close()
    return found


def theirs(browser: Browser, base: str, slower: int) -> dict[str, float]:
    """Chainlit."""

    def ready(page: Page) -> None:
        page.goto(base, wait_until="load")
        page.locator("#chat-input").wait_for(timeout=60_000)

    def ask(page: Page) -> None:
        page.locator("#chat-input").click()
        page.keyboard.type("go")
        page.keyboard.press("Enter")

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    found = answer(context, ready, ask, slower)
    context.close()
    return found


def long_chat(browser: Browser, server: Server, person: Person, rounds: int) -> list[float]:
    """Milliseconds until the newest of 5,000 messages is on the screen."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(person.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(server.base, wait_until="networkidle")
    open_chat(page)
    page.get_by_role("textbox", name="Message").fill("play long")
    page.keyboard.press("Enter")
    page.get_by_text("Message number 4999").wait_for(timeout=180_000)
    page.close()
    found = []
    for _ in range(rounds):
        page = context.new_page()
        page.goto(server.base, wait_until="networkidle")
        page.evaluate(
            """() => { const look = () => document.querySelector('.mzc-pane')?.textContent.includes('Message number 4999')
            ? window.shown = performance.now() : requestAnimationFrame(look); look();
            const bubble = document.getElementById('mzc-bubble');
            bubble.addEventListener('click', () => window.clicked = performance.now(), {once: true}) }"""
        )
        page.locator("#mzc-bubble").click()
        found.append(until(lambda page=page: page.evaluate("window.shown && window.shown - window.clicked"), 60, "the newest"))
        page.close()
    context.close()
    return found


def main(rounds: int) -> None:
    """Measure and publish."""
    about: dict[str, Any] = {"host": host(), "rounds": rounds, "tokens": TOKENS, "tokens_per_second": RATE}
    samples: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = folder / "answer.md"
        text.write_text("".join(tokens(TOKENS)), "utf-8")
        port = free_port()
        double = subprocess.Popen([sys.executable, "-m", "tests.answering", str(port)], cwd=ROOT, env=clean_environment())
        stack.callback(double.wait)
        stack.callback(double.terminate)
        answers(f"http://127.0.0.1:{port}/api/health", time.monotonic())
        server = Site.copy("bench").serve(folder / "data", MOZAIKS_AI_URL=f"http://127.0.0.1:{port}")
        stack.callback(server.stop)
        people = People(server.base)
        chainlit = stack.enter_context(comparator("chainlit", TEXT=str(text), RATE=str(RATE)))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        about["chromium"] = browser.version
        calm()
        for _ in range(rounds):
            for slower in (1, 4):
                samples["Mozaiks Shell", slower].append(ours(browser, server, people.ada, slower))
                samples["Chainlit 2.12.0", slower].append(theirs(browser, chainlit.base, slower))
        opened = long_chat(browser, server, people.eve, rounds)
        browser.close()
    rows: list[dict[str, Any]] = [
        {
            "system": system,
            "processor": "as it is" if slower == 1 else f"{slower} times slower",
            "main thread s": spread([one["TaskDuration"] for one in found], 2),
            "script s": spread([one["ScriptDuration"] for one in found], 2),
            "style and layout s": spread([one["LayoutDuration"] + one["RecalcStyleDuration"] for one in found], 2),
            "whole answer s": spread([one["took"] for one in found], 1),
        }
        for (system, slower), found in samples.items()
    ]
    rows.append({"system": "Mozaiks Shell", "processor": "as it is", "5,000 messages open ms": spread(opened, 0)})
    publish("pane_stream", about, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
