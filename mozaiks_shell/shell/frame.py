"""The frame around every page: skip link, header, sidebar, main, notices, chat. Mounted once above
the router, so nothing in it is rebuilt when the person moves from page to page."""

import reflex as rx

from mozaiks_shell.shell.state import Frame


def frame(_: bool) -> rx.Component:
    """The app-level wrapper; Reflex appends the routed page inside :func:`main_region`."""
    return rx.el.div(
        rx.el.header(rx.el.a("Mozaiks", href="/"), rx.el.span(Frame.name)),
        rx.el.nav(rx.foreach(Frame.nav, lambda entry: rx.el.a(entry["title"], href=entry["path"])), aria_label="Main"),
        class_name="mz-frame",
    )


def main_region(_: bool) -> rx.Component:
    """The one ``main`` landmark."""
    return rx.el.main(id="content", tab_index=-1, class_name="mz-main")
