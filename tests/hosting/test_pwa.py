"""Installable: manifest, icons, service worker, offline page, what a shared link shows, and the pages that stand alone."""

import io
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from PIL import Image

from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems, pwa, standalone
from mozaiks_shell.hosting.error_kinds import kind_of
from mozaiks_shell.hosting.icons import CANVASES
from mozaiks_shell.hosting.social import head_tags, markup
from mozaiks_shell.ui.page import Page
from tests.appconfig.brands import Folder

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="#{}"/></svg>'


@pytest.fixture
def folder(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """``MOZAIKS_CONFIGS_PATH``, empty."""
    root = tmp_path / "configs"
    (root / "assets").mkdir(parents=True)
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(root))
    get_settings.cache_clear()
    return Folder(root)


@pytest.fixture
def client(folder: Folder) -> AsyncClient:
    api = FastAPI()
    problems.install(api)
    api.include_router(pwa.router)
    return AsyncClient(transport=ASGITransport(api), base_url="http://test")


def pixel(png: bytes, x: float, y: float) -> tuple[int, ...]:
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    return image.getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))  # type: ignore[return-value]


async def test_the_manifest_says_what_an_installed_app_needs(client: AsyncClient) -> None:
    answer = await client.get("/manifest.webmanifest")
    assert answer.headers["content-type"].startswith("application/manifest+json")
    said = answer.json()
    assert said["name"] == brand().name and 0 < len(said["short_name"]) <= 12
    assert (said["start_url"], said["scope"], said["display"], said["id"]) == ("/", "/", "standalone", "/")
    assert said["lang"] == "en" and said["dir"] == "ltr"
    assert re.fullmatch(r"#[0-9a-f]{6}", said["theme_color"]) and said["background_color"] == said["theme_color"]
    assert {(one["sizes"], one["purpose"]) for one in said["icons"]} >= {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for one in said["icons"]:
        image = await client.get(one["src"])
        assert image.headers["content-type"] == one["type"]
        assert "x".join(map(str, Image.open(io.BytesIO(image.content)).size)) == one["sizes"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mozaiks", "Mozaiks"),
        ("Acme Field Service", "Acme Field"),
        ("Donaudampfschifffahrt", "Donaudampfsc"),
        ("日本語" * 5, "日本語" * 4),
    ],
)
def test_a_short_name_fits_beneath_an_icon(name: str, short: str) -> None:
    assert pwa.short_name(name) == short


async def test_icons_are_drawn_from_the_logo_of_the_brand(client: AsyncClient, folder: Folder) -> None:
    (folder.root / "assets" / "mine.svg").write_text(SVG.format("ff0000"))
    folder.write("brand.json", {"name": "Red", "assets": {"logo": "mine.svg"}})
    names = ("icon-512.png", "icon-maskable-512.png", "apple-touch-icon.png")
    plain, cut, touch = [(await client.get(f"/brand/icons/{name}")).content for name in names]
    assert pixel(plain, 0.5, 0.5) == pixel(cut, 0.5, 0.5) == (255, 0, 0, 255)
    assert pixel(plain, 0, 0)[3] == 0  # nothing behind it
    assert pixel(cut, 0, 0)[3] == pixel(touch, 0, 0)[3] == 255  # a ground up to the corners
    for x, y in ((0.5, 0.12), (0.16, 0.16), (0.88, 0.5)):  # the image stays in the circle that no launcher cuts off
        assert pixel(cut, x, y) != (255, 0, 0, 255)
    assert (await client.get("/brand/icons/social.png")).content[:4] == b"\x89PNG"


@pytest.mark.parametrize("content", ["<svg", "<svg xmlns='http://www.w3.org/2000/svg'><rect", "<?xml version='1.0'?><p/>"])
async def test_a_broken_logo_does_not_break_the_icons(client: AsyncClient, folder: Folder, content: str) -> None:
    (folder.root / "assets" / "mine.svg").write_text(content)
    folder.write("brand.json", {"name": "Red", "assets": {"logo": "mine.svg"}})
    answer = await client.get("/brand/icons/icon-192.png")
    assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).size == (192, 192)


async def test_an_icon_is_revalidated_and_changes_with_the_logo(client: AsyncClient, folder: Folder) -> None:
    first = await client.get("/brand/icons/icon-192.png")
    known = {"if-none-match": first.headers["etag"]}
    assert (await client.get("/brand/icons/icon-192.png", headers=known)).status_code == 304
    (folder.root / "assets" / "mine.svg").write_text(SVG.format("00ff00"))
    folder.write("brand.json", {"name": "Green", "assets": {"logo": "mine.svg"}})
    assert (await client.get("/brand/icons/icon-192.png", headers=known)).status_code == 200
    assert (await client.get("/brand/icons/../secret.png")).status_code == 404
    assert (await client.get("/brand/icons/icon-9999.png")).status_code == 404


async def test_the_worker_keeps_the_offline_page_only(client: AsyncClient, folder: Folder) -> None:
    answer = await client.get("/sw.js")
    assert answer.headers["content-type"].startswith("text/javascript") and answer.headers["cache-control"] == "no-cache"
    assert re.findall(r'"(/[^"]*)"', answer.text) == ["/offline", "/offline.js"]
    assert "cache.put" not in answer.text and "kept.put" not in answer.text
    version = re.search(r"mozaiks-offline-([0-9a-f]{16})", answer.text)
    assert version
    folder.write("brand.json", {"name": "Another", "colors": {"primary": {"main": "#006644"}}})
    assert version[1] not in (await client.get("/sw.js")).text  # another page: browsers fetch it anew


async def test_the_operator_can_take_the_worker_out_of_every_browser(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "register(" in (await client.get("/register-worker.js")).text
    assert "if (true)" in (await client.get("/register-worker.js")).text
    monkeypatch.setenv("MOZAIKS_SERVICE_WORKER", "false")
    get_settings.cache_clear()
    worker = (await client.get("/sw.js")).text
    assert "unregister()" in worker and "fetch" not in worker
    assert "if (false)" in (await client.get("/register-worker.js")).text


async def test_the_offline_page_needs_nothing_else(client: AsyncClient, folder: Folder) -> None:
    folder.write("brand.json", {"name": "Acme & <Sons>"[:4], "colors": {"primary": {"main": "#006644"}}})
    page = (await client.get("/offline")).text
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == [
        one for one in re.findall(r'(?:src|href)="([^"]*)"', page) if one in {"", "/offline.js"} or one.startswith("data:image/")
    ]
    assert "<script>" not in page and "onclick" not in page  # the policy allows none
    assert "prefers-color-scheme:dark" in page and "#006644" in page


async def test_pages_that_stand_alone_are_mirrored_where_people_read_from_the_right(settings: object) -> None:
    i18n.speak("ar")
    try:
        assert '<html lang="ar" dir="rtl">' in standalone.offline_page()
        assert 'dir="rtl"' in standalone.failure_page(500, "req_1")
    finally:
        i18n.speak("en")


def test_the_last_resort_says_the_reference_and_a_503_tries_again(settings: object) -> None:
    broken, away = standalone.failure_page(500, "req_<7>"), standalone.failure_page(503, "req_8", retry_after=30)
    assert "req_&lt;7&gt;" in broken and 'http-equiv="refresh"' not in broken
    assert '<meta http-equiv="refresh" content="30">' in away
    assert "<script" not in broken + away


def test_the_last_resort_is_there_even_when_the_brand_is_not(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: str = "") -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(standalone, "brand", gone)
    assert "req_&lt;9&gt;" in standalone.failure_page(500, "req_<9>")


def tags_of(page: Page | None, **more: str) -> dict[str, str]:
    found = head_tags(page, brand(), "https://app.example.com", "de", **more)
    named: dict[str, str] = {}
    for _, said in found:
        name = next(said[key] for key in ("name", "property", "rel", "src") if key in said)
        named[name + said.get("media", "")] = said.get("content") or said.get("href", "")
    return named


def page_of(access: Access, route: str = "/plans") -> Page:
    return Page(route, "Plans", lambda: None, access, description="What it costs.")  # type: ignore[arg-type,return-value]


def test_a_shared_link_to_a_public_page_shows_what_it_is(settings: object) -> None:
    tags = tags_of(page_of(Access.public()))
    assert tags["og:title"] == f"Plans · {brand().name}" and tags["og:description"] == tags["description"] == "What it costs."
    assert tags["og:image"].startswith("https://app.example.com/brand/icons/social.png?v=")
    assert tags["canonical"] == tags["og:url"] == "https://app.example.com/plans"
    assert tags["og:locale"] == "de_DE" and tags["twitter:card"] == "summary_large_image"
    assert tags["manifest"] == "/manifest.webmanifest" and "robots" not in tags
    assert tags["theme-color(prefers-color-scheme: light)"] != tags["theme-color(prefers-color-scheme: dark)"]


@pytest.mark.parametrize("access", [Access.signed_in(), Access.role("admin"), Access.plan("pro")])
def test_a_shared_link_to_any_other_page_gives_nothing_away(settings: object, access: Access) -> None:
    tags = tags_of(page_of(access, "/mergers/project-x"))
    assert tags["og:title"] == brand().name and "costs" not in str(tags) and tags["robots"] == "noindex"


def test_an_error_is_not_indexed_and_a_page_with_a_parameter_has_its_own_address(settings: object) -> None:
    assert tags_of(None)["robots"] == "noindex" and "canonical" not in tags_of(None)
    assert tags_of(page_of(Access.public(), "/p/[id]"), path="/p/7")["canonical"] == "https://app.example.com/p/7"
    assert tags_of(page_of(Access.public()), path="///plans/index.html")["canonical"] == "https://app.example.com/plans"


def test_no_word_gets_out_of_its_tag() -> None:
    assert markup([("meta", {"content": '"><script>alert(1)</script>'})]) == (
        '<meta content="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">'
    )
    assert markup([("script", {"src": "/a.js", "defer": ""})]) == '<script src="/a.js" defer></script>'


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "NOT_SIGNED_IN", "401"), (403, "FEATURE_GATED", "plan"), (403, "ROLE_NEEDED", "role"), (403, "FORBIDDEN", "403"),
        (404, "", "404"), (429, "", "429"), (500, "", "500"), (502, "", "upstream"), (504, "", "upstream"), (503, "", "503"),
        (418, "", "other"), (400, "", "other"),
    ],
)  # fmt: skip
def test_kinds_of_failures(status: int, code: str, kind: str) -> None:
    assert kind_of({"status": status, "code": code}) == kind


def test_every_canvas_has_a_name_a_route_serves() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+\.png", name) for name in CANVASES)
