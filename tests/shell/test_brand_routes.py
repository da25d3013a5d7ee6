"""The brand over HTTP: style sheet with a validator, images with a type, nothing else."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.shell.routes import router


@pytest.fixture
def client(settings: Settings) -> AsyncClient:
    api = FastAPI()
    problems.install(api)
    api.include_router(router)
    return AsyncClient(transport=ASGITransport(api), base_url="http://test")


async def test_the_style_sheet_is_revalidated(client: AsyncClient) -> None:
    first = await client.get("/brand/theme.css")
    assert first.headers["content-type"].startswith("text/css")
    assert ":root.dark{" in first.text
    again = await client.get("/brand/theme.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


async def test_a_new_brand_needs_no_build(client: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (await client.get("/brand/theme.css")).headers["etag"]
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "mark.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (tmp_path / "brand.json").write_text(
        '{"name": "Acme", "assets": {"logo": "mark.svg"}, "colors": {"primary": {"main": "#a00000"}}}'
    )
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path))
    get_settings.cache_clear()
    after = await client.get("/brand/theme.css")
    assert after.headers["etag"] != before
    assert "--color-accent:#a00000" in after.text
    logo = await client.get("/brand/logo")
    assert logo.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in logo.headers["content-security-policy"]
    assert (await client.get("/brand/assets/mark.svg")).content == logo.content
    assert (await client.get("/api/app-config")).json()["app_name"] == "Acme"


async def test_only_files_of_the_assets_folder_are_served(
    client: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs" / "assets").mkdir(parents=True)
    (tmp_path / "secret.svg").write_text("<svg/>")
    (tmp_path / "configs" / "assets" / "out.svg").symlink_to(tmp_path / "secret.svg")
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path / "configs"))
    get_settings.cache_clear()
    for path in ("out.svg", "..%2f..%2fsecret.svg", "../secret.svg", "brand.json", "none.svg", "shell.css"):
        assert (await client.get(f"/brand/assets/{path}")).status_code == 404, path
    assert (await client.get("/brand/favicon")).headers["content-type"] == "image/x-icon"
    assert (await client.get("/brand/logo")).status_code == 200


async def test_navigation_asks_who(client: AsyncClient) -> None:
    assert (await client.get("/api/navigation")).status_code == 401
