"""State of the preferences page: theme, language, time zone."""

from typing import Any, ClassVar, TypedDict

from mozaiks_shell.appconfig.brand import Brand, brand
from mozaiks_shell.appconfig.sheet import appearance
from mozaiks_shell.appconfig.themes import Mode
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import current_locale, offered
from mozaiks_shell.identity.service import app_settings, preferences, set_preferences
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.shell.state import Frame, notify
from mozaiks_shell.ui.state import ShellState, event

_SHOWN = ("bg", "surface", "line", "line-strong", "text", "accent")


class Language(TypedDict):
    """A language of this installation and its own name."""

    code: str
    name: str


class Look(TypedDict):
    """A named theme: what it is called, and the colours its picture wears."""

    name: str
    label: str
    style: dict[str, str]


class Region(ShellState):
    """Language, time zone and theme of one person."""

    access: ClassVar[Access | None] = Access.signed_in()

    ready: bool = False
    languages: list[Language] = []
    locale: str = ""
    timezone: str = ""
    everybodys_timezone: str = ""
    theme: str = ""
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    named: list[Look] = []
    is_named: bool = False
    errors: dict[str, str] = {}
    saved: int = 0
    failed: int = 0

    @event
    async def load(self) -> None:
        """What is chosen now; runs on every visit."""
        own, everybodys = await preferences(self._me()), await app_settings(self._me().app_id)
        self.languages = [Language(code=code, name=name) for code, name in offered().items()]
        self.locale = current_locale()
        self.timezone = _word(own.get("timezone"))
        self.everybodys_timezone = _word(everybodys.get("timezone"))
        self.theme = _word(own.get("theme")) or _word(everybodys.get("theme")) or "system"
        look = brand(self._me().app_id)
        self.light, self.dark = _picture(look, "light"), _picture(look, "dark")
        labels = dict(look.labels)
        self.named = [
            Look(name=name, label=labels[name], style=_picture(worn, "dark" if worn.mode == "dark" else "light"))
            for name, worn in look.themes
            if name in labels
        ]
        self.is_named = self.theme in labels
        self.errors = {}
        self.ready = True

    @event
    async def save(self, form: dict[str, Any]) -> None:
        """Keep language and time zone; the page is loaded anew in them."""
        me = self._me()
        locale, timezone = text_of(form, "locale"), text_of(form, "timezone")
        changes: dict[str, Any] = {"timezone": timezone or None}
        if locale != current_locale():
            changes["locale"] = locale
        self.errors = {}
        try:
            await set_preferences(me, changes)
        except ShellError as problem:
            self.errors = field_errors(problem)
            self.failed += 1
            return
        self.locale, self.timezone = locale, timezone
        self.saved += 1

    @event
    async def choose(self, theme: str):  # type: ignore[no-untyped-def]
        """Keep a theme for every device of this person; the browser has put it on already."""
        try:
            await set_preferences(self._me(), {"theme": theme if isinstance(theme, str) else ""})
        except ShellError as problem:
            yield notify(problem.message, "danger")
            return
        self.theme, self.is_named = theme, any(one["name"] == theme for one in self.named)
        yield Frame.enter


def _picture(look: Brand, mode: Mode) -> dict[str, str]:
    """The few colours a small picture of the app needs."""
    found = appearance(look, mode)
    return {f"--color-{name}": found[f"--color-{name}"] for name in _SHOWN if f"--color-{name}" in found}


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
