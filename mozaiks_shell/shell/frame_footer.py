"""The footer at the end of the content: links and a line of the operator's (``ui.json`` footer, F-015)."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A

from mozaiks_shell.shell.menus import FooterLink
from mozaiks_shell.shell.state import FrameMenus
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon, link


def footer() -> rx.Component:
    """Absent when it is switched off or has nothing to say."""
    view: Any = FrameMenus.footer
    links: Any = view["links"].to(list[FooterLink])
    listed = rx.el.nav(rx.el.ul(rx.foreach(links, _link)), aria_label=t("Footer"), class_name="mz-footer-links")
    powered = rx.el.span(view["powered_by"], dir="auto", class_name="mz-footer-line mz-truncate")
    shown = rx.el.footer(
        rx.cond(links.length() > 0, listed, rx.fragment()),
        rx.cond(view["powered_by"] != "", powered, rx.fragment()),
        class_name="mz-footer",
    )
    return rx.cond(view["visible"] & ((links.length() > 0) | (view["powered_by"] != "")), shown, rx.fragment())


def _link(one: Any) -> rx.Component:
    new_tab = rx.el.span(t("(opens in a new tab)"), class_name="mz-hidden")
    away = A.create(
        t(one["label"]), icon("arrow-up-right", 12), new_tab, href=one["href"], target="_blank", rel="noopener noreferrer"
    )
    return rx.el.li(rx.cond(one["external"], away, link(t(one["label"]), href=one["href"].to(str), class_name="")))
