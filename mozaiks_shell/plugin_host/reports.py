"""A plugin in any state, as its operator sees it (F-092)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.errors import Cause, Note
from mozaiks_shell.plugin_host.registry import Plugin, PluginState

__all__ = ["PluginReport", "faults_from", "plugin_reports", "report_of"]


@dataclass(frozen=True, slots=True)
class PluginReport:
    """All that an operator can know of a plugin.

    Attributes:
        state: A word of :class:`.registry.PluginState`; ``live`` when people can use it.
        recoverable: ``retry`` may help; otherwise a restart is needed.
        can_enable, can_disable, can_retry: Which of the three the operator may press now.
        needs_restart: Enabling takes effect at the next start, because the code is not in this process.
        switch: What decided on or off: ``operator``, ``registry_file``, ``manifest``, ``safe_mode`` or empty.
        cause, message, file, line, where, remedy, pip: Why it is out of service (``where`` is ``file:line``), what to do, and the
            exact line to install what is missing; else empty.
        notes: What is worth a word though it runs.
        timings: Milliseconds of probe, import, migrate and init.
        faults: What failed lately, newest last (:mod:`.faults`).
        folder, root, package: Where it comes from: its folder, the plugins folder that is in, the distribution that brings it.
        permissions: What it says it needs; ``quality`` the tier it claims.
    """

    name: str
    title: str
    version: str
    description: str
    icon: str
    state: str
    live: bool
    recoverable: bool
    cause: str
    message: str
    where: str
    remedy: str
    path: str
    has_api: bool
    tables: tuple[str, ...]
    can_enable: bool = False
    can_disable: bool = False
    can_retry: bool = False
    needs_restart: bool = False
    switch: str = ""
    file: str = ""
    line: int = 0
    pip: str = ""
    notes: tuple[Note, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    faults: tuple[Any, ...] = ()
    folder: str = ""
    root: str = ""
    package: str = ""
    permissions: tuple[str, ...] = ()
    quality: str = ""
    isolation: str = "in_process"
    author: str = ""
    homepage: str = ""
    pages: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """All of it in one line; empty unless it is out of service."""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.message.rstrip('.')}. {self.remedy}" if self.message else ""


_faults: list[Callable[[str], Any]] = []


def faults_from(recent: Callable[[str], Any]) -> None:
    """Let ``recent(name)`` say what failed lately; :mod:`.faults` calls this once."""
    _faults[:] = [recent]


def plugin_reports() -> list[PluginReport]:
    """Every plugin found, with its state and the reason. For operators only."""
    return [report_of(plugin) for plugin in registry.all_plugins()]


def report_of(plugin: Plugin) -> PluginReport:
    """One plugin's report."""
    said, state = plugin.manifest, plugin.state
    off = state is PluginState.DISABLED
    problem = None if off else plugin.problem
    return PluginReport(
        name=plugin.name,
        title=said.title,
        version=said.version,
        description=said.description,
        icon=said.icon,
        state=state.value,
        live=plugin.live,
        recoverable=plugin.recoverable,
        cause=problem.cause.value if problem else "",
        message=problem.message if problem else "",
        where=problem.where if problem else "",
        remedy=problem.remedy if problem else "",
        path=plugin.path if plugin.path in plugin.pages else "",
        has_api=plugin.entry is not None,
        tables=plugin.tables,
        can_enable=off and plugin.switch != "safe_mode",
        can_disable=not off and (problem is None or problem.cause is not Cause.DUPLICATE),
        can_retry=plugin.recoverable,
        needs_restart=not plugin.imported and (off or state is PluginState.DISCOVERED),
        switch=plugin.switch,
        file=problem.file if problem else "",
        line=problem.line if problem else 0,
        pip=problem.pip if problem else "",
        notes=tuple(plugin.notes),
        timings=dict(plugin.timings),
        faults=tuple(_faults[0](plugin.name)) if _faults else (),
        folder=str(plugin.folder),
        root=str(plugin.root or plugin.folder.parent),
        package=plugin.package,
        permissions=tuple(one.value for one in said.permissions),
        quality=said.quality,
        isolation=said.isolation,
        author=said.author,
        homepage=said.homepage,
        pages=plugin.pages,
    )
