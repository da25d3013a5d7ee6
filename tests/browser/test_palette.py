"""The command palette, shortcuts and entries that start workflows, on a product with plugins and a menu of its own."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.browser.test_accessibility import RULES, axe  # noqa: F401 - a fixture
from tests.live import Server, Site, until
from tests.people import People

DEMO = '''"""Commands, searches, a page without chat."""
import asyncio

from mozaiks_shell import sdk


class Demo(sdk.State):
    n: int = 0

    @sdk.event
    def add(self):
        self.n += 1
        return sdk.notify(f"Now {self.n}")


sdk.commands.register("Add one", run=Demo.add, icon="plus", shortcut="n o", keywords="increment")
sdk.commands.register("Purge everything", run=Demo.add, access=sdk.Access.role("admin"), shortcut="n p")


@sdk.search.provider("Invoices")
async def find(query, person):
    return [sdk.search.Result(f"Invoice {query}", f"/plugins/demo?invoice={query}", f"of {person.name}", "receipt")]


@sdk.search.provider("Broken")
async def broken(query):
    raise RuntimeError("broken on purpose")


@sdk.search.provider("Slow")
async def slow(query):
    await asyncio.sleep(60)


@sdk.page(icon="flask-conical")
def front():
    return sdk.rx.fragment(sdk.ui.page_header("Demo"), sdk.rx.el.p("Count ", Demo.n, id="count"))


@sdk.page("/quiet", title="Quiet", icon="moon", chat=False)
def quiet():
    return sdk.ui.page_header("Quiet", "No chat here.")


@sdk.page("/quiet/[quiet_id]", title="Quieter", in_nav=False, chat=False)
def quieter():
    return sdk.ui.page_header("Quieter")
'''
VAULT = '''"""A page."""
from mozaiks_shell import sdk


@sdk.page()
def front():
    return sdk.ui.page_header("The vault")
'''


def entry(id: str, label: str, mode: str, workflow: str, **more: object) -> dict[str, object]:
    return {"id": id, "label": label, "trigger": {"type": "workflow", "workflow": workflow, "mode": mode, **more}}


MENU = {
    "version": "1.0",
    "startup_mode": "workflow",
    "pages": [
        entry("brief", "Write a brief", "workflow", "ProjectBrief", cache_ttl=600, input={"topic": "x"}),
        entry("compare", "Weigh options", "view", "CompareOptions"),
        entry("ask", "Ask away", "ask", "Assistant"),
    ],
}


@pytest.fixture(scope="module")
def shell(live: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = Site.copy("palette")
    for name, page, access in (("demo", DEMO, "signed_in"), ("vault", VAULT, "plan:pro")):
        folder = site.folder / "plugins" / name
        folder.mkdir(parents=True)
        said = {"name": name, "version": "1.0.0", "display_name": name.title(), "access": access}
        (folder / "manifest.json").write_text(json.dumps(said), "utf-8")
        (folder / "page.py").write_text(page, "utf-8")
    configs = tmp_path_factory.mktemp("palette-configs")
    (configs / "navigation.json").write_text(json.dumps(MENU), "utf-8")
    server = site.serve(tmp_path_factory.mktemp("palette"), MOZAIKS_CONFIGS_PATH=str(configs))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def tab(browser, shell, crowd):
    """Opens a tab of a fresh browser of Ada's (or ``who``)."""
    opened = []

    def go(path: str = "/", who=None, size=WIDE, **options) -> Page:
        manager = browsing(browser, shell.base, who or crowd.ada, size, **options)
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.goto(path)
        settled(page)
        holds(page, "document.querySelector('#mzc-bubble, .mzc-pane') || !document.querySelector('.mzc-dock')")
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def box(page: Page):
    return page.locator(".mz-pal").get_by_role("combobox")


def opened(page: Page, query: str = "") -> Page:
    """Open the palette with the keys and type."""
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    holds(page, "!document.querySelector('.mz-pal-head[data-busy]')")
    if query:
        page.keyboard.type(query)
    return page


def options(page: Page) -> list[str]:
    return page.get_by_role("option").locator(".mz-pal-title").all_inner_texts()


def chosen(page: Page):
    return page.locator("[role=option][aria-selected=true] .mz-pal-title")


def pane_is(page: Page, surface: str, layout: str) -> None:
    pane = page.locator(".mzc-pane")
    expect(pane).to_have_attribute("data-surface", surface)
    expect(pane).to_have_attribute("data-layout", layout)


def chat_of(page: Page) -> str:
    return str(page.evaluate("sessionStorage.getItem('mozaiks.current_chat_id') || ''")).strip('"')


# -- the palette -----------------------------------------------------------------------------------------------------------


def test_it_opens_moves_and_goes_by_keyboard_alone(tab):
    page = opened(tab())
    assert {"Home", "Demo", "Settings", "Assistant", "New chat", "Add one"} <= set(options(page))
    expect(chosen(page)).to_have_text("Home")
    page.keyboard.press("End")
    expect(chosen(page)).to_have_text("Purge everything" if "Purge everything" in options(page) else options(page)[-1])
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_text("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    page.keyboard.type("dmo")
    expect(chosen(page)).to_have_text("Demo")
    assert box(page).get_attribute("aria-activedescendant") == page.locator("[aria-selected=true]").get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/demo")
    expect(page.locator(".mz-pal[open]")).to_have_count(0)
    opened(page)
    expect(page.get_by_role("group", name="Recently used").get_by_role("option").first).to_contain_text("Demo")
    page.keyboard.press("Escape")
    expect(page.locator(".mz-pal[open]")).to_have_count(0)


def test_the_same_keys_close_it_and_the_focus_returns(tab):
    page = tab()
    page.get_by_role("link", name="Settings").first.focus()
    opened(page)
    page.keyboard.press("Control+k")
    expect(page.locator(".mz-pal[open]")).to_have_count(0)
    expect(page.get_by_role("link", name="Settings").first).to_be_focused()


def test_a_new_tab_on_control_enter(tab):
    page = opened(tab(), "demo")
    with page.context.expect_page() as other:
        page.keyboard.press("Control+Enter")
    assert other.value.url.endswith("/plugins/demo")
    assert page.url.endswith("/")


def test_everybody_sees_what_they_may_do(tab, crowd):
    page = opened(tab(), "purge")
    expect(page.get_by_text("Nothing found for “purge”")).to_have_count(0)
    assert "Purge everything" not in options(page)
    root = opened(tab(who=crowd.root), "purge")
    expect(chosen(root)).to_have_text("Purge everything")


def test_a_locked_page_leads_to_the_plans(tab):
    page = opened(tab(), "vault")
    expect(chosen(page)).to_have_text("Vault")
    expect(page.locator("[aria-selected=true] .mz-pal-needed")).to_contain_text("Pro")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plans?plan=Pro")


def test_results_come_while_one_search_is_broken_and_one_slow(tab):
    page = opened(tab(), "acme")
    result = page.get_by_role("group", name="Invoices").get_by_role("option")
    expect(result).to_contain_text("Invoice acme")
    expect(result).to_contain_text("of Ada Lovelace")
    page.keyboard.type("x")
    expect(result).to_contain_text("Invoice acmex")
    picture(page, "palette-results")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/demo?invoice=acmex")


def test_a_command_runs_on_the_server_and_by_its_keys(tab):
    page = opened(tab("/plugins/demo"), "increment")
    expect(chosen(page)).to_have_text("Add one")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("Count 1")
    page.keyboard.press("n")
    page.keyboard.press("o")
    expect(page.locator("#count")).to_have_text("Count 2")
    page.keyboard.press("n")
    page.keyboard.press("p")
    expect(page.get_by_text("This command is not available to you.")).to_be_visible()
    expect(page.locator("#count")).to_have_text("Count 2")


def test_theme_and_language_are_levels_of_it(tab, crowd):
    page = opened(tab(who=crowd.sign_up("polyglot", "Poly Glot")), "change theme")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_attribute("placeholder", "Choose a theme…")
    page.keyboard.press("Escape")
    expect(box(page)).to_have_attribute("placeholder", "Search or jump to…")
    page.keyboard.type("dark th")
    page.keyboard.press("Enter")
    expect(page.locator("html.dark")).to_be_attached()
    opened(page, "deutsch")
    page.keyboard.press("Enter")
    expect(page.locator("html.dark[lang=de]")).to_be_attached()
    page.goto("/settings")
    expect(page.locator("html.dark[lang=de]")).to_be_attached()
    settled(page)
    opened(page, "english")
    page.keyboard.press("Enter")
    expect(page.locator("html[lang=en]")).to_be_attached()
    assert page.url.endswith("/settings")


def test_what_is_typed_is_text(tab):
    page = opened(tab(), "<img src=x onerror=alert(1)>")
    expect(page.get_by_role("option").first).to_contain_text("<img src=x")
    page.keyboard.press("Control+a")
    page.keyboard.type("((([")
    expect(page.get_by_role("option").first).to_contain_text("((([")


def test_on_a_phone_it_fills_the_screen(tab):
    page = tab(size=NARROW)
    page.locator("[data-mz-palette]").first.click()
    expect(box(page)).to_be_focused()
    frame = page.locator(".mz-pal-box").bounding_box()
    assert frame is not None
    assert (round(frame["width"]), round(frame["height"])) == (NARROW["width"], NARROW["height"])
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    picture(page, "palette-390")
    page.locator(".mz-pal").get_by_role("button", name="Close").click()
    expect(page.locator(".mz-pal[open]")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light")])
def test_axe_finds_nothing(tab, axe, size, scheme):  # noqa: F811
    page = tab(size=size, scheme=scheme, bypass_csp=True)

    def check(state: str) -> None:
        page.wait_for_timeout(200)
        page.evaluate(axe)
        found = page.evaluate("(rules) => axe.run({runOnly: rules}).then((r) => r.violations)", RULES)
        told = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]
        assert told == [], f"{state}: {told}"

    opened(page)
    check("open")
    page.keyboard.type("vault")
    expect(page.get_by_role("group", name="Invoices")).to_be_visible()
    check("with results")
    page.keyboard.press("Escape")
    expect(page.locator(".mz-pal[open]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    check("shortcuts")
    page.keyboard.press("Escape")
    page.goto("/chat")
    settled(page)
    check("chats")


# -- shortcuts -------------------------------------------------------------------------------------------------------------


def test_shortcuts_lead_to_pages_outside_of_text_boxes(tab):
    page = tab()
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/settings")
    settled(page)
    opened(page)
    page.keyboard.type("gh?")
    assert page.url.endswith("/settings")
    expect(box(page)).to_have_value("gh?")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("h")
    holds(page, "location.pathname === '/'")


def test_the_sheet_lists_them_and_single_keys_can_be_switched_off(tab):
    page = tab()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for text in ("Search or jump to…", "Settings", "Add one"):
        expect(sheet.get_by_text(text, exact=True)).to_be_visible()
    expect(sheet.get_by_text("Purge everything")).to_have_count(0)
    expect(sheet.get_by_text("Admin", exact=True)).to_have_count(0)
    sheet.get_by_role("switch").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("s")
    opened(page)
    assert page.url.endswith("/")


# -- triggers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "surface", "layout"),
    [("Write a brief", "overlay", "split"), ("Weigh options", "overlay", "view"), ("Ask away", "widget", "full")],
)
def test_f009_an_entry_opens_the_chat_in_the_layout_of_its_mode(tab, label, surface, layout):
    page = opened(tab("/settings"), label)
    page.keyboard.press("Enter")
    pane_is(page, surface, layout)
    assert page.url.endswith("/settings"), "the trigger wins over a path"


def test_f009_a_double_click_in_the_sidebar_starts_one_session(tab, crowd):
    somebody = crowd.sign_up("dora", "Dora Double")  # who has started nothing a moment ago, which a press would lead back to
    page = tab(who=somebody)
    with somebody.client() as client:
        before = client.get("/api/chats").json()["count"]
        page.locator(".mz-nav").get_by_text("Weigh options").dblclick()
        pane_is(page, "overlay", "view")
        until(lambda: chat_of(page), 30, "a chat")
        until(lambda: client.get("/api/chats").json()["count"] > before, 30, "the chat in the list")
        page.wait_for_timeout(400)
        assert client.get("/api/chats").json()["count"] == before + 1


def test_f010_two_presses_within_the_ttl_show_the_same_chat(tab):
    page = opened(tab(), "write a brief")
    page.keyboard.press("Enter")
    first = until(lambda: chat_of(page), 30, "a chat")
    other = opened(tab(), "write a brief")
    other.keyboard.press("Enter")
    assert until(lambda: chat_of(other), 30, "a chat") == first


def test_f007_the_start_mode_opens_the_first_workflow(tab):
    page = tab()
    page.get_by_role("button", name="Open chat").click()
    pane_is(page, "overlay", "split")
    holds(page, "(sessionStorage.getItem('mozaiks.current_workflow_name') || '').includes('ProjectBrief')")


# -- pages without the widget ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/plugins/demo/quiet", "/plugins/demo/quiet/7"])
def test_f034_a_silent_page_has_no_widget_in_its_dom(tab, path):
    page = tab(path)
    expect(page.get_by_role("heading", name=re.compile("^Quiet"), level=1)).to_be_visible()
    assert page.locator(".mzc-dock, #mzc-bubble, .mzc-pane").count() == 0


def test_f034_what_was_typed_is_there_again_after_a_silent_page(tab):
    page = opened(tab(), "ask away")
    page.keyboard.press("Enter")
    pane_is(page, "widget", "full")
    message = page.get_by_role("textbox", name="Message")
    until(lambda: chat_of(page), 30, "a chat")
    message.fill("half a thought")
    opened(page, "quiet")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugins/demo/quiet")
    expect(page.locator(".mzc-dock")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(message).to_have_value("half a thought")
