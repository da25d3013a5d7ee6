"""``apps.json``: which app id answers under which host, for one process that shows several brands (F-018).

``{"apps": {"acme": {"hosts": ["acme.example.com"], "name": "Acme"}}}``. The files of an app stand in ``apps/<app id>/``
below ``MOZAIKS_CONFIGS_PATH``. Only looks differ: accounts, plans and data are those of the one installation.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mozaiks_shell.appconfig.brand_values import Words
from mozaiks_shell.appconfig.live import LiveFile, apps
from mozaiks_shell.appconfig.problems import Finding
from mozaiks_shell.foundation.settings import get_settings

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\]")
_APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def plain_host(host: str) -> str:
    """A host as it is compared: small letters, Punycode, without port and final dot; empty when it is none."""
    host = host.strip().lower()[:300]
    name = host if host.endswith("]") else re.sub(r":\d{0,5}$", "", host)
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return ""
    name = name.removesuffix(".")
    return name if _HOST.fullmatch(name) else ""


def _host(value: str) -> str:
    if not (found := plain_host(value)):
        raise ValueError("must be a host such as acme.example.com, without https:// and path")
    return found


def _app(value: str) -> str:
    if not _APP.fullmatch(value):
        raise ValueError("an app id is up to 64 letters, digits, . _ -")
    return value


class AppEntry(BaseModel):
    """One app: the hosts it answers under, and its name where it has no brand of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hosts: tuple[Annotated[str, Field(max_length=260), AfterValidator(_host)], ...] = Field((), max_length=100)
    name: Words = Field("", max_length=60)


class Apps(BaseModel):
    """``apps.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str | int = ""
    apps: dict[Annotated[str, AfterValidator(_app)], AppEntry] = Field({}, max_length=500)

    def by_host(self) -> dict[str, str]:
        """Host -> app id; the first to claim a host has it."""
        found: dict[str, str] = {}
        for app_id, entry in self.apps.items():
            for host in entry.hosts:
                found.setdefault(host, app_id)
        return found


def _clashes(content: Apps, _: object = None) -> Iterator[Finding]:
    owners = content.by_host()
    for app_id, entry in content.apps.items():
        for place, host in enumerate(entry.hosts):
            if owners[host] != app_id:
                where = ("apps", app_id, "hosts", place)
                yield Finding(where, "error", f"the host {host} belongs to {owners[host]} already.", "Remove one of the two.")


APPS: LiveFile[Apps] = LiveFile("apps.json", Apps, late=_clashes)


def app_for_host(host: str) -> str:
    """The app id that answers under this host (a ``Host`` header); empty for the installation's own brand. Unknown hosts,
    and whatever is no host at all, get that one too."""
    entries = APPS.current()
    return entries.by_host().get(plain_host(host), "") if entries.apps else ""


def known_app(app_id: str) -> str:
    """The app id when this installation has it, else empty."""
    if not _APP.fullmatch(app_id) or app_id == get_settings().app_id:
        return ""
    return app_id if app_id in APPS.current().apps or app_id in apps() else ""


def app_ids() -> list[str]:
    """App ids with looks of their own, besides the installation's."""
    return sorted({*APPS.current().apps, *apps()} - {get_settings().app_id})
