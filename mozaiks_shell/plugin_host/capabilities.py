"""Capabilities that plugins declare in their manifests (F-147): offered, gated and started like those of the operator's files."""

from collections.abc import Iterable

from mozaiks_shell.appconfig.capabilities import Sourced, more_from
from mozaiks_shell.plugin_host import registry


def declared() -> Iterable[Sourced]:
    """What the plugins that are in service declare."""
    return [(f"plugin {one.name}", each) for one in registry.all_plugins() if one.live for each in one.manifest.capabilities]


more_from("plugins", declared)
