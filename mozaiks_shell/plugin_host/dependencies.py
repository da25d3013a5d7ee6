"""Plugins that need other plugins: the order of loading, circles, and what is missing."""

from collections.abc import Sequence

from mozaiks_shell.plugin_host import compat, registry
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.registry import Plugin, PluginState


def in_order(plugins: Sequence[Plugin]) -> list[Plugin]:
    """By name, but each after those it needs. Who stands in a circle, or needs one who does, goes to quarantine.

    The order depends on names and manifests alone, so every worker has the same.
    """
    by_name = {one.name: one for one in plugins}
    done: dict[str, Plugin] = {}
    stack: list[tuple[str, list[str]]]
    for start in sorted(by_name):
        stack, path = [(start, _needs(by_name[start], by_name))], [start]
        if start in done:
            continue
        while stack:
            name, waiting = stack[-1]
            waiting[:] = [one for one in waiting if one not in done]
            if not waiting:
                done[name] = by_name[name]
                stack.pop()
                path.pop()
            elif waiting[0] in path:
                _circle(by_name, path[path.index(waiting[0]) :])
                waiting.pop(0)
            else:
                following = waiting[0]
                stack.append((following, _needs(by_name[following], by_name)))
                path.append(following)
    return list(done.values())


def _needs(plugin: Plugin, known: dict[str, Plugin]) -> list[str]:
    return sorted(name for name in plugin.manifest.dependencies.plugins if name in known)


def _circle(plugins: dict[str, Plugin], names: list[str]) -> None:
    told = " → ".join([*names, names[0]])
    for name in names:
        plugin = plugins[name]
        if plugin.state is PluginState.DISCOVERED:
            remedy = "Take one of them out of the other's dependencies, then restart."
            plugin.problem = PluginProblem(Cause.DEPENDENCY, f"the plugins need each other in a circle: {told}", remedy=remedy)
            plugin.state = PluginState.QUARANTINED


def unmet(plugin: Plugin) -> PluginProblem | None:
    """What keeps a plugin from running: another one that is missing, of another version, or out of service."""
    for name, wanted in plugin.manifest.dependencies.plugins.items():
        other = registry.find(name)
        if other is None:
            remedy = f"Install the plugin {name}, then restart."
            return PluginProblem(Cause.DEPENDENCY, f"needs the plugin {name}, which is not there", remedy=remedy)
        if wanted and not compat.fits(other.manifest.version, wanted):
            remedy = f"Install {name} {wanted}, then restart."
            message = f"needs the plugin {name} {wanted}, and there is {other.manifest.version}"
            return PluginProblem(Cause.DEPENDENCY, message, remedy=remedy)
        if not other.live:
            remedy = f"Switch {name} on" if other.state is PluginState.DISABLED else f"Repair {name}"
            message = f"needs the plugin {name}, which is {other.state.value}"
            return PluginProblem(Cause.DEPENDENCY, message, remedy=f"{remedy}, then restart.")
    return None
