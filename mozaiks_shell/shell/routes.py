"""What the shell answers besides pages: who the app is, the navigation (F-005, F-023)."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends

import mozaiks_shell
from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell import sitemap
from mozaiks_shell.shell.navigation import Place, menu_for

router = APIRouter()
router.include_router(sitemap.router)


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
    """The menu of this person (F-005): what they may open, in their language. What needs a bigger plan is left out.

    An entry has ``label, path, icon``, ``plugin_name`` when a plugin's page, and ``id``; ``badge``, ``workflow`` (it
    starts one; ``path`` is its deep link) and ``children`` where there are any. A link elsewhere has ``external``, and
    its address as ``path``; a heading has an empty ``path``.
    """
    menu = await menu_for(person)
    return {"navigation": nested([place for place in menu.places if place.entry["gate"] == "ok"])}


def nested(places: Sequence[Place]) -> list[dict[str, Any]]:
    """Lines as entries with children: a line is the child of the last one before it that is less deep."""
    roots: list[dict[str, Any]] = []
    line: list[tuple[int, dict[str, Any]]] = []
    for place in places:
        depth, entry = place.entry["depth"], _entry(place)
        while line and line[-1][0] >= depth:
            line.pop()
        (line[-1][1].setdefault("children", []) if line else roots).append(entry)
        line.append((depth, entry))
    return roots


def _entry(place: Place) -> dict[str, Any]:
    shown = place.entry
    entry: dict[str, Any] = {
        "label": tr(shown["title"], domain=place.plugin),
        "path": shown["path"] or shown["href"],
        "icon": shown["icon"],
    }
    if place.plugin:
        entry["plugin_name"] = place.plugin
    entry["id"] = shown["id"]
    if shown["badge"]:
        entry["badge"] = shown["badge"]
    if place.workflow:
        entry["workflow"] = place.workflow
    if shown["kind"] == "link":
        entry["external"] = True
    return entry
