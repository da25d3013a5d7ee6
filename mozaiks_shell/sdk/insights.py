"""``insights``: count what people do with the plugin (F-239, F-297). Sign-ups and daily activity are counted by the shell.

await insights.track("report_exported", format="pdf", pages=12)
"""

from typing import Any

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.insights import service as _insights
from mozaiks_shell.plugin_host.service import calling, either_way


def track(event: str, /, **properties: Any) -> Any:
    """Keep one event for the operator's figures. Awaited in ``async`` code, called plainly in ``def``.

    Args:
        event: What happened, in small letters: ``report_exported``.
        **properties: A few facts as JSON, at most 4 kB. Keys that name a person (``email``, ``ip_address``) are dropped.

    Raises:
        Invalid: no such name, or the facts are not JSON.
        TooMany: more than 600 a minute of one person.

    Example:
        >>> await sdk.insights.track("report_exported", format="pdf")
    """
    plugin, person = calling(), current_principal()
    app_id, user_id = (person.app_id, person.user_id) if person else (get_settings().app_id, "")
    return either_way(_insights.track(app_id, user_id, plugin.name if plugin else "app", event, properties))


__all__ = ["track"]
