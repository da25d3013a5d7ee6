"""The sample plugin in a browser: add, complete, edit, delete; each person has their own."""

from playwright.sync_api import expect

from tests.browser.conftest import picture, settled

PATH = "/plugins/tasks"


def add(page, title: str) -> None:
    page.get_by_label("New task").fill(title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name=title)).to_be_visible()


def test_a_task_from_start_to_end(visit, people):
    page = visit(people.sign_up("tom", "Tom Tasks"), PATH)
    add(page, "Buy milk")
    add(page, "<b>Write</b> & send")
    expect(page.get_by_text("<b>Write</b> & send")).to_be_visible()
    picture(page, "tasks-two")

    page.reload()
    settled(page)
    page.get_by_role("button", name="Edit Buy milk").click()
    page.get_by_label("Title").fill("Buy oat milk")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("checkbox", name="Buy oat milk")).to_be_visible()

    page.get_by_role("checkbox", name="Buy oat milk").click()
    expect(page.get_by_role("checkbox", name="Buy oat milk")).to_have_count(0)
    page.get_by_role("group", name="Show").get_by_text("Done").click()
    expect(page.get_by_role("checkbox", name="Buy oat milk")).to_be_checked()

    page.get_by_role("button", name="Delete Buy oat milk").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Buy oat milk")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("checkbox", name="Buy oat milk")).to_have_count(0)


def test_nobody_sees_the_tasks_of_others(visit, people):
    mine = visit(people.sign_up("tara", "Tara Tasks"), PATH)
    add(mine, "Only Tara's")
    theirs = visit(people.sign_up("tim", "Tim Tasks"), PATH)
    expect(theirs.get_by_text("No tasks yet")).to_be_visible()
    expect(theirs.locator("body")).not_to_contain_text("Only Tara's")


def test_a_long_title_stays_inside_a_small_window(visit, people):
    page = visit(people.sign_up("ty", "Ty Tasks"), PATH, size={"width": 390, "height": 844})
    add(page, "Donaudampfschifffahrtsgesellschaftskapitän" * 4)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    picture(page, "tasks-long-390")
    assert overflow <= 0
