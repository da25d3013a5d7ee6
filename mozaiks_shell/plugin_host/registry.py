"""The plugins of this process and the state each is in. Filled by the loader, read by everybody else."""

import sys
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound, Unavailable
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host.errors import PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest

log = get_logger("plugin_host")

NAMESPACE = "mozaiks_plugins"


class PluginState(StrEnum):
    """Where a plugin stands."""

    DISCOVERED = "discovered"
    DISABLED = "disabled"
    LOADED = "loaded"
    QUARANTINED = "quarantined"

    @property
    def recoverable(self) -> bool:
        """True when the plugin may still reach ``loaded`` in this process, without a restart."""
        return self is not PluginState.DISABLED


@dataclass(eq=False)
class Plugin:
    """One folder under the plugins path.

    Attributes:
        name: The folder's name, as in every URL.
        slug: The name as a Python identifier part: module, tables and version table use it.
        demands: Who may use it: the manifest's word, or the plans that unlock it (set by the loader).
        entry: What answers ``execute`` (see :mod:`.execution`); None without one.
        router: The plugin's own API routes, to be mounted under ``/api/plugins/<name>``; None without any.
        pages: Routes of its pages.
        tables: Names of its database tables.
        silenced: Access declarations taken back while it is in quarantine.
        slots: Limits how many calls run at once; made on the first call.
    """

    name: str
    folder: Path
    manifest: Manifest
    state: PluginState = PluginState.DISCOVERED
    problem: PluginProblem | None = None
    entry: Any = None
    router: Any = None
    pages: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    silenced: list[tuple[Any, str, Access]] = field(default_factory=list)
    slots: Any = None

    def __post_init__(self) -> None:
        self.demands = self.manifest.demands

    @property
    def slug(self) -> str:
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """Its package; a namespace of its own, so equal module names never meet (F-093)."""
        return f"{NAMESPACE}.{self.slug}"

    @property
    def path(self) -> str:
        """Where its page lives."""
        return f"/plugins/{self.name}"

    def narrowed(self, access: Access | None) -> Access:
        """A declaration made inside the plugin: none means the plugin's own demand; a sign-in does not undercut a plan."""
        if access is None or (access.kind == "signed_in" and self.demands.kind == "plan"):
            return self.demands
        return access

    @property
    def live(self) -> bool:
        return self.state is PluginState.LOADED

    @property
    def recoverable(self) -> bool:
        """True when :func:`.service.retry` may bring it back without a restart."""
        return self.state.recoverable and self.problem is not None and self.problem.cause.recoverable


_plugins: dict[str, Plugin] = {}
_loading: ContextVar[Plugin | None] = ContextVar("mozaiks_loading_plugin", default=None)


def add(plugin: Plugin) -> None:
    """Register a plugin, or replace the one of that name."""
    _plugins[plugin.name] = plugin


def discard(name: str) -> None:
    """Forget a plugin; harmless when unknown."""
    _plugins.pop(name, None)


def all_plugins() -> list[Plugin]:
    """Every plugin in any state, by name."""
    return sorted(_plugins.values(), key=lambda one: one.name)


def find(name: str) -> Plugin | None:
    """The plugin of this name in any state."""
    return _plugins.get(name)


def live(name: str) -> Plugin:
    """The loaded plugin of this name.

    Raises:
        NotFound: unknown or disabled.
        Unavailable: in quarantine; the reason stays with the operator.
    """
    plugin = _plugins.get(name)
    if plugin is None or plugin.state in {PluginState.DISABLED, PluginState.DISCOVERED}:
        raise NotFound(f"There is no plugin {name}.", code="PLUGIN_NOT_FOUND")
    if not plugin.live:
        raise Unavailable(f"The plugin {plugin.manifest.title} is out of service.", code="PLUGIN_QUARANTINED")
    return plugin


def loading() -> Plugin | None:
    """The plugin whose modules are being imported right now."""
    return _loading.get()


def calling(depth: int = 2) -> Plugin | None:
    """The plugin whose code is on the stack above the caller; None for code outside plugins."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(NAMESPACE + "."):
            slug = module.split(".")[1]
            return next((one for one in _plugins.values() if one.slug == slug), None)
        frame = frame.f_back
    return None


def report(plugin: Plugin) -> None:
    """Write the reason of a quarantine to the log."""
    if (problem := plugin.problem) is not None:
        log.error(
            "plugin in quarantine", plugin=plugin.name, cause=problem.cause.value, where=problem.where, reason=problem.message
        )


class being_loaded:
    """Context manager: code inside is imported on behalf of this plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin

    def __enter__(self) -> None:
        self._token = _loading.set(self.plugin)

    def __exit__(self, *_: object) -> None:
        _loading.reset(self._token)
