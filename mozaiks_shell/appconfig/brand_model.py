"""The shape of ``brand.json`` (F-017, F-019, F-020, F-024) and of ``branding.json``, the older notation of the same.

``colors`` describes one appearance: the light one, or the dark one when its ``background.base`` is dark.
``colors_dark`` / ``colors_light`` describe the other. What neither says is derived (:mod:`.tokens`).
Unknown tokens are refused with the nearest known name; text that could not be read is refused with the pair.
"""

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from mozaiks_shell.appconfig.brand_values import Asset, Color, FontFile, FontName, Image, Radius, Shadow, Words
from mozaiks_shell.appconfig.colors import TEXT, contrast, is_dark, over
from mozaiks_shell.appconfig.problems import nearest, shown

Mode = Literal["light", "dark"]
MODES: Final[tuple[Mode, Mode]] = ("light", "dark")
HUES: Final = ("primary", "secondary", "accent", "success", "warning", "error")


def _refused(where: tuple[int | str, ...], message: str, value: Any) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("brand", "{said}", {"said": message}), loc=where, input=value)


class Strict(BaseModel):
    """A group of tokens; a name that is none of them is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _only_known(cls, value: Any, handler: Any) -> Self:
        if not isinstance(value, dict):
            return handler(value)
        unknown = [name for name in value if name not in cls.model_fields and not str(name).startswith(("$", "_"))]
        problems = []
        for name in unknown:
            near = nearest(str(name), cls.model_fields)
            known = f"the nearest is {near}" if near else f"known here: {', '.join(cls.model_fields)}"
            problems.append(_refused((name,), f"there is no token {shown(name)}; {known}", {}))
        try:
            made = handler({name: one for name, one in value.items() if name not in unknown})
        except ValidationError as error:
            if not problems:
                raise
            problems += [_refused(tuple(one["loc"]), one["msg"], one["input"]) for one in error.errors(include_url=False)]
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return made


class Shade(Strict):
    """One hue: ``main`` is used, ``light`` and ``dark`` are offered to plugins. A bare colour is its ``main``."""

    main: Color
    light: Color | None = None
    dark: Color | None = None
    name: Words = ""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"main": value} if isinstance(value, str) else value


class Background(Strict):
    """Grounds: the page, cards on it, what floats above, and the veil behind dialogs."""

    base: Color | None = None
    surface: Color | None = None
    elevated: Color | None = None
    overlay: Color | None = None


class Border(Strict):
    """Lines: between things, around inputs, around what is chosen."""

    subtle: Color | None = None
    strong: Color | None = None
    accent: Color | None = None


class Text(Strict):
    """Inks; ``onAccent`` is the text on a primary button."""

    primary: Color | None = None
    secondary: Color | None = None
    muted: Color | None = None
    onAccent: Color | None = None


class Palette(Strict):
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

    @model_validator(mode="after")
    def _readable(self) -> "Palette":
        """F-024: both colours of the pair are the file's own, so there is nothing to derive from."""
        ink = self.text.primary
        page = self.background.base or ("#000000" if ink and not is_dark(ink) else "#ffffff")
        problems = []
        for name in ("base", "surface", "elevated"):
            ground = getattr(self.background, name)
            if ink and ground and (ratio := contrast(ink, over(ground, over(page, "#ffffff")))) < TEXT:
                said = f"{ink} on background.{name} {ground} has a contrast of {ratio:.2f}:1; text needs {TEXT}:1"
                problems.append(_refused(("text", "primary"), said, {}))
        if problems:
            raise ValidationError.from_exception_data("Palette", problems)
        return self

    def hues(self) -> "Palette":
        """The same without grounds, lines and inks: what one appearance lends the other."""
        return self.model_copy(update={"background": Background(), "border": Border(), "text": Text()})

    def under(self, other: "Palette") -> "Palette":
        """``other`` laid over this one, token by token."""
        return _laid(self, other)


class Shadows(Strict):
    """Box shadows; ``elevated`` is beneath menus and dialogs, ``focus`` around what has the focus."""

    primary: Shadow | None = None
    secondary: Shadow | None = None
    accent: Shadow | None = None
    success: Shadow | None = None
    warning: Shadow | None = None
    error: Shadow | None = None
    elevated: Shadow | None = None
    focus: Shadow | None = None


class Font(Strict):
    """A type face. ``googleFont`` is read and ignored: no page of ours asks another origin (F-020)."""

    family: FontName
    fallbacks: tuple[FontName, ...] = Field((), max_length=12)
    googleFont: bool | str | None = None
    localFont: bool = False
    src: FontFile | None = None
    tailwindClass: Words = ""

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if value is None:
            return ()
        if isinstance(value, str):
            return [name for part in value.split(",") if (name := part.strip(" '\""))]
        return value


class Fonts(Strict):
    """Type faces by use."""

    body: Font | None = None
    heading: Font | None = None
    logo: Font | None = None


class Assets(Strict):
    """Images below ``assets/``. ``backgroundImage`` is behind the ways in, ``loadingIcon`` is shown while waiting."""

    logo: Image = "logo.svg"
    wordmark: Image | None = None
    favicon: Image = "favicon.ico"
    backgroundImage: Image | None = None
    loadingIcon: Image | None = None
    profileFallback: Image | None = None


class Shape(Strict):
    """Corners: ``radius`` of buttons and inputs; cards, menus and small parts follow in proportion. Our extension."""

    radius: Radius = "medium"


class Layout(Strict):
    """Room: ``density`` of the spacing, ``fontSize`` of all text. Our extension."""

    density: Literal["compact", "comfortable", "spacious"] = "comfortable"
    fontSize: Literal["small", "medium", "large"] = "medium"


class Brand(BaseModel):
    """``brand.json``. Unknown keys at the top are left alone; unknown tokens are refused."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str | int = ""
    name: Words = Field(min_length=1, max_length=60)
    tagline: Words = ""
    assets: Assets = Assets()
    fonts: Fonts = Fonts()
    colors: Palette = Palette()
    colors_dark: Palette | None = None
    colors_light: Palette | None = None
    shadows: Shadows = Shadows()
    shadows_dark: Shadows | None = None
    shape: Shape = Shape()
    layout: Layout = Layout()
    mode: Literal["light", "dark", "system"] = "system"

    @model_validator(mode="after")
    def _one_each(self) -> "Brand":
        if self.colors_dark and self.colors_light and self.colors != Palette():
            raise ValueError("colors, colors_dark and colors_light together: leave one out")
        return self

    @property
    def colors_are_dark(self) -> bool:
        """Whether ``colors`` (and ``shadows``) describe the dark appearance."""
        base = self.colors.background.base
        return base is not None and is_dark(base)

    def palette(self, mode: Mode) -> Palette:
        """The colours of one appearance, as far as the file gives them; hues it lacks are lent from the other."""
        own = self.colors_light if mode == "light" else self.colors_dark
        if own is not None:
            lent = {hue: getattr(self.colors, hue) for hue in HUES if getattr(own, hue) is None}
            return own.model_copy(update=lent)
        return self.colors if self.colors_are_dark == (mode == "dark") else self.colors.hues()

    def place(self, mode: Mode, group: str = "") -> tuple[str, bool]:
        """Where the file says this appearance's colours (``colors``, ``colors_dark``, ``colors_light``), and whether that part
        describes this very appearance. ``group`` asks for one hue (``primary``), which may be lent."""
        own: Palette | None = getattr(self, f"colors_{mode}")
        if own is not None and not (group in HUES and getattr(own, group) is None):
            return f"colors_{mode}", True
        return "colors", self.colors_are_dark == (mode == "dark") and own is None

    def shadows_of(self, mode: Mode) -> Shadows:
        """The shadows of one appearance, as far as the file gives them."""
        if mode == "dark":
            return self.shadows_dark or self.shadows
        return Shadows() if self.colors_are_dark else self.shadows

    @property
    def light(self) -> Palette:
        """:meth:`palette` of the light appearance."""
        return self.palette("light")

    @property
    def dark(self) -> Palette:
        """:meth:`palette` of the dark appearance."""
        return self.palette("dark")


def _laid(under: Any, over_it: Any) -> Any:
    """A frozen model with what the other one sets."""
    changes = {}
    for name in over_it.model_fields_set:
        new, old = getattr(over_it, name), getattr(under, name, None)
        if new is not None:
            deeper = isinstance(new, BaseModel) and isinstance(old, BaseModel) and not isinstance(new, Shade)
            changes[name] = _laid(old, new) if deeper else new
    return under.model_copy(update=changes)


class OldApp(BaseModel):
    """``branding.json`` ``app``."""

    model_config = ConfigDict(frozen=True)

    name: Words = Field(min_length=1, max_length=60)
    tagline: Words = ""
    logo: Asset = "logo.svg"
    favicon: Asset = "favicon.ico"


class OldColors(Strict):
    """``branding.json`` ``theme.colors``."""

    primary: Color | None = None
    secondary: Color | None = None
    accent: Color | None = None


class OldTheme(BaseModel):
    """``branding.json`` ``theme``."""

    model_config = ConfigDict(frozen=True)

    mode: Literal["light", "dark", "system"] = "system"
    colors: OldColors = OldColors()


class OldBrand(BaseModel):
    """``branding.json``, the older shape of the same thing. Its ``layout`` is read by :mod:`.layout`."""

    model_config = ConfigDict(frozen=True)

    version: str | int = ""
    app: OldApp
    theme: OldTheme = OldTheme()
    layout: Any = None

    def as_brand(self) -> Brand:
        """The same in the newer shape."""
        colors = self.theme.colors.model_dump(exclude_none=True)
        return Brand(
            name=self.app.name,
            tagline=self.app.tagline,
            assets=Assets(**{name: getattr(self.app, name) for name in ("logo", "favicon") if name in self.app.model_fields_set}),
            colors=Palette.model_validate({name: {"main": color} for name, color in colors.items()}),
            mode=self.theme.mode,
        )
