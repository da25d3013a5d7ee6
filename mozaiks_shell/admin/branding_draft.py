"""The brand while somebody edits it: what may be changed, what is wrong with it, how it looks in both appearances.

The draft is the content of ``brand.json`` as a plain object; everything here returns a new one. It is read by the very
reader that reads the file, so what is shown here is what the shell would do with it.
"""

import copy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from mozaiks_shell.appconfig.brand_model import HUES, Brand, Font, Mode
from mozaiks_shell.appconfig.brand_store import Raw, checked
from mozaiks_shell.appconfig.brand_values import Color, Image, Words
from mozaiks_shell.appconfig.colors import BLACK, WHITE, contrast, legible, mix, over, parse, to_hex
from mozaiks_shell.appconfig.contrast import located
from mozaiks_shell.appconfig.problems import Finding
from mozaiks_shell.appconfig.sheet import appearance
from mozaiks_shell.appconfig.tokens import Correction
from mozaiks_shell.foundation.i18n import msg

# Token of the file -> (what it is called, the token the shell draws with).
INKS: Final = {
    "primary.main": (msg("Brand colour"), "accent"),
    "text.onAccent": (msg("Text on buttons"), "on-fill"),
    "secondary.main": (msg("Second colour"), "secondary-main"),
    "accent.main": (msg("Third colour"), "accent-main"),
    "background.base": (msg("Page"), "bg"),
    "background.surface": (msg("Cards and inputs"), "surface"),
    "background.elevated": (msg("Menus and dialogs"), "elevated"),
    "text.primary": (msg("Text"), "text"),
    "text.muted": (msg("Quiet text"), "muted"),
    "border.subtle": (msg("Lines"), "line"),
    "border.strong": (msg("Edges of inputs"), "line-strong"),
    "success.main": (msg("Success"), "success"),
    "warning.main": (msg("Warning"), "warning"),
    "error.main": (msg("Danger"), "danger"),
}
GROUPS: Final = (
    ("brand", msg("Brand"), ("primary.main", "text.onAccent", "secondary.main", "accent.main")),
    ("grounds", msg("Surfaces"), ("background.base", "background.surface", "background.elevated")),
    ("text", msg("Text and lines"), ("text.primary", "text.muted", "border.subtle", "border.strong")),
    ("states", msg("States"), ("success.main", "warning.main", "error.main")),
)
GROUNDS: Final = {
    "background.base": msg("the page"),
    "background.surface": msg("cards"),
    "background.elevated": msg("menus"),
    "primary.main": msg("buttons"),
}
KEYS: Final[dict[Mode, str]] = {"light": "colors", "dark": "colors_dark"}
MEASURED: Final = (
    "primary.main",
    "text.onAccent",
    "text.primary",
    "text.muted",
    "border.strong",
    "success.main",
    "warning.main",
    "error.main",
)

_COLOR: Final = TypeAdapter(Color)
_WORDS: Final = TypeAdapter(Words)
_IMAGE: Final = TypeAdapter(Image)


class Refused(ValueError):
    """A value cannot be used; the message says why, marked for translation."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to say about one colour: ``level`` is ``error``, ``warning`` or ``hint``; ``use`` is the colour that helps."""

    level: str
    ground: str
    ratio: float
    needed: float
    use: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A draft as it looks: tokens of both appearances, the colour of every cell, and marks by cell."""

    brand: Brand
    tokens: dict[Mode, dict[str, str]]
    shown: dict[str, str]
    ratios: dict[str, float]
    marks: dict[str, Mark]
    errors: list[Finding]


def cell(mode: Mode, ink: str) -> str:
    """Name of one colour in one appearance: ``dark.text.muted``."""
    return f"{mode}.{ink}"


def split(name: str) -> tuple[Mode, str]:
    """The reverse of :func:`cell`.

    Raises:
        Refused: there is no such colour.
    """
    mode, _, ink = name.partition(".")
    if mode not in KEYS or ink not in INKS:
        raise Refused(msg("There is no such colour."))
    return ("dark" if mode == "dark" else "light"), ink


def told(raw: Raw, name: str) -> str:
    """What the draft itself says of a colour; empty where it is derived."""
    mode, ink = split(name)
    group, part = ink.split(".")
    colors = raw.get(KEYS[mode])
    value = colors.get(group) if isinstance(colors, dict) else None
    if group in HUES and isinstance(value, str):
        return value
    found = value.get(part) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def with_color(raw: Raw, name: str, value: str) -> Raw:
    """The draft with one colour changed; an empty value derives it again.

    Raises:
        Refused: not a colour, or no such cell.
    """
    mode, ink = split(name)
    if not value:
        return _without(raw, (KEYS[mode], *ink.split(".")))
    try:
        color = _COLOR.validate_python(value.strip())
    except ValidationError:
        raise Refused(msg("Write a colour as #1a2b3c, rgb(…) or hsl(…).")) from None
    group, part = ink.split(".")
    made = copy.deepcopy(raw)
    palette = _object(made, KEYS[mode])
    if group in HUES and isinstance(palette.get(group), str):
        palette[group] = {"main": palette[group]}
    if group in HUES and isinstance(palette.get(group), dict):
        palette[group] = {"main": color, **({"name": palette[group]["name"]} if "name" in palette[group] else {})}
    else:
        _object(palette, group)[part] = color
    return made


def with_words(raw: Raw, name: str, value: str) -> Raw:
    """The draft with another ``name`` or ``tagline``.

    Raises:
        Refused: markup or invisible characters, too long, or an empty name.
    """
    try:
        words = _WORDS.validate_python(value.strip())
    except ValidationError:
        raise Refused(msg("Write plain words without < and >.")) from None
    if name == "name" and not words:
        raise Refused(msg("The app needs a name."))
    if name == "name" and len(words) > 60:
        raise Refused(msg("The name may have at most 60 characters."))
    return {**raw, name: words} if words else {key: one for key, one in raw.items() if key != name}


def with_part(raw: Raw, where: tuple[str, str], value: str) -> Raw:
    """The draft with one value of a group (``("shape", "radius")``) changed; an empty one leaves it to the default.

    Raises:
        Refused: the value does not fit.
    """
    if not value:
        return _without(raw, where)
    if where[0] == "assets":
        try:
            value = _IMAGE.validate_python(value)
        except ValidationError:
            raise Refused(msg("This value cannot be used.")) from None
    made = copy.deepcopy(raw)
    _object(made, where[0])[where[1]] = value
    wrong = [one for one in checked(made).errors if one.where[:2] == where]
    if wrong:
        raise Refused(msg("This value cannot be used."))
    return made


def with_font(raw: Raw, use: str, font: dict[str, Any] | None) -> Raw:
    """The draft with another type face for ``body``, ``heading`` or ``logo``; None leaves it to the shell.

    Raises:
        Refused: no such use, or not a font.
    """
    if use not in {"body", "heading", "logo"}:
        raise Refused(msg("This value cannot be used."))
    if font is None:
        return _without(raw, ("fonts", use))
    try:
        Font.model_validate(font)
    except ValidationError:
        raise Refused(msg("This value cannot be used.")) from None
    made = copy.deepcopy(raw)
    _object(made, "fonts")[use] = font
    return made


def seen(raw: Raw) -> Seen:
    """How the draft looks, and what is wrong with it."""
    found = checked(raw)
    brand = found.brand or Brand(name="Brand")
    tokens: dict[Mode, dict[str, str]] = {mode: appearance(brand, mode) for mode in KEYS}
    shown, ratios = {}, {}
    for mode in KEYS:
        values = tokens[mode]
        for ink, (_, token) in INKS.items():
            wanted = told(raw, cell(mode, ink)) or values[f"--color-{token}"]
            shown[cell(mode, ink)] = _opaque(wanted, values["--color-surface"])
            if ink in MEASURED:
                ratios[cell(mode, ink)] = _worst(ink, wanted, values)
    marks = {cell(mode, one.ink): _mark(one, own) for mode, _, own, one in reversed(located(brand))}
    for error in found.errors:
        if error.where[1:] == ("text", "primary"):
            where: Mode = "dark" if error.where[0] == "colors_dark" else "light"
            marks[cell(where, "text.primary")] = _unreadable(raw, where)
    return Seen(brand, tokens, shown, ratios, marks, found.errors)


def _worst(ink: str, color: str, values: dict[str, str]) -> float:
    if ink == "text.onAccent":
        return contrast(color, values["--color-fill"])
    return min(contrast(color, values[f"--color-{ground}"]) for ground in ("bg", "surface", "elevated"))


def _mark(one: Correction, own: bool) -> Mark:
    return Mark("warning" if own else "hint", one.ground, one.ratio, one.needed, one.used)


def _unreadable(raw: Raw, mode: Mode) -> Mark:
    ink = told(raw, cell(mode, "text.primary"))
    given = {name: color for name in ("base", "surface", "elevated") if (color := told(raw, cell(mode, f"background.{name}")))}
    page = _opaque(given.get("base", ""), WHITE if mode == "light" else BLACK)
    grounds = {f"background.{name}": _opaque(color, page) for name, color in given.items()}
    worst, ground = min(grounds.items(), key=lambda one: contrast(ink, one[1]))
    return Mark("error", worst, contrast(ink, ground), 4.5, legible(_opaque(ink, ground), *grounds.values()))


def _opaque(color: str, ground: str) -> str:
    try:
        return to_hex(parse(over(color, ground)))
    except ValueError:
        return to_hex(parse(mix(ground, ground, 1)))


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(parent.get(key), dict):
        parent[key] = {}
    return parent[key]


def _without(raw: Raw, where: tuple[str, ...]) -> Raw:
    """The draft without one value, and without the groups that are empty then."""
    made = copy.deepcopy(raw)
    path: list[tuple[dict[str, Any], str]] = []
    group: Any = made
    for key in where:
        if not isinstance(group, dict) or key not in group:
            return made
        path.append((group, key))
        group = group[key]
    if len(where) == 3 and where[1] in HUES:
        path.pop()  # a hue without its main colour says nothing
    for parent, key in reversed(path):
        if parent is path[-1][0] or not parent[key]:
            del parent[key]
    return made
