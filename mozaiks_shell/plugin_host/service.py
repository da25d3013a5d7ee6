"""Use cases of the plugin host: list, check, execute. The loader fills the registry before (see :mod:`.loader`)."""

import time
from dataclasses import dataclass
from typing import Any

from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Decision, Principal
from mozaiks_shell.foundation.errors import NotFound, NotSignedIn, PlanNeeded, RoleNeeded, ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.execution import milliseconds_since, run_entry
from mozaiks_shell.plugin_host.registry import Plugin, calling, loading
from mozaiks_shell.plugin_host.threads import either_way

_INJECTED = ("app_id", "user_id", "user_jwt", "_context", "_entitlements")


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A loaded plugin as its users see it. ``path`` is empty when it has no page."""

    name: str
    display_name: str
    description: str
    version: str
    icon: str
    enabled: bool
    path: str
    has_api: bool


@dataclass(frozen=True, slots=True)
class PluginReport:
    """A plugin in any state, as its operator sees it.

    Attributes:
        state: ``discovered``, ``disabled``, ``loaded`` or ``quarantined``.
        recoverable: :func:`.startup.retry` may help; otherwise a restart is needed.
        cause, message, where, remedy: Why it is in quarantine (``where`` is ``file:line``) and what to do; else empty.
    """

    name: str
    title: str
    version: str
    description: str
    icon: str
    state: str
    recoverable: bool
    cause: str
    message: str
    where: str
    remedy: str
    path: str
    has_api: bool
    tables: tuple[str, ...]

    @property
    def reason(self) -> str:
        """All of it in one line; empty unless in quarantine."""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.message.rstrip('.')}. {self.remedy}" if self.message else ""


async def plugins(principal: Principal | None) -> list[PluginInfo]:
    """The loaded plugins this person may use (F-080)."""
    return [
        PluginInfo(
            plugin.name, plugin.manifest.title, plugin.manifest.description, plugin.manifest.version, plugin.manifest.icon,
            True, plugin.path if plugin.path in plugin.pages else "", plugin.entry is not None,
        )
        for plugin in registry.all_plugins()
        if plugin.live and (await decide(plugin, principal)).allowed
    ]  # fmt: skip


def plugin_reports() -> list[PluginReport]:
    """Every folder found, with its state and, in quarantine, the reason (F-092). For operators only."""
    reports: list[PluginReport] = []
    for plugin in registry.all_plugins():
        said, problem = plugin.manifest, plugin.problem
        reports.append(
            PluginReport(
                plugin.name,
                said.title,
                said.version,
                said.description,
                said.icon,
                plugin.state.value,
                plugin.recoverable,
                problem.cause.value if problem else "",
                problem.message if problem else "",
                problem.where if problem else "",
                problem.cause.remedy if problem else "",
                plugin.path if plugin.path in plugin.pages else "",
                plugin.entry is not None,
                plugin.tables,
            )  # fmt: skip
        )
    return reports


def plugin(name: str) -> Plugin:
    """The loaded plugin of this name.

    Raises:
        NotFound: unknown or disabled.
        Unavailable: in quarantine.
    """
    return registry.live(name)


async def decide(plugin: Plugin, principal: Principal | None) -> Decision:
    """Whether this person may use the plugin: the same demand guards its pages and handlers (F-081, F-082)."""
    return await billing.plugin_allowed(principal, plugin.name, plugin.demands)


async def demand_plugin(name: str, principal: Principal | None) -> Plugin:
    """The plugin, if this person may use it. Checks in the order of §3.8: who, exists, allowed.

    Raises:
        NotSignedIn, NotFound, Unavailable, RoleNeeded, PlanNeeded.
    """
    known = registry.find(name)
    if principal is None and (known is None or known.demands.kind != "public"):
        raise NotSignedIn("Sign in to continue.")
    found = registry.live(name)
    decision = await decide(found, principal)
    if decision.allowed:
        return found
    if decision.reason == "role":
        raise RoleNeeded(f"This needs the role {decision.needed}.", needed=decision.needed)
    raise PlanNeeded(f"This is part of the plan {decision.needed}.", needed=decision.needed)


async def execute(name: str, data: dict[str, Any], principal: Principal | None) -> dict[str, Any]:
    """Run a plugin's entry for this person and return its dict (F-068).

    The caller's data is completed with who asks; keys of that name in ``data`` are overwritten (F-069).
    The principal must be the current one: database access inside the plugin runs for the current person.

    Raises:
        ShellError: as :func:`demand_plugin`, as :func:`.execution.run_entry`, or as the plugin raised.
    """
    found = await demand_plugin(name, principal)
    if found.entry is None:
        raise NotFound(f"{found.manifest.title} has no API.", code="PLUGIN_NOT_FOUND")
    began = time.perf_counter()
    facts: dict[str, Any] = {"plugin": name, "action": str(data.get("action", ""))[:64]}
    try:
        result = await run_entry(found, {**data, **await _context(principal)})
    except ShellError as error:
        facts |= {"code": error.code, "reason": str(error.details.get("reason", error.message))}
        await _tell("plugin.failed", principal, facts, began)
        error.details.pop("reason", None)
        raise
    if result.get("error"):
        facts |= {"code": str(result.get("error_code", "")), "reason": str(result["error"])[:300]}
    await _tell("plugin.failed" if result.get("error") else "plugin.executed", principal, facts, began)
    return result


async def _tell(name: str, principal: Principal | None, facts: dict[str, Any], began: float) -> None:
    if principal is not None:
        data = {**facts, "duration_ms": milliseconds_since(began)}
        await events.publish(events.Event(name, principal.app_id, principal.user_id, data))


async def _context(principal: Principal | None) -> dict[str, Any]:
    """What §3.8 adds to the caller's data. ``user_jwt`` stays empty: people hold sessions, which are never handed out."""
    if principal is None:
        return {**dict.fromkeys(_INJECTED, ""), "_context": {}, "_entitlements": {}}
    return {
        "app_id": principal.app_id,
        "user_id": principal.user_id,
        "user_jwt": "",
        "_context": {
            "app_id": principal.app_id,
            "user_id": principal.user_id,
            "username": principal.name,
            "roles": sorted(principal.roles),
            "is_superadmin": principal.has_role("superadmin"),
        },
        "_entitlements": {
            "tier": (await billing.plan_of(principal)).name,
            "features": {},
            "limits": {},
            "enforce": get_settings().billing_provider != "none",
        },
    }


__all__ = [
    "PluginInfo", "PluginReport", "calling", "decide", "demand_plugin", "either_way", "execute", "loading", "plugin",
    "plugin_reports", "plugins",
]  # fmt: skip
