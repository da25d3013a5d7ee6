"""The builds of the app as an operator sees them (F-165)."""

from typing import Final, TypedDict
from urllib.parse import urlsplit

from mozaiks_shell.broker import builds
from mozaiks_shell.foundation.i18n import msg, tr

SHOWN: Final = 6  # the API has them all
STATES: Final = {
    "building": (msg("Being built"), "accent", "loader"),
    "built": (msg("Built"), "accent", "package"),
    "deployable": (msg("Ready to deploy"), "warning", "rocket"),
    "deployed": (msg("Deployed"), "success", "circle-check"),
    "error": (msg("Failed"), "danger", "octagon-x"),
}


class BuildLine(TypedDict):
    """A build. ``label``, ``tone`` and ``sign`` are its badge's, ``note`` is why it failed or what made it, ``when`` is ISO 8601.

    ``live``: it is the one people use. ``preview`` and ``files`` are addresses, empty when there is nothing.
    """

    id: str
    label: str
    tone: str
    sign: str
    note: str
    when: str
    live: bool
    preview: str
    files: str


async def build_lines(app_id: str) -> list[BuildLine]:
    """The newest builds, and the one people use where that is an older one."""
    newest = await builds.listing(app_id, SHOWN)
    live = (await builds.latest(app_id))["deployed_build_id"] if newest else None
    if live and live not in {one["build_id"] for one in newest}:
        newest[SHOWN - 1 :] = [await builds.find(app_id, live)]
    return [
        BuildLine(
            id=one["build_id"],
            label=tr(STATES[one["status"]][0]),
            tone=STATES[one["status"]][1],
            sign=STATES[one["status"]][2],
            note=one["error"] or one["workflow_name"],
            when=one["updated_at"] or "",
            live=one["build_id"] == live,
            preview=one["preview"]["url"] or "",
            files=urlsplit(one["export"]["download_url"] or "").path,
        )
        for one in newest
    ]
