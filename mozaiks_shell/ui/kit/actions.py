"""Things to press: buttons, links, menus."""

from typing import Any, Literal

import reflex as rx
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router.dom import ReactRouterLink

from mozaiks_shell.ui.kit._props import Child, attributes, classed, given
from mozaiks_shell.ui.kit.icons import icon

Variant = Literal["primary", "secondary", "ghost", "danger"]

# Paths answered by the server, not by the page router: they need a real navigation.
_SERVER_PATHS = ("/auth/", "/api/", "/brand/", "/.well-known/")


def button(*children: Child, variant: Variant = "secondary", small: bool = False, **props: Any) -> rx.Component:
    """A native button. ``type`` is ``button`` unless given.

    Args:
        *children: Text, icons.
        variant: One ``primary`` per view; ``ghost`` for toolbars; ``danger`` for what cannot be undone.
        small: 28 instead of 36 pixels high.
        **props: As for ``rx.el.button``; an icon-only button needs ``aria_label``.
    """
    props.setdefault("type", "button")
    size = " mz-button-small" if small else ""
    return rx.el.button(*children, **classed(f"mz-button mz-{variant}{size}", props))


def link(*children: Child, href: str | rx.Var[str], outside: bool | None = None, **props: Any) -> rx.Component:
    """A link: inside the app without a page load, outside or to the server with one.

    Args:
        *children: What it shows.
        href: Where it leads.
        outside: With a page load. Default: seen from ``href``; say it for a Var that leads outside or to ``/api/``.
        **props: As for ``rx.el.a``.
    """
    props.setdefault("class_name", "mz-link")
    if outside is None:
        outside = isinstance(href, str) and (not href.startswith("/") or href.startswith(_SERVER_PATHS))
    if outside:
        return A.create(*children, href=href, **props)  # rx.el.a is the router's link
    return ReactRouterLink.create(*children, to=href, **props)


def link_button(
    text: Child, href: str | rx.Var[str], variant: Variant = "secondary", small: bool = False, icon_name: str = "", **props: Any
) -> rx.Component:
    """A link that looks like a button, for going somewhere (a button does something)."""
    size = " mz-button-small" if small else ""
    content = [icon(icon_name), text] if icon_name else [text]
    return link(*content, href=href, **classed(f"mz-button mz-{variant}{size}", props))


def menu(
    trigger: Child, *items: Child, id: str, label: str | rx.Var[str] = "", variant: Variant = "ghost", **props: Any
) -> rx.Component:  # fmt: skip
    """A button that opens a panel beneath it: native popover, closed by Esc or a click elsewhere.

    Args:
        trigger: What the button shows.
        *items: :func:`menu_item` or anything else.
        id: Unique on the page; names the panel.
        label: Accessible name of the button when it shows no text, or more than the text it shows.
        variant: Look of the button.
        **props: For the panel.
    """
    name: dict[str, Any] = {"aria_label": label} if given(label) else {}
    opener = button(trigger, variant=variant, custom_attrs={"popoverTarget": id}, **name)
    panel = rx.el.div(*items, id=id, **attributes(classed("mz-menu", props), popover="auto"))
    return rx.el.div(opener, panel, class_name="mz-menu-root")


def menu_item(*children: Child, icon_name: str = "", href: str = "", **props: Any) -> rx.Component:
    """A line of a :func:`menu`: a link when ``href`` is given, else a button (``on_click``)."""
    content = ([icon(icon_name)] if icon_name else []) + list(children)
    if href:
        return link(*content, href=href, **classed("mz-menu-item", props))
    props.setdefault("type", "button")
    return rx.el.button(*content, **classed("mz-menu-item", props))
