"""What search engines are told."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
import reflex as rx
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.shell.sitemap import router
from mozaiks_shell.ui import components
from mozaiks_shell.ui.components import register_component
from mozaiks_shell.ui.page import page


@pytest.fixture
def client(no_pages: None, database: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncClient:
    monkeypatch.setattr(components, "_registered", {})
    for route, access in (
        ("/", Access.signed_in()),
        ("/sign-in", Access.public()),
        ("/share/[id]", Access.public()),
        ("/admin", Access.role("admin")),
    ):
        page(route, title=route, access=access)(lambda: rx.el.p("content"))
    register_component("About", access=Access.public())(lambda: rx.el.p("about us"))
    api = FastAPI()
    api.include_router(router)
    return AsyncClient(transport=ASGITransport(api), base_url="http://test")


async def test_the_sitemap_lists_public_pages_with_their_whole_address(
    client: AsyncClient, database: Settings, write: Callable[..., None]
) -> None:
    about = {"path": "/about", "component": "About", "meta": {"requiresAuth": False}}
    write("navigation.json", {"pages": [about, {"path": "/team", "component": "About"}]})
    answer = await client.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    root = ElementTree.fromstring(answer.text)
    found = [one.text for one in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert found == [f"{database.origin}/sign-in", f"{database.origin}/about"]


async def test_robots_are_told_where_it_is_and_what_to_leave_alone(client: AsyncClient, database: Settings) -> None:
    answer = await client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert f"Sitemap: {database.origin}/sitemap.xml" in answer.text
    assert "Disallow: /api/" in answer.text
