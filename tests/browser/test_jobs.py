"""One's long-running jobs, seen while they run on the embedded runtime (F-155)."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, picture, settled


def begin(person, message: str, workflow: str = "CompareOptions", seconds: float = 600) -> str:
    with person.client() as client:
        told = client.post("/api/ai/jobs", json={"workflow_name": workflow, "message": message, "timeout_seconds": seconds})
    assert told.status_code == 202, told.text
    return told.json()["id"]


def row(page, title: str):
    return page.locator(".mz-plug-row").filter(has=page.get_by_role("heading", name=title, exact=True))


def in_menu(page):
    return page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs", exact=True)


def test_f155_a_job_is_seen_from_pending_to_done_and_what_it_made_is_downloaded(visit, people):
    judy = people.sign_up("judy", "Judy Job")
    page = visit(judy, "/jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    expect(in_menu(page)).to_have_count(0)
    picture(page, "jobs-none")
    begin(judy, "hosting plans")
    job = row(page, "hosting plans")
    expect(job).to_contain_text("Needs an answer")
    expect(job).to_contain_text("steps so far")
    picture(page, "jobs-waiting")
    page.reload()
    settled(page)
    expect(in_menu(page)).to_have_count(1)
    job.get_by_role("link", name="Answer").click()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Here is the table")
    page.get_by_role("textbox", name="Message").fill("yes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Result")
    page = visit(judy, "/jobs")  # without the chat over it
    job = row(page, "hosting plans")
    expect(job).to_have_attribute("data-state", "done")
    with page.expect_download() as coming:
        job.get_by_role("link", name="Download:").click()
    made = json.loads(Path(coming.value.path()).read_text())
    assert coming.value.suggested_filename.endswith(".json") and made
    picture(page, "jobs-done")


def test_f155_a_job_that_takes_too_long_says_so_while_one_looks(visit, people):
    june = people.sign_up("june", "June Job")
    page = visit(june, "/jobs", size=NARROW)
    begin(june, "Write a brief of the spring relaunch", "ProjectBrief", seconds=10)
    job = row(page, "Write a brief of the spring relaunch")
    expect(job).to_have_attribute("data-state", "timed_out")
    expect(job).to_contain_text("Timed out")
    expect(job).to_contain_text("Nobody answered what it asked in its chat.")
    picture(page, "jobs-timed-out")


def test_f155_a_job_is_cancelled_after_a_question_and_nobody_else_sees_it(visit, people):
    jane = people.sign_up("jane", "Jane Job")
    begin(jane, "Not this one", "ProjectBrief")
    page = visit(jane, "/jobs")
    job = row(page, "Not this one")
    job.get_by_role("button", name="Cancel: Not this one").click()
    page.get_by_role("dialog", name="Cancel this job?").get_by_role("button", name="Keep it").click()
    assert job.get_attribute("data-state") != "cancelled"
    job.get_by_role("button", name="Cancel: Not this one").click()
    page.get_by_role("dialog", name="Cancel this job?").get_by_role("button", name="Cancel the job").click()
    expect(job).to_have_attribute("data-state", "cancelled")
    other = visit(people.eve, "/jobs")
    expect(other.get_by_text("No jobs yet")).to_be_visible()
