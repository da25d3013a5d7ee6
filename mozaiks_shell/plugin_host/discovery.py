"""Which folders are plugins (F-063, F-077, F-079)."""

import json
import re
from pathlib import Path

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest, read_manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState

log = get_logger("plugin_host")

RESERVED = frozenset({"auth", "payments"})  # provider modules live there, not plugins
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|[-_](?![-_])){0,39}")


def discover(settings: Settings) -> list[Plugin]:
    """The plugins under the plugins path, sorted by name, each discovered, disabled or already in quarantine.

    Sorted, because Reflex derives the ids of States from the order and names of imports and every
    worker must agree.
    """
    root = settings.plugins_path
    if not root.is_dir():
        return []
    switched_off = _switched_off(settings)
    found: list[Plugin] = []
    slugs: dict[str, str] = {}
    for folder in sorted(root.iterdir(), key=lambda one: one.name):
        if not folder.is_dir() or folder.name.startswith(("_", ".")) or folder.name in RESERVED:
            continue
        plugin = _inspect(folder)
        if (taken := slugs.setdefault(plugin.slug, plugin.name)) != plugin.name:
            plugin.problem = PluginProblem(Cause.NAME, f"{plugin.name!r} and {taken!r} differ only in - and _")
            plugin.state = PluginState.QUARANTINED
        elif plugin.name in switched_off or not plugin.manifest.enabled:
            plugin.state, plugin.problem = PluginState.DISABLED, None
        found.append(plugin)
    return found


def _inspect(folder: Path) -> Plugin:
    try:
        if not _NAME.fullmatch(folder.name):
            raise PluginProblem(Cause.NAME, f"{folder.name!r} is not a plugin name")
        return Plugin(folder.name, folder, read_manifest(folder))
    except PluginProblem as problem:
        bare = Manifest(name=folder.name)  # type: ignore[call-arg]
        return Plugin(folder.name, folder, bare, PluginState.QUARANTINED, problem)


def _switched_off(settings: Settings) -> set[str]:
    """Names with ``"enabled": false`` in the operator's ``plugin_registry.json``. We never write that file."""
    if settings.configs_path is None or not (path := settings.configs_path / "plugin_registry.json").is_file():
        return set()
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["plugins"]
        return {str(one["name"]) for one in listed if one.get("enabled") is False}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("plugin_registry.json ignored: not {plugins: [{name, enabled}]}", file=str(path), error=str(error))
        return set()
