"""Which folders are plugins, and which of them may run (F-063, F-064, F-077, F-079, F-102). Nothing is executed here."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import choices, compat
from mozaiks_shell.plugin_host.blocklist import Blocklist, blocklist
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest, is_name, read_manifest
from mozaiks_shell.plugin_host.registry import Plugin, PluginState

log = get_logger("plugin_host")

GROUP: Final = "mozaiks_shell.plugins"
RESERVED: Final = frozenset({"auth", "payments"})  # provider modules live there, not plugins (F-098)
FORBIDDEN: Final = frozenset({"config", "core", "mozaiks", "plugins", "sdk", "shell"})  # the shell itself


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that says it is a plugin. ``root`` is the plugins folder, or None for one that a package brings."""

    name: str
    folder: Path
    root: Path | None = None
    package: str = ""


def discover(settings: Settings) -> list[Plugin]:
    """The plugins of every root and of the installed packages, each discovered, disabled, incompatible, blocked or in quarantine.

    Sorted by name, because Reflex derives the ids of States from the order and names of imports and every
    worker must agree. Of two with one name the first root's counts and the second is refused.
    """
    chosen, listed, blocked = choices.stored(settings), _registry_file(settings), blocklist(settings)
    found: dict[str, Plugin] = {}
    slugs: dict[str, Plugin] = {}
    for place in [*_folders(settings), *_packages()]:
        plugin = _inspect(place)
        if (taken := slugs.get(plugin.slug)) is not None:
            plugin = _refused(plugin, taken)
        else:
            slugs[plugin.slug] = plugin
            _judge(plugin, blocked)
            _switch(plugin, settings, chosen, listed)
        while plugin.name in found:
            plugin.name += "~2"  # no plugin's name, so that nothing can be asked of it
        found[plugin.name] = plugin
    return sorted(found.values(), key=lambda one: one.name)


def _folders(settings: Settings) -> Iterator[_Place]:
    for root in settings.plugin_roots:
        try:
            folders = sorted(root.iterdir(), key=lambda one: one.name) if root.is_dir() else []
        except OSError as error:
            log.error("plugins folder cannot be read", folder=str(root), error=str(error))
            continue
        for folder in folders:
            name = folder.name
            if name.startswith(("_", ".")) or name in RESERVED or name.endswith(".egg-info") or not folder.is_dir():
                continue
            yield _Place(name, folder, root)


def _packages() -> Iterator[_Place]:
    """Plugins that installed packages bring: entry points of the group ``mozaiks_shell.plugins``, name = package directory."""
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        made_by = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value
        folder = package_folder(entry.module)
        if folder is None:
            log.error("plugin entry point leads to no package directory", entry=f"{entry.name} = {entry.value}", package=made_by)
            continue
        yield _Place(entry.name, folder, None, made_by)


def package_folder(module: str) -> Path | None:
    """The directory of a package, found without importing it; None when there is none."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    for base in (spec.submodule_search_locations or []) if spec is not None else []:
        if (folder := Path(base, *rest)).is_dir():
            return folder
    return None


def _inspect(place: _Place) -> Plugin:
    notes: list[Note] = []
    try:
        if not is_name(place.name):
            remedy = "Rename the package's entry point." if place.package else ""
            raise PluginProblem(Cause.NAME, f"{place.name!r} is not a plugin name", remedy=remedy)
        if place.name in FORBIDDEN or place.package and place.name in RESERVED:
            raise PluginProblem(Cause.NAME, f"{place.name!r} is a name of the shell itself")
        if place.root is not None and place.folder.is_symlink():
            _stay_inside(place.folder, place.root)
        return Plugin(
            place.name, place.folder, read_manifest(place.folder, notes, place.name), notes=notes, root=place.root,
            package=place.package,
        )  # fmt: skip
    except (PluginProblem, OSError) as error:
        problem = error if isinstance(error, PluginProblem) else PluginProblem(Cause.MANIFEST, f"cannot be read: {error}")
        bare = Manifest(name=place.name)  # type: ignore[call-arg]
        return Plugin(place.name, place.folder, bare, PluginState.QUARANTINED, problem, root=place.root, package=place.package)


def _stay_inside(folder: Path, root: Path) -> None:
    try:
        inside = folder.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        inside = False
    if not inside:
        raise PluginProblem(
            Cause.NAME,
            f"{folder.name!r} is a link that leads out of the plugins folder",
            remedy="Copy the folder, or add the folder it lies in to MOZAIKS_PLUGINS_PATH, then restart.",
        )


def _refused(plugin: Plugin, taken: Plugin) -> Plugin:
    if plugin.name == taken.name:
        message = f"{plugin.folder} and {taken.folder} both hold a plugin {plugin.name!r}; the second is not used"
        plugin.problem = PluginProblem(Cause.DUPLICATE, message.replace("the second", str(plugin.folder)))
    else:
        plugin.problem = PluginProblem(Cause.NAME, f"{plugin.name!r} and {taken.name!r} differ only in - and _")
    plugin.state = PluginState.QUARANTINED
    return plugin


def _judge(plugin: Plugin, blocked: Blocklist) -> None:
    """Versions and block-list; what is wrong with the folder itself comes first."""
    if plugin.problem is not None:
        return
    said = plugin.manifest
    if (entry := blocked.entry(plugin.name, said.version)) is not None:
        message = f"version {said.version} is blocked: {entry.reason or 'it is on the block-list'}"
        remedy = f"Install a version outside of {entry.versions}, then restart." if entry.versions else "Remove the plugin."
        plugin.state = PluginState.BLOCKED
        plugin.problem = PluginProblem(Cause.BLOCKED, message, remedy=entry.remedy or remedy)
    elif why := said.incompatible():
        plugin.state, plugin.problem = PluginState.INCOMPATIBLE, PluginProblem(Cause.INCOMPATIBLE, f"{plugin.name} {why}")
    elif missing := compat.missing(said.dependencies.python):
        line = compat.pip_line(missing)
        plugin.state = PluginState.QUARANTINED
        plugin.problem = PluginProblem(
            Cause.REQUIREMENT,
            f"needs {', '.join(missing)}, which this Python does not have",
            remedy=f"Run {line} and restart. Nothing is installed by itself.",
            pip=line,
        )


def _switch(plugin: Plugin, settings: Settings, chosen: dict[str, bool], listed: dict[str, bool]) -> None:
    """On or off: the operator's choice, then the registry file, then the manifest (F-077)."""
    on = plugin.manifest.enabled
    plugin.switch = "" if on else "manifest"
    if plugin.name in listed:
        on, plugin.switch = listed[plugin.name], "registry_file"
    if plugin.name in chosen:
        on, plugin.switch = chosen[plugin.name], "operator"
    if settings.safe_mode:
        on, plugin.switch = False, "safe_mode"
    if not on and plugin.state is not PluginState.BLOCKED:
        plugin.state, plugin.problem = PluginState.DISABLED, None


def _registry_file(settings: Settings) -> dict[str, bool]:
    """Name -> on or off in the operator's ``plugin_registry.json``. We never write that file."""
    if settings.configs_path is None or not (path := settings.configs_path / "plugin_registry.json").is_file():
        return {}
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["plugins"]
        return {str(one["name"]): one["enabled"] for one in listed if isinstance(one.get("enabled"), bool)}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        log.error("plugin_registry.json ignored: not {plugins: [{name, enabled}]}", file=str(path), error=str(error))
        return {}
