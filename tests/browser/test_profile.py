"""Profile, preferences, security and leaving, in a browser (F-021, F-231, F-233 to F-235)."""

import json
import re
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, holds, picture, settled
from tests.browser.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.people import PASSWORD

STORED = re.compile(r"^/api/avatar/usr_\w+\?v=\w+$")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile/15E148 Safari/604.1"


@pytest.fixture(scope="module")
def vera(people):
    """Somebody of this module's own."""
    return people.sign_up("vera", "Vera Rubin")


def test_f231_a_picture_is_cut_stored_shown_in_the_header_and_removed(visit, vera, tmp_path):
    file = tmp_path / "me.jpg"
    Image.new("RGB", (3000, 2000), "olive").save(file, quality=95)
    page = visit(vera, "/profile")
    face, header = page.locator(".mz-picture-face"), page.get_by_role("banner").locator("button > .mz-face")
    expect(face).to_have_text("VR")
    page.locator("input[type=file]").set_input_files(file)
    expect(face.locator("img")).to_have_attribute("src", STORED)
    expect(header.locator("img")).to_have_attribute("src", STORED)
    page.reload()
    settled(page)
    expect(header.locator("img")).to_have_attribute("src", STORED)
    address = face.locator("img").get_attribute("src")
    with vera.client() as client:
        answer = client.get(address)
    assert answer.headers["content-type"] == "image/webp"
    page.get_by_role("button", name="Remove").click()
    expect(face).to_have_text("VR")
    expect(page.get_by_role("button", name="Upload picture")).to_be_focused()
    page.reload()
    settled(page)
    expect(header).to_have_text("VR")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"not a picture", "Choose a JPEG, PNG, WebP or GIF picture."),
        ("torn.png", b"\x89PNG\r\n\x1a\nnothing behind it", "This file cannot be read as a picture. Choose another one."),
        ("vast.png", b"\0" * (25 * 1024 * 1024 + 1), "This file is larger than 25 MB. Choose a smaller one."),
    ],
)
def test_f231_what_is_no_picture_is_refused_with_a_reason(visit, vera, tmp_path, name, content, said):
    file = tmp_path / name
    file.write_bytes(content)
    page = visit(vera, "/profile")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(page.locator(".mz-picture-face")).to_have_text("VR")


def test_f231_the_name_is_saved_and_the_header_follows(visit, vera):
    page = visit(vera, "/profile")
    name = page.get_by_label("Name", exact=True)
    name.fill("Vera Florence Cooper")
    page.keyboard.press("Enter")
    expect(page.locator(".mz-savebar").first).to_contain_text("Saved")
    expect(page.get_by_role("banner").locator("button > .mz-face")).to_have_text("VF")
    page.reload()
    settled(page)
    expect(name).to_have_value("Vera Florence Cooper")
    name.fill("")
    page.keyboard.press("Enter")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("Vera Rubin")
    page.keyboard.press("Enter")
    expect(page.locator(".mz-savebar").first).to_contain_text("Saved")


def test_the_time_zone_of_the_device_comes_first_and_dates_follow_the_choice(visit, people):
    page = visit(people.sign_up("zara", "Zara Zone"), "/settings", timezone_id="Europe/Berlin")
    zones = page.get_by_label("Time zone")
    expect(zones.locator("option").first).to_have_text(re.compile("^Automatic · Berlin \u2066\\(UTC\\+0[12]:00\\)\u2069$"))
    expect(zones.locator("optgroup").first).to_have_attribute("label", "This device")
    zones.select_option("Asia/Kolkata")
    expect(page.locator(".mz-set-sample")).to_contain_text(re.compile(r"\d{4} at \d+:\d\d"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-timezone", "Asia/Kolkata")
    expect(page.locator(".mz-savebar")).to_contain_text("Saved")
    expect(page.get_by_role("button", name="Save")).to_be_focused()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Kolkata")


def test_a_language_is_chosen_by_its_own_name_and_the_page_comes_back_in_it(visit, people):
    page = visit(people.sign_up("noor", "Noor Inayat"), "/settings")
    page.locator("#set-locale").select_option(label="العربية")
    page.locator(".mz-savebar [type=submit]").click()
    expect(page.locator("html[lang=ar][dir=rtl]")).to_have_count(1)
    expect(page.locator("#set-locale")).to_have_value("ar")
    page.locator("#set-locale").select_option("en")
    page.locator(".mz-savebar [type=submit]").click()
    expect(page.locator("html[lang=en][dir=ltr]")).to_have_count(1)


def test_f021_a_theme_is_on_at_once_and_for_good(visit, people):
    ruth = people.sign_up("ruth", "Ruth Moore")
    page = visit(ruth, "/settings", scheme="light")
    page.get_by_role("radio", name="System").focus()
    page.keyboard.press("ArrowLeft")
    holds(page, "document.documentElement.classList.contains('dark')")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    ruth.has_theme("dark")
    page.reload()
    settled(page)
    holds(page, "document.documentElement.classList.contains('dark')")
    other = visit(people.sign_in(ruth), "/settings", scheme="light")  # another browser
    holds(other, "document.documentElement.classList.contains('dark')")


def test_f233_the_old_password_is_asked_for_and_mistakes_are_told(visit, people):
    page = visit(people.sign_up("lise", "Lise Meitner"), "/settings/security")
    old, new, once_more = (
        page.get_by_label("Current password"),
        page.get_by_label("New password", exact=True),
        page.get_by_label("New password again"),
    )
    new.fill("short")
    page.keyboard.press("Enter")
    expect(old).to_be_focused()
    expect(old).to_have_accessible_description("Type your current password.")
    old.fill("not this one")
    once_more.fill("short")
    page.keyboard.press("Enter")
    expect(new).to_have_accessible_description(re.compile("Choose a password of at least 10 characters."))
    for control in (new, once_more):
        control.fill("nuclear fission 1938")
    page.keyboard.press("Enter")
    expect(old).to_have_accessible_description("This is not your current password.")
    expect(old).to_be_focused()
    old.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Password changed", exact=True)).to_be_visible()
    expect(old).to_have_value("")


def test_f235_sessions_are_told_apart_and_ended(visit, people, live):
    hedy = people.sign_up("hedy", "Hedy Lamarr")
    fields = {"username": hedy.username, "password": PASSWORD}
    answer = httpx.post(live.base + "/auth/sign-in", data=fields, headers={"origin": live.base, "user-agent": PHONE}, timeout=60)
    phone = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    page = visit(hedy, "/settings/security")
    lines = page.get_by_role("list", name="Sessions").get_by_role("listitem")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("This device")
    expect(lines.nth(1)).to_contain_text("Safari on iPhone")
    page.get_by_role("button", name="Sign out Safari on iPhone").click()
    expect(lines).to_have_count(1)
    assert httpx.get(live.base + "/api/user-profile", headers=phone, timeout=60).status_code == 401


def test_f235_signing_out_everywhere_asks_and_ends_this_session_too(visit, people, live):
    emmy = people.sign_up("emmy", "Emmy Noether")
    elsewhere = people.sign_in(emmy)
    page = visit(emmy, "/settings/security")
    opener = page.get_by_role("group", name="Sessions").get_by_role("button", name="Sign out everywhere")
    opener.click()
    question = page.get_by_role("dialog", name="Sign out everywhere?")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.click()
    question.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/sign-in*")
    with elsewhere.client() as client:
        assert client.get("/api/user-profile").status_code == 401


def test_f234_everything_can_be_taken_along(visit, vera):
    page = visit(vera, "/settings/data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my data").click()
    assert download.value.suggested_filename == "my-data.json"
    found = json.loads(download.value.path().read_text("utf-8"))
    assert found["profile"]["username"] == "vera"
    assert PASSWORD not in json.dumps(found)


def test_f234_an_account_is_deleted_with_its_name_and_password(visit, people, live):
    gone = people.sign_up("gone", "Soon Gone")
    page = visit(gone, "/settings/data")
    page.get_by_role("button", name="Delete account").click()
    question = page.get_by_role("dialog", name="Delete your account?")
    expect(question).to_contain_text("Your chats and what was made in them")
    expect(question).to_contain_text(re.compile("Your data in .*Tasks"))
    really = question.get_by_role("button", name="Delete my account")
    really.click()
    name, password = question.get_by_label("to confirm"), question.get_by_label("Your password")
    expect(name).to_be_focused()
    name.fill(gone.username)
    password.fill("wrong password")
    really.click()
    expect(password).to_have_accessible_description("This is not your current password.")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in*")
    fields = {"username": gone.username, "password": PASSWORD}
    answer = httpx.post(live.base + "/auth/sign-in", data=fields, headers={"origin": live.base}, timeout=60)
    assert "WRONG_CREDENTIALS" in answer.headers["location"]


def test_f234_the_last_administrator_is_told_why_not(visit, people):
    page = visit(people.root, "/settings/data")
    page.get_by_role("button", name="Delete account").click()
    question = page.get_by_role("dialog", name="Delete your account?")
    question.get_by_label("to confirm").fill("root")
    question.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(question.get_by_role("alert").filter(has_text="only administrator")).to_be_visible()
    with people.root.client() as client:
        assert client.get("/api/user-profile").status_code == 200


def sure(name: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return act


SCENES: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "preferences": ("/settings", None),
    "profile": ("/profile", None),
    "security": ("/settings/security", None),
    "everywhere": ("/settings/security", sure("Sign out everywhere")),
    "data": ("/settings/data", None),
    "delete": ("/settings/data", sure("Delete account")),
}


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing(visit, vera, axe, name):  # noqa: F811 - the fixture
    path, act = SCENES[name]
    page = visit(vera, path)
    if act:
        act(page)
    found = []
    for size, label in ((WIDE, "1440"), (NARROW, "390"), ({"width": 720, "height": 450}, "200")):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            found += [f"{label} {scheme} {one}" for one in violations(page, axe)]
            picture(page, f"account-{name}-{label}-{scheme}")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{path} scrolls sideways by {overflow} px at {label}"
    assert found == [], "\n".join(found)
