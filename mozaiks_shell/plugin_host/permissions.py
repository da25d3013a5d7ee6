"""What a plugin may do beyond drawing pages and reading its own rows: it says so in its manifest, the operator reads it there."""

from enum import StrEnum
from typing import Final

from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.foundation.i18n import msg


class Permission(StrEnum):
    """A word of ``"permissions"`` in ``manifest.json``."""

    RAW_SQL = "raw_sql"
    HTTP = "http"
    JOBS = "jobs"
    WORKFLOWS = "workflows"
    NOTIFICATIONS = "notifications"
    FILES = "files"
    PAYMENTS = "payments"
    SUBPROCESS = "subprocess"

    @property
    def meaning(self) -> str:
        """What it allows, for the operator's page and the documentation."""
        return MEANINGS[self]


MEANINGS: Final[dict[Permission, str]] = {
    Permission.RAW_SQL: msg("Sends SQL text of its own to the database."),
    Permission.HTTP: msg("Calls other servers with sdk.http."),
    Permission.JOBS: msg("Runs work in the background and on a schedule."),
    Permission.WORKFLOWS: msg("Starts agent workflows."),
    Permission.NOTIFICATIONS: msg("Sends notifications to people."),
    Permission.FILES: msg("Keeps files."),
    Permission.PAYMENTS: msg("Starts checkouts and reads subscriptions."),
    Permission.SUBPROCESS: msg("Starts other programs; the static check keeps quiet about it."),
}


def demand(permission: Permission) -> None:
    """Refuse unless the plugin whose code is on the stack has this permission. Code outside plugins passes.

    Raises:
        Forbidden: code ``PERMISSION_MISSING``, with the line of the manifest to add.
    """
    from mozaiks_shell.plugin_host import registry

    plugin = registry.calling(2)
    if plugin is None or permission in plugin.manifest.permissions:
        return
    listed = sorted({*plugin.manifest.permissions, permission})
    line = '"permissions": [' + ", ".join(f'"{one}"' for one in listed) + "]"
    raise Forbidden(
        f"The plugin {plugin.name} lacks the permission {permission.value!r}. Add to its manifest.json: {line}",
        code="PERMISSION_MISSING",
        plugin=plugin.name,
        permission=permission.value,
        manifest_line=line,
    )
