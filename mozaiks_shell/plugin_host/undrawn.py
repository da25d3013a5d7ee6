"""A page that a probe could draw and that cannot be drawn where the pages are built."""

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem, place_in
from mozaiks_shell.plugin_host.probe import distrust
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.withdraw import silence
from mozaiks_shell.ui.page import PageFunction


def not_drawn(name: str, content: PageFunction, error: Exception) -> None:
    """Take the plugin out of service here, and have every other process draw its pages for itself before it trusts them.

    Args:
        name: The plugin's.
        content: The function that draws the page or section.
        error: What it raised.

    Raises:
        Exception: ``error``, when there is no such plugin to blame.
    """
    plugin = registry.find(name)
    if plugin is None:
        raise error
    file, line = place_in(plugin.folder, error)
    said = f"{content.__qualname__}: {type(error).__name__}: {error}"
    plugin.state, plugin.problem = PluginState.QUARANTINED, PluginProblem(Cause.PAGE, said, file, line)
    silence(plugin)
    registry.report(plugin)
    distrust([plugin], get_settings())
