"""WCAG 2.2 AA as far as a machine can tell: axe-core finds nothing on any page and in any state of it, in light and dark,
wide and narrow; and everything can be done with the keyboard, with the focus where one expects it."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import platformdirs
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.live import Server, Site
from tests.people import People

AXE = "axe-core@4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
VAULT = '''"""A page."""
from mozaiks_shell import sdk


@sdk.page()
def front():
    return sdk.ui.page_header("The vault", "For those who pay.")
'''
CRASH = '''"""A page that breaks in the browser, and tells things."""
from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, ui


class Crash(sdk.State):
    broken: bool = False

    @sdk.event
    def break_page(self):
        self.broken = True

    @sdk.event
    def tell(self):
        yield sdk.notify("Saved.", "success")
        yield sdk.notify("It did not work.", "danger")


@sdk.page()
def front():
    trap = f"({Crash.broken} ? (() => {{ throw new Error('on purpose') }})() : 'whole')"
    return ui.stack(
        ui.page_header("Crash"),
        ui.row(ui.button("Break", on_click=Crash.break_page), ui.button("Tell", on_click=Crash.tell)),
        rx.el.p(rx.Var(trap, _var_data=Crash.broken._get_all_var_data())),
    )
'''


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
    for name, source, access in (("vault", VAULT, "plan:pro"), ("crash", CRASH, "signed_in")):
        folder = site.folder / "plugins" / name
        folder.mkdir()
        manifest = {"name": name, "version": "1.0.0", "display_name": name.title(), "access": access}
        (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        (folder / "page.py").write_text(source, "utf-8")
    server = site.serve(tmp_path_factory.mktemp("accessible"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    """Eve has tasks, Ada has none."""
    people = People(shell.base)
    with people.eve.client() as client:
        for task in ({"title": LONG, "due": "2020-02-02"}, {"title": "Buy milk"}, {"title": "Call Ada", "due": "2099-01-01"}):
            answer = client.post("/api/execute/tasks", json={"action": "create", **task})
            assert answer.status_code == 200, answer.text
    return people


@pytest.fixture
def visit_there(browser: Browser, shell: Server) -> Iterator[Callable[..., Page]]:
    opened = []

    def go(person: object, path: str, **options: object) -> Page:
        manager = browsing(browser, shell.base, person, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        context, _ = manager.__enter__()
        opened.append(manager)
        page = context.new_page()
        page.goto(path)
        settled(page)
        return page

    yield go
    for manager in opened:
        manager.__exit__(None, None, None)


def chat(page: Page) -> Locator:
    """The log, with the pane open and the greeting in it."""
    page.get_by_role("button", name="Open chat").click()
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("offline assistant", timeout=15_000)
    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()
    return log


def talked(page: Page) -> None:
    log = chat(page)
    page.get_by_role("textbox", name="Message").fill("list pages")
    page.keyboard.press("Enter")
    expect(log).to_contain_text("take you there", timeout=15_000)


def expanded(page: Page) -> None:
    talked(page)
    page.get_by_role("button", name="Expand chat").click()
    expect(page.get_by_role("button", name="Minimise chat")).to_be_visible()


def chats(page: Page) -> None:
    chat(page)
    page.get_by_role("button", name="Chats:").click()
    page.get_by_role("navigation", name="Chats").get_by_role("button", name="Delete").first.click()
    expect(page.get_by_role("button", name="Keep")).to_be_visible()


def with_chats(page: Page) -> None:
    talked(page)
    page.get_by_role("button", name="Close chat").click()
    page.reload()
    settled(page)
    expect(page.get_by_role("region", name="Recent chats").get_by_role("listitem").first).to_be_visible()


def started(page: Page, workflow: str) -> None:
    page.get_by_role("region", name="Agents").get_by_text(workflow, exact=True).click()


def form(page: Page) -> None:
    started(page, "Project brief")
    expect(page.get_by_role("form", name="Your project")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Expand chat").click()
    expect(page.get_by_role("button", name="Minimise chat")).to_be_visible()


def artifact(page: Page) -> None:
    started(page, "Compare options")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("What shall I compare", timeout=15_000)
    page.get_by_role("textbox", name="Message").fill("hosting plans")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Artifact").get_by_role("table")).to_be_visible(timeout=15_000)


def pressed(name: str, then: str) -> Callable[[Page], None]:
    """Press a button of the page (or header) and wait for a selector."""

    def act(page: Page) -> None:
        page.get_by_role("button", name=name).first.click()
        expect(page.locator(then).first).to_be_visible()

    return act


def mistaken(page: Page) -> None:
    pressed("Edit", "main li form")(page)
    page.locator("main li [name=title]").fill("")
    page.keyboard.press("Enter")
    expect(page.locator("main li [role=alert]")).to_be_visible()


def drawer(page: Page) -> None:
    page.set_viewport_size(NARROW)
    pressed("Menu", ".mz-sidebar:popover-open")(page)


@dataclass
class Scene:
    who: str
    path: str
    act: Callable[[Page], None] | None = None


SCENES = {
    "sign-in": Scene("", "/sign-in"),
    "sign-in-refused": Scene("", "/sign-in?error=WRONG_CREDENTIALS&username=ada"),
    "register": Scene("", "/register"),
    "register-refused": Scene("", "/register?error=PASSWORD_COMMON&username=ada"),
    "visitor-lost": Scene("", "/no-such-page", pressed("Open chat", "#mzc-visitor")),
    "home": Scene("root", "/"),
    "home-with-chats": Scene("eve", "/", with_chats),
    "tasks-empty": Scene("ada", "/plugins/tasks"),
    "tasks-empty-refused": Scene("ada", "/plugins/tasks", pressed("Add", "main [role=alert]")),
    "tasks": Scene("eve", "/plugins/tasks"),
    "tasks-editing": Scene("eve", "/plugins/tasks", pressed("Edit", "main li form")),
    "tasks-mistaken": Scene("eve", "/plugins/tasks", mistaken),
    "tasks-deleting": Scene("eve", "/plugins/tasks", pressed("Delete", "dialog[open]")),
    "plans": Scene("ada", "/plans"),
    "settings": Scene("ada", "/settings"),
    "admin": Scene("root", "/admin"),
    "not-found": Scene("ada", "/no-such-page"),
    "locked-by-role": Scene("ada", "/admin"),
    "locked-by-plan": Scene("ada", "/plugins/vault"),
    "crashed": Scene("ada", "/plugins/crash", pressed("Break", ".mz-panel")),
    "notices": Scene("ada", "/plugins/crash", pressed("Tell", ".mz-toast[role=alert]")),
    "theme-menu": Scene("ada", "/", pressed("Theme", "#mz-theme")),
    "profile-menu": Scene("ada", "/", pressed("Profile", "#mz-profile")),
    "drawer": Scene("ada", "/", drawer),
    "chat-widget": Scene("ada", "/settings", talked),
    "chat-overlay": Scene("ada", "/settings", expanded),
    "chat-list": Scene("ada", "/settings", chats),
    "chat-form": Scene("ada", "/", form),
    "chat-artifact": Scene("ada", "/", artifact),
}


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core objects to, readable."""
    page.evaluate(f"window.axe || (() => {{ {axe} }})()")
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{one['id']}: {node['html'][:200]}\n   {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing(visit_there, crowd, axe, name):
    scene = SCENES[name]
    page = visit_there(getattr(crowd, scene.who) if scene.who else None, scene.path)
    if scene.act:
        scene.act(page)
    found = []
    for size, label in ((NARROW, "390"),) if name == "drawer" else ((WIDE, "1440"), (NARROW, "390")):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            found += [f"{label} {scheme} {one}" for one in violations(page, axe)]
            picture(page, f"state-{name}-{label}-{scheme}")
    assert found == [], "\n".join(found)


def focused(page: Page) -> Locator:
    return page.locator("*:focus")


def test_signing_in_with_the_keyboard_alone(visit_there, crowd):
    page = visit_there(None, f"/sign-in?next={quote('/plugins/tasks')}")
    expect(page.get_by_label("User name or e-mail")).to_be_focused()
    page.keyboard.type(crowd.ada.username)
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/tasks")


@pytest.mark.parametrize(("menu", "first"), [("Theme", "Light"), ("Profile", "Settings")])
def test_a_menu_opens_closes_and_gives_the_focus_back(visit_there, crowd, menu, first):
    page = visit_there(crowd.ada, "/")
    opener = page.get_by_role("button", name=menu)
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text(first)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_the_drawer_navigates_and_says_where_one_arrived(visit_there, crowd):
    page = visit_there(crowd.ada, "/", size=NARROW)
    opener = page.get_by_role("button", name="Menu")
    opener.focus()
    page.keyboard.press("Enter")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Tasks").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/tasks")
    expect(opener).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Tasks")).to_have_count(1)


def test_tasks_with_the_keyboard_alone(visit_there, crowd):
    page = visit_there(crowd.root, "/plugins/tasks")
    new = page.get_by_label("New task")
    new.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Give the task a title.")
    expect(new).to_be_focused()
    page.keyboard.type("Write")
    page.keyboard.press("Enter")
    edit = page.get_by_role("button", name="Edit Write")
    expect(edit).to_be_visible()
    expect(new).to_be_focused()
    edit.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Edit Write it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit Write it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Delete this task?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete Write it")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).focus()
    page.keyboard.press("Enter")
    expect(edit).to_have_count(0)
    expect(page.get_by_label("New task")).to_be_focused()


def test_the_chat_with_the_keyboard_alone(visit_there, crowd):
    page = visit_there(crowd.ada, "/settings")
    bubble, box = page.get_by_role("button", name="Open chat"), page.get_by_role("textbox", name="Message")
    bubble.focus()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("offline assistant", timeout=15_000)
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Hello, Ada", timeout=15_000)
    page.get_by_role("button", name="Expand chat").focus()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    for _ in range(12):  # Tab stays inside the overlay
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('[data-surface=overlay]')")
    page.get_by_role("button", name="Chats:").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    assert page.locator(".mzc-columns").get_attribute("inert") is not None  # nothing behind the list takes the focus
    page.get_by_role("navigation", name="Chats").get_by_role("button", name="Assistant").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Chats")).to_have_count(0)
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(bubble).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/plugins/tasks", "/plans", "/settings", "/admin"])
def test_enlarged_to_400_percent_nothing_is_cut_off(visit_there, crowd, path):
    """WCAG 1.4.10: 1280 pixels at 400 % are 320."""
    page = visit_there(crowd.root, path, size={"width": 320, "height": 256})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
