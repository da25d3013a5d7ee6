"""``dashboard``: sections of a plugin on the start page (F-028)."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.shell.slots import dashboard


def section(
    title: str,
    *,
    name: str = "",
    order: int = 100,
    access: Access | None = None,
    on_load: Any | Sequence[Any] = (),
    place: Literal["main", "side"] = "main",
    rows: int = 3,
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Put what the decorated function returns on the start page, while a page module of the plugin is imported.

    The shell draws heading, waiting and failing: a handler that raises in ``on_load``, or a component that breaks in the
    browser, is told in this section and nowhere else. While the plugin is in quarantine the section is gone. Operators
    arrange sections in ``ui.json`` under ``dashboard.sections``, this one as ``<plugin>.<name>``.

    Args:
        title: Its heading.
        name: What ``ui.json`` calls it. Default: the title in small letters with underscores.
        order: Position where ``ui.json`` says nothing, small first; the shell's own stand at 10 to 50.
        access: Who sees it. Default: the manifest's ``access``. Hiding is not protection: guard the State behind it.
        on_load: Event handler(s) that gather what it shows, run on every visit to the start page.
        place: ``main``, the wide column; or ``side``, the narrow one, where it stands in a card.
        rows: About how many lines high it will be, for what is shown until it is loaded.

    Example:
        >>> @sdk.dashboard.section("Open tasks", on_load=Tasks.count, place="side")
        ... def open_tasks():
        ...     return sdk.rx.el.p(Tasks.open)
    """
    if loading() is None:
        raise RuntimeError("sdk.dashboard.section may only be used in a plugin's page.py or pages/*.py")
    handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
    return dashboard.section(title, name=name, order=order, access=access, on_load=handlers, place=place, rows=rows)


__all__ = ["section"]
