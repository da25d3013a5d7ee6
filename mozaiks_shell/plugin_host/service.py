"""Use cases of the plugin host: list, check, execute. The loader fills the registry before (see :mod:`.loader`)."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Decision, Principal
from mozaiks_shell.foundation.errors import NotFound, NotSignedIn, PlanNeeded, RoleNeeded, ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.plugin_host import capabilities as capabilities
from mozaiks_shell.plugin_host import gates, registry
from mozaiks_shell.plugin_host.execution import milliseconds_since, run_entry
from mozaiks_shell.plugin_host.registry import Plugin, calling, loading, out_of_service
from mozaiks_shell.plugin_host.reports import PluginReport, plugin_reports
from mozaiks_shell.plugin_host.threads import either_way

DRY_RUN = "_entitlement_dry_run"
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
        raise NotSignedIn(tr("Sign in to continue."))
    found = registry.live(name)
    decision = await decide(found, principal)
    if decision.allowed:
        return found
    if decision.reason == "role":
        raise RoleNeeded(tr("This needs the role {role}.", role=decision.needed), needed=decision.needed)
    raise PlanNeeded(tr("This is part of the plan {plan}.", plan=tr(decision.needed)), needed=decision.needed)


async def execute(name: str, data: dict[str, Any], principal: Principal | None) -> dict[str, Any]:
    """Run a plugin's entry for this person and return its dict (F-068).

    The caller's data is completed with who asks; keys of that name in ``data`` are overwritten (F-069).
    The principal must be the current one: database access inside the plugin runs for the current person.

    What the action consumes is taken before it runs and given back when it fails (F-117). With
    ``_entitlement_dry_run`` in ``data`` nothing runs (F-096).

    Raises:
        ShellError: as :func:`demand_plugin`, as :func:`.gates.enter`, as :func:`.execution.run_entry`, or as the plugin raised.
    """
    found = await demand_plugin(name, principal)
    if found.entry is None:
        raise NotFound(f"{found.manifest.title} has no API.", code="PLUGIN_NOT_FOUND")
    given = {key: value for key, value in data.items() if key not in {*_INJECTED, DRY_RUN}} | _context(principal)
    action = data["action"] if isinstance(data.get("action"), str) else ""
    at = await gates.standing(found, principal)
    if data.get(DRY_RUN):
        return await _dry_run(at, action, given)
    held = await gates.enter(at, action, given)
    began = time.perf_counter()
    facts: dict[str, Any] = {"plugin": name, "action": action[:64]}
    try:
        async with gates.checked(found):
            given["_entitlements"] = await at.summary()
        result = await run_entry(found, given)
    except BaseException as failure:
        await asyncio.shield(held.give_back())
        if not isinstance(failure, ShellError):
            raise
        error = failure
        facts |= {"code": error.code, "reason": str(error.details.get("reason", error.message))}
        await _tell("plugin.failed", principal, facts, began)
        error.details.pop("reason", None)
        raise
    if result.get("error"):
        await held.give_back()
        facts |= {"code": str(result.get("error_code", "")), "reason": str(result["error"])[:300]}
    await _tell("plugin.failed" if result.get("error") else "plugin.executed", principal, facts, began)
    return result


async def _tell(name: str, principal: Principal | None, facts: dict[str, Any], began: float) -> None:
    if principal is not None:
        data = {**facts, "duration_ms": milliseconds_since(began)}
        await events.publish(events.Event(name, principal.app_id, principal.user_id, data))


async def _dry_run(at: gates.Standing, action: str, data: dict[str, Any]) -> dict[str, Any]:
    """Whether the call would be let through, and what it would take (F-096). The plugin is not entered, nothing is counted."""
    async with gates.checked(at.plugin):
        found = await at.action(action, data)
        answer: dict[str, Any] = {"dry_run": True, "allowed": found.allowed, "would_consume": found.would_consume}
        if found.feature is not None:
            return {**answer, "code": found.code, "feature": found.feature.feature, "needed": found.feature.needed}
        if found.limit is not None:
            return {**found.limit.facts(), **answer, "code": found.code}
        return answer
    return {"dry_run": True, "allowed": True, "would_consume": {}}  # gates stand open while the file is broken


def _context(principal: Principal | None) -> dict[str, Any]:
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
        "_entitlements": {},
    }


__all__ = [
    "PluginInfo", "PluginReport", "calling", "decide", "demand_plugin", "either_way", "execute", "loading",
    "out_of_service", "plugin", "plugin_reports", "plugins",
]  # fmt: skip
