"""The brand over HTTP: style sheet and images with a validator, of the app that is meant, and nothing else."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.shell import brand_routes, routes
from mozaiks_shell.shell.brand_assets import OperatorAssets
from tests.appconfig.brands import PNG, SVG, UPSTREAM, Folder

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def folder(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """``MOZAIKS_CONFIGS_PATH``, empty."""
    root = tmp_path / "configs"
    root.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(root))
    get_settings.cache_clear()
    return Folder(root)


@pytest.fixture
def client(folder: Folder, tmp_path: Path) -> AsyncClient:
    """The API with the wrapper in front; the build has one file under ``/assets/``."""
    api = FastAPI()
    problems.install(api)
    api.include_router(brand_routes.router)
    api.include_router(routes.router)

    @api.get("/assets/{name}")
    async def built(name: str) -> str:
        return "the build's"

    (tmp_path / "built" / "assets").mkdir(parents=True)
    (tmp_path / "built" / "assets" / "app.svg").write_bytes(SVG)
    return AsyncClient(transport=ASGITransport(OperatorAssets(api, lambda: tmp_path / "built")), base_url="http://test")


async def test_the_style_sheet_is_revalidated(client: AsyncClient) -> None:
    first = await client.get("/brand/theme.css")
    assert first.headers["content-type"].startswith("text/css")
    assert ":root.dark{" in first.text
    for known in (first.headers["etag"], f"W/{first.headers['etag']}", f'"x", {first.headers["etag"]}'):
        again = await client.get("/brand/theme.css", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")


async def test_f019_a_new_brand_needs_no_build(client: AsyncClient, folder: Folder) -> None:
    before = (await client.get("/brand/theme.css")).headers["etag"]
    folder.write("assets/mark.svg", SCRIPT)
    folder.brand(assets={"logo": "mark.svg"}, colors={"primary": {"main": "#a00000"}})
    after = await client.get("/brand/theme.css")
    assert after.headers["etag"] != before
    assert "--color-accent:#a00000" in after.text
    logo = await client.get("/brand/logo")
    assert logo.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in logo.headers["content-security-policy"]
    assert "default-src 'none'" in logo.headers["content-security-policy"]
    assert (await client.get("/brand/assets/mark.svg")).content == logo.content
    assert (await client.get("/api/app-config")).json()["app_name"] == "Acme"


async def test_f033_images_have_a_type_a_validator_and_a_cache_header(client: AsyncClient, folder: Folder) -> None:
    for name in ("word.png", "back.png"):
        folder.write(f"assets/{name}", PNG)
    folder.brand(assets={"wordmark": "word.png", "backgroundImage": "back.png"})
    for path, kind in {
        "/brand/logo": "image/svg+xml",
        "/brand/favicon": "image/svg+xml",
        "/brand/wordmark": "image/png",
        "/brand/background": "image/png",
        "/brand/loading": "image/svg+xml",
    }.items():
        got = await client.get(path)
        assert (got.status_code, got.headers["content-type"]) == (200, kind), path
        assert got.headers["cache-control"].startswith("public, max-age=3600")
        assert got.headers["x-content-type-options"] == "nosniff"
        again = await client.get(path, headers={"if-none-match": got.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    sheet = (await client.get("/brand/theme.css")).text
    assert '--brand-background:url("/brand/assets/back.png");' in sheet
    assert "--brand-loading" not in sheet
    folder.brand(assets={"loadingIcon": "word.png"})
    assert '--brand-loading:url("/brand/assets/word.png");' in (await client.get("/brand/theme.css")).text


async def test_a_picture_the_brand_does_not_have_is_not_found(client: AsyncClient) -> None:
    assert (await client.get("/brand/wordmark")).status_code == 404
    assert (await client.get("/brand/background")).status_code == 404


async def test_only_files_of_the_assets_folder_are_served(client: AsyncClient, folder: Folder) -> None:
    folder.write("secret.svg", SVG)
    folder.write("assets/fake.png", b"<script>")
    (folder.root / "assets" / "out.svg").symlink_to(folder.root / "secret.svg")
    hostile = (
        "..%2f..%2fsecret.svg",
        "../secret.svg",
        "out.svg",
        "brand.json",
        "none.svg",
        "shell.css",
        "fake.png",
        "..\\secret.svg",
    )
    for path in hostile:
        assert (await client.get(f"/brand/assets/{path}")).status_code == 404, path


async def test_f033_the_operators_assets_are_at_assets_too(client: AsyncClient, folder: Folder) -> None:
    folder.write("assets/acme logo.svg", SVG)
    folder.write("assets/app.svg", b"<svg>theirs</svg>")
    folder.write("fonts/Fagrak Inline.otf", b"OTTO")
    got = await client.get("/assets/acme%20logo.svg")
    assert (got.status_code, got.content) == (200, SVG)
    assert got.headers["cache-control"].startswith("public")
    assert (await client.get("/fonts/Fagrak%20Inline.otf")).headers["content-type"] == "font/otf"
    assert (await client.get("/assets/app.svg")).json() == "the build's", "nothing of the build is shadowed"
    assert (await client.get("/assets/none.svg")).status_code == 404
    for path in ("/assets/index-abc.js", "/assets/..%2fsecret", "/assets/%2e%2e/x"):
        assert b"OTTO" not in (await client.get(path)).content


@pytest.fixture
def two(folder: Folder) -> Folder:
    """Two apps beside the installation's own brand."""
    folder.brand(name="House", colors={"primary": {"main": "#005500"}})
    folder.write(
        "apps/acme/brand.json", {"name": "Acme", "assets": {"logo": "a.svg"}, "colors": {"primary": {"main": "#aa0000"}}}
    )
    folder.write("apps/acme/assets/a.svg", SCRIPT)
    folder.write("apps/globex/brand.json", {**UPSTREAM, "name": "Globex", "assets": {"logo": "g.png"}})
    folder.write("apps/globex/assets/g.png", PNG)
    folder.write("apps.json", {"apps": {"acme": {"hosts": ["acme.example.com"]}, "globex": {"hosts": ["globex.example.com"]}}})
    return folder


async def test_f018_two_hosts_of_one_process_show_two_brands(client: AsyncClient, two: Folder) -> None:
    seen = {}
    for host in ("acme.example.com", "globex.example.com:8443", "else.example.com", "acme.example.com.evil.example"):
        css = await client.get("/brand/theme.css", headers={"host": host})
        picture = await client.get("/brand/logo", headers={"host": host})
        seen[host] = (css.text.partition("--color-accent:")[2][:7], picture.headers["content-type"])
        assert "host" in css.headers["vary"].lower()
    assert seen["acme.example.com"] == ("#aa0000", "image/svg+xml")
    assert seen["globex.example.com:8443"] == ("#047386", "image/png")
    assert seen["else.example.com"] == seen["acme.example.com.evil.example"] == ("#005500", "image/svg+xml")
    asked = await client.get("/brand/theme.css?app=acme")
    assert "--color-accent:#aa0000" in asked.text
    for bad in ("..", "../globex", "nobody", "%00", "a" * 300):
        assert "--color-accent:#005500" in (await client.get(f"/brand/theme.css?app={bad}")).text


async def test_f018_the_theme_of_an_app_id(client: AsyncClient, two: Folder) -> None:
    """The answer has the fields its callers know; what a brand does not say is filled in."""
    got = (await client.get("/api/themes/globex")).json()
    assert (got["app_id"], got["source"], got["updatedBy"]) == ("globex", "custom", None)
    assert got["updatedAt"].endswith("+00:00")
    theme = got["theme"]
    assert theme["branding"] == {"name": "Globex", "logo": "/assets/g.png", "favicon": "/assets/g.png"}
    assert theme["colors"]["primary"] == {"main": "#06b6d4", "light": "#67e8f9", "dark": "#0e7490", "name": "cyan"}
    assert theme["colors"]["text"] == UPSTREAM["colors"]["text"]
    assert theme["colors"]["background"] == UPSTREAM["colors"]["background"]
    assert theme["shadows"] == UPSTREAM["shadows"]
    assert theme["fonts"]["body"]["family"] == "Rajdhani"
    acme = (await client.get("/api/themes/acme")).json()["theme"]
    assert set(acme["colors"]) == set(theme["colors"])
    assert all(acme["colors"][name]["main"] and acme["colors"][name]["light"] for name in ("secondary", "success", "error"))


async def test_f018_an_unknown_app_id_gets_the_default_theme(client: AsyncClient, two: Folder) -> None:
    for app_id in ("nobody", "%2e%2e", "dev-app", "x" * 200):
        got = (await client.get(f"/api/themes/{app_id}")).json()
        assert (got["source"], got["theme"]["branding"]["name"], got["updatedAt"]) == ("default", "House", None), app_id


async def test_navigation_asks_who(client: AsyncClient) -> None:
    assert (await client.get("/api/navigation")).status_code == 401
