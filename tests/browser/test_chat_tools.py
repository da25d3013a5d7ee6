"""What agents show, in a browser (F-180 to F-185): forms, artifacts and their actions, charts, files, components of plugins."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, picture, settled
from tests.browser.puppets import Puppet, frame, open_pane, pane, puppet, shown
from tests.live import Server, Site
from tests.people import People

SIZES = pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
BOOKING = {
    "title": "Book a table",
    "schema": {
        "type": "object",
        "required": ["guests", "seat"],
        "properties": {
            "guests": {"type": "integer", "title": "Guests", "minimum": 1, "maximum": 12},
            "seat": {"title": "Where", "oneOf": [{"const": "in", "title": "Inside"}, {"const": "out", "title": "Terrace"}]},
            "contact": {"type": "object", "properties": {"mail": {"type": "string", "format": "email", "title": "E-mail"}}},
            "wishes": {"type": "array", "title": "Wishes", "items": {"enum": ["Vegan", "Window"]}},
        },
    },
}
INVOICES = {
    "title": "Invoices",
    "artifact_id": "inv",
    "columns": ["number", {"key": "status", "label": "Status"}],
    "rows": [{"id": "i1", "number": "2041", "status": "open"}, {"id": "i2", "number": "2042", "status": "open"}],
    "row_actions": [
        {"label": "Remind", "tool": "remind", "params": {"id": "{{id}}"}, "optimistic": {"status": "reminded"}},
        {
            "label": "Write off",
            "tool": "off",
            "style": "danger",
            "confirm": "Write off this invoice?",
            "params": {"id": "{{id}}"},
        },
    ],
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Puppet]:
    with puppet() as one:
        yield one


@pytest.fixture(scope="module")
def shell(live: Server, runtime: Puppet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to the puppet."""
    server = Site.copy("tools").serve(tmp_path_factory.mktemp("tools"), MOZAIKS_AI_URL=runtime.url)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def visitor(browser, shell: Server, crowd: People, runtime: Puppet):
    """``page = visitor(size, scheme)``: somebody new at the front page; a second call is another tab of theirs."""
    person = crowd.sign_up("vic", "Vic Visitor")
    opened = []
    runtime.forget()

    def go(size=WIDE, scheme: str = "light") -> Page:
        if not opened:
            manager = browsing(browser, shell.base, person, size, scheme)
            opened.append((manager, *manager.__enter__()))
        page = opened[0][1].new_page()
        page.goto("/")
        settled(page)
        return page

    yield go
    for manager, _, watch in opened:
        manager.__exit__(None, None, None)
        assert watch.verdict() == []


def log(page: Page):
    return page.get_by_role("log", name="Messages")


@SIZES
def test_f180_a_form_from_a_schema_is_checked_at_its_fields_and_answered_once(visitor, runtime, size, scheme):
    page = visitor(size, scheme)
    open_pane(page)
    runtime.play(shown("core.form", "f1", BOOKING))
    form = page.get_by_role("form", name="Book a table")
    form.get_by_role("button", name="Send answer").click()
    guests = form.get_by_label("Guests")
    expect(guests).to_be_focused()
    expect(guests).to_have_attribute("aria-invalid", "true")
    expect(guests).to_have_accessible_description(re.compile(r"\w"))  # in the browser's own words
    guests.fill("3")
    expect(guests).to_have_attribute("aria-invalid", "false")
    form.get_by_label("Where").select_option("out")
    form.get_by_label("Window").check()
    form.get_by_label("Contact · E-mail").fill("ada@example.com")
    guests.evaluate("box => { box.type = 'text'; box.value = '99'; }")  # as a browser that checks nothing would send it
    form.get_by_role("button", name="Send answer").click()
    expect(guests).to_have_accessible_description("At most 12.")
    expect(form.get_by_role("alert").or_(pane(page).get_by_role("alert")).first).to_have_text("Please look again at: Guests.")
    picture(page, f"form-wrong-{scheme}")
    assert runtime.heard("ui_tool_response") == []
    guests.fill("4")
    form.get_by_role("button", name="Send answer").dblclick()
    (sent,) = runtime.hears("ui_tool_response")
    assert (sent["eventId"], sent["response"]["status"]) == ("f1", "success")
    assert sent["response"]["data"] == {
        "guests": 4, "seat": "out", "contact": {"mail": "ada@example.com"}, "wishes": ["Window"]
    }  # fmt: skip
    expect(form).to_have_count(0)
    expect(log(page)).to_contain_text("You answered")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_f180_a_form_that_is_answered_or_withdrawn_elsewhere_is_so_in_every_tab_at_once(visitor, runtime):
    first = visitor()
    open_pane(first)
    runtime.play(shown("core.form", "f1", {"title": "One", "fields": [{"name": "name", "label": "Name"}]}))
    expect(first.get_by_role("form", name="One")).to_be_visible()
    second = visitor()
    second.locator("#mzc-bubble").click()
    form = second.get_by_role("form", name="One")
    form.get_by_label("Name").fill("Ada")
    form.get_by_role("button", name="Send answer").click()
    for page in (first, second):
        expect(page.get_by_role("form", name="One")).to_have_count(0)
        expect(log(page)).to_contain_text("You answered: Ada")
    runtime.play(shown("core.form", "f2", {"title": "Two", "fields": [{"name": "x"}]}))
    expect(first.get_by_role("form", name="Two")).to_be_visible()
    runtime.play(frame("chat.ui_tool_dismiss", event_id="f2", ui_tool_id="core.form"))
    for page in (first, second):
        expect(page.get_by_role("form", name="Two")).to_have_count(0)
    assert len(runtime.heard("ui_tool_response")) == 1


def test_f180_a_form_beside_the_conversation_is_shut_when_its_run_has_ended(visitor, runtime):
    page = visitor()
    open_pane(page, big=True)
    runtime.play(shown("core.form", "f1", {"title": "Late", "fields": [{"name": "name", "label": "Name"}]}, "artifact"))
    expect(page.get_by_label("Name", exact=True)).to_be_enabled()
    runtime.play(frame("chat.run_complete", status=1))
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    expect(pane(page)).to_contain_text("Nobody waits for this answer any more.")
    picture(page, "form-late")


@SIZES
def test_f181_every_primitive_is_drawn_and_what_nobody_knows_is_inert_data(visitor, runtime, size, scheme):
    page = visitor(size, scheme)
    open_pane(page, big=True)
    parts = [
        {"component": "core.card", "title": "Card", "body": "**bold**", "metadata": [{"label": "State", "value": "Active"}]},
        {"component": "core.list", "title": "List", "items": ["one", {"title": "two", "href": "javascript:alert(1)"}]},
        {"component": "core.table", "title": "Table", "rows": [{"a": 1}]},
        {"component": "core.markdown", "content": "<img src=x onerror=alert(1)>text"},
        *(
            {
                "component": "core.chart",
                "title": f"A {kind}",
                "type": kind,
                "labels": ["Mon", "Tue"],
                "series": [{"data": [1, 2]}],
            }
            for kind in ("bar", "line", "area", "pie")
        ),
        {"component": "core.progress", "title": "Work", "percent": 40, "steps": [{"label": "First", "status": "done"}]},
        {"component": "core.files", "files": [{"name": "a.csv", "content": "a,b\n"}, {"name": "x", "url": "/auth/logout"}]},
        {"component": "core.image", "images": [{"src": "https://remote.example/a.png", "alt": "Far away"}]},
        {"component": "acme.unheard", "html": "<script>alert(1)</script>", "due_date": "2026-05-01"},
    ]
    runtime.play(shown("core.composite", "c1", {"title": "Everything", "children": parts}, "artifact"))
    body = page.locator(".mzc-artifact-body")
    expect(body.locator("strong", has_text="bold")).to_be_visible()
    expect(body.locator("dt", has_text="State")).to_be_visible()
    expect(body.get_by_role("link", name="two")).to_have_count(0)
    for kind in ("bar", "line", "area", "pie"):
        expect(body.get_by_role("img", name=f"A {kind}")).to_have_count(1)
    figures = body.get_by_text("Show the figures").first
    figures.click()
    expect(body.get_by_role("cell", name="Mon").first).to_be_visible()
    expect(body.get_by_role("progressbar", name="Work")).to_have_attribute("value", "40")
    with page.expect_download() as download:
        body.get_by_role("link", name=re.compile("a.csv")).click()
    assert download.value.suggested_filename == "a.csv" and download.value.path().read_text() == "a,b\n"
    expect(body.locator(".mzc-file-name", has_text=re.compile("^x$"))).to_have_count(0)
    expect(body.get_by_role("link", name=re.compile("Far away.*remote.example"))).to_have_attribute("rel", re.compile("noopener"))
    assert body.locator("img, script").count() == 0
    expect(body).to_contain_text("<script>alert(1)</script>")
    expect(body).to_contain_text("2026-05-01")
    picture(page, f"primitives-{scheme}")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def remind(page: Page):
    return page.get_by_role("row", name=re.compile("2041")).get_by_role("button", name="Remind")


def status(page: Page, number: str):
    return page.get_by_role("row", name=re.compile(number)).get_by_role("cell").nth(1)


@SIZES
def test_f182_an_action_shows_at_once_and_rolls_back_when_it_fails(visitor, runtime, size, scheme):
    page = visitor(size, scheme)
    open_pane(page, big=True)
    runtime.play(shown("core.table", "t1", INVOICES, "artifact", awaiting_response=False))
    remind(page).click()
    expect(status(page, "2041")).to_have_text("reminded")
    (asked,) = runtime.hears("artifact.action")
    assert (asked["tool"], asked["params"], asked["artifact_id"]) == ("remind", {"id": "i1"}, "inv")
    expect(remind(page)).to_be_disabled()
    ids = {"action_id": asked["action_id"], "artifact_id": "inv", "tool": "remind"}
    runtime.play(frame("artifact.action.started", **ids))
    expect(remind(page)).to_have_attribute("aria-busy", "true")
    picture(page, f"action-under-way-{scheme}")
    runtime.play(frame("artifact.action.failed", **ids, error="The mail server is away.", rollback=True))
    expect(status(page, "2041")).to_have_text("open")
    expect(page.get_by_role("alert").filter(has_text="The mail server is away.")).to_be_visible()
    expect(remind(page)).to_be_enabled()
    picture(page, f"action-failed-{scheme}")


@SIZES
def test_f182_a_confirmed_action_changes_the_artifact_in_every_tab(visitor, runtime, size, scheme):
    page = visitor(size, scheme)
    open_pane(page, big=True)
    runtime.play(shown("core.table", "t1", INVOICES, "artifact", awaiting_response=False))
    off = page.get_by_role("row", name=re.compile("2042")).get_by_role("button", name="Write off")
    off.click()
    dialog = page.get_by_role("dialog", name="Please confirm")
    expect(dialog).to_contain_text("Write off this invoice?")
    picture(page, f"action-confirm-{scheme}")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(pane(page)).to_have_attribute("data-surface", "overlay")
    assert runtime.heard("artifact.action") == []
    other = visitor(size, scheme)
    other.locator("#mzc-bubble").click()
    other.get_by_role("button", name="Show the artifact").click()
    expect(status(other, "2042")).to_have_text("open")
    off.click()
    dialog.get_by_role("button", name="Write off").click()
    (asked,) = runtime.hears("artifact.action")
    ids = {"action_id": asked["action_id"], "artifact_id": "inv", "tool": "off"}
    patch = [{"op": "remove", "path": "/rows/1"}]
    runtime.play(frame("artifact.action.completed", **ids, result={}, artifact_update={"mode": "patch", "payload": patch}))
    for tab in (page, other):
        expect(tab.get_by_role("row", name=re.compile("2042"))).to_have_count(0)
        expect(tab.get_by_role("row", name=re.compile("2041"))).to_have_count(1)


def test_f182_a_runtime_without_actions_says_so_and_nothing_looks_done(visitor, runtime):
    page = visitor()
    open_pane(page, big=True)
    runtime.play(shown("core.table", "t1", INVOICES, "artifact", awaiting_response=False))
    remind(page).click()
    runtime.hears("artifact.action")
    runtime.play(frame("chat.error", message="Invalid message schema", error_code="SCHEMA_VALIDATION_FAILED"))
    expect(pane(page)).to_contain_text("This assistant's server has no way to carry this out.")
    expect(status(page, "2041")).to_have_text("open")


def test_f183_a_patch_changes_the_table_and_a_bad_one_asks_for_the_whole(visitor, runtime):
    page = visitor()
    open_pane(page, big=True)
    runtime.play(shown("core.table", "t1", INVOICES, "artifact"))
    expect(status(page, "2041")).to_have_text("open")
    paid = [{"op": "replace", "path": "/rows/0/status", "value": "paid"}]
    runtime.play(frame("agui.state.StateDelta", artifact_id="inv", patch=paid))
    expect(status(page, "2041")).to_have_text("paid")
    page.get_by_role("button", name="Status").click()
    order = page.locator(".mzc-artifact tbody tr td:first-child")
    expect(order).to_have_text(["2042", "2041"])
    runtime.play(frame("agui.state.StateDelta", artifact_id="inv", patch=[{"op": "remove", "path": "/rows/9"}]))
    expect(pane(page)).to_contain_text("A change of this was lost; it may be out of date.")
    runtime.set(cached={"inv": {**INVOICES, "rows": [{"id": "i9", "number": "2049", "status": "new"}]}})
    runtime.play(frame("agui.state.StateDelta", artifact_id="inv", patch=[{"op": "remove", "path": "/rows/9"}]))
    expect(status(page, "2049")).to_have_text("new")
    expect(pane(page)).not_to_contain_text("A change of this was lost")
    assert [one["artifact_id"] for one in runtime.heard("GET cached")] == ["inv", "inv"]


def test_f184_a_conversation_in_agui_looks_like_any_other(visitor, runtime):
    page = visitor()
    open_pane(page)
    text = {"messageId": "m1", "agent": "Helper"}
    runtime.play(
        frame("agui.lifecycle.RunStarted", status="running"),
        frame("agui.text.TextMessageStart", **text),
        frame("agui.text.TextMessageContent", content="Said in **AG-UI**.", **text),
        frame("agui.text.TextMessageEnd", **text),
        frame("agui.tool.ToolCallStart", component_type="core.form", callId="f1", awaiting_response=True,
              payload={"title": "Any other", "fields": [{"name": "name"}]}),
    )  # fmt: skip
    expect(log(page).locator(".mzc-message[data-role=agent] strong")).to_have_text("AG-UI")
    expect(page.get_by_role("form", name="Any other")).to_be_visible()
    runtime.play(frame("agui.lifecycle.RunFinished"))
    expect(page.locator(".mzc-status")).to_have_attribute("data-tone", "completed")


@SIZES
def test_f185_a_component_of_a_plugin_is_drawn_and_its_own_handler_answers(visitor, runtime, size, scheme):
    page = visitor(size, scheme)
    open_pane(page)
    runtime.play(shown("notes.draft", "n1", {"title": "Sea trip", "text": "Bring a rope."}))
    form = page.get_by_role("form", name="Draft of a note")
    expect(form.get_by_label("Title")).to_have_value("Sea trip")
    picture(page, f"plugin-component-{scheme}")
    form.get_by_label("Title").fill("Sea trip in May")
    form.get_by_role("button", name="Keep this note").click()
    (sent,) = runtime.hears("ui_tool_response")
    assert (sent["eventId"], sent["response"]["status"], sent["response"]["action"]) == ("n1", "success", "accept")
    expect(form).to_have_count(0)
    page.goto("/plugins/notes")
    settled(page)
    expect(page.get_by_role("link", name="Sea trip in May")).to_be_visible()
