"""The notes sample in a browser: what is typed is stored by itself and survives whatever happens to the tab."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import holds, settled

PATH = "/plugins/notes"


def begin(page: Page) -> str:
    """A new note; its address."""
    page.get_by_role("button", name="New note").or_(page.get_by_role("button", name="Write the first one")).first.click()
    page.wait_for_url("**/plugins/notes/note_*")
    settled(page)
    return page.url


def stored(page: Page) -> None:
    expect(page.locator(".mz-autosave-note")).to_have_text("Saved")


def test_writing_reading_and_finding_again(visit, people):
    page = visit(people.sign_up("nora", "Nora Notes"), PATH)
    begin(page)
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Crème brûlée")
    page.get_by_label("Text").fill("# Sugar\n\n- [x] vanilla\n- [ ] cream\n\n<img src=x onerror=alert(1)>")
    page.get_by_label("Tags").fill("Recipe, sweet")
    preview = page.locator("section", has=page.get_by_role("heading", name="Preview"))
    expect(preview.get_by_role("heading", name="Sugar")).to_be_visible()
    expect(preview).to_contain_text("<img src=x onerror=alert(1)>")
    stored(page)
    page.reload()
    settled(page)
    expect(page.get_by_label("Title")).to_have_value("Crème brûlée")
    expect(page.get_by_label("Tags")).to_have_value("recipe sweet")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Notes").click()
    page.get_by_label("Search notes").fill("brulee VANILLA")
    expect(page.get_by_role("list", name="Notes").get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("Control+k")
    expect(page.locator(".mz-pal[open] [role=option]").first).to_be_visible()
    page.keyboard.type("vanilla")
    expect(page.get_by_role("option", name="Crème brûlée")).to_be_visible()


def test_leaving_within_the_app_right_after_a_key_loses_nothing(visit, people):
    page = visit(people.sign_up("nils", "Nils Notes"), PATH)
    begin(page)
    page.get_by_label("Text").fill("typed and gone")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Notes").click()
    expect(page.get_by_role("link", name="typed and gone")).to_be_visible()


def test_what_is_typed_without_a_connection_is_there_when_the_tab_is_opened_again(visit, people):
    page = visit(people.ada, PATH)
    address = begin(page)
    page.watch.expect("ERR_INTERNET_DISCONNECTED", "WebSocket", "Failed to fetch")
    page.get_by_label("Text").fill("before")
    stored(page)
    page.context.set_offline(True)
    page.get_by_label("Text").fill("typed in a tunnel")
    page.close()
    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto(address)
    settled(again)
    expect(again.get_by_label("Text")).to_have_value("typed in a tunnel")
    stored(again)
    holds(again, "Object.keys(localStorage).every((key) => !key.startsWith('mz-draft:'))")


def test_two_tabs_do_not_overwrite_each_other(visit, people):
    one = visit(people.ada, PATH)
    address = begin(one)
    two = one.context.new_page()
    two.goto(address)
    settled(two)
    one.get_by_label("Text").fill("from the first tab")
    stored(one)
    two.get_by_label("Text").fill("from the second tab")
    expect(two.get_by_text("changed elsewhere")).to_be_visible()
    two.wait_for_url(lambda url: url != address)
    settled(two)
    expect(two.get_by_label("Text")).to_have_value("from the second tab")
    one.reload()
    settled(one)
    expect(one.get_by_label("Text")).to_have_value("from the first tab")
