"""Cold load of the pages a visitor meets, in Chromium: first and largest paint, transfer, requests.

    python -m benchmarks.first_paint [rounds]

Each load has an empty cache. "slow" is 1.6 Mbit/s down, 750 kbit/s up, 150 ms round trip and a CPU four times slower.
Comparators: NiceGUI's and Chainlit's smallest apps, loaded in turn with ours.
"""

import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.common import calm, chromium_path, comparator, host, publish, spread
from tests.live import Site, until
from tests.people import People, Person

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
OBSERVE = """
window.seen = {lcp: 0, cls: 0, blocked: 0};
const watch = (type, each) => new PerformanceObserver(list => list.getEntries().forEach(each)).observe({type, buffered: true});
watch('largest-contentful-paint', entry => { seen.lcp = entry.startTime });
watch('layout-shift', entry => { if (!entry.hadRecentInput) seen.cls += entry.value });
watch('longtask', entry => { seen.blocked += Math.max(0, entry.duration - 50) });
"""


def load(browser: Browser, url: str, *, slow: bool, person: Person | None = None, chat: bool = False) -> dict[str, float]:
    """One cold load; milliseconds, bytes on the wire, number of requests."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    if person:
        context.add_cookies(person.cookies())
    context.add_init_script(OBSERVE)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    counted = {"bytes": 0.0, "requests": 0}
    wire.on("Network.loadingFinished", lambda event: counted.update(bytes=counted["bytes"] + event["encodedDataLength"]))
    wire.on("Network.requestWillBeSent", lambda event: _count(counted, event["request"]["url"]))
    if slow:
        wire.send("Network.emulateNetworkConditions", SLOW)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(url, wait_until="load", timeout=90_000)
    if chat:
        open_chat(page)
    page.wait_for_load_state("networkidle", timeout=90_000)
    until(lambda: page.evaluate("performance.getEntriesByName('first-contentful-paint').length"), 60, f"a paint of {url}")
    page.wait_for_timeout(400)
    paints = page.evaluate(
        "({...seen, fcp: performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " load: performance.getEntriesByType('navigation')[0].loadEventEnd})"
    )
    context.close()
    return {**paints, **counted}


def _count(counted: dict[str, float], url: str) -> None:
    if url.startswith("http"):
        counted["requests"] += 1


def open_chat(page: Page) -> None:
    """Open the assistant, and wait for the field one writes into."""
    page.get_by_role("button", name="Open chat").click(timeout=60_000)
    page.get_by_role("textbox", name="Message").wait_for(timeout=60_000)


def main(rounds: int) -> None:
    """Measure and publish."""
    calm()
    about = {"host": host(), "rounds": rounds, "slow": "1.6 Mbit/s, 150 ms RTT, CPU / 4"}
    samples: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Site.copy("bench").serve(data)
        stack.callback(server.stop)
        people = People(server.base)
        plugin = next(
            route for route in people.ada.client().get("/api/navigation").json()["navigation"] if "/plugins/" in route["path"]
        )
        targets = {
            ("Mozaiks Shell", "sign-in"): {"url": f"{server.base}/sign-in"},
            ("Mozaiks Shell", "home, signed in"): {"url": f"{server.base}/", "person": people.ada},
            ("Mozaiks Shell", "plugin page"): {"url": server.base + plugin["path"], "person": people.ada},
            ("Mozaiks Shell", "home, chat open"): {"url": f"{server.base}/", "person": people.ada, "chat": True},
            ("NiceGUI 3.18.0", "hello"): {"url": stack.enter_context(comparator("nicegui")).base},
            ("Chainlit 2.12.0", "chat"): {"url": stack.enter_context(comparator("chainlit")).base},
        }
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        about["chromium"] = browser.version
        for url in {str(target["url"]) for target in targets.values()}:
            load(browser, url, slow=False)
        calm()
        for _ in range(rounds):
            for slow in (False, True):
                for (system, page), target in targets.items():
                    samples[system, page, "slow" if slow else "fast"].append(load(browser, slow=slow, **target))
        browser.close()
    rows = [
        {
            "system": system,
            "page": page,
            "network": network,
            "FCP ms": spread([one["fcp"] for one in found], 0),
            "LCP ms": spread([one["lcp"] for one in found], 0),
            "blocked ms": spread([one["blocked"] for one in found], 0),
            "CLS": spread([one["cls"] for one in found], 3),
            "KiB": spread([one["bytes"] / 1024 for one in found], 0),
            "requests": spread([one["requests"] for one in found], 0),
        }
        for (system, page, network), found in samples.items()
    ]
    publish("first_paint", about, sorted(rows, key=lambda row: row["network"]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
