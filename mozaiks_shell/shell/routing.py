"""Turns page declarations into Reflex routes: title, gate, content."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.shell.configured import register_core
from mozaiks_shell.shell.failures import plan_needed, role_needed
from mozaiks_shell.shell.navigation import tree
from mozaiks_shell.shell.pages.configured import FilePage, file_page
from mozaiks_shell.shell.pages.errors import error_page
from mozaiks_shell.shell.slots import Slot, dashboard, plugin_settings, settings_page
from mozaiks_shell.shell.state import Frame, expect
from mozaiks_shell.shell.waiting import outline_of
from mozaiks_shell.ui.i18n import brand_text, t
from mozaiks_shell.ui.kit import page_header, skeleton
from mozaiks_shell.ui.kit.icons import draw_also
from mozaiks_shell.ui.page import Page, pages

_SLOTS: dict[str, Slot] = {"/": dashboard, "/settings": settings_page, "/settings/plugins": plugin_settings}


def gated(page: Page) -> rx.Component:
    """The page's content, or the panel that says why not, or a skeleton until that is known.

    This only decides what is shown; what is sent is decided by the event gate and the Gatekeeper.
    """
    content = rx.el.div(page.render(), class_name="mz-page")
    if page.access.kind == "public":
        return content
    domain = domain_of(page)
    title, needed = t(page.title, domain=domain), rx.Var.create(Frame.needed[page.route])
    told = t(page.description, domain=domain) if page.description else ""
    own = outline_of(page.route)
    outline = [own] if own is not None else [page_header(title, told), skeleton(4)]
    waiting = rx.el.div(*outline, class_name="mz-page")
    verdict = rx.cond(Frame.ready, Frame.gates[page.route], "pending")
    refusals = [("role", role_needed(title, needed))] if page.access.kind == "role" else []
    if page.access.kind == "plan" or page.owner != "shell":
        refusals.append(("plan", plan_needed(title, needed)))
    return rx.match(verdict, ("ok", content), *refusals, waiting)


def domain_of(page: Page) -> str:
    """Whose catalogue translates what the page is called."""
    return "" if page.owner == "shell" else page.owner


def not_found() -> rx.Component:
    """What an unknown address shows, inside the frame."""
    return error_page()


def window_title(title: rx.Var[str]) -> rx.Var[str]:
    """The document's title: the page, then the app."""
    return t("{page} · {app}", page=title, app=brand_text("name"))


def handlers(page: Page) -> tuple[Any, ...]:
    """What runs on every visit of the page, after the gate: its own and those of the pieces in its slot."""
    pieces = _SLOTS[page.route].pieces() if page.route in _SLOTS else []
    return (*page.on_load, *[handler for piece in pieces for handler in piece.on_load])


def mount(app: rx.App) -> None:
    """Add every declared page to the app, and the one for all other addresses. Call it when all pages are declared.

    What a page is to search engines and previews is said when it is served (``hosting/social.py``).
    """
    register_core(handlers)
    declared()
    for page in pages():
        show(app, page)
    lost = rx.cond(FilePage.title != "", t(FilePage.title), t("Page not found"))
    app.add_page(lambda: file_page(not_found()), route="404", title=window_title(lost), on_load=[Frame.enter, FilePage.enter])


def declared() -> None:
    """Bring what the frame shows of all pages (its menu, its icons) up to what is declared now."""
    expect()
    draw_also(*[node.icon for node in tree().nodes()], *[report.icon for report in plugin_reports()])


def show(app: rx.App, page: Page) -> None:
    """Add one declared page to the app."""
    app.add_page(
        _drawn(page),
        route=page.route,
        title=window_title(t(page.title, domain=domain_of(page))),
        on_load=[Frame.enter, *handlers(page)],
    )


def _drawn(page: Page) -> Callable[[], rx.Component]:
    def draw() -> rx.Component:
        return gated(page)

    draw.__module__ = page.render.__module__  # Reflex puts the parts of one module's pages into one script: each page its own
    return draw
