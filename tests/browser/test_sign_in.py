"""Signing up, in and out in a browser, and coming back to the wanted page (F-030, F-041, F-042)."""

import re
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.conftest import settled
from tests.people import PASSWORD


def at(page) -> str:
    parts = urlsplit(page.url)
    return (parts.path.rstrip("/") or "/") + (f"?{parts.query}" if parts.query else "")


def test_sign_up_leads_to_the_wanted_page_with_its_query(visit, people):
    page = visit(None)
    page.goto("/?tab=a&x=1")
    assert urlsplit(page.url).path.rstrip("/") == "/sign-in"
    settled(page)
    page.get_by_role("link", name="Create one").click()
    page.wait_for_url("**/register**")
    settled(page)
    name = f"user{uuid4().hex[:8]}"
    page.locator("[name=username]").fill(name)
    page.locator("[name=email]").fill(f"{name}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda url: urlsplit(url).path in {"", "/"})
    assert at(page) == "/?tab=a&x=1"


def test_the_wanted_page_is_kept_while_the_program_is_still_on_its_way(visit):
    page = visit(None)
    page.watch.expect("/assets/", "Failed to load", "Failed to fetch")
    page.route("**/assets/*.js", lambda route: route.abort())
    page.goto("/?tab=a&x=1")
    link = page.get_by_role("link", name="Create one")
    expect(link).to_have_attribute("href", re.compile(r"/register\?next=%2F%3Ftab%3Da%26x%3D1$"))
    link.click()
    expect(page.get_by_role("link", name="Sign in", exact=True).last).to_have_attribute("href", re.compile(r"/sign-in\?next="))


def test_sign_in_and_out_and_the_back_button_shows_nothing(visit, people):
    page = visit(None, "/sign-in")
    page.locator("[name=username]").fill(people.ada.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    settled(page)
    expect(page.locator("body")).to_contain_text("Ada")
    cookie = next(one for one in page.context.cookies() if one["name"].endswith("mozaiks_session"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    page.context.request.post("/auth/sign-out", headers={"origin": page.evaluate("location.origin")}, max_redirects=0)
    page.goto("/sign-in")
    page.go_back()
    page.wait_for_url("**/sign-in**")
    expect(page.locator("body")).not_to_contain_text("Ada")


def test_a_wrong_password_says_so_and_keeps_the_name(visit, people):
    page = visit(None, "/sign-in")
    page.locator("[name=username]").fill(people.ada.username)
    page.locator("[name=password]").fill("not the password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?**")
    settled(page)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=username]")).to_have_value(people.ada.username)
