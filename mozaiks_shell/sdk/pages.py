"""``page``: a plugin's page, with what its manifest already says filled in."""

from collections.abc import Callable, Sequence
from typing import Any

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.components import unless_unavailable
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.plugin_host.state import PluginHealth
from mozaiks_shell.ui.page import PageFunction
from mozaiks_shell.ui.page import page as declare


def page(
    route: str = "/",
    *,
    title: str = "",
    icon: str = "",
    description: str = "",
    access: Access | None = None,
    group: str = "",
    order: int = 100,
    in_nav: bool = True,
    chat: bool = True,
    on_load: Any | Sequence[Any] = (),
) -> Callable[[PageFunction], PageFunction]:
    """Declare the decorated function as a page of the plugin.

    Args:
        route: Beneath ``/plugins/<name>``; ``/`` is the plugin's front page.
        title: Name in the navigation and the window. Default: the manifest's ``display_name``.
        icon: Lucide name. Default: the manifest's.
        description: One sentence. Default: the manifest's.
        access: Who may open it. Default: the manifest's ``access`` (``signed_in`` unless it says otherwise).
        group: Heading in the sidebar; empty for the top group.
        order: Position within the group, small first.
        in_nav: False keeps it out of the navigation.
        chat: False hides the chat bubble on this page.
        on_load: Event handler(s) run on every visit.

    Example:
        >>> @sdk.page(on_load=Notes.load)
        ... def notes():
        ...     return sdk.ui.page_header("Notes")
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.page may only be used in a plugin's page.py or pages/*.py")
    said = plugin.manifest
    handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
    add = declare(
        route,
        title=title or said.title,
        icon=icon or said.icon,
        description=description or said.description,
        access=plugin.narrowed(access),
        group=group,
        order=order,
        in_nav=in_nav,
        chat=chat,
        on_load=(PluginHealth.check, *handlers),
    )

    def keep(render: PageFunction) -> PageFunction:
        add(unless_unavailable(said.title, render))
        return render

    return keep


__all__ = ["page"]
