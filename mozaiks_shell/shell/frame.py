"""The frame around every page: skip link, header, sidebar, main, footer, notices. Mounted once above the router, so
nothing in it is rebuilt when the person moves from page to page."""

from typing import Any

import reflex as rx
from reflex.utils.exec import is_prod_mode
from reflex_components_core.el.elements.inline import A

from mozaiks_shell.shell.config_banner import ConfigBanner, config_banner
from mozaiks_shell.shell.failures import connection_banner, page_boundary
from mozaiks_shell.shell.frame_footer import footer
from mozaiks_shell.shell.frame_header import header
from mozaiks_shell.shell.frame_parts import FrameRoot, Toaster, head_script
from mozaiks_shell.shell.frame_sidebar import sidebar, way_in
from mozaiks_shell.shell.menus import layout_view
from mozaiks_shell.shell.state import Frame, FrameMenus, Notices
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.page import pages


def head_components(*, development: bool) -> list[rx.Component]:
    """For ``App(head_components=...)``: what this browser remembers.

    A built page gets brand, icons and language when it is served (``hosting/documents.py``); in development, where Vite
    serves it, it fetches them.
    """
    fetched = [
        rx.el.link(rel="stylesheet", href="/brand/theme.css"),
        rx.el.link(rel="icon", href="/brand/favicon"),
        rx.el.script(src="/brand/boot.js"),
    ]
    return [
        *(fetched if development else []),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(head_script(layout_view())),
    ]


def app_wraps() -> dict[tuple[int, str], Any]:
    """For ``App(extra_app_wraps=...)``: skip link, frame, main region, boundary around the page, outermost first.

    What the front door adds between skip link and frame comes after the one and before the other in tab order.
    """
    return {(54, "SkipLink"): skip_link, (40, "Frame"): frame, (39, "Main"): main_region, (37, "PageBoundary"): page_boundary}


def frame(_: bool) -> rx.Component:
    """The app-level wrapper; Reflex appends what is inside it."""
    return FrameRoot.create(
        header(),
        sidebar(),
        _configuration(),
        connection_banner(),
        Toaster.create(items=Notices.items),
        footer(),
        bare=[page.route for page in pages() if way_in(page)],
        gated=[page.route for page in pages() if page.access.kind != "public"],
        signed_in=Frame.signed_in,
        ready=Frame.ready,
        layout=FrameMenus.layout,
        wordmark=Frame.brand["wordmark"] != "",
    )


def _configuration() -> rx.Component:
    """What is wrong with the operator's files, above the page, for whom it concerns."""
    banner = config_banner()
    shown = rx.cond(Frame.is_admin, banner, rx.fragment()) if is_prod_mode() else banner
    return rx.el.section(shown, aria_label=ConfigBanner.heading, class_name="mz-above")


def skip_link(_: bool) -> rx.Component:
    """The first thing the Tab key reaches."""
    return rx.fragment(A.create(t("Skip to content"), href="#content", class_name="mz-skip"))


def main_region(_: bool) -> rx.Component:
    """The one ``main`` landmark."""
    return rx.el.main(id="content", tab_index=-1, class_name="mz-main")
