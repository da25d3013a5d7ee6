"""State of the operator's plugin pages: the list with its filter, and one plugin with what can be done to it."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import reflex as rx

from mozaiks_shell.admin.plugins_view import Chip, Detail, LogLine, Row, chips_of, detail_of, in_order, log_of, matches, row_of
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound, ShellError
from mozaiks_shell.foundation.i18n import msg, tr, trn
from mozaiks_shell.plugin_host import operations
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.state import ShellState, event

LIST: Final = "/admin/plugins"
_PAGE: Final = 60  # lines that are shown at first
_NOTHING: Final[dict[str, Any]] = {}


class Plugins(ShellState):
    """The list."""

    access: ClassVar[Access | None] = Access.role("admin")

    rows: list[Row] = []
    chips: list[Chip] = []
    chosen: str = ""
    words: str = ""
    cleared: int = 0  # grows when the search box is to be empty again
    more: int = 0
    total: int = 0
    loaded: bool = False
    busy: str = ""
    said: str = ""
    said_tone: str = "neutral"

    _most: int = _PAGE

    @event
    def load(self) -> None:
        """Read everything anew; runs on every visit."""
        self.said, self._most = "", _PAGE
        self._show()

    @event
    def choose(self, key: str) -> None:
        """Show the plugins of one state, of those that need attention, or all."""
        if isinstance(key, str):
            self.chosen, self._most = key[:20], _PAGE
            self._show()

    @event
    def search(self, words: str) -> None:
        """Show the plugins with these words."""
        if isinstance(words, str):
            self.words, self._most = words[:80], _PAGE
            self._show()

    @event
    def everything(self) -> None:
        """Back to the whole list."""
        self.chosen, self.words, self._most = "", "", _PAGE
        self.cleared += 1
        self._show()

    @event
    def show_more(self) -> None:
        """Show the next lines."""
        self._most += 4 * _PAGE
        self._show()

    @event
    async def rescan(self) -> AsyncIterator[Any]:
        """Look at the plugins folders again."""
        self.busy = "rescan"
        yield
        try:
            found = await operations.rescan(self._me())
            said = [
                trn(
                    "{count} new plugin; the next start loads it.",
                    "{count} new plugins; the next start loads them.",
                    len(found.new),
                )
                if found.new
                else "",
                trn("{count} has changed.", "{count} have changed.", len(found.changed)) if found.changed else "",
                trn("{count} is gone.", "{count} are gone.", len(found.gone)) if found.gone else "",
            ]
            self.said = " ".join(filter(None, said)) or tr("Nothing new in the plugins folders.")
            self.said_tone = "success" if found.new or found.changed else "neutral"
        except ShellError as error:
            self.said, self.said_tone = error.message, "danger"
        finally:
            self.busy = ""
            self._show()

    @event
    async def act(self, name: str, what: str) -> AsyncIterator[Any]:
        """Switch a plugin on, or try it again, from the list."""
        if not isinstance(name, str) or what not in {"enable", "retry"}:
            return
        self.busy = name
        yield
        try:
            after = await {"enable": operations.enable, "retry": operations.retry}[what](name, self._me())
            self.said, self.said_tone = _told(what, after)
        except ShellError as error:
            self.said, self.said_tone = error.message, "danger"
        finally:
            self.busy = ""
            self._show()
        yield rx.redirect(LIST, replace=True)  # the navigation is asked for anew

    def _show(self) -> None:
        everything = [row_of(one) for one in plugin_reports()]
        self.chips, self.total = chips_of(everything), len(everything)
        if self.chosen not in {chip["key"] for chip in self.chips}:
            self.chosen = ""
        found = [row for row in in_order(everything) if matches(row, self.chosen, self.words)]
        self.rows, self.more = found[: self._most], max(0, len(found) - self._most)
        self.loaded = True


class PluginView(ShellState):
    """One plugin."""

    access: ClassVar[Access | None] = Access.role("admin")

    shown: Detail = _NOTHING  # type: ignore[assignment]
    log: list[LogLine] = []
    loaded: bool = False
    missing: bool = False
    busy: str = ""
    said: str = ""
    said_tone: str = "neutral"

    @event
    def load(self) -> None:
        """Read everything anew; runs on every visit."""
        if self.shown.get("name") != self._name():
            self.said = ""
        self._show()

    @event
    def refresh(self) -> None:
        """Read everything anew, because somebody asked."""
        self._show()

    @event
    async def enable(self) -> AsyncIterator[Any]:
        """Switch it on."""
        async for step in self._do("enable"):
            yield step

    @event
    async def disable(self) -> AsyncIterator[Any]:
        """Switch it off."""
        async for step in self._do("disable"):
            yield step

    @event
    async def retry(self) -> AsyncIterator[Any]:
        """Start it again."""
        async for step in self._do("retry"):
            yield step

    async def _do(self, what: str) -> AsyncIterator[Any]:
        name, me = self._name(), self._me()
        self.busy = what
        yield
        acts = {"enable": operations.enable, "disable": operations.disable, "retry": operations.retry}
        try:
            self.said, self.said_tone = _told(what, await acts[what](name, me))
        except ShellError as error:
            self.said, self.said_tone = error.message, "danger"
        finally:
            self.busy = ""
            self._show()
        yield rx.redirect(f"{LIST}/{name}", replace=True)  # the navigation is asked for anew

    def _name(self) -> str:
        return unquote(self.router.url.path.rstrip("/").rpartition("/")[2])

    def _show(self) -> None:
        try:
            self.shown, self.missing = detail_of(operations.report(self._name())), False
            self.log = log_of(self._name())
        except NotFound:
            self.shown, self.missing, self.log = _NOTHING, True, []  # type: ignore[assignment]
        self.loaded = True


def _told(what: str, after: Any) -> tuple[str, str]:
    """What an act led to, in a sentence, and its tone."""
    if what == "disable":
        return tr("{title} is switched off.", title=after.title), "success"
    if after.live:
        text = msg("{title} is switched on.") if what == "enable" else msg("{title} runs again.")
        return tr(text, title=after.title), "success"
    if after.state in {"disabled", "discovered"}:
        return tr("{title} is switched on and starts with the next start of the app.", title=after.title), "success"
    return tr("{title} still does not work: {reason}", title=after.title, reason=after.message), "danger"
