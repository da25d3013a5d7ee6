"""``page``: a plugin's page, with what its manifest already says filled in."""

from collections.abc import Callable, Sequence
from typing import Any

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.components import unless_unavailable
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.plugin_host.state import PluginHealth
from mozaiks_shell.ui.page import Badge, PageFunction
from mozaiks_shell.ui.page import page as declare


def page(
    route: str = "/",
    *,
    title: str = "",
    icon: str = "",
    description: str = "",
    access: Access | None = None,
    group: str = "",
    order: int | None = None,
    in_nav: bool = True,
    chat: bool = True,
    on_load: Any | Sequence[Any] = (),
    shortcut: str = "",
    badge: Badge = "",
    parent: str = "",
    keywords: str = "",
    show_in_header: bool = False,
) -> Callable[[PageFunction], PageFunction]:
    """Declare the decorated function as a page of the plugin.

    Args:
        route: Beneath ``/plugins/<name>``; ``/`` is the plugin's front page.
        title: Name in the navigation and the window. Default: the manifest's ``nav.title``, else its ``display_name``.
        icon: Lucide name. Default: the manifest's.
        description: One sentence. Default: the manifest's.
        access: Who may open it. Default: the manifest's ``access`` (``signed_in`` unless it says otherwise).
        group: Heading in the sidebar; empty for the top group. Default: the manifest's ``nav.group``.
        order: Position within the group, small first. Default: the manifest's ``nav.order`` for the front page, else 100.
        in_nav: False keeps it out of the navigation.
        chat: False hides the chat bubble on this page.
        on_load: Event handler(s) run on every visit.
        shortcut: Keys that open it, ``g t``: one after the other, outside of text boxes.
        badge: A short text beside its name in the menu, or an async function of the person that gives it.
        parent: Route of the page beneath which the menu and the breadcrumbs show it.
        keywords: Further words by which the command palette finds it.
        show_in_header: Also in the header.

    Example:
        >>> @sdk.page(on_load=Notes.load)
        ... def notes():
        ...     return sdk.ui.page_header("Notes")
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.page may only be used in a plugin's page.py or pages/*.py")
    said, front = plugin.manifest, not route.strip("/")
    entry = said.nav
    handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
    add = declare(
        route,
        title=title or (front and entry.title) or said.title,
        icon=icon or (front and entry.icon) or said.icon,
        description=description or said.description,
        access=plugin.narrowed(access),
        group=group or entry.group,
        order=entry.order if front and order is None and entry.order is not None else 100 if order is None else order,
        in_nav=in_nav and not entry.hidden,
        chat=chat,
        on_load=(PluginHealth.check, *handlers),
        shortcut=shortcut,
        badge=badge,
        parent=parent,
        keywords=keywords,
        show_in_header=show_in_header,
    )

    def keep(render: PageFunction) -> PageFunction:
        add(unless_unavailable(said.title, render))
        return render

    return keep


__all__ = ["page"]
