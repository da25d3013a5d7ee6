"""Kinds of notifications of plugins, and whether a person wants one (F-087).

A plugin names its kinds in its manifest, the operator in ``notifications_config.json``; where both name one, the operator's
words count. What people switch off is kept with their settings of the plugin, under ``notify.<kind>``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mozaiks_shell.appconfig.notifications_config import NotificationKind, notifications_config
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.identity import service as identity

PREFIX: Final = "notify."
Declared = tuple[str, str, Sequence[NotificationKind]]  # plugin, its name for people, its kinds
_sources: list[Callable[[], Iterable[Declared]]] = []


def declared_by(source: Callable[[], Iterable[Declared]]) -> None:
    """Name who knows which plugins are in service and what their manifests declare."""
    _sources[:] = [source]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as people see it.

    Attributes:
        plugin: Name of the plugin that sends it; ``title`` is its name for people.
        key: Where the person's choice is kept, in the scope of the plugin.
        heading: The group it stands in.
        enabled: How it stands until a person chooses.
    """

    plugin: str
    title: str
    id: str
    label: str
    description: str
    heading: str
    enabled: bool
    channels: tuple[str, ...]

    @property
    def key(self) -> str:
        """Key of the preference."""
        return PREFIX + self.id


def kinds() -> list[Kind]:
    """Every kind of the plugins that are in service, by plugin and in the order they were written."""
    said = notifications_config()
    if not said.enabled:
        return []
    groups = {one.id: one.name or one.id for one in said.categories}
    found: list[Kind] = []
    for name, title, own in (one for source in _sources for one in source()):
        listed = said.plugins.get(name)
        merged = {one.id: one for one in (*own, *(listed.notifications if listed else ()))}
        shown = (listed.display_name if listed else "") or title
        found += [_kind(name, shown, one, groups, said.settings.default_enabled) for one in merged.values()]
    return found


def _kind(plugin: str, title: str, said: NotificationKind, groups: dict[str, str], usual: bool) -> Kind:
    enabled = usual if said.default_enabled is None else said.default_enabled
    heading = groups.get(said.category) or title
    return Kind(plugin, title, said.id, said.label or said.id, said.description, heading, enabled, tuple(said.channels))


async def wanted(app_id: str, user_id: str, plugin: str, kind: str) -> bool:
    """Whether this person gets notifications of this kind. A kind nobody declared cannot be switched off by itself."""
    if not notifications_config().enabled:
        return False
    known = next((one for one in kinds() if (one.plugin, one.id) == (plugin, kind)), None)
    chosen = (await identity.preferences(Principal(user_id, app_id), plugin)).get(PREFIX + kind)
    if isinstance(chosen, bool):
        return chosen
    return known is None or known.enabled
