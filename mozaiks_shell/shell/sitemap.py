"""For search engines: the pages that are open to everybody, and what to leave alone."""

from xml.sax.saxutils import escape

from fastapi import APIRouter, Response

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell.configured import configured_pages
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.ui.page import Page, pages

router = APIRouter()

_KEPT_BACK = ("/api/", "/auth/", "/ws/", "/_event", "/__mozaiks/")
_HEADERS = {"cache-control": "public, max-age=3600"}


async def public_pages() -> list[Page]:
    """Pages with an address of their own that a stranger may open; not those of the machinery (``/_error``, ``/embed``)."""
    gates = (await menu_for(None)).gates
    every = [*pages(), *(one.page for one in configured_pages())]
    linked = [page for page in every if "[" not in page.route and not page.route.startswith("/_") and page.route != "/embed"]
    return [page for page in linked if page.access.kind == "public" and gates.get(page.route) == "ok"]


@router.get("/sitemap.xml")
async def sitemap() -> Response:
    """Absolute addresses of the public pages (sitemaps.org 0.9)."""
    origin = get_settings().origin
    places = "".join(f"<url><loc>{escape(origin + page.route)}</loc></url>" for page in await public_pages())
    body = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'
    return Response(body, media_type="application/xml", headers=_HEADERS)


@router.get("/robots.txt")
async def robots() -> Response:
    """Pages may be read; what programs speak to may not (RFC 9309)."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _KEPT_BACK), f"Sitemap: {get_settings().origin}/sitemap.xml"]
    return Response("\n".join(lines) + "\n", media_type="text/plain", headers=_HEADERS)
