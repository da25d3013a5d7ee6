"""The embedded runtime's workflows in the pane: a form in the conversation, a table beside it, and Stop."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import picture


def start(page: Page, name: str) -> None:
    """Start a workflow from the home page's list of agents."""
    page.locator("main").get_by_text(name, exact=True).first.click()
    expect(page.get_by_role("log", name="Messages")).to_be_visible()


def test_a_form_in_the_conversation(visit, people):
    page = visit(people.sign_up("wilma", "Wilma Work"), "/")
    start(page, "Project brief")
    form = page.get_by_role("form", name="Your project")
    expect(form).to_be_visible()
    picture(page, "chat-form")
    form.locator("[name=name]").fill("Tide tables")
    form.locator("[name=kind]").select_option("website")
    form.locator("button[type=submit]").click()
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Tide tables")
    expect(log).to_contain_text("Who is the most important visitor")
    expect(form.locator("button[type=submit]:enabled")).to_have_count(0)


def test_a_table_beside_the_conversation(visit, people):
    page = visit(people.sign_up("willem", "Willem Work"), "/")
    start(page, "Compare options")
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("I can compare")
    box = page.get_by_role("textbox", name="Message")
    box.fill("hosting plans")
    page.keyboard.press("Enter")
    artifact = page.get_by_role("region", name="Artifact").or_(page.get_by_role("complementary", name="Artifact"))
    expect(artifact.get_by_role("table")).to_be_visible()
    picture(page, "chat-artifact")


def test_stop_ends_the_answer(visit, people):
    page = visit(people.sign_up("wendy", "Wendy Work"), "/")
    page.get_by_role("button", name="Open chat").click()
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Ask me anything")  # the greeting is whole: what is stopped is the answer
    page.get_by_role("textbox", name="Message").fill("what can you do")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    expect(log).to_contain_text("Stopped")
    page.get_by_role("textbox", name="Message").fill("hello")
    page.keyboard.press("Enter")
    expect(log).to_contain_text("Hello, Wendy")


def test_f146_an_allowed_card_opens_the_chat_and_a_locked_one_says_which_plan_opens_it(visit, people):
    """The catalogue of agents on the start page."""
    locked = {
        "workflow_name": "TripPlanner",
        "display_name": "Trip planner",
        "allowed_plans": ["pro"],
        "description": "Plans trips.",
    }
    with people.root.client() as root:
        assert root.post("/api/workflows/register", json=locked).status_code in {200, 201}
    try:
        page = visit(people.sign_up("wanda", "Wanda Work"), "/")
        card = page.locator("main").get_by_role("button", name="Trip planner")
        expect(card).to_contain_text("Pro")
        picture(page, "agents-locked")
        card.click()
        dialog = page.get_by_role("dialog", name="Trip planner is part of the plan Pro.")
        expect(dialog).to_contain_text("Plans trips.")
        picture(page, "agents-upgrade")
        expect(dialog.get_by_role("link", name="See plans")).to_have_attribute("href", "/plans?plan=Pro")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("log", name="Messages")).to_have_count(0)
        start(page, "Compare options")
        expect(page.get_by_role("log", name="Messages")).to_contain_text("What shall I compare")
    finally:
        with people.root.client() as root:
            assert root.delete("/api/workflows/register/TripPlanner").status_code == 200
