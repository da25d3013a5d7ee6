"""WCAG 2.2 AA as far as a machine can tell: axe-core finds nothing on any page and in any important state of it, in light
and dark, wide, narrow, enlarged to 200 % and right to left; nothing is cut off, nothing scrolls sideways."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, settled
from tests.browser.scenes import LONG, SCENES, Scene, add_plugins, fill_samples
from tests.live import Server, Site
from tests.people import People

AXE = "axe-core@4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ZOOMED = {"width": 720, "height": 450}  # 1440 x 900 at 200 %
# What is looked at in which language, and what is asked anew there: a colour does not change with the size of the window,
# nor anything else with the colour.
EVERYTHING = {"runOnly": {"type": "tag", "values": RULES}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PLACES = {**EVERYTHING, "rules": {"color-contrast": {"enabled": False}}}
LOOKS = {
    "en": [("light", WIDE, EVERYTHING), ("dark", WIDE, COLOURS), ("dark", ZOOMED, PLACES), ("light", NARROW, EVERYTHING)],
    "ar": [("light", WIDE, EVERYTHING), ("light", ZOOMED, PLACES), ("dark", NARROW, COLOURS)],
}
# Text in a box that cuts it without an ellipsis, controls outside of the page, menus and dialogs that do not fit.
CUT = r"""() => {
  const wide = innerWidth, lost = [], told = (why, one) => lost.push(`${why}: ${one.outerHTML.slice(0, 160)}`);
  const visible = (one) => one.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const hidden = (one) => one.closest(".mz-hidden, .mz-skip, [data-fold] ul[data-open=false], svg");
  for (const one of document.querySelectorAll("body *")) {
    if (!visible(one) || hidden(one)) continue;
    const box = one.getBoundingClientRect(), look = getComputedStyle(one);
    if (box.width <= 1 || box.height <= 1) continue;
    if (one.matches("dialog[open], dialog[open] > *, [popover]:popover-open") && (box.top < -1 || box.bottom > innerHeight + 1)
      && !scrolls(one, "overflowY")) told("does not fit", one);
    if (one.matches("a, button, input, select, textarea") && look.opacity !== "0") {
      if (!scrolls(one) && (box.left < -1 || box.right > wide + 1)) told("outside", one);
    }
    const words = [...one.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
    if (!words || one.matches("input, select, textarea, option")) continue;
    if (look.overflowX !== "visible" && look.overflowX !== "auto" && look.textOverflow !== "ellipsis" && !+look.webkitLineClamp
      && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 3)) told("cut", one);
  }
  function scrolls(one, way = "overflowX") {
    for (let up = one.parentElement; up && up !== document.body; up = up.parentElement)
      if (/auto|scroll/.test(getComputedStyle(up)[way])) return up;
  }
  return lost;
}"""


pytestmark = pytest.mark.walk


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed once per machine with the npm beside this interpreter."""
    folder = platformdirs.user_cache_path("mozaiks-shell-tests") / AXE
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
            install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
            subprocess.run(install, check=True, env={**os.environ, "PATH": path}, cwd=folder, capture_output=True)
    return script.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shell(live: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A product with a locked plugin and one that breaks. (``live`` has built the packages this one links to.)"""
    site = Site.copy("accessible")
    add_plugins(site.folder)
    server = site.serve(tmp_path_factory.mktemp("accessible"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> dict[str, list]:
    """Cookies of everybody. Eve has tasks, notes and deals, Ada and Fred have none; Fred has no chats either."""
    people = People(shell.base)
    with people.eve.client() as client:
        for task in ({"title": LONG, "due": "2020-02-02"}, {"title": "Buy milk"}, {"title": "Call Ada", "due": "2099-01-01"}):
            answer = client.post("/api/execute/tasks", json={"action": "create", **task})
            assert answer.status_code == 200, answer.text

        def call(plugin: str, **data: str) -> None:
            assert client.post(f"/api/execute/{plugin}", json=data).status_code == 200

        fill_samples(call)
    everybody = {"root": people.root, "ada": people.ada, "eve": people.eve, "fred": people.sign_up("fred", "Fred Nochats")}
    return {"": [], **{name: person.cookies() for name, person in everybody.items()}}


@pytest.fixture(scope="module")
def tab(browser: Browser, shell: Server) -> Iterator[Page]:
    """One tab for all scenes; what it remembers is forgotten in between."""
    with browsing(browser, shell.base, reduced_motion="reduce") as (context, _):
        page = context.new_page()
        page.on("dialog", lambda question: question.accept())  # a page with something unsaved asks before it is left
        page.goto("/health")
        yield page


@pytest.fixture
def stage(tab: Page, shell: Server, crowd: dict[str, list]) -> Callable[..., Page]:
    """``stage(scene, locale, size)`` opens it and does what happens there."""

    def play(scene: Scene, locale: str, scheme: str, size: dict[str, int]) -> Page:
        tab.context.clear_cookies()
        tab.context.add_cookies([*crowd[scene.who], {"name": "mozaiks_locale", "value": locale, "url": shell.base}])
        tab.evaluate("localStorage.clear(); sessionStorage.clear()")
        tab.goto("/health")
        tab.set_viewport_size(size)
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        tab.goto(scene.path)
        settled(tab)
        expect(tab.locator(scene.drawn).first).to_be_visible()
        if scene.act:
            scene.act(tab)
        return tab

    return play


def violations(page: Page, axe: str, asked: dict[str, object] = EVERYTHING) -> list[str]:
    """What axe-core objects to, readable."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(axe)
    options = {**asked, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
    return [f"{one['id']}: {node['html'][:200]}\n   {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("locale", LOOKS)
@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing_and_nothing_is_cut_off(stage, axe, name, locale):
    looks = [look for look in LOOKS[locale] if look[1] is not WIDE or not SCENES[name].narrow]
    page = stage(SCENES[name], locale, *looks[0][:2])
    assert page.evaluate("document.dir || getComputedStyle(document.documentElement).direction") == {"ar": "rtl"}.get(
        locale, "ltr"
    )
    found = []
    for scheme, size, asked in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        holds(page, f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        if name != "offline":
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        label = f"{locale} {scheme} {size['width']}"
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{label}: scrolls sideways by {overflow} px"] if overflow else []
        found += [f"{label} {one}" for one in [*violations(page, axe, asked), *page.evaluate(CUT)]]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("path", ["/", "/plugins/tasks", "/plans", "/profile", "/settings", "/admin", "/admin/branding"])
def test_enlarged_to_400_percent_nothing_is_cut_off(stage, path):
    """WCAG 1.4.10: 1280 pixels at 400 % are 320."""
    page = stage(Scene("root", path), "en", "light", {"width": 320, "height": 256})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
