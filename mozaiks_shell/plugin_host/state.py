"""What a plugin's page knows about its plugin: whether it is in service, what failed, what broke in the browser."""

from typing import ClassVar, Final, TypedDict

from reflex.event import EventSpec

from mozaiks_shell.foundation.access import Access, current_principal
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.plugin_host import faults, own_settings
from mozaiks_shell.plugin_host.registry import NAMESPACE, PluginState, all_plugins, find
from mozaiks_shell.ui.state import ShellState, event

log = get_logger("plugin_host")

_REPORTS: Final = 5  # of one tab until it is loaded anew
_STANDING: Final = {PluginState.DISABLED: "off", PluginState.DISCOVERED: "off"}


class Trouble(TypedDict):
    """What could not be loaded on a page; ``reference`` is in the log."""

    message: str
    reference: str


NO_TROUBLE: Final = Trouble(message="", reference="")


class PluginHealth(ShellState):
    """How the plugin of the page shown stands.

    ``standing`` is empty while it is in service, ``off`` when an operator has switched it off, ``broken`` when it is out of
    service, ``gone`` when it was removed while the page was open. ``why`` is where an operator reads the reason.
    """

    access: ClassVar[Access | None] = Access.public()

    standing: str = ""
    why: str = ""
    trouble: Trouble = NO_TROUBLE

    @event
    def check(self) -> None:
        """Runs first on every visit of a plugin's page, and whenever one of its handlers is refused."""
        name = _plugin_at(self.router.url.path)
        plugin = find(name)
        self.standing = ("gone" if name else "") if plugin is None else _standing(plugin.state)
        principal = current_principal()
        seen = bool(self.standing and plugin is not None and principal and principal.has_role("admin"))
        self.why = f"/admin/plugins/{name}" if seen else ""
        self.trouble = NO_TROUBLE

    @event
    def fail(self, message: str, reference: str) -> None:
        """Say on the page that something of it did not load; what is there stays."""
        if isinstance(message, str) and isinstance(reference, str):
            self.trouble = Trouble(message=message[:300], reference=reference[:40])

    @event
    def close(self) -> None:
        """Put the message away."""
        self.trouble = NO_TROUBLE


class PluginCrash(ShellState):
    """A plugin's page that broke in the browser."""

    access: ClassVar[Access | None] = Access.public()

    reference: str = ""
    _reports: int = 0

    @event
    async def report(self, name: str, error: str, stack: str) -> None:
        """Write the failure to the log and count it against the plugin of this page.

        A browser may say anything, so it is heard only about the page it shows, a few times, and
        :func:`.faults.rendered` counts each person once.
        """
        path = self.router.url.path
        if not all(isinstance(one, str) for one in (name, error, stack)) or name != (_plugin_at(path) or _guest(path, name)):
            return
        if self._reports >= _REPORTS:
            return
        self._reports += 1
        reference = new_id("err")
        said, _, where = error.partition("\n")
        log.error(
            "page failed in the browser", plugin=name, reference=reference, error=said[:500], stack=f"{where}\n{stack}"[:4000]
        )
        self.reference = reference[-8:]
        await faults.rendered(name, said, current_principal(), self.router.session.client_ip)


def plugin_failed(error: Exception, message: str, reference: str) -> list[EventSpec]:
    """What a page is told when one of its plugin's handlers failed: on the page when it was loading, and in its place when
    the plugin went out of service over it. Nothing when the error is no plugin's, or a notice says it all."""
    plugin = faults.culprit(error)
    if plugin is None or not faults.is_fault(error):
        return []
    if not plugin.live:
        return [PluginHealth.check()]
    return [PluginHealth.fail(message, reference)] if faults.handler_kind(plugin, error) == "on_load" else []


def plugin_gone(event_name: str) -> bool:
    """Whether a refused event was meant for a plugin that is out of service, or is not known any more."""
    _, mark, rest = event_name.partition(f".{NAMESPACE}___")
    if not mark:
        return False
    slug = rest.partition("___")[0]
    plugin = next((one for one in all_plugins() if one.slug == slug), None)
    return plugin is None or not plugin.live


def _plugin_at(path: str) -> str:
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "plugins" else ""


def _guest(path: str, name: str) -> str:
    """On the shell's settings page each plugin with settings is at home."""
    return name if path.rstrip("/") == "/settings/plugins" and own_settings.has_form(name) else ""


def _standing(state: PluginState) -> str:
    return "" if state.live else _STANDING.get(state, "broken")
