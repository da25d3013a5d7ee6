"""The brand of the app: ``brand.json`` -> names, images and the style sheet of tokens (F-017, F-019, F-024).

``colors`` describes one appearance: the light one, or the dark one when its ``background.base`` is dark.
``colors_dark`` / ``colors_light`` describe the other. What neither says is derived from ``primary.main``,
made legible where needed. A value that is not plainly a colour, a shadow or a font name is refused.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from mozaiks_shell.appconfig.colors import COLOR, contrast, is_dark, legible, mix, parse, text_on
from mozaiks_shell.appconfig.loader import DEFAULTS, ConfigError, load, path_of

_LENGTH = r"-?\d{1,3}(?:\.\d{1,3})?(?:px|rem|em)?"
_SHADOW = re.compile(
    rf"(?:none|(?:inset )?{_LENGTH}(?: {_LENGTH}){{1,3}} {COLOR}(?:,\s*(?:inset )?{_LENGTH}(?: {_LENGTH}){{1,3}} {COLOR}){{0,4}})"
)
_FONT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}|-apple-system")
_PART = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}"
_ASSET = re.compile(rf"(?:{_PART}/){{0,4}}{_PART}\.(?:svg|png|jpe?g|webp|gif|ico|woff2?|ttf|otf)")


def _color(value: str) -> str:
    parse(value)
    return value


def _shadow(value: str) -> str:
    if not _SHADOW.fullmatch(value):
        raise ValueError("must be a box-shadow: lengths and one colour per layer")
    return value


def _font(value: str) -> str:
    if not _FONT.fullmatch(value):
        raise ValueError("must be a font name: letters, digits, spaces, . _ -")
    return value


def asset_path(value: str) -> str:
    """A file below the app's ``assets`` folder; a leading ``/assets/`` is dropped.

    Raises:
        ValueError: an address elsewhere, a way out of the folder, or an unknown type.
    """
    value = value.removeprefix("/").removeprefix("assets/")
    if not _ASSET.fullmatch(value):
        raise ValueError("must be an image or font file below assets/ (no address, no ..)")
    return value


Color = Annotated[str, AfterValidator(_color)]
Shadow = Annotated[str, AfterValidator(_shadow)]
FontName = Annotated[str, AfterValidator(_font)]
Asset = Annotated[str, AfterValidator(asset_path)]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^<>\x00-\x1f]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shade(_Strict):
    """One hue: ``main`` is used, ``light`` and ``dark`` are offered to plugins."""

    main: Color
    light: Color | None = None
    dark: Color | None = None
    name: Words = ""


class Background(_Strict):
    base: Color | None = None
    surface: Color | None = None
    elevated: Color | None = None
    overlay: Color | None = None


class Border(_Strict):
    subtle: Color | None = None
    strong: Color | None = None
    accent: Color | None = None


class Text(_Strict):
    primary: Color | None = None
    secondary: Color | None = None
    muted: Color | None = None
    onAccent: Color | None = None


class Palette(_Strict):
    """The colours of one appearance."""

    primary: Shade | None = None
    secondary: Shade | None = None
    accent: Shade | None = None
    success: Shade | None = None
    warning: Shade | None = None
    error: Shade | None = None
    background: Background = Background()
    border: Border = Border()
    text: Text = Text()


class Shadows(_Strict):
    primary: Shadow | None = None
    secondary: Shadow | None = None
    accent: Shadow | None = None
    success: Shadow | None = None
    warning: Shadow | None = None
    error: Shadow | None = None
    elevated: Shadow | None = None
    focus: Shadow | None = None


class Font(_Strict):
    """A type face. ``googleFont`` is read and ignored: no page of ours asks another origin (F-020)."""

    family: FontName
    fallbacks: list[FontName] = []
    googleFont: bool | str | None = None
    localFont: bool = False
    src: Asset | None = None
    tailwindClass: Words = ""

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip(" '\"") for part in value.split(",")] if isinstance(value, str) else value


class Fonts(_Strict):
    body: Font | None = None
    heading: Font | None = None
    logo: Font | None = None


class Assets(_Strict):
    logo: Asset = "logo.svg"
    wordmark: Asset | None = None
    favicon: Asset = "favicon.ico"
    backgroundImage: Asset | None = None
    loadingIcon: Asset | None = None


class Brand(_Strict):
    """``brand.json``. Unknown keys at the top are left alone; unknown tokens are refused."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str | int = ""
    name: Annotated[Words, Field(min_length=1, max_length=60)]
    tagline: Words = ""
    assets: Assets = Assets()
    fonts: Fonts = Fonts()
    colors: Palette = Palette()
    colors_dark: Palette | None = None
    colors_light: Palette | None = None
    shadows: Shadows = Shadows()
    mode: Literal["light", "dark", "system"] = "system"

    @field_validator("colors", "colors_dark", "colors_light")
    @classmethod
    def _readable(cls, palette: Palette | None) -> Palette | None:
        if palette is None:
            return None
        grounds = [one for one in (palette.background.base, palette.background.surface, palette.background.elevated) if one]
        ink = palette.text.primary
        for ground in grounds:
            if ink and (ratio := contrast(ink, ground)) < 4.5:
                raise ValueError(f"text.primary {ink} on {ground} has a contrast of {ratio:.1f}; 4.5 is the least")
        return palette

    @model_validator(mode="after")
    def _one_each(self) -> "Brand":
        if self.colors_dark and self.colors_light and self.colors != Palette():
            raise ValueError("colors, colors_dark and colors_light together: leave one out")
        return self

    @property
    def light(self) -> Palette:
        """The palette of the light appearance, as far as the file gives it."""
        return self.colors_light or (_hues(self.colors) if self.colors_are_dark else self.colors)

    @property
    def dark(self) -> Palette:
        """The palette of the dark appearance, as far as the file gives it."""
        return self.colors_dark or (self.colors if self.colors_are_dark else _hues(self.colors))

    @property
    def colors_are_dark(self) -> bool:
        """Whether ``colors`` (and the shadows) describe the dark appearance."""
        base = self.colors.background.base
        return base is not None and is_dark(base)


def _hues(palette: Palette) -> Palette:
    return palette.model_copy(update={"background": Background(), "border": Border(), "text": Text()})


_NEUTRAL: Final = {
    "light": {
        "base": "#fafafb", "surface": "#ffffff", "elevated": "#ffffff", "overlay": "rgba(16, 18, 24, 0.38)",
        "subtle": "#e5e6ea", "strong": "#878d99", "text": "#17191e", "muted": "#5d6370",
        "primary": "#2f54c9", "success": "#1a7343", "warning": "#8c5a00", "error": "#c0312b",
    },
    "dark": {
        "base": "#0f1013", "surface": "#16181c", "elevated": "#1d1f25", "overlay": "rgba(0, 0, 0, 0.6)",
        "subtle": "#282b32", "strong": "#6b717e", "text": "#ecedf0", "muted": "#9ca2ae",
        "primary": "#93aaff", "success": "#5cc98b", "warning": "#e0ae53", "error": "#ff8a82",
    },
}  # fmt: skip


def tokens(palette: Palette, mode: Literal["light", "dark"]) -> dict[str, str]:
    """Every colour token (``--color-…``) of one appearance; text and accents reach 4.5:1 on every background."""
    plain = _NEUTRAL[mode]
    base = palette.background.base or plain["base"]
    surface = palette.background.surface or plain["surface"]
    elevated = palette.background.elevated or plain["elevated"]
    if mode == "dark" and palette.background.base:
        surface = palette.background.surface or mix("#ffffff", base, 0.035)
        elevated = palette.background.elevated or mix("#ffffff", surface, 0.035)
    grounds = (base, surface, elevated)

    def hue(shade: Shade | None, name: str) -> str:
        wanted = shade.main if shade else plain[name]
        if mode == "dark" and shade and shade.light and contrast(wanted, elevated) < 4.5:
            wanted = shade.light
        return legible(wanted, *grounds)

    accent = hue(palette.primary, "primary")
    on_accent = palette.text.onAccent
    if on_accent is None or contrast(on_accent, accent) < 4.5:
        on_accent = text_on(accent)
    values = {
        "bg": base,
        "surface": surface,
        "elevated": elevated,
        "overlay": palette.background.overlay or plain["overlay"],
        "line": palette.border.subtle or plain["subtle"],
        "line-strong": legible(palette.border.strong or plain["strong"], *grounds, ratio=3),
        "text": legible(palette.text.primary or plain["text"], *grounds),
        "muted": legible(palette.text.muted or palette.text.secondary or plain["muted"], *grounds),
        "accent": accent,
        "on-accent": on_accent,
        "accent-soft": _soft(accent, surface),
        "success": hue(palette.success, "success"),
        "warning": hue(palette.warning, "warning"),
        "danger": hue(palette.error, "error"),
    }
    for name in ("primary", "secondary", "accent", "success", "warning", "error"):
        shade: Shade | None = getattr(palette, name)
        for part in ("main", "light", "dark"):
            if shade and (value := getattr(shade, part)):
                values.setdefault(f"{name}-{part}", value)
    return {f"--color-{name}": value for name, value in values.items()}


def _soft(accent: str, surface: str) -> str:
    """A tint of the surface on which the accent can still be read."""
    shares = (0.13, 0.1, 0.07, 0.04, 0.02)
    return next((tint for share in shares if contrast(accent, tint := mix(accent, surface, share)) >= 4.5), surface)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z-]+", name) else f'"{name}"'


def style_sheet(brand: Brand) -> str:
    """The CSS of ``GET /brand/theme.css``: custom properties for both appearances, faces of local fonts."""
    fixed: dict[str, str] = {}
    faces: list[str] = []
    for use in ("body", "heading", "logo"):
        font: Font | None = getattr(brand.fonts, use)
        if font is None:
            continue
        stack = [font.family, *font.fallbacks, "system-ui", "sans-serif"]
        fixed[f"--font-{use}"] = ", ".join(dict.fromkeys(_quoted(name) for name in stack))
        if font.localFont and font.src:
            source = f'src:url("/brand/assets/{font.src}")'
            faces.append(f"@font-face{{font-family:{_quoted(font.family)};{source};font-display:swap;font-weight:100 900}}")
    given = brand.shadows.model_dump(exclude_none=True)
    shadows = {"--shadow-lg" if name == "elevated" else f"--shadow-{name}": value for name, value in given.items()}

    def block(selector: str, values: dict[str, str]) -> str:
        return selector + "{" + "".join(f"{name}:{value};" for name, value in values.items()) + "}"

    of_both = {} if brand.colors_are_dark else shadows
    light = block(":root", {**fixed, **of_both, **tokens(brand.light, "light")})
    return "\n".join([*faces, light, block(":root.dark", {**tokens(brand.dark, "dark"), **shadows}), ""])


class _OldApp(BaseModel):
    name: Annotated[Words, Field(min_length=1, max_length=60)]
    tagline: Words = ""
    logo: Asset = "logo.svg"
    favicon: Asset = "favicon.ico"


class _OldTheme(BaseModel):
    mode: Literal["light", "dark", "system"] = "system"
    colors: dict[Literal["primary", "secondary", "accent"], Color] = {}


class OldBrand(BaseModel):
    """``branding.json``, the older shape of the same thing."""

    app: _OldApp
    theme: _OldTheme = _OldTheme()

    def as_brand(self) -> Brand:
        """The same in the newer shape."""
        return Brand(
            name=self.app.name,
            tagline=self.app.tagline,
            assets=Assets(logo=self.app.logo, favicon=self.app.favicon),
            colors=Palette.model_validate({name: {"main": color} for name, color in self.theme.colors.items()}),
            mode=self.theme.mode,
        )


def brand_file() -> Path:
    """The file that counts: the app's ``brand.json``, else its ``branding.json``, else the packaged brand."""
    newer, older = path_of("brand.json"), path_of("branding.json")
    return older if newer.parent == DEFAULTS and older.is_file() else newer


def read_brand() -> Brand:
    """The brand of the app as :func:`brand_file` has it. Not cached.

    Raises:
        ConfigError: with file and JSON path of every problem.
    """
    if brand_file().name == "branding.json":
        return load("branding.json", OldBrand).as_brand()
    return load("brand.json", Brand)


_kept: tuple[tuple[str, int], Brand] | None = None


def brand() -> Brand:
    """The brand as of now: read again when the file has changed; a file that went bad keeps the last good one.

    Raises:
        ConfigError: the file is bad and none was read before.
    """
    global _kept
    file = brand_file()
    stamp = (str(file), file.stat().st_mtime_ns)
    if _kept is None or _kept[0] != stamp:
        try:
            _kept = (stamp, read_brand())
        except ConfigError:
            if _kept is None or _kept[0][0] != stamp[0]:
                raise
            _kept = (stamp, _kept[1])
    return _kept[1]
