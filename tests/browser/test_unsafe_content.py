"""F-199: what a runtime says is text. Nothing in it runs, nothing in it is fetched, no link in it leads where code is.

The runtime is the one that ships with the shell, with a workflow whose agents, tools and texts are all hostile.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import WIDE, browsing, picture, settled
from tests.live import Server, until

EVIL = "https://evil.test"


def hostile(place: str) -> str:
    """One line that would run ``owned(place)`` or call another host in many ways, if it were HTML."""
    run = f"owned('{place}')"
    return (
        f'BEGIN <img src="{EVIL}/{place}.png" onerror="{run}"> <img src=x onerror={run}> <script>{run}</script> '
        f'<svg onload={run}><animate onbegin={run} attributeName=x dur=1s></svg> <iframe srcdoc="<script>parent.{run}</script>">'
        f'</iframe> <object data="{EVIL}/{place}.swf"></object> <link rel=stylesheet href="{EVIL}/{place}.css"> '
        f"<style>@import '{EVIL}/{place}-2.css'</style> <video src={EVIL}/v autoplay onloadstart={run}></video> "
        f'<details open ontoggle="{run}"><a href="javascript:{run}">raw</a></details> <base href={EVIL}/> END'
    )


def links(place: str) -> str:
    """Markdown whose links and images must not be what they say."""
    run = f"owned('{place}')"
    return "\n".join(
        (
            f"[run-1](javascript:{run}) [run-2](JaVaScRiPt:{run}) [run-3](&#106;avascript:{run}) [run-4](<java\tscript:{run}>)",
            f"[run-5](data:text/html;base64,PHNjcmlwdD5wYXJlbnQub3duZWQoMSk8L3NjcmlwdD4=) [run-6](vbscript:{run}) [run-7][far]",
            f"![remote]({EVIL}/{place}-md.png) ![run-8](javascript:{run}) ![svg](data:image/svg+xml,<svg/onload={run}>)",
            f"<javascript:{run}> [fine](https://example.com/fine) [api](/api/auth/logout)",
            "",
            f"[far]: javascript:{run}",
            "",
            f"| a | b |\n| --- | --- |\n| <img src=x onerror={run}> | [run-9](javascript:{run}) |",
        )
    )


AGENT = "<img src=x onerror=owned('agent')>"
SHOWN = """
import asyncio
import json
from pathlib import Path

from mozaiksai.core.workflow.outputs.ui_tools import use_ui_tool

TOLD = json.loads((Path(__file__).parent / "told.json").read_text("utf-8"))


async def show(*, context_variables=None) -> dict:
    shown = [use_ui_tool(name, payload, display=display) for name, payload, display in TOLD]
    await asyncio.gather(*shown)
    return {"status": "done"}
"""


def payloads() -> list[tuple[str, dict, str]]:
    """Every built-in component, and one that nobody knows, with hostile words in every place they have."""

    def all_over(place: str) -> dict:
        bad, run = hostile(place), f"javascript:owned('{place}')"
        field = {"name": "n", "label": bad, "help": bad, "placeholder": bad, "default": bad, "value": bad}
        choice = {"name": "c", "type": "select", "label": bad, "options": [{"value": bad, "label": bad}, bad]}
        row = {"a": bad, "b": {"html": bad, "href": run}}
        return {
            "title": bad, "description": bad, "text": bad, "content": f"{bad}\n\n{links(place)}", "markdown": links(place),
            "body": bad, "html": bad, "url": run, "href": run, "image": f"{EVIL}/{place}-image.png", "src": run,
            "fields": [field, {**field, "name": "u", "type": "url", "value": run}, choice],
            "columns": [{"key": "a", "label": bad}, {"key": "b", "label": bad}], "rows": [row, row],
            "items": [bad, {"title": bad, "text": bad, "href": run}, {"title": "run-10", "url": f"data:text/html,{bad}"}],
            "actions": [{"id": bad, "label": f"{bad[:60]}", "href": run}], "submit_label": "Send", "cancel_label": bad[:40],
        }  # fmt: skip

    names = ("core.form", "core.table", "core.card", "core.list", "core.markdown", "evil.unknown")
    shown = [(name, all_over(f"inline-{name}"), "inline") for name in names]
    parts = [{"component": name, **all_over(f"part-{name}")} for name in names]
    shown.append(("core.composite", {"title": "Parts", "components": parts, "children": parts, "parts": parts}, "inline"))
    shown.append(("core.composite", {"title": hostile("artifact"), "components": parts, "children": parts}, "artifact"))
    return shown


@pytest.fixture
def hostile_workflow(live: Server, tmp_path: Path) -> Iterator[None]:
    """That workflow in the app's own folder, under the name of one that the home page offers, until the test is over."""
    folder, place = tmp_path / "CompareOptions", live.site.folder / "workflows" / "CompareOptions"
    (folder / "tools").mkdir(parents=True)
    agents = [
        {"name": AGENT, "script": [{"say": f"{hostile('text')}\n\n{links('text')}"}, [{"call": "show"}, {"say": "All done."}]]},
    ]
    (folder / "orchestrator.yaml").write_text("workflow_name: CompareOptions\n")
    (folder / "agents.yaml").write_text(json.dumps({"agents": agents}))
    (folder / "tools.yaml").write_text(json.dumps({"tools": [{"agent": AGENT, "file": "show.py", "function": "show"}]}))
    (folder / "tools" / "show.py").write_text(SHOWN)
    (folder / "tools" / "told.json").write_text(json.dumps(payloads()))
    place.parent.mkdir(exist_ok=True)

    def read() -> int:
        return live.log.read_text("utf-8", "replace").count("workflow folders read anew")

    until(lambda: "mozaiks_shell.runtime: listening on" in live.log.read_text("utf-8", "replace"), 60, "the runtime")
    before = read()
    shutil.move(folder, place)
    until(lambda: read() > before, 60, "the workflow")
    yield
    shutil.rmtree(place)
    until(lambda: read() > before + 1, 60, "the end of the workflow")


TRAP = """
window.__ran = []; window.owned = (what) => window.__ran.push(String(what)); window.__refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__refused.push([event.violatedDirective, event.blockedURI, event.sample].join(" ")));
"""
SAFE = ("http:", "https:", "mailto:")


def judge(page: Page, watch) -> None:
    """Nothing ran, nothing was refused (so nothing tried), nothing foreign was asked for, and no such thing is on the page."""
    assert page.evaluate("window.__ran") == []
    assert page.evaluate("window.__refused") == []
    assert watch.verdict() == []
    found = page.evaluate(
        """(safe) => [...document.querySelectorAll("main *, aside *, [role=dialog] *, [role=log] *")].flatMap((one) => {
          const bad = [...one.attributes].filter((each) => each.name.startsWith("on")).map((each) => each.name);
          const kind = ["SCRIPT", "IFRAME", "OBJECT", "EMBED", "LINK", "BASE", "VIDEO", "AUDIO", "META"].includes(one.tagName);
          const image = one.tagName === "IMG" && new URL(one.src, location.href).origin !== location.origin;
          const link = one.tagName === "A" && one.hasAttribute("href") && !safe.includes(one.protocol);
          return bad.length || kind || image || link ? [one.outerHTML.slice(0, 200)] : [];
        })""",
        list(SAFE),
    )
    assert found == []


def runs_nothing_when_clicked(page: Page, place: Locator) -> int:
    """Click every word that the text calls a link to code; how many there were."""
    words = place.get_by_text("run-", exact=False)
    count = words.count()
    for number in range(min(count, 12)):
        words.nth(number).click(force=True, no_wait_after=True)
    return count


def test_f199_hostile_words_of_a_runtime_stay_words(browser, live, people, hostile_workflow):
    with browsing(browser, live.base, people.sign_up("hilde", "Hilde Hart")) as (context, watch):
        context.add_init_script(TRAP)
        page = context.new_page()
        page.goto("/")
        settled(page)
        page.locator("main").get_by_text("Compare options", exact=True).first.click()
        log = page.get_by_role("log", name="Messages")
        expect(log).to_contain_text("<script>owned('text')</script>")  # the words are there, as words
        expect(log).to_contain_text(AGENT)
        expect(log.get_by_text("run-9", exact=True)).to_be_visible()  # all of it has come
        judge(page, watch)
        here = page.url
        assert runs_nothing_when_clicked(page, log) >= 9
        assert page.url == here and len(context.pages) == 1
        judge(page, watch)

        page.get_by_role("textbox", name="Message").fill("go on")
        page.keyboard.press("Enter")
        form = log.locator("form").first
        expect(form).to_be_visible()
        expect(log).to_contain_text("owned('inline-core.form')")
        expect(log.get_by_role("table").first).to_be_visible()
        artifact = page.get_by_role("region", name="Artifact").or_(page.get_by_role("complementary", name="Artifact"))
        expect(artifact).to_contain_text("owned('part-core.table')")
        for place in ("inline-core.table", "inline-core.card", "inline-core.list", "inline-core.markdown"):
            expect(log).to_contain_text(f"owned('{place}')")
        judge(page, watch)
        for part in (log, artifact):
            runs_nothing_when_clicked(page, part)
        judge(page, watch)
        picture(page, "chat-hostile")

        page.set_viewport_size({"width": 390, "height": 844})
        judge(page, watch)
        page.set_viewport_size(WIDE)
        page.goto("/")  # its words are in the list of chats, too
        settled(page)
        judge(page, watch)


def test_f199_the_trap_catches_what_it_is_set_for(browser, live):
    """Put into the page as HTML, the same words are refused by the page's policy, and that is seen."""
    with browsing(browser, live.base) as (context, watch):
        context.add_init_script(TRAP)
        page = context.new_page()
        page.goto("/sign-in")
        settled(page)
        page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", hostile("control"))
        page.wait_for_function("window.__refused.length >= 3")
        refused = " ".join(page.evaluate("window.__refused"))
        assert "script-src" in refused and "img-src" in refused and "style-src" in refused
        assert page.evaluate("window.__ran") == [], "even so, nothing runs"
        assert any("Content Security Policy" in problem for problem in watch.verdict())
        page.evaluate("owned('control')")
        assert page.evaluate("window.__ran") == ["control"]
