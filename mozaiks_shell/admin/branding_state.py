"""The branding page: a draft of ``brand.json`` that only its author sees, until it is exported or saved."""

from typing import Any, ClassVar, TypedDict
from urllib.parse import quote

import reflex as rx
from reflex.event import EventSpec

from mozaiks_shell.admin import branding_draft as drafts
from mozaiks_shell.admin.branding_looks import FACES, LOOKS, SET_BY_A_LOOK, face, face_of
from mozaiks_shell.admin.branding_view import Group, Problem, groups_of, problems_of
from mozaiks_shell.appconfig import brand_files, brand_store
from mozaiks_shell.appconfig.brand import app_ids, brand, known_app
from mozaiks_shell.appconfig.brand_store import CannotSave, Raw
from mozaiks_shell.appconfig.monogram import monogram
from mozaiks_shell.appconfig.sheet import asset_address
from mozaiks_shell.audit.service import record
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.ui.state import ShellState, event

_HISTORY = 60
_LARGEST = 300_000  # characters of a file somebody brings
_PARTS = {
    "radius": ("shape", "radius"), "density": ("layout", "density"), "size": ("layout", "fontSize"),
    "logo": ("assets", "logo"), "wordmark": ("assets", "wordmark"), "favicon": ("assets", "favicon"),
    "background": ("assets", "backgroundImage"),
}  # fmt: skip


class Choice(TypedDict):
    """A value and what people read for it."""

    value: str
    label: str


class Typeface(TypedDict):
    """A font file the preview needs."""

    family: str
    src: str


class Branding(ShellState):
    """State of the branding page. Nothing it holds has an effect outside of it."""

    access: ClassVar[Access | None] = Access.role("admin")

    loaded: bool = False
    app: str = ""
    apps: list[Choice] = []
    groups: list[Group] = []
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    faces: list[Typeface] = []
    name: str = ""
    tagline: str = ""
    parts: dict[str, str] = {}
    mode: str = "system"
    body_font: str = ""
    heading_font: str = ""
    fonts: list[Choice] = []
    images: list[Choice] = []
    logo_url: str = "/brand/logo"
    problems: list[Problem] = []
    errors: int = 0
    fixable: int = 0
    words_problem: dict[str, str] = {"name": "", "tagline": ""}
    changed: bool = False
    can_undo: bool = False
    can_save: bool = False
    file: str = ""
    version: int = 0  # grows when the fields are to show other values than were typed
    said: str = ""
    said_tone: str = "neutral"

    _raw: Raw = {}
    _start: Raw = {}
    _digest: str = ""
    _past: list[Raw] = []
    _typed: dict[str, tuple[str, str]] = {}  # cell -> (what was typed, why it cannot be used)

    @event
    def load(self) -> None:
        """Begin with the brand as it is; a draft that was begun is kept."""
        if not self.loaded or not self.changed:
            self._open(self.app)

    @event
    def open_app(self, app_id: str) -> None:
        """Edit the brand of another app id (empty: the installation's own)."""
        if isinstance(app_id, str):
            self._open(known_app(app_id[:64]))

    @event
    def pick(self, name: str, value: str) -> None:
        """Set one colour; an empty value has it derived."""
        if not isinstance(name, str) or not isinstance(value, str):
            return
        try:
            drafts.split(name)
            made = drafts.with_color(self._raw, name, value[:80])
        except drafts.Refused as error:
            if name.count(".") == 2 and len(name) < 40:
                self._typed = {**self._typed, name: (value[:80], tr(str(error)))}
                self._show()
            return
        self._typed = {key: one for key, one in self._typed.items() if key != name}
        self._change(made)

    @event
    def help(self, name: str) -> None:
        """Take the colour that was suggested for this one."""
        mark = drafts.seen(self._raw).marks.get(name) if isinstance(name, str) else None
        if mark is not None:
            self._change(drafts.with_color(self._raw, name, mark.use))

    @event
    def help_all(self) -> None:
        """Take every suggestion that settles an error or a warning."""
        made = self._raw
        for _ in range(6):
            marks = {name: one for name, one in drafts.seen(made).marks.items() if one.level != "hint"}
            if not marks:
                break
            for name, one in marks.items():
                made = drafts.with_color(made, name, one.use)
        self._change(made)

    @event
    def write(self, name: str, value: str) -> None:
        """Set ``name`` or ``tagline``."""
        if not isinstance(name, str) or not isinstance(value, str) or name not in {"name", "tagline"}:
            return
        try:
            made = drafts.with_words(self._raw, name, value[:300])
        except drafts.Refused as error:
            self.words_problem = {**self.words_problem, name: tr(str(error))}
            return
        self.words_problem = {**self.words_problem, name: ""}
        self._change(made)

    @event
    def choose(self, part: str, value: str) -> None:
        """Set radius, density, size, an image, the appearance, or a type face."""
        if not isinstance(part, str) or not isinstance(value, str):
            return
        value = value[:200]
        try:
            if part in _PARTS:
                self._change(drafts.with_part(self._raw, _PARTS[part], value))
            elif part in {"body", "heading"}:
                self._change(drafts.with_font(self._raw, part, face(value)))
            elif part == "mode" and value in {"light", "dark", "system"}:
                self._change({**self._raw, "mode": value})
        except (drafts.Refused, KeyError):
            self._tell(tr("This value cannot be used."), "danger")

    @event
    def wear(self, look: str) -> None:
        """Start from one of the finished looks; name, words and images stay."""
        if isinstance(look, str) and look in LOOKS:
            kept = {name: one for name, one in self._raw.items() if name not in SET_BY_A_LOOK}
            self._typed = {}
            self._change({**kept, **LOOKS[look][1]})
            self.version += 1

    @event
    def undo(self) -> None:
        """Take back the last change."""
        if self._past:
            self._raw, self._past = self._past[-1], self._past[:-1]
            self._typed = {}
            self.version += 1
            self._show()

    @event
    def start_over(self) -> None:
        """Back to the brand as it is in use; can be taken back."""
        self._typed = {}
        self._change(self._start)
        self.version += 1

    @event
    def bring(self, text: str) -> None:
        """Use the content of a file somebody chose."""
        if not isinstance(text, str) or not text or len(text) > _LARGEST:
            self._tell(tr("This file is too large or empty."), "danger")
            return
        try:
            made = brand_store.parsed(text)
        except CannotSave as error:
            self.problems = problems_of(error.findings)
            self._tell(tr("This file cannot be used. Nothing was changed."), "danger")
            return
        self._typed = {}
        self._change(made)
        self.version += 1
        self._tell(tr("The file is in the preview. Nothing is saved yet."), "success")

    @event
    def export(self) -> EventSpec | None:
        """Hand out ``brand.json``."""
        if self._wrong():
            return None
        self._tell(tr("brand.json is downloaded. Put it into your configuration folder."), "success")
        return rx.download(data=brand_store.written(self._raw), filename="brand.json", mime_type="application/json")

    @event
    async def save(self) -> None:
        """Write ``brand.json`` into the configuration folder; it is in use at once, the one before is kept."""
        person = self._me()
        if self._wrong():
            return
        try:
            backup = brand_store.save(self._raw, self._digest, self.app)
        except CannotSave as error:
            self._tell(_why(error), "danger")
            return
        facts = {"app": self.app, "name": str(self._raw.get("name", "")), "backup": backup.name if backup else ""}
        await record(Event("brand.saved", person.app_id, person.user_id, facts))
        self._open(self.app)
        self._tell(tr("Saved. Pages show the new brand from now on; load this one again to see it around you."), "success")

    def _wrong(self) -> bool:
        if found := brand_store.checked(self._raw).errors:
            self.problems = problems_of(found)
            self._tell(tr("Fix what is marked in red first."), "danger")
        return bool(found)

    def _open(self, app_id: str) -> None:
        start = brand_store.source(app_id)
        self.app, self._raw, self._start, self._digest = app_id, start.raw, start.raw, start.digest
        self._past, self._typed = [], {}
        self.words_problem = {"name": "", "tagline": ""}
        self.apps = [Choice(value="", label=brand().name), *(Choice(value=one, label=brand(one).name) for one in app_ids())]
        self.images = [Choice(value=path, label=path) for path in brand_files.images(app_id)]
        files = [Choice(value=f"file:{path}", label=path.rpartition("/")[2]) for path in brand_files.fonts(app_id)]
        self.fonts = [*(Choice(value=key, label=tr(label)) for key, (label, _) in FACES.items()), *files]
        self.can_save, self.file = brand_store.can_save(app_id), start.file.name
        self.said, self.loaded = "", True
        self.version += 1
        self._show()

    def _change(self, made: Raw) -> None:
        if made == self._raw:
            self._show()
            return
        self._past = [*self._past[-_HISTORY + 1 :], self._raw]
        self._raw, self.said = made, ""
        self._show()

    def _show(self) -> None:
        raw, look = self._raw, drafts.seen(self._raw)
        self.light, self.dark = look.tokens["light"], look.tokens["dark"]
        self.groups = groups_of(raw, look, self._typed)
        self.problems = problems_of([one for one in look.errors if one.where[1:] != ("text", "primary")])
        self.errors = len(look.errors) + len(self._typed)
        self.fixable = sum(mark.level != "hint" for mark in look.marks.values())
        self.name, self.tagline, self.mode = look.brand.name, look.brand.tagline, look.brand.mode
        assets = look.brand.assets
        self.parts = {
            "radius": look.brand.shape.radius,
            "density": look.brand.layout.density,
            "size": look.brand.layout.fontSize,
            "logo": assets.logo if "logo" in assets.model_fields_set else "",
            "wordmark": assets.wordmark or "",
            "favicon": assets.favicon if "favicon" in assets.model_fields_set else "",
            "background": assets.backgroundImage or "",
        }
        own = asset_address(assets.logo, self.app) if "logo" in assets.model_fields_set else ""
        self.logo_url = own or "data:image/svg+xml," + quote(monogram(look.brand))
        fonts: dict[str, Any] = raw["fonts"] if isinstance(raw.get("fonts"), dict) else {}
        self.body_font, self.heading_font = face_of(fonts.get("body")), face_of(fonts.get("heading"))
        used = [font for font in (look.brand.fonts.body, look.brand.fonts.heading, look.brand.fonts.logo) if font and font.src]
        there = [font for font in used if brand_files.asset_file(font.src or "", self.app)]
        self.faces = [Typeface(family=font.family, src=asset_address(font.src or "", self.app)) for font in there]
        self.changed, self.can_undo = raw != self._start, bool(self._past)

    def _tell(self, text: str, tone: str) -> None:
        self.said, self.said_tone = text, tone


def _why(error: CannotSave) -> str:
    if error.reason == "changed":
        return tr("Somebody has changed the file since you began. Export your draft, load the page again and import it.")
    if error.reason == "read_only":
        return tr("The configuration folder cannot be written to. Export the file and put it there yourself.")
    return tr("Fix what is marked in red first.")
