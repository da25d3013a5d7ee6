"""The brand over HTTP: style sheet, images, fonts, and the theme of an app id (F-017 to F-020, F-033).

Which app is meant: ``?app=`` when this installation has it, else the one the host belongs to, else its own. All of it
is public, as a page is before anybody signs in.
"""

import hashlib
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from mozaiks_shell.appconfig.brand import AppBrand, app_for_host, brand, brand_file, known_app, style_sheet
from mozaiks_shell.appconfig.brand_files import MEDIA_TYPES, asset_file
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.appconfig.theme_answer import theme_answer
from mozaiks_shell.foundation.errors import NotFound

router = APIRouter()

# An SVG opened by itself is a document: no script, no network, no origin.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def app_asked(request: Request) -> str:
    """The app id whose looks this request is about; empty for the installation's own."""
    return known_app(request.query_params.get("app", "")[:64]) or app_for_host(request.headers.get("host", ""))


App = Annotated[str, Depends(app_asked)]


@router.get("/brand/theme.css")
async def theme_css(request: Request, app_id: App) -> Response:
    """The brand's tokens as custom properties; changes with its files, without a build."""
    css, tag = _sheet(brand(app_id))
    headers = {"etag": tag, "cache-control": "public, max-age=60, stale-while-revalidate=600", "vary": "Host"}
    if _known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(css, media_type="text/css", headers=headers)


@lru_cache(maxsize=64)
def _sheet(look: AppBrand) -> tuple[str, str]:
    css = style_sheet(look)
    return css, '"' + hashlib.sha256(css.encode()).hexdigest()[:20] + '"'


@router.get("/brand/logo")
async def logo(request: Request, app_id: App) -> Response:
    """The logo the brand names."""
    return _image(request, brand(app_id).assets.logo, app_id)


@router.get("/brand/wordmark")
async def wordmark(request: Request, app_id: App) -> Response:
    """The name of the app as a picture; 404 when the brand has none."""
    return _image(request, brand(app_id).assets.wordmark, app_id)


@router.get("/brand/favicon")
async def favicon(request: Request, app_id: App) -> Response:
    """The icon of the browser's tab."""
    return _image(request, brand(app_id).assets.favicon, app_id)


@router.get("/brand/background")
async def background(request: Request, app_id: App) -> Response:
    """The picture behind the ways in; 404 when the brand has none."""
    return _image(request, brand(app_id).assets.backgroundImage, app_id)


@router.get("/brand/loading")
async def loading(request: Request, app_id: App) -> Response:
    """What is shown while something loads; the logo when the brand names nothing."""
    assets = brand(app_id).assets
    return _image(request, assets.loadingIcon or assets.logo, app_id)


@router.get("/brand/assets/{path:path}")
async def asset(request: Request, path: str, app_id: App) -> Response:
    """An image or font of the app: from the operator's ``assets`` and ``fonts``, else a packaged one."""
    return _image(request, path, app_id)


@router.get("/api/themes/{app_id}")
async def theme_of(app_id: str) -> dict[str, Any]:
    """The theme of an app id: fonts, colours, shadows, name and images (F-018). An unknown id gets the default one."""
    found = known_app(app_id)
    own = brand_file(found) if found else None
    custom = own is not None and own != brand_file() and not own.is_relative_to(DEFAULTS)
    return theme_answer(brand(found), app_id[:64], "custom" if custom else "default", own if custom else None)


def _image(request: Request, path: str | None, app_id: str) -> Response:
    """A file of the brand. The address stays when the picture changes, so browsers ask again: with a tag, for nothing."""
    file = asset_file(path, app_id) if path else None
    if file is None:
        raise NotFound("There is no such file.")
    return _served(request, file)


def _served(request: Request, file: Path) -> Response:
    status = file.stat()
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    headers = {
        "etag": tag,
        "last-modified": formatdate(status.st_mtime, usegmt=True),
        "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
        "vary": "Host",
        "x-content-type-options": "nosniff",
    }
    if file.suffix.lower() == ".svg":
        headers["content-security-policy"] = _SVG_POLICY
    if _known(request, tag):
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type=MEDIA_TYPES[file.suffix[1:].lower()], headers=headers)


def _known(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return known == "*" or tag in {one.strip().removeprefix("W/") for one in known.split(",")}
