"""What an agent may know of the app when it shows a person around, and where it may send them (F-193)."""

from typing import Any
from urllib.parse import urlsplit

from mozaiks_shell.billing import service as billing
from mozaiks_shell.chat import service as chat
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.shell.navigation import any_page, menu_for


async def context(principal: Principal) -> dict[str, Any]:
    """The person's name and plan, the pages they may open and the workflows they may start. Nothing else."""
    plan = await billing.plan_of(principal)
    menu = await menu_for(principal)
    open_pages = [one for one in menu.places if one.entry["kind"] == "page" and one.entry["gate"] == "ok"]
    return {
        "user": {"name": principal.name},
        "plan": {"name": plan.name, "title": plan.title},
        "pages": [
            {
                "title": tr(one.entry["title"], domain=one.plugin),
                "path": one.entry["path"],
                "description": tr(one.description, domain=one.plugin),
            }
            for one in open_pages
        ],
        "workflows": [{"name": one.workflow, "title": one.title} for one in await chat.launchable(principal) if one.allowed],
    }


def allowed_path(principal: Principal, path: str) -> bool:
    """True for a page this person's roles admit. Whether their plan opens it, the page itself will say."""
    page = any_page(urlsplit(path).path)
    asked = (page.access, *page.demands) if page is not None else ()
    return page is not None and all(one.kind != "role" or principal.has_role(*one.names) for one in asked)
