"""Settings as one sees them: sections from the file, values from the one store (F-222, F-225, F-226)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mozaiks_shell.appconfig.service import settings_config
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Invalid, NotFound
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.identity import service as identity
from mozaiks_shell.notifications.kinds import kinds
from mozaiks_shell.plugin_host import own_settings
from mozaiks_shell.plugin_host import service as plugins
from mozaiks_shell.shell.settings_fields import FieldSpec, Section, check, section_from
from mozaiks_shell.shell.settings_models import declared_fields, defaults, judged


def all_sections() -> list[Section]:
    """Every section of ``settings_config.json``, in order; invisible ones, too."""
    said = [one.model_dump(mode="json", by_alias=True) for one in settings_config().profile_sections or ()]
    return sorted([*(section_from(one) for one in said), *_notifications()], key=lambda one: one.order)


def _notifications() -> Iterator[Section]:
    """What plugins send, to be switched off (F-087)."""
    fields = tuple(
        FieldSpec(
            id=kind.key, label=kind.label, type="toggle", plugin=kind.plugin, category=kind.heading,
            description=kind.description, default=kind.enabled, channels=kind.channels,
        )
        for kind in kinds()
    )  # fmt: skip
    if fields:
        title, about = msg("Notifications"), msg("What you are told of.")
        yield Section("plugin_notifications", title, about, "bell", order=50, notifications=fields)


async def sections(principal: Principal) -> list[Section]:
    """What this person sees: visible sections and fields, and of plugins only those they may use (F-225)."""
    usable = {one.name for one in await plugins.plugins(principal)}

    def seen(fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
        return tuple(one for one in fields if one.visible and (not one.plugin or one.plugin in usable))

    shown = [
        replace(one, fields=seen(one.fields), notifications=seen(one.notifications)) for one in all_sections() if one.visible
    ]
    return [one for one in shown if one.fields or one.notifications]


def fields_in(scope: str) -> list[FieldSpec]:
    """The fields whose values a scope keeps, under the key they are kept with: the file's, then the plugin's own."""
    own = declared_fields(scope)
    typed = {one.id for one in own}
    told = [one for section in all_sections() for one in (*section.fields, *section.notifications)]
    kept = [replace(one, id=one.place[1]) for one in told if one.place[0] == scope and one.id not in typed]
    return [*kept, *own]


async def read_settings(principal: Principal, plugin: str = "") -> dict[str, Any]:
    """What counts for this person: defaults, then what an administrator set, then their own choice.

    Args:
        plugin: Whose settings; empty for the shell's. The caller has checked that the person may use it.
    """
    chosen = await identity.effective(principal, plugin)
    values = {one.id: one.default for one in fields_in(plugin) if one.default is not None} | defaults(plugin) | chosen
    return await own_settings.shown(plugin, principal.user_id, values) if plugin else values


async def write_settings(
    principal: Principal, changes: Mapping[str, Any], plugin: str = "", *, whole: Iterable[FieldSpec] = ()
) -> dict[str, Any]:
    """Change some of one's own settings and return what counts now; a null goes back to the default.

    Args:
        changes: By key; those of the shell may hold ``full_name``.
        plugin: Whose settings; empty for the shell's.
        whole: The fields of a form that was sent as a whole, all of this scope; ``changes`` is then by field id, a missing
            required field is named, and an unticked toggle is off.

    Raises:
        Invalid: ``errors`` has ``{field, code, message}`` for every wrong field; nothing is changed.
        ProtectedField: keys that nobody may write.
    """
    wanted, fields = dict(changes), list(whole)
    if fields:
        good = check(fields, wanted, await read_settings(principal, plugin), whole=True)
        keys = {one.id: one.place[1] for one in fields}
        wanted = {keys.get(name, name): value for name, value in good.items()}
    if plugin:
        if own_settings.has_own(plugin):
            before = await read_settings(principal, plugin)
            wanted = await own_settings.saved(plugin, principal.user_id, before, rule(principal, plugin, wanted, before))
        await identity.set_preferences(principal, wanted, plugin)
    else:
        if "full_name" in wanted and wanted["full_name"] is None:
            wanted["full_name"] = ""
        await identity.update_profile(principal, wanted)
    return await read_settings(principal, plugin)


async def plugin_scope(principal: Principal, name: str) -> str:
    """The plugin whose settings this person may read and write.

    Raises:
        NotFound, Unavailable, RoleNeeded, PlanNeeded: as :func:`plugin_host.service.demand_plugin`.
    """
    if not name:
        raise NotFound(tr("There is no such plugin."))
    return (await plugins.demand_plugin(name, principal)).name


def rule(principal: Principal | None, scope: str, changes: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The judge before the store: types, required and read-only fields, typed models (F-224).

    Raises:
        Invalid: see :func:`.settings_fields.check`.
    """
    fields = fields_in(scope)
    here = {one.id: one.default for one in fields if one.default is not None} | before
    cleaned = check(fields, changes, here, operator=principal is None)
    if scope and (unknown := sorted(set(changes) - {one.id for one in fields})) and declared_fields(scope):
        raise Invalid(tr("There are no such settings: {names}.", names=", ".join(unknown)), fields=unknown)
    return judged(scope, cleaned, before)


identity.add_rule(rule)
