"""What the shell answers besides pages: the brand, who the app is, the navigation (F-005, F-017, F-023)."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

import mozaiks_shell
from mozaiks_shell.appconfig.brand import asset_path, brand, style_sheet
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.settings import ROOT, get_settings
from mozaiks_shell.shell.state import entries_for

router = APIRouter()

_TYPES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".gif": "image/gif", ".ico": "image/x-icon",
    ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
}  # fmt: skip

# An SVG opened by itself is a document: no script, no network, no origin.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@router.get("/brand/theme.css")
async def theme_css(request: Request) -> Response:
    """The brand's tokens as custom properties; changes with ``brand.json``, without a build."""
    css = style_sheet(brand())
    tag = '"' + hashlib.sha256(css.encode()).hexdigest()[:20] + '"'
    headers = {"etag": tag, "cache-control": "public, max-age=60, stale-while-revalidate=600"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(css, media_type="text/css", headers=headers)


@router.get("/brand/logo")
async def logo() -> FileResponse:
    """The logo ``brand.json`` names."""
    return _asset(brand().assets.logo)


@router.get("/brand/favicon")
async def favicon() -> FileResponse:
    """The icon of the browser's tab."""
    return _asset(brand().assets.favicon)


@router.get("/brand/assets/{path:path}")
async def asset(path: str) -> FileResponse:
    """An image or font of the app: from ``assets`` in ``MOZAIKS_CONFIGS_PATH``, else a packaged one."""
    return _asset(path)


def _asset(path: str) -> FileResponse:
    try:
        clean = asset_path(path)
    except ValueError:
        raise NotFound("There is no such file.") from None
    own = get_settings().configs_path
    for folder in [*([own / "assets"] if own else []), ROOT / "assets"]:
        file = (folder / clean).resolve()
        if file.is_file() and file.is_relative_to(folder.resolve()):
            return _served(file)
    raise NotFound("There is no such file.")


def _served(file: Path) -> FileResponse:
    headers = {"cache-control": "public, max-age=3600"}
    if file.suffix == ".svg":
        headers["content-security-policy"] = _SVG_POLICY
    return FileResponse(file, media_type=_TYPES[file.suffix], headers=headers)


@router.get("/api/app-config")
async def app_config() -> dict[str, Any]:
    """Who this app is, for anyone (F-023)."""
    settings = get_settings()
    return {
        "monetization_enabled": settings.billing_provider != "none",
        "app_name": brand().name,
        "app_version": mozaiks_shell.__version__,
        "env": settings.env,
    }


@router.get("/api/navigation")
async def navigation(person: Annotated[Principal, Depends(needs(Access.signed_in()))]) -> dict[str, Any]:
    """The pages this person may open (F-005). A page that needs a bigger plan is left out."""
    groups, _, _ = await entries_for(person)
    shown = [entry for group in groups for entry in group["entries"] if entry["gate"] == "ok"]
    return {"navigation": [_api_entry(entry["title"], entry["path"], entry["icon"]) for entry in shown]}


def _api_entry(label: str, path: str, icon: str) -> dict[str, str]:
    entry = {"label": label, "path": path, "icon": icon}
    parts = path.strip("/").split("/")
    return {**entry, "plugin_name": parts[1]} if parts[0] == "plugins" and len(parts) > 1 else entry
