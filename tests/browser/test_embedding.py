"""F-196 and F-177: the chat in a real page of another origin, in the operator's colours; others are refused."""

import http.server
import json
import threading
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, picture, settled
from tests.live import Server, Site, free_port, until
from tests.people import People

UI = {
    "chat": {
        "modes": {
            "ask": {"tint": "#b3005e", "label": "Help desk", "greeting": "Ask us anything about tides."},
            "workflow": {"tint": "#00695c", "label": "Projects"},
        },
        "bubbleRadius": "3px",
    }
}
PAGE = """<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><title>A shop</title>
<h1>A shop of somebody else</h1><script>window.told = [];
for (const what of ['open', 'close']) addEventListener('mozaiks:chat:' + what, (e) => told.push([what, e.detail]));</script>
<script src="{app}/embed.js" data-ticket-url="{tickets}"></script>"""


class Shop:
    """A site of its own, whose back end may ask for tickets."""

    def __init__(self) -> None:
        self.port, self.app, self.token, self.user = free_port(), "", "", ""
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tickets = "/ticket" if self.path == "/known" else ""
                self._answer("text/html", PAGE.format(app=shop.app, tickets=tickets))

            def do_POST(self) -> None:
                headers = {"authorization": f"Bearer {shop.token}"}
                told = httpx.post(f"{shop.app}/api/embed/tickets", json={"user_id": shop.user}, headers=headers, timeout=60)
                self._answer("application/json", told.text)

            def _answer(self, kind: str, body: str) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def shell(live: Server, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, which the shop may embed, with colours of its own."""
    folder = tmp_path_factory.mktemp("embed-configs")
    (folder / "ui.json").write_text(json.dumps(UI))
    server = Site.copy("embed").serve(
        tmp_path_factory.mktemp("embed"), configs_built=False, MOZAIKS_CONFIGS_PATH=str(folder), MOZAIKS_EMBED_ORIGINS=shop.origin
    )
    shop.app = server.base
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server, shop: Shop) -> People:
    people = People(shell.base)
    with people.root.client() as root:
        shop.token = root.post("/api/admin/app-tokens", json={"name": "shop", "scopes": ["embed"]}).json()["token"]
    with people.ada.client() as ada:
        shop.user = ada.get("/api/user-profile").json()["user_id"]
    return people


@pytest.fixture
def shopper(browser, shell, crowd):
    """Opens a page of the shop in a browser that knows nobody."""
    contexts = []

    def go(url: str, size=WIDE, scheme: str = "light", cookies=()) -> Page:
        context = browser.new_context(viewport=size, color_scheme=scheme)
        context.set_default_timeout(30_000)
        contexts.append(context)
        context.add_cookies(list(cookies))
        page = context.new_page()
        page.noted = []
        page.on("console", lambda message: page.noted.append(message.text) if message.type in {"error", "warning"} else None)
        page.goto(url)
        return page

    yield go
    for context in contexts:
        context.close()


def bubble(page: Page):
    return page.get_by_role("button", name="Open chat")


def frame(page: Page):
    return page.frame_locator("iframe[title=Chat]")


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_f196_one_script_tag_shows_the_chat_in_another_page_and_f177_its_back_end_says_for_whom(shopper, shop, size, scheme):
    page = shopper(f"{shop.origin}/known", size, scheme)
    bubble(page).click()
    log = frame(page).get_by_role("log", name="Messages")
    expect(log).to_contain_text("offline assistant")
    box = frame(page).get_by_role("textbox", name="Message")
    box.fill("hello")
    box.press("Enter")
    expect(log).to_contain_text("Hello, Ada")
    picture(page, f"embed-widget-{scheme}")
    around = page.locator("iframe[title=Chat]")
    assert around.bounding_box()["width"] < 420
    frame(page).get_by_role("button", name="Expand chat").click()
    until(lambda: around.bounding_box()["width"] == size["width"], 30, "the whole window")
    picture(page, f"embed-overlay-{scheme}")
    frame(page).get_by_role("button", name="Close chat").click()
    expect(around).to_be_hidden()
    expect(bubble(page)).to_be_focused()
    page.evaluate("mozaiksChat.open({workflow_name: 'CompareOptions'})")
    expect(log).to_contain_text("What shall I compare")
    page.evaluate("mozaiksChat.close()")
    expect(around).to_be_hidden()
    until(lambda: len(page.evaluate("told")) >= 4, 30, "word of everything")
    assert [what for what, _ in page.evaluate("told")][-4:] == ["open", "close", "open", "close"]
    assert page.evaluate("told.at(-1)[1].workflow_name") == "CompareOptions"
    assert page.noted == []


def test_f196_who_is_not_known_signs_in_in_a_tab_of_the_app(shopper, shop, crowd):
    page = shopper(f"{shop.origin}/")
    bubble(page).click()
    way_in = frame(page).get_by_role("link", name="Sign in to chat")
    expect(way_in).to_be_visible()
    with page.context.expect_page() as tab:
        way_in.click()
    expect(tab.value.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    tab.value.close()
    frame(page).get_by_role("button", name="Not now").click()
    expect(page.locator("iframe[title=Chat]")).to_be_hidden()


def test_f196_the_apps_own_session_counts_where_browsers_send_it(shopper, shop, crowd):
    page = shopper(f"{shop.origin}/", cookies=crowd.eve.cookies())
    bubble(page).click()
    expect(frame(page).get_by_role("log", name="Messages")).to_contain_text("offline assistant")


def test_f196_an_origin_that_is_not_listed_is_refused_clearly(shopper, shop):
    page = shopper(f"http://127.0.0.1:{shop.port}/known")
    bubble(page).click()
    until(lambda: page.evaluate("1") and page.noted, 30, "the reason")
    assert "http://127.0.0.1" in page.noted[0] and "MOZAIKS_EMBED_ORIGINS" in page.noted[0]
    assert page.locator("iframe").count() == 0
    page.noted.clear()
    page.evaluate(f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{shop.app}/embed'}}))")
    until(lambda: page.evaluate("1") and any("frame-ancestors" in one for one in page.noted), 30, "the refusal of the browser")


def test_f196_a_listed_origin_frames_the_chat_and_no_other_page(shopper, shop, crowd):
    page = shopper(f"{shop.origin}/")
    for path in ("/", "/sign-in", "/settings", "/embed/x", "/admin"):
        page.noted.clear()
        source = f"{shop.app}{path}"
        page.evaluate("src => document.body.append(Object.assign(document.createElement('iframe'), {src}))", source)
        until(lambda: page.evaluate("1") and page.noted, 30, f"the refusal of {path}")
        assert any("frame" in one.lower() or "404" in one for one in page.noted), page.noted
    answer = httpx.get(f"{shop.app}/embed", headers={"accept": "text/html"})
    assert f"frame-ancestors {shop.origin}" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    other = httpx.get(f"{shop.app}/sign-in", headers={"accept": "text/html"})
    assert "frame-ancestors 'none'" in other.headers["content-security-policy"] and other.headers["x-frame-options"] == "DENY"


def test_f196_no_way_leads_from_the_frame_into_the_rest_of_the_app(shopper, shop, crowd):
    page = shopper(f"{shop.origin}/", cookies=crowd.eve.cookies())
    bubble(page).click()
    expect(frame(page).get_by_role("log", name="Messages")).to_contain_text("offline assistant")
    frame(page).get_by_role("textbox", name="Message").press("Control+k")
    box = frame(page).locator(".mz-pal").get_by_role("combobox")
    box.fill("settings")
    expect(frame(page).get_by_role("option").first).to_contain_text("Settings")
    box.press("Enter")
    until(lambda: page.evaluate("1") and any("frame-ancestors" in one for one in page.noted), 30, "the refusal of the browser")


def test_f177_a_ticket_is_good_once_and_never_for_an_administrator(shop, crowd):
    headers = {"authorization": f"Bearer {shop.token}"}
    told = httpx.post(f"{shop.app}/api/embed/tickets", json={"user_id": shop.user}, headers=headers).json()
    own = {"origin": shop.app}
    first = httpx.post(f"{shop.app}/auth/embed", json={"ticket": told["ticket"]}, headers=own)
    again = httpx.post(f"{shop.app}/auth/embed", json={"ticket": told["ticket"]}, headers=own)
    assert (first.status_code, again.status_code, again.json()["code"]) == (204, 401, "TICKET_INVALID")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and cookie.startswith("mozaiks_embed=")
    foreign = httpx.post(f"{shop.app}/auth/embed", json={"ticket": "x"}, headers={"origin": shop.origin})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "ORIGIN_REFUSED")
    as_session = httpx.get(f"{shop.app}/api/chats", headers={"cookie": f"mozaiks_session={told['ticket']}"})
    assert as_session.status_code == 401
    with crowd.root.client() as root:
        boss = root.get("/api/user-profile").json()["user_id"]
        refused = root.post("/api/embed/tickets", json={})
    asked = httpx.post(f"{shop.app}/api/embed/tickets", json={"user_id": boss}, headers=headers)
    assert {(one.status_code, one.json()["code"]) for one in (refused, asked)} == {(403, "ADMIN_NOT_EMBEDDED")}
    with crowd.eve.client() as eve:
        assert eve.post("/api/embed/tickets", json={"user_id": shop.user}).status_code == 403
    assert httpx.get(f"{shop.app}/api/chats", headers=headers).status_code == 403, "the token opens nothing else"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_f196_names_tints_radius_and_greeting_are_the_operators(shopper, shell, crowd, scheme):
    page = shopper(f"{shell.base}/settings", scheme=scheme, cookies=crowd.sign_up("tint", "Tin Ted").cookies())
    settled(page)
    page.locator("#mzc-bubble").click()
    pane = page.locator(".mzc-pane")
    expect(page.get_by_role("button", name="Help desk")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Projects")).to_be_visible()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("offline assistant")
    box = page.get_by_role("textbox", name="Message")
    box.fill("hello")
    box.press("Enter")
    said = page.locator(".mzc-said").last
    expect(said).to_have_css("border-radius", "3px")
    ask = pane.evaluate("pane => getComputedStyle(pane).getPropertyValue('--color-accent').trim()")
    press = page.get_by_role("button", name="Projects")
    press.click()
    page.get_by_role("navigation", name="Chats").get_by_role("button", name="Compare options").click()
    expect(pane).to_have_attribute("data-mode", "workflow")
    work = pane.evaluate("pane => getComputedStyle(pane).getPropertyValue('--color-accent').trim()")
    assert ask != work
    if scheme == "light":
        assert (ask, work) == ("#b3005e", "#00695c")
    picture(page, f"pane-tinted-{scheme}")
