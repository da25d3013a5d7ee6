"""Tells a plugin's page that its plugin went out of service after the pages were built."""

from typing import ClassVar

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host.registry import find
from mozaiks_shell.ui.state import ShellState, event


class PluginHealth(ShellState):
    """``unavailable`` is true while the plugin of the page shown is in quarantine."""

    access: ClassVar[Access | None] = Access.public()

    unavailable: bool = False

    @event
    def check(self) -> None:
        """Runs first on every visit of a plugin's page."""
        parts = self.router.url.path.split("/")
        plugin = find(parts[2]) if len(parts) > 2 and parts[1] == "plugins" else None
        self.unavailable = plugin is not None and not plugin.live
