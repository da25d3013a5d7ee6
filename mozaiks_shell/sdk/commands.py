"""``commands``: what the command palette (Ctrl-K or Cmd-K) can do for a person."""

from typing import Any

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.service import loading
from mozaiks_shell.shell.commands import Command, add_command


def register(
    title: str, run: Any, *, icon: str = "", keywords: str = "", access: Access | None = None, shortcut: str = ""
) -> None:  # fmt: skip
    """Offer a command in the palette, while a page module of the plugin is imported.

    Access is checked when the list is made and again when the command is run; a handler is guarded by its own State besides.
    While the plugin is in quarantine its commands are gone.

    Args:
        title: An imperative: ``New invoice``. A second one of the same title replaces the first.
        run: A path of this app (``/plugins/crm/new``), or an event handler of the plugin (``Invoices.create``).
        icon: Lucide name. Default: the plugin's.
        keywords: Further words by which it is found.
        access: Who may. Default: the manifest's ``access``.
        shortcut: Keys that run it outside of text boxes: ``n i``, ``mod+e``.

    Raises:
        ValueError: the path is no page of this app.

    Example:
        >>> sdk.commands.register("New task", run=Tasks.create, icon="plus", shortcut="n t")
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.commands.register may only be used in a plugin's page.py or pages/*.py")
    add_command(
        Command(
            f"{plugin.name}:{title}",
            title,
            run,
            icon or plugin.manifest.icon,
            plugin.narrowed(access),
            keywords,
            shortcut,
            plugin.name,
        )  # fmt: skip
    )


__all__ = ["register"]
