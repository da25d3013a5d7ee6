"""Settings in a browser, on a product whose ``settings_config.json`` asks for every type of field (F-222 to F-227)."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.browser.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.live import Server, Site
from tests.people import PASSWORD, People, Person

SECTIONS = [
    {
        "id": "personal", "title": "About you", "description": "What colleagues see.", "order": 1,
        "fields": [{"id": "nickname", "label": "Nickname", "type": "text"}],
    },
    {
        "id": "contact", "title": "Contact", "icon": "mail", "order": 2,
        "fields": [
            {"id": "phone", "label": "Phone", "type": "text", "required": True, "description": "With the country's prefix."},
            {"id": "private_email", "label": "Private e-mail", "type": "email"},
            {"id": "address", "label": "Address", "type": "textarea"},
            {"id": "newsletter", "label": "Newsletter", "type": "toggle", "default_enabled": True},
            {
                "id": "size", "label": "T-shirt size", "type": "select",
                "options": [{"value": "s", "label": "Small"}, {"value": "m", "label": "Medium"}],
            },
            {"id": "badge", "label": "Badge number", "type": "text", "editable": False},
            {"id": "ghost", "label": "Ghost", "type": "text", "visible": False},
        ],
    },
    {
        "id": "ways", "title": "Everything else", "icon": "sparkles", "order": 3,
        "fields": [
            {"id": "portrait", "label": "Portrait", "type": "image"},
            {"id": "look", "label": "Appearance", "type": "theme-selector"},
            {"id": "secret", "label": "Secret", "type": "password-change"},
            {"id": "of_tasks", "label": "Settings of Tasks", "type": "plugin-settings", "plugin": "tasks"},
            {"id": "horizon", "label": "Days ahead", "type": "text", "plugin": "tasks"},
        ],
    },
    {
        "id": "notices", "title": "Notices", "icon": "bell", "order": 4,
        "fields": [],
        "plugin_notification_fields": [
            {"id": "due", "plugin": "tasks", "label": "A task is due", "category": "Deadlines", "channels": ["in_app", "email"]},
            {"id": "opened", "plugin": "vault", "label": "The vault was opened", "channels": ["email"]},
        ],
    },
]  # fmt: skip
STORED = re.compile(r"^/api/avatar/usr_\w+\?v=\w+$")
VAULT = '''"""A page."""
from mozaiks_shell import sdk


@sdk.page()
def front():
    return sdk.ui.page_header("The vault", "For those who pay.")
'''


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configs")
    (folder / "settings_config.json").write_text(json.dumps({"profile_sections": SECTIONS}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def shell(live: Server, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A product with that file and a plugin that needs a bigger plan. (``live`` has built the packages this one links to.)"""
    site = Site.copy("settings")
    vault = site.folder / "plugins" / "vault"
    vault.mkdir(parents=True)
    (vault / "manifest.json").write_text(json.dumps({"name": "vault", "version": "1.0.0", "access": "plan:pro"}), "utf-8")
    (vault / "page.py").write_text(VAULT, "utf-8")
    server = site.serve(tmp_path_factory.mktemp("settings"), MOZAIKS_CONFIGS_PATH=str(configs))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def go(browser: Browser, shell: Server) -> Iterator[Callable[..., Page]]:
    """``page = go(person, "/path")``, watched."""
    opened = []

    def visit(person: Person, path: str, **options: object) -> Page:
        manager = browsing(browser, shell.base, person, **options)  # type: ignore[arg-type]
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.watch = watch  # type: ignore[attr-defined]
        page.goto(path)
        settled(page)
        return page

    yield visit
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def bar(page: Page) -> Locator:
    return page.locator(".mz-savebar").last


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(bar(page)).to_have_attribute("data-state", "saved")


def again(page: Page) -> None:
    page.reload()
    settled(page)


@pytest.fixture
def contact(go: Callable[..., Page], crowd: People) -> Page:
    page = go(crowd.sign_up("connie", "Connie Contact"), "/settings/contact")
    page.get_by_label("Phone").fill("+49 30 1234")
    return page


@pytest.mark.parametrize(
    ("label", "value"),
    [("Phone", "+49 40 777"), ("Private e-mail", "ada@home.example"), ("Address", "1 Main Street\nSpringfield")],
    ids=["text", "email", "textarea"],
)
def test_f223_a_text_is_typed_saved_and_there_again(contact, label, value):
    contact.get_by_label(label).fill(value)
    save(contact)
    again(contact)
    expect(contact.get_by_label(label)).to_have_value(value)


def test_f223_a_toggle(contact):
    toggle = contact.get_by_role("switch", name="Newsletter")
    was = toggle.is_checked()
    toggle.click()
    save(contact)
    again(contact)
    assert contact.get_by_role("switch", name="Newsletter").is_checked() is not was


def test_f223_a_select(contact):
    contact.get_by_label("T-shirt size").select_option(label="Medium")
    save(contact)
    again(contact)
    expect(contact.get_by_label("T-shirt size")).to_have_value("m")


def test_f223_a_theme_selector(go, crowd):
    page = go(crowd.ada, "/settings/ways")
    page.get_by_role("radio", name="Dark").check(force=True)
    holds(page, "document.documentElement.classList.contains('dark')")
    crowd.ada.has_theme("dark")
    again(page)
    holds(page, "document.documentElement.classList.contains('dark')")
    elsewhere = go(crowd.sign_in(crowd.ada), "/settings")  # F-021: on another device, too
    holds(elsewhere, "document.documentElement.classList.contains('dark')")
    expect(elsewhere.get_by_role("radio", name="Dark")).to_be_checked()
    elsewhere.get_by_role("radio", name="System").check(force=True)
    holds(elsewhere, "document.documentElement.classList.contains('light')")
    crowd.ada.has_theme("system")


def test_f223_an_image(go, crowd, tmp_path):
    file = tmp_path / "me.png"
    Image.new("RGB", (640, 480), "teal").save(file)
    page = go(crowd.eve, "/settings/ways")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".mz-picture-face img")).to_have_attribute("src", STORED)
    again(page)
    expect(page.locator(".mz-picture-face img")).to_have_attribute("src", STORED)


def test_f223_a_password(go, crowd, shell):
    maria = crowd.sign_up("maria", "Maria Sibylla")
    page = go(maria, "/settings/ways")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("an even better one")
    page.get_by_label("New password again").fill("an even better one")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Password changed", exact=True)).to_be_visible()
    again(page)
    for password, location in (
        ("an even better one", "/"),
        (PASSWORD, f"/sign-in?error=WRONG_CREDENTIALS&username={maria.username}"),
    ):
        fields = {"username": maria.username, "password": password}
        answer = httpx.post(shell.base + "/auth/sign-in", data=fields, headers={"origin": shell.base}, timeout=60)
        assert answer.headers["location"] == location


def test_f223_settings_of_a_plugin(go, crowd):
    paul = crowd.sign_up("paul", "Paul Plugin")
    page = go(paul, "/settings/ways")
    expect(page.get_by_role("heading", name="Settings of Tasks")).to_be_visible()
    page.get_by_label("Days ahead").fill("14")
    save(page)
    again(page)
    expect(page.get_by_label("Days ahead")).to_have_value("14")
    with paul.client() as client:
        assert client.get("/api/plugin-settings/tasks").json()["horizon"] == "14"  # F-226: one store


def test_f224_mistakes_are_told_beneath_their_fields_and_nothing_typed_is_lost(go, crowd):
    page = go(crowd.sign_up("mia", "Mia Mistaken"), "/settings/contact")
    phone, mail = page.get_by_label("Phone"), page.get_by_label("Private e-mail")
    mail.fill("nonsense")
    page.get_by_label("Address").fill("Somewhere")
    page.get_by_role("button", name="Save").click()
    expect(phone).to_be_focused()
    expect(phone).to_have_accessible_description("With the country's prefix. This is required.")
    expect(mail).to_have_accessible_description("This does not look like an e-mail address.")
    expect(mail).to_have_value("nonsense")
    expect(page.get_by_label("Address")).to_have_value("Somewhere")
    expect(bar(page)).to_contain_text("Unsaved changes")
    phone.fill("1")
    mail.fill("")
    page.keyboard.press("Enter")
    expect(bar(page)).to_have_attribute("data-state", "saved")
    expect(page.get_by_role("alert").filter(has_text="This")).to_have_count(0)


def test_f224_read_only_and_hidden_fields(go, crowd):
    page = go(crowd.ada, "/settings/contact")
    expect(page.get_by_label("Badge number")).to_have_attribute("readonly", "")
    expect(page.get_by_text("Ghost")).to_have_count(0)
    with crowd.ada.client() as client:
        refused = client.post("/api/settings", json={"badge": "1"})
    assert refused.status_code == 422


def test_f225_only_plugins_one_may_use_are_listed(go, crowd):
    page = go(crowd.ada, "/settings/notices")
    due = page.get_by_role("switch", name="A task is due")
    expect(due).to_have_accessible_description("Sent in the app and by e-mail.")
    expect(page.get_by_role("heading", name="Deadlines")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("vault")).to_have_count(0)
    was = due.is_checked()
    due.click()
    save(page)
    again(page)
    assert page.get_by_role("switch", name="A task is due").is_checked() is not was


def test_f222_a_field_added_to_the_file_is_there_without_a_build(go, crowd, configs):
    file = configs / "settings_config.json"
    before = file.read_text("utf-8")
    changed = json.loads(before)
    changed["profile_sections"].append(
        {"id": "pets", "title": "Pets", "order": 9, "fields": [{"id": "cat", "label": "Cat", "type": "text"}]}
    )
    file.write_text(json.dumps(changed), "utf-8")
    try:
        page = go(crowd.sign_up("petra", "Petra Pets"), "/settings")
        holds(page, "document.querySelector('.mz-set-nav')")
        link = page.get_by_role("navigation", name="Settings").get_by_role("link", name="Pets")
        for _ in range(5):
            if link.count():
                break
            again(page)
        link.click()
        page.get_by_label("Cat", exact=True).fill("Mitzi")
        save(page)
    finally:
        file.write_text(before, "utf-8")


def test_f227_what_the_administrator_sets_counts_for_who_chose_nothing(go, crowd):
    fresh = crowd.sign_up("fresh", "Fresh Person")
    page = go(crowd.root, "/admin/settings")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Nickname").fill("friend")
    save(page)
    again(page)
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    theirs = go(fresh, "/profile")
    assert theirs.evaluate("document.documentElement.dataset.timezone") == "Asia/Tokyo"
    expect(theirs.get_by_label("Nickname")).to_have_value("friend")
    theirs.get_by_label("Nickname").fill("my own")
    save(theirs)
    other = go(crowd.sign_up("another", "Another One"), "/profile")
    expect(other.get_by_label("Nickname")).to_have_value("friend")
    page.get_by_label("Time zone").select_option("")
    page.get_by_label("Nickname").fill("")
    save(page)


def test_leaving_with_something_unsaved_is_asked_about(contact):
    contact.get_by_label("Phone").fill("unsaved")
    contact.get_by_role("navigation", name="Settings").get_by_role("link", name="Security").click()
    question = contact.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_be_visible()
    question.get_by_role("button", name="Stay").click()
    expect(contact.get_by_label("Phone")).to_have_value("unsaved")
    contact.get_by_role("button", name="Discard").click()
    expect(bar(contact)).to_have_attribute("data-state", "clean")
    contact.get_by_role("navigation", name="Settings").get_by_role("link", name="Security").click()
    contact.wait_for_url("**/settings/security")


def test_an_unknown_section_says_so(go, crowd):
    page = go(crowd.ada, "/settings/nowhere")
    expect(page.get_by_text("There are no such settings")).to_be_visible()
    expect(page.get_by_role("link", name="All settings")).to_be_visible()


def refused(page: Page) -> None:
    page.get_by_label("Phone").fill("")
    page.get_by_label("Private e-mail").fill("nonsense")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Private e-mail")).to_have_attribute("aria-invalid", "true")


def leaving(page: Page) -> None:
    page.get_by_label("Phone").fill("7")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Security").click()
    expect(page.get_by_role("dialog")).to_be_visible()


SCENES: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "section": ("ada", "/settings/contact", None),
    "refused": ("ada", "/settings/contact", refused),
    "leaving": ("ada", "/settings/contact", leaving),
    "ways": ("ada", "/settings/ways", None),
    "notices": ("ada", "/settings/notices", None),
    "plugins": ("ada", "/settings/plugins", None),
    "nowhere": ("ada", "/settings/nowhere", None),
    "personal": ("ada", "/profile", None),
    "operator": ("root", "/admin/settings", None),
}


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing(go, crowd, axe, name):  # noqa: F811 - the fixture
    who, path, act = SCENES[name]
    page = go(getattr(crowd, who), path)
    if act:
        act(page)
    found = []
    for size, label in ((WIDE, "1440"), (NARROW, "390"), ({"width": 720, "height": 450}, "200%")):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            found += [f"{label} {scheme} {one}" for one in violations(page, axe)]
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            picture(page, f"settings-{name}-{label.rstrip('%')}-{scheme}")
            assert overflow <= 0, f"{path} scrolls sideways by {overflow} px at {label}"
    assert found == [], "\n".join(found)
