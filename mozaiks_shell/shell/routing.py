"""Turns page declarations into Reflex routes: title, gate, content."""

import reflex as rx

from mozaiks_shell.shell.failures import panel
from mozaiks_shell.shell.slots import Slot, dashboard, settings_page
from mozaiks_shell.shell.state import Frame, expected_navigation
from mozaiks_shell.ui.kit import link_button, page_header, skeleton
from mozaiks_shell.ui.page import Page, pages

_SLOTS: dict[str, Slot] = {"/": dashboard, "/settings": settings_page}


def gated(page: Page) -> rx.Component:
    """The page's content, or the panel that says why not, or a skeleton until that is known.

    This only decides what is shown; what is sent is decided by the event gate and the Gatekeeper.
    """
    content = rx.el.div(page.render(), class_name="mz-page")
    if page.access.kind == "public":
        return content
    waiting = rx.el.div(page_header(page.title, page.description), skeleton(4), class_name="mz-page")
    verdict = rx.cond(Frame.ready, Frame.gates[page.route], "pending")
    refusals = [("role", _role_panel(page))] if page.access.kind == "role" else []
    if page.access.kind == "plan" or page.owner != "shell":
        refusals.append(("plan", _plan_panel(page)))
    return rx.match(verdict, ("ok", content), *refusals, waiting)


def _plan_panel(page: Page) -> rx.Component:
    needed = Frame.needed[page.route]
    return panel(
        "lock",
        f"{page.title} is part of a bigger plan",
        rx.cond(needed != "", "The plan " + needed + " opens it.", "Your plan does not include it."),
        link_button("See plans", "/plans?plan=" + needed, "primary"),
        link_button("Go home", "/"),
    )


def _role_panel(page: Page) -> rx.Component:
    needed = Frame.needed[page.route]
    return panel(
        "shield",
        "You may not open this page",
        page.title + " needs the role " + needed + ". Ask an administrator of this app for it.",
        link_button("Go home", "/", "primary"),
    )


def not_found() -> rx.Component:
    """What an unknown address shows, inside the frame."""
    return panel(
        "compass",
        "There is no page here",
        "The address may be mistyped, or the page has moved.",
        link_button("Go home", "/", "primary"),
    )


def mount(app: rx.App, app_name: str) -> None:
    """Add every declared page to the app, and the one for unknown addresses. Call it when all pages are declared."""
    Frame.get_fields()["nav"].default = expected_navigation()
    for page in pages():
        pieces = _SLOTS[page.route].pieces() if page.route in _SLOTS else []
        app.add_page(
            lambda page=page: gated(page),
            route=page.route,
            title=f"{page.title} · {app_name}",
            description=page.description or app_name,
            on_load=[Frame.enter, *page.on_load, *[handler for piece in pieces for handler in piece.on_load]],
        )
    app.add_page(not_found, route="404", title=f"Page not found · {app_name}", on_load=[Frame.enter])
