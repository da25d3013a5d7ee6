"""What an agent may know of the app when it shows a person around, and where it may send them (F-193)."""

from typing import Any
from urllib.parse import urlsplit

from mozaiks_shell.billing import service as billing
from mozaiks_shell.chat import service as chat
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.shell.state import in_navigation
from mozaiks_shell.ui.page import page_at, pages


async def context(principal: Principal) -> dict[str, Any]:
    """The person's name and plan, the pages they may open and the workflows they may start. Nothing else."""
    plan = await billing.plan_of(principal)
    open_pages = [page for page in pages() if in_navigation(page) and (await billing.authorize(principal, page.access)).allowed]
    return {
        "user": {"name": principal.name},
        "plan": {"name": plan.name, "title": plan.title},
        "pages": [{"title": page.title, "path": page.route, "description": page.description} for page in open_pages],
        "workflows": [{"name": one.workflow, "title": one.title} for one in await chat.launchable(principal) if one.allowed],
    }


def allowed_path(principal: Principal, path: str) -> bool:
    """True for a declared page this person's roles admit. Whether their plan opens it, the page itself will say."""
    page = page_at(urlsplit(path).path)
    return page is not None and (page.access.kind != "role" or principal.has_role(*page.access.names))
