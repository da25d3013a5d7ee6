"""State of the generated settings forms: sections of ``settings_config.json`` and settings of plugins (F-222 to F-226)."""

from dataclasses import replace
from typing import Any, ClassVar, Final, TypedDict
from urllib.parse import quote, unquote

from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.identity.service import profile
from mozaiks_shell.plugin_host import service as plugins
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.shell.settings_fields import NO_VALUE, FieldSpec, Section, check
from mozaiks_shell.shell.settings_models import declared_fields
from mozaiks_shell.shell.settings_values import all_sections, read_settings, sections, write_settings
from mozaiks_shell.shell.settings_views import FieldView, form_name, sent, view
from mozaiks_shell.shell.slots import plugin_settings
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.kit.icons import known
from mozaiks_shell.ui.state import ShellState, event

_PLUGIN: Final = "plugin."  # before a plugin's name: the id of the section with its settings

# Where sections of these names go: beneath what the page has by itself.
_HOMES: Final = {
    "profile": "/profile", "personal": "/profile", "account": "/profile",
    "preferences": "/settings", "appearance": "/settings", "theme": "/settings", "language": "/settings", "general": "/settings",
    "security": "/settings/security", "password": "/settings/security",
    "plugins": "/settings/plugins", "data": "/settings/data",
}  # fmt: skip
# Fields those pages have by themselves.
_BUILT_IN: Final = {
    "/profile": {"full_name", "email", "username"},
    "/settings": {"locale", "timezone"},
}
_BUILT_IN_TYPES: Final = {
    "/profile": {"image"},
    "/settings": {"theme-selector", "locale-selector", "timezone-selector"},
    "/settings/security": {"password-change"},
}


class SectionLink(TypedDict):
    """A line of the area's navigation that files or plugins add."""

    path: str
    title: str
    icon: str


class SectionView(TypedDict):
    """A card with a form. ``bare``: the page says its title already. ``writable``: it has something to save. ``reload``:
    saving changes words of the page."""

    id: str
    title: str
    text: str
    bare: bool
    fields: list[FieldView]
    writable: bool
    reload: bool


class SettingsPages(ShellState):
    """The generated part of the settings page one is on."""

    access: ClassVar[Access | None] = Access.signed_in()

    links: list[SectionLink] = []
    cards: list[SectionView] = []
    errors: dict[str, str] = {}
    saved: dict[str, int] = {}
    failed: dict[str, int] = {}
    title: str = ""
    text: str = ""
    ready: bool = False
    unknown: bool = False

    @event
    async def load(self) -> None:
        """Read file and values anew; runs on every visit of a page of the area."""
        me, path = self._me(), self._path()
        found = await sections(me)
        own = {one.id: one for one in await _plugin_sections(me)}
        self.links = [
            SectionLink(path=_page_of(one.id), title=tr(one.title), icon=known(one.icon or "sliders-horizontal"))
            for one in found
            if one.id not in _HOMES
        ]
        if own or await _panels(me) or any(_page_of(one.id) == "/settings/plugins" for one in found):
            self.links = [*self.links, SectionLink(path="/settings/plugins", title=tr("Plugins"), icon="puzzle")]
        here = [_trimmed(one, path) for one in found if _page_of(one.id) == path]
        here = [one for one in here if one.fields or one.notifications]
        if path == "/settings/plugins":
            told = {field.plugin for one in here for field in one.fields if field.type == "plugin-settings"}
            here += [one for one in own.values() if one.fields[0].plugin not in told]
        self.cards = [await _view(me, one) for one in here]
        self.saved = {one["id"]: self.saved.get(one["id"], 0) for one in self.cards}
        self.failed = {one["id"]: self.failed.get(one["id"], 0) for one in self.cards}
        self.errors = {}
        first = self.cards[0] if self.cards else None
        self.title, self.text = (first["title"], first["text"]) if first else ("", "")
        self.unknown = not here and not (path == "/settings/plugins" and await _panels(me))
        self.ready = True

    def _path(self) -> str:
        return unquote(self.router.url.path.rstrip("/"))

    @event
    async def save(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Keep what was typed into one card, or say beneath each field why not; then nothing is kept."""
        me, section_id = self._me(), text_of(form, "section")
        if section_id not in self.saved:
            return
        section = await _section(me, section_id, self._path())
        if section is None:
            return
        wrong = await _write(me, section_id, _writable(section), form)
        self.errors = {name: text for name, text in self.errors.items() if not name.startswith(f"{section_id}:")} | wrong
        if wrong:
            self.failed = {**self.failed, section_id: self.failed[section_id] + 1}
            return
        self.saved = {**self.saved, section_id: self.saved[section_id] + 1}
        self.cards = [await _view(me, section) if one["id"] == section_id else one for one in self.cards]
        yield Frame.enter


def _page_of(section_id: str) -> str:
    return _HOMES.get(section_id, f"/settings/{quote(section_id, safe='')}" if section_id else "/settings")


def _trimmed(section: Section, path: str) -> Section:
    """The section without what its page shows anyway."""
    ids, types = _BUILT_IN.get(path, set()), _BUILT_IN_TYPES.get(path, set())
    kept = tuple(one for one in section.fields if one.plugin or (one.id not in ids and one.type not in types))
    return replace(section, fields=kept) if section.id in _HOMES else section


async def _plugin_sections(me: Principal) -> list[Section]:
    """A section for each plugin with settings that this person may use."""
    usable = await plugins.plugins(me)
    made = [Section(_PLUGIN + one.name, one.display_name, fields=tuple(_fields_of(one.name))) for one in usable]
    return [one for one in made if any(field.visible for field in one.fields)]


async def _panels(me: Principal) -> bool:
    """Whether a plugin this person may use brings a panel of its own."""
    usable = {one.name for one in await plugins.plugins(me)}
    return any(one.owner in usable for one in plugin_settings.pieces())


async def _section(me: Principal, section_id: str, path: str) -> Section | None:
    everything = [*await sections(me), *await _plugin_sections(me)]
    found = next((one for one in everything if one.id == section_id), None)
    return _trimmed(found, path) if found else None


def _expanded(section: Section) -> list[tuple[FieldSpec, str]]:
    """The fields in order, each with the group it belongs to; ``plugin-settings`` becomes the plugin's own fields."""
    found: dict[tuple[str, str, str], tuple[FieldSpec, str]] = {}
    for one in (*section.fields, *section.notifications):
        if one.type == "plugin-settings":
            for inner in _fields_of(one.plugin or one.id):
                found.setdefault((*inner.place, ""), (inner, tr(one.label)))
        else:
            kind = one.type if one.type in NO_VALUE else ""
            found.setdefault((*one.place, kind), (one, tr(one.category)))
    return [(one, group) for one, group in found.values() if one.visible]


def _fields_of(plugin: str) -> list[FieldSpec]:
    """The settings of a plugin: those it declares, else what the file asks for in its name. Not its notifications."""
    if own := declared_fields(plugin):
        return own
    told = [one for section in all_sections() for one in section.fields]
    return [one for one in told if one.plugin == plugin and one.type not in NO_VALUE]


def _writable(section: Section) -> list[FieldSpec]:
    """The fields that are saved with the form."""
    fields = [one for one, _ in _expanded(section)]
    at_once = {"theme-selector"}
    return [one for one in fields if one.writable and one.type not in NO_VALUE and (one.plugin or one.type not in at_once)]


async def _view(me: Principal, section: Section) -> SectionView:
    fields = _expanded(section)
    scopes = {one.plugin for one, _ in fields}
    values = {scope: await read_settings(me, scope) for scope in scopes}
    if "" in values:
        values[""] = {**values[""], **await profile(me)}
    shown: list[FieldView] = []
    last = ""
    for at, (one, group) in enumerate(fields):
        value = values[one.plugin].get(one.place[1], one.default)
        shown.append(view(one, value, f"set-{section.id}-{at}", group if group != last else ""))
        last = group
    writable = _writable(section)
    return SectionView(
        id=section.id,
        title=tr(section.title),
        text=tr(section.description),
        bare=section.id not in _HOMES and not section.id.startswith(_PLUGIN),
        fields=shown,
        writable=bool(writable),
        reload=any(one.place in {("", "locale"), ("", "timezone")} for one in writable),
    )


async def _write(me: Principal, section_id: str, fields: list[FieldSpec], form: dict[str, Any]) -> dict[str, str]:
    """Keep the values of all scopes; message per control when one is wrong, and then none is kept."""
    wrong: dict[str, str] = {}
    scopes = sorted({one.plugin for one in fields})
    groups = {scope: [one for one in fields if one.plugin == scope] for scope in scopes}

    def note(problem: ShellError, scope: str) -> None:
        names = {one.id: form_name(one) for one in groups[scope]}
        for name, text in field_errors(problem).items():
            wrong[f"{section_id}:{names.get(name, '')}"] = text

    for scope in scopes:
        try:
            check(groups[scope], sent(groups[scope], form), await read_settings(me, scope), whole=True)
        except ShellError as problem:
            note(problem, scope)
    for scope in scopes if not wrong else []:
        try:
            await write_settings(me, sent(groups[scope], form), scope, whole=tuple(groups[scope]))
        except ShellError as problem:
            note(problem, scope)
    return wrong
