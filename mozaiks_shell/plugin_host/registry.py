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
from mozaiks_shell.plugin_host.errors import Note, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest

log = get_logger("plugin_host")

NAMESPACE = "mozaiks_plugins"


class PluginState(StrEnum):
    """Where a plugin stands."""

    DISCOVERED = "discovered"
    DISABLED = "disabled"
    LOADED = "loaded"
    DEGRADED = "degraded"
    QUARANTINED = "quarantined"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"

    @property
    def live(self) -> bool:
        """True when people can use the plugin."""
        return self in {PluginState.LOADED, PluginState.DEGRADED}

    @property
    def recoverable(self) -> bool:
        """True when the plugin may still reach ``loaded`` in this process, without a restart."""
        return self not in {PluginState.DISABLED, PluginState.INCOMPATIBLE, PluginState.BLOCKED}


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
        notes: What is worth a word though it runs; a warning makes it degraded.
        timings: Milliseconds of ``probe``, ``import``, ``migrate`` and ``init``, as far as they happened.
        root: The plugins folder it was found in.
        package: The distribution that brings it, ``name version``; empty for a folder.
        switch: What decided that it is on or off: ``operator``, ``registry_file``, ``manifest``, ``safe_mode``, or empty.
        imported: Its code is in this process, so that it can be switched on without a restart.
        hooks: Its lifecycle functions by name; ``fired`` those that ran (see :mod:`.lifecycle`).
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
    notes: list[Note] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    root: Path | None = None
    package: str = ""
    switch: str = ""
    imported: bool = False
    hooks: dict[str, Any] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)
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
        """True when people can use it: loaded or degraded."""
        return self.state.live

    @property
    def resting(self) -> PluginState:
        """The state it has while nothing is wrong: degraded when a note warns, else loaded."""
        return PluginState.DEGRADED if any(one.level == "warning" for one in self.notes) else PluginState.LOADED

    @property
    def recoverable(self) -> bool:
        """True when :func:`.service.retry` may bring it back without a restart."""
        return self.state.recoverable and self.problem is not None and self.problem.cause.recoverable


_plugins: dict[str, Plugin] = {}
_by_slug: dict[str, Plugin] = {}
_loading: ContextVar[Plugin | None] = ContextVar("mozaiks_loading_plugin", default=None)


def add(plugin: Plugin) -> None:
    """Register a plugin, or replace the one of that name."""
    _plugins[plugin.name] = plugin
    if plugin.slug not in _by_slug or _by_slug[plugin.slug].name == plugin.name:
        _by_slug[plugin.slug] = plugin


def discard(name: str) -> None:
    """Forget a plugin; harmless when unknown."""
    if (plugin := _plugins.pop(name, None)) is not None and _by_slug.get(plugin.slug) is plugin:
        del _by_slug[plugin.slug]


def all_plugins() -> list[Plugin]:
    """Every plugin in any state, by name."""
    return sorted(_plugins.values(), key=lambda one: one.name)


def in_load_order() -> list[Plugin]:
    """Every plugin in any state, those that others need before them."""
    return list(_plugins.values())


def find(name: str) -> Plugin | None:
    """The plugin of this name in any state."""
    return _plugins.get(name)


def out_of_service() -> frozenset[str]:
    """Names of all that people cannot use."""
    return frozenset(name for name, one in _plugins.items() if not one.live)


def live(name: str) -> Plugin:
    """The loaded plugin of this name.

    Raises:
        NotFound: unknown or disabled.
        Unavailable: in quarantine, incompatible or blocked; the reason stays with the operator.
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
            return _by_slug.get(module.split(".")[1])
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
