"""The brand in a real browser: tokens of the file, two hosts with two brands, and the page where a brand is made."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mozaiks_shell.appconfig import live
from tests.appconfig.brands import PNG, SVG, UPSTREAM
from tests.browser.conftest import NARROW, browsing, holds, picture, settled
from tests.live import Server, Site, free_port, until
from tests.people import People

ROOT_STYLE = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
ACME = {"name": "Acme", "assets": {"logo": "acme.svg"}, "colors": {"primary": {"main": "#aa0000"}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``MOZAIKS_CONFIGS_PATH``: the upstream brand for everybody, Acme for its host, two named themes."""
    root = tmp_path_factory.mktemp("configs")
    (root / "assets").mkdir()
    for name in ("mozaik.png", "chat_bg_template.png"):
        (root / "assets" / name).write_bytes(PNG)
    (root / "assets" / "mozaik_logo.svg").write_bytes(SVG)
    (root / "brand.json").write_text(json.dumps(UPSTREAM))
    (root / "apps" / "acme" / "assets").mkdir(parents=True)
    (root / "apps" / "acme" / "brand.json").write_text(json.dumps(ACME))
    (root / "apps" / "acme" / "assets" / "acme.svg").write_bytes(SVG)
    (root / "apps.json").write_text(json.dumps({"apps": {"acme": {"hosts": ["acme.localhost"]}}}))
    return root


@pytest.fixture(scope="module")
def shop(live: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    server = Server(
        Site.copy("branding"),
        tmp_path_factory.mktemp("branding"),
        port=port,
        configs_built=False,
        env={"MOZAIKS_CONFIGS_PATH": str(folder), "ADDITIONAL_CORS_ORIGINS": f"http://acme.localhost:{port}"},
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def owners(shop: Server) -> People:
    return People(shop.base)


@pytest.fixture
def see(browser: Browser, shop: Server) -> Iterator[Callable[..., Page]]:
    """As ``visit``, on this product; ``host`` is another name of the same machine."""
    opened = []

    def go(person: object = None, path: str = "/", host: str = "", **options: object) -> Page:
        base = f"http://{host}:{shop.port}" if host else shop.base
        manager = browsing(browser, base, person, **options)  # type: ignore[arg-type]
        context, watch = manager.__enter__()
        opened.append((manager, watch))
        page = context.new_page()
        page.watch = watch  # type: ignore[attr-defined]
        page.goto(path)
        settled(page)
        return page

    yield go
    for manager, _ in opened:
        manager.__exit__(None, None, None)
    assert [watch.verdict() for _, watch in opened if watch.verdict()] == []


def test_f019_the_root_has_every_token_of_the_file(see: Callable[..., Page]) -> None:
    page = see(path="/sign-in", scheme="dark")
    wanted = {
        f"--color-{hue}-{part}": value
        for hue in ("primary", "secondary", "accent", "success", "warning", "error")
        for part, value in UPSTREAM["colors"][hue].items()
        if part != "name"
    }
    wanted |= {f"--color-background-{name}": value for name, value in UPSTREAM["colors"]["background"].items()}
    wanted |= {f"--color-border-{name}": value for name, value in UPSTREAM["colors"]["border"].items()}
    wanted |= {f"--color-text-{name}": value for name, value in UPSTREAM["colors"]["text"].items() if name != "onAccent"}
    wanted |= {f"--shadow-{name}": value for name, value in UPSTREAM["shadows"].items()}
    wanted["--color-text-on-accent"] = UPSTREAM["colors"]["text"]["onAccent"]
    wanted |= {"--core-primitive-surface": "#0f1724", "--core-primitive-text": "#e6eef8", "--core-primitive-accent": "#06b6d4"}
    got = {name: page.evaluate(ROOT_STYLE, name) for name in wanted}
    assert got == wanted
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(11, 18, 32)"
    assert "chat_bg_template.png" in page.evaluate("getComputedStyle(document.querySelector('.mz-frame')).backgroundImage")


def test_f018_two_hosts_show_two_brands(see: Callable[..., Page], shop: Server) -> None:
    house = see(path="/sign-in")
    acme = see(path="/sign-in", host="acme.localhost")
    assert (house.title(), acme.title()) == ("Sign in · MozaiksAI", "Sign in · Acme")
    assert house.evaluate(ROOT_STYLE, "--color-fill") == "#06b6d4"
    assert acme.evaluate(ROOT_STYLE, "--color-fill") == "#aa0000"
    expect(acme.locator(".mz-brand").first).to_contain_text("Acme")
    expect(house.locator(".mz-brand").first).to_contain_text("MozaiksAI")
    assert "MozaiksAI" not in acme.locator("body").inner_text()
    for page in (house, acme):
        logo = page.evaluate("async () => (await fetch('/brand/logo')).headers.get('content-type')")
        assert logo == "image/svg+xml"


@pytest.fixture
def studio(see: Callable[..., Page], owners: People) -> Page:
    """The branding page, opened by the administrator."""
    page = see(owners.root, "/admin/branding")
    expect(page.get_by_role("figure", name="Light")).to_be_visible()
    return page


def token(page: Page, name: str, mode: str = "light") -> str:
    """A token as the preview has it."""
    return page.evaluate(
        "([name, mode]) => document.querySelector(`.mz-preview.${mode}`).style.getPropertyValue(name)", [name, mode]
    )


def test_f024_a_colour_is_seen_in_the_preview_and_nowhere_else(studio: Page) -> None:
    before = studio.evaluate(ROOT_STYLE, "--color-primary-main")
    studio.get_by_label("Brand colour, light", exact=True).fill("#9b1c5a")
    until(lambda: token(studio, "--color-primary-main") == "#9b1c5a", what="the preview")
    expect(studio.locator(".mz-preview.light .mz-primary").first).to_have_css("background-color", "rgb(155, 28, 90)")
    assert studio.evaluate(ROOT_STYLE, "--color-primary-main") == before
    studio.get_by_label("Pick Page, dark", exact=True).evaluate(
        "one => { const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;"
        "set.call(one, '#220022'); one.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    until(lambda: token(studio, "--color-bg", "dark") == "#220022", what="the picker")
    studio.get_by_role("button", name="Undo").click()
    until(lambda: token(studio, "--color-bg", "dark") == "#0b1220", what="undo")
    picture(studio, "branding")


@pytest.mark.parametrize("value", ["red;}body{display:none}", "url(//evil.example/x)", "</style><script>alert(1)</script>"])
def test_f024_no_value_leaves_its_place(studio: Page, value: str) -> None:
    box = studio.get_by_label("Brand colour, light", exact=True)
    box.fill(value)
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(studio.get_by_text("Write a colour as #1a2b3c, rgb(…) or hsl(…).")).to_be_visible()
    assert value not in studio.evaluate(
        "[...document.querySelectorAll('.mz-preview')].map(one => one.getAttribute('style')).join()"
    )
    expect(studio.get_by_role("button", name="Export")).to_be_disabled()
    assert studio.evaluate("getComputedStyle(document.body).display") == "block"


def test_f024_contrast_is_named_and_settled_beside_the_field(studio: Page) -> None:
    row = studio.locator(".mz-colors-row", has_text="Quiet text")
    expect(row).to_contain_text(re.compile(r"3\.5:1 on menus; 4\.5:1 is needed\. #8694a8 is shown instead\."))
    row.get_by_role("button", name="Use #8694a8").click()
    expect(studio.get_by_label("Quiet text, dark", exact=True)).to_have_value("#8694a8")
    expect(row).not_to_contain_text("is needed")
    text = studio.get_by_label("Text, dark", exact=True)
    text.fill("#333333")
    expect(studio.locator(".mz-colors-note[data-level=error]")).to_contain_text("It cannot be used like this.")
    expect(studio.get_by_role("button", name="Save")).to_be_disabled()
    studio.get_by_role("button", name="Fix contrast").click()
    expect(studio.locator(".mz-colors-note[data-level=error]")).to_have_count(0)
    expect(studio.get_by_role("button", name="Save")).to_be_enabled()


def test_a_draft_is_exported_and_brought_back(studio: Page, tmp_path: Path) -> None:
    studio.get_by_role("button", name="Navy and gold").click()
    studio.get_by_label("Name", exact=True).fill("Aurelian")
    expect(studio.locator(".mz-preview-name").first).to_have_text("Aurelian")
    with studio.expect_download() as download:
        studio.get_by_role("button", name="Export").click()
    file = tmp_path / "brand.json"
    download.value.save_as(file)
    assert download.value.suggested_filename == "brand.json"
    made = json.loads(file.read_text())
    assert (made["name"], made["colors"]["primary"]["main"]) == ("Aurelian", "#1d3461")
    studio.get_by_role("button", name="Start over").click()
    expect(studio.locator(".mz-preview-name").first).to_have_text("MozaiksAI")
    studio.locator("input[type=file]").set_input_files(file)
    expect(studio.locator(".mz-preview-name").first).to_have_text("Aurelian")
    bad = tmp_path / "bad.json"
    bad.write_text('{"name": "Evil", "colors": {"primry": {"main": "#fff"}}}')
    studio.locator("input[type=file]").set_input_files(bad)
    expect(studio.get_by_text("there is no token 'primry'; the nearest is primary")).to_be_visible()
    expect(studio.locator(".mz-preview-name").first).to_have_text("Aurelian")


def test_f017_saving_changes_every_page_without_a_build(
    studio: Page, see: Callable[..., Page], folder: Path, owners: People
) -> None:
    """For this app only: Acme's, chosen in the list."""
    acme = folder / "apps" / "acme"
    try:
        _save_acme(studio, see, acme, owners)
    finally:
        (acme / "brand.json").write_text(json.dumps(ACME))
        for old in acme.glob("brand.*.bak"):
            old.unlink()
        time.sleep(live.INTERVAL)  # then the server looks at the file again


def _save_acme(studio: Page, see: Callable[..., Page], acme: Path, owners: People) -> None:
    studio.get_by_label("App", exact=True).select_option("acme")
    expect(studio.locator(".mz-preview-name").first).to_have_text("Acme")
    studio.get_by_label("Name", exact=True).fill("Acme & Sons")
    studio.get_by_label("Brand colour, light", exact=True).fill("#0b6b3a")
    until(lambda: token(studio, "--color-fill") == "#0b6b3a", what="the preview")
    studio.get_by_role("button", name="Save").click()
    expect(studio.get_by_text("Pages show the new brand from now on")).to_be_visible()
    assert json.loads((acme / "brand.json").read_text())["name"] == "Acme & Sons"
    assert json.loads(next(acme.glob("brand.*.bak")).read_text()) == ACME
    page = see(path="/sign-in", host="acme.localhost")
    assert page.title() == "Sign in · Acme & Sons"
    assert page.evaluate(ROOT_STYLE, "--color-fill") == "#0b6b3a"
    assert see(path="/sign-in").title() == "Sign in · MozaiksAI"
    audit = see(owners.root, "/admin")
    expect(audit.get_by_text("Brand saved").first).to_be_visible()


def test_the_page_can_be_used_by_keyboard_and_on_a_phone(see: Callable[..., Page], owners: People) -> None:
    page = see(owners.root, "/admin/branding", size=NARROW)
    expect(page.get_by_role("figure", name="Light")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    box = page.get_by_label("Cards and inputs, light", exact=True)
    box.focus()
    page.keyboard.type("#fdfdfd")
    until(lambda: token(page, "--color-surface") == "#fdfdfd", what="typing")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Derive Cards and inputs, light")).to_be_focused()
    page.keyboard.press("Enter")
    until(lambda: token(page, "--color-surface") == "#ffffff", what="deriving")
    assert page.evaluate("document.querySelector('.mz-preview').inert"), "the preview is a picture"


def test_only_administrators_come_here(see: Callable[..., Page], owners: People) -> None:
    page = see(owners.ada, "/sign-in")
    page.watch.expect("403")  # type: ignore[attr-defined]
    answer = page.goto("/admin/branding")
    assert answer is not None
    assert answer.status == 403
    holds(page, "!document.querySelector('.mz-look')")
