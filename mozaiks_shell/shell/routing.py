"""Turns page declarations into Reflex routes: title, gate, content."""

import reflex as rx

from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.page import Page, pages


def gated(page: Page) -> rx.Component:
    """The page's content, or the panel that says why not."""
    return page.render()


def mount(app: rx.App, app_name: str) -> None:
    """Add every declared page to the app."""
    for page in pages():
        app.add_page(
            lambda page=page: gated(page),
            route=page.route,
            title=f"{page.title} · {app_name}",
            description=page.description or app_name,
            on_load=[Frame.enter, *page.on_load],
        )
