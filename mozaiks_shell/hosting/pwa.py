"""Installable: manifest, icons, service worker and offline page, per brand and language."""

import asyncio
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

import mozaiks_shell
from mozaiks_shell.appconfig.brand import AppBrand, app_for_host, brand, tokens
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.icons import CANVASES, icon, icon_tag
from mozaiks_shell.hosting.standalone import offline_page
from mozaiks_shell.shell.navigation import expected_menu

router = APIRouter(include_in_schema=False)

_HERE = Path(__file__).parent
_SHORTCUTS = 4
_VARY = "Host, Accept-Language, Cookie"


def _look(request: Request) -> AppBrand:
    return brand(app_for_host(request.headers.get("host", "")))


Look = Annotated[AppBrand, Depends(_look)]


@router.get("/manifest.webmanifest")
async def manifest(look: Look) -> Response:
    """The web application manifest (W3C) of the brand this host wears, in the reader's language."""
    headers = {"cache-control": "no-cache", "vary": _VARY}
    return JSONResponse(manifest_of(look), headers=headers, media_type="application/manifest+json")


def manifest_of(look: AppBrand) -> dict[str, Any]:
    """Name, colours, icons and shortcuts of the installed app."""
    locale = i18n.current_locale()
    ground = tokens(look.palette("light"), "light")["--color-bg"]
    icons = [
        {"src": f"/brand/icons/{name}?v={icon_tag(look, name)}", "sizes": f"{one.width}x{one.height}", "type": "image/png"}
        | {"purpose": "maskable" if "maskable" in name else "any"}
        for name, one in CANVASES.items()
        if name.startswith("icon-")
    ]
    places = [one for one in expected_menu().places if one.entry["kind"] == "page" and one.entry["gate"] == "ok"]
    shortcuts = [
        {"name": tr(one.entry["title"], domain=one.entry["domain"]), "url": one.entry["path"]}
        | ({"description": tr(one.description, domain=one.entry["domain"])} if one.description else {})
        for one in places
        if one.entry["path"] != "/"
    ]
    return {
        "id": "/",
        "name": look.name,
        "short_name": short_name(look.name),
        **({"description": look.tagline} if look.tagline else {}),
        "lang": locale,
        "dir": i18n.direction(locale),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": ground,
        "background_color": ground,
        "icons": icons,
        "shortcuts": shortcuts[:_SHORTCUTS],
    }


def short_name(name: str) -> str:
    """At most twelve characters, for beneath an icon: the whole name, else as many of its first words as fit."""
    if len(name) <= 12:
        return name
    short = ""
    for word in name.split():
        if len(f"{short} {word}".strip()) > 12:
            break
        short = f"{short} {word}".strip()
    return short or name[:12]


@router.get("/brand/icons/{name}")
async def brand_icon(name: str, look: Look, request: Request) -> Response:
    """A picture of :data:`CANVASES`, drawn from the brand's logo."""
    if name not in CANVASES:
        raise NotFound(tr("There is no such file."))
    tag = f'"{await asyncio.to_thread(icon_tag, look, name)}"'
    headers = {"etag": tag, "cache-control": "public, max-age=86400, stale-while-revalidate=604800", "vary": "Host"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(await asyncio.to_thread(icon, look, name), headers=headers, media_type="image/png")


@router.get("/offline")
async def offline(look: Look) -> Response:
    """The page the service worker keeps; the same for everybody of one language."""
    return Response(offline_page(look.app_id), headers={"vary": _VARY}, media_type="text/html")


@router.get("/offline.js")
async def offline_script() -> Response:
    """The script of the offline page."""
    return _script(_read("offline.js"))


@router.get("/register-worker.js")
async def register_script() -> Response:
    """Included by every page; installs or removes the service worker."""
    enabled = "true" if get_settings().service_worker else "false"
    return _script(_read("register_worker.js").replace("__ENABLED__", enabled))


@router.get("/sw.js")
async def service_worker(look: Look) -> Response:
    """The service worker. Its text changes with the offline page, so browsers take the new one."""
    if not get_settings().service_worker:
        return _script(_read("no_service_worker.js"))
    content = offline_page(look.app_id) + _read("offline.js") + mozaiks_shell.__version__
    version = hashlib.sha256(content.encode()).hexdigest()[:16]
    return _script(_read("service_worker.js").replace("__VERSION__", version))


def _script(text: str) -> Response:
    return Response(text, headers={"cache-control": "no-cache", "vary": _VARY}, media_type="text/javascript")


@lru_cache(maxsize=8)
def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
