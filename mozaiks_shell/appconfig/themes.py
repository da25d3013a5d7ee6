"""``theme_config.json``: named themes and the default one (F-022).

A theme says as much of a brand's look as it wants: ``colors``, ``colors_dark``, ``colors_light``, ``fonts``, ``shadows``,
``shape``, ``layout``, and ``mode`` when it has one appearance only. The rest is the brand's. Themes named ``light`` and
``dark`` change the two appearances of the brand itself.
"""

import re
from contextlib import suppress
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mozaiks_shell.appconfig import theme_config
from mozaiks_shell.appconfig.brand_model import HUES, MODES, Brand, Font, Fonts, Layout, Mode, Palette, Shadows, Shape, Strict
from mozaiks_shell.appconfig.brand_values import Words
from mozaiks_shell.appconfig.colors import is_dark
from mozaiks_shell.appconfig.live import Report
from mozaiks_shell.appconfig.problems import nearest, shown
from mozaiks_shell.appconfig.ui_config import once

APPEARANCES: Final = ("light", "dark", "system")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,79}")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or name == "system":
        raise ValueError("the name of a theme is up to 80 letters, digits, - _ . and :, and not system")
    return name


ThemeName = Annotated[str, AfterValidator(_named)]


class Theme(Strict):
    """A look by name. ``label`` is what people read; ``mode`` is set when there is only one appearance."""

    label: Words = ""
    mode: Literal["light", "dark", "system"] | None = None
    colors: Palette | None = None
    colors_dark: Palette | None = None
    colors_light: Palette | None = None
    fonts: Fonts = Fonts()
    shadows: Shadows = Shadows()
    shadows_dark: Shadows | None = None
    shape: Shape | None = None
    layout: Layout | None = None

    def alone(self) -> Brand:
        """Its colours as a brand of their own: for the validator."""
        given = {name: one for name in ("colors", "colors_dark", "colors_light") if (one := getattr(self, name)) is not None}
        return Brand(name="Theme", **given)

    def worn_by(self, brand: Brand) -> Brand:
        """The brand in this look."""
        changes: dict[str, Any] = {"mode": self.mode or "system"}
        for name in ("shadows", "shadows_dark", "shape", "layout"):
            if name in self.model_fields_set and getattr(self, name) is not None:
                changes[name] = getattr(self, name)
        worn = self.alone()
        if worn.model_fields_set - {"name"}:
            for mode in MODES:
                palette = worn.palette(mode) if worn.place(mode)[1] else worn.palette(mode).hues()
                changes["colors" if mode == "light" else "colors_dark"] = brand.palette(mode).under(palette)
            changes["colors_light"] = None
        changes["fonts"] = brand.fonts.model_copy(
            update={name: getattr(self.fonts, name) for name in self.fonts.model_fields_set}
        )
        return brand.model_copy(update=changes)


class ThemeConfig(theme_config.ThemeConfig):
    """``theme_config.json`` with the themes of both notations: ``themes`` by name (or, as in older files, beside the other
    keys), and the flat ``available_themes``."""

    themes: dict[ThemeName, Theme] = Field({}, max_length=48)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        beside = {
            name: one
            for name, one in value.items()
            if name not in cls.model_fields and isinstance(one, dict) and one.keys() & _MARKS and _NAME.fullmatch(str(name))
        }
        themes = value.get("themes")
        if not beside or not isinstance(themes, dict | None):
            return value
        rest = {name: one for name, one in value.items() if name not in beside}
        return {**rest, "themes": {**beside, **(themes or {})}}


_MARKS = frozenset({"colors", "colors_dark", "colors_light"})

# Colours of ``available_themes`` -> places in a palette.
_FLAT: Final = {
    "background": ("background", "base"), "surface": ("background", "surface"), "card": ("background", "elevated"),
    "border": ("border", "subtle"), "text": ("text", "primary"), "text_primary": ("text", "primary"),
    "text_secondary": ("text", "secondary"), "text_muted": ("text", "muted"), "muted": ("text", "muted"),
    **{name: (name, "main") for name in HUES}, "danger": ("error", "main"),
}  # fmt: skip


def from_file(file: ThemeConfig, report: Report) -> ThemeConfig:
    """The content of ``theme_config.json``: flat themes made whole, the default one checked."""
    themes = {}
    for place, one in enumerate(once(file.available_themes, ("available_themes",), report)):
        palette: dict[str, dict[str, str]] = {}
        for name, color in one.colors.items():
            if (where := _FLAT.get(name.lower().replace("-", "_"))) is not None:
                palette.setdefault(where[0], {})[where[1]] = color
        try:
            made = Palette.model_validate(palette)
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            report("error", ("available_themes", place, "colors"), f"cannot be read: {said}.", "Choose another text or ground.")
            continue
        base = made.background.base
        themes[one.id] = Theme(label=one.name.replace("<", "").replace(">", ""), colors=made, mode=_only(base))
    themes |= file.themes
    known = [*APPEARANCES, *themes]
    chosen = file.default_theme
    if chosen and chosen not in known:
        near = nearest(chosen, known)
        fix = f"Did you mean {near}?" if near else f"The themes are {', '.join(known)}."
        report("error", ("default_theme",), f"there is no theme {shown(chosen)}.", fix)
        chosen = ""
    return file.model_copy(update={"themes": themes, "default_theme": chosen})


def _only(base: str | None) -> Literal["light", "dark"] | None:
    """A flat theme with a ground of its own has one appearance."""
    return None if base is None else "dark" if is_dark(base) else "light"


class AppBrand(Brand):
    """The brand of one app id as it is shown: ``app_id`` is empty for the default one; ``themes`` are resolved."""

    app_id: str = ""
    themes: tuple[tuple[str, Brand], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    default_theme: str = ""


def dressed(brand: Brand, config: ThemeConfig, app_id: str = "") -> AppBrand:
    """The brand with the themes of ``theme_config.json`` put on, and its letters and corners where the brand names none."""
    brand = _measured(brand, config)
    for mode in MODES:
        if (theme := config.themes.get(mode)) is not None:
            brand = _changed_appearance(brand, theme, mode)
    named = {name: theme for name, theme in config.themes.items() if name not in APPEARANCES}
    return AppBrand.model_construct(
        **{name: getattr(brand, name) for name in Brand.model_fields},
        app_id=app_id,
        themes=tuple((name, theme.worn_by(brand)) for name, theme in named.items()),
        labels=tuple(
            (name, theme.label or name.replace("-", " ").replace("_", " ").capitalize()) for name, theme in named.items()
        ),
        default_theme=config.default_theme,
    )


def _measured(brand: Brand, config: ThemeConfig) -> Brand:
    update: dict[str, Any] = {}
    family, radius = config.typography.font_family, config.layout.border_radius
    if family and brand.fonts.body is None:
        first, *others = family.split(", ")
        update["fonts"] = brand.fonts.model_copy(update={"body": Font(family=first, fallbacks=tuple(others[:12]))})
    if radius and "shape" not in brand.model_fields_set:
        with suppress(ValidationError):
            update["shape"] = Shape(radius=radius)
    return brand.model_copy(update=update) if update else brand


def _changed_appearance(brand: Brand, theme: Theme, mode: Mode) -> Brand:
    given = getattr(theme, f"colors_{mode}") or theme.colors
    palettes = {one: brand.palette(one) for one in MODES}
    if given is not None:
        palettes[mode] = palettes[mode].under(given)
    update: dict[str, Any] = {"colors": palettes["light"], "colors_light": None, "colors_dark": palettes["dark"]}
    if theme.shadows != Shadows():
        update["shadows" if mode == "light" else "shadows_dark"] = theme.shadows
    return brand.model_copy(update=update)
