"""``notifications``: tell a person something they should see even if they are elsewhere. Permission ``notifications``.

    await notifications.send("A task is due", task.title, type="due", link=f"/plugins/tasks?task={task.id}")

It is kept until it is read, and open tabs hear of it at once. Kinds that people may switch off stand in ``manifest.json``:

    "notifications": [{"id": "due", "label": "A task is due", "description": "On the day it is due."}]
"""

from collections.abc import Iterable
from typing import Any

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import Invalid, NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as _identity
from mozaiks_shell.notifications import kinds as _kinds
from mozaiks_shell.notifications import service as _notifications
from mozaiks_shell.plugin_host import registry as _registry
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import calling, either_way


def send(title: str, message: str = "", *, type: str = "", link: str = "", user_id: str = "") -> Any:
    """Notify the current person, or another person of this app. Awaited in ``async`` code, called plainly in ``def``.

    Args:
        title: One line, at most 200 characters, in the person's language (``tr``).
        message: More, at most 2000 characters.
        type: One of the kinds in the plugin's manifest or the operator's ``notifications_config.json``. A person who
            switched it off gets nothing. Empty: cannot be switched off.
        link: Path of this app that it leads to: ``/plugins/tasks``.
        user_id: Whom. Default: the current person.

    Returns:
        The notification's id; empty when the person does not want it.

    Raises:
        Forbidden: ``PERMISSION_MISSING``.
        NotSignedIn: nobody is signed in and no ``user_id`` was given.
        Invalid: no title, or a link that leads elsewhere.
        NotFound: this app has no such person.

    Example:
        >>> await sdk.notifications.send("Your report is ready", link="/plugins/reports")
        'ntf_0197…'
    """
    demand(Permission.NOTIFICATIONS)
    plugin = calling()
    return either_way(_send(plugin.name if plugin else "app", title, message, type, link, user_id))


async def _send(plugin: str, title: str, message: str, kind: str, link: str, user_id: str) -> str:
    person = current_principal()
    if not user_id and (person is None or not person.user_id):
        raise NotSignedIn(tr("Sign in to continue."))
    if not title.strip():
        raise Invalid("A notification needs a title.")
    if link and (not link.startswith("/") or link.startswith(("//", "/\\"))):
        raise Invalid("A notification leads to a path of this app, such as /plugins/tasks.")
    app_id = person.app_id if person else get_settings().app_id
    if user_id and (person is None or user_id != person.user_id):
        await _identity.find_user(user_id)
    whom = user_id or (person.user_id if person else "")
    if kind and not await _kinds.wanted(app_id, whom, plugin, kind):
        return ""
    name = f"{plugin}.{kind}" if kind else plugin
    return (await _notifications.create(app_id, whom, name, title.strip(), message, link)).id


def _declared() -> Iterable[_kinds.Declared]:
    return [(one.name, one.manifest.title, one.manifest.notifications) for one in _registry.all_plugins() if one.live]


_kinds.declared_by(_declared)

__all__ = ["send"]
