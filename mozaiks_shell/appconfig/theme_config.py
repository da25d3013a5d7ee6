"""The shape of ``theme_config.json``: name and logo of the app, flat themes, letters and measures (F-022, C-27).

:mod:`.themes` adds themes in the brand's notation; :mod:`.brand` reads the file.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from mozaiks_shell.appconfig.fields import Colour, Entries, FileModel, Icon, Ident, Label, Length, part

_FONT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}|-apple-system")


def _fonts(value: str) -> str:
    names = [name.strip(" '\"") for name in value.split(",")]
    for name in names:
        if not _FONT_NAME.fullmatch(name):
            raise ValueError("must be font names with commas between them")
    return ", ".join(names)


def _weight(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Fonts = Annotated[str, Field(max_length=300), AfterValidator(_fonts)]
Weight = Annotated[str, BeforeValidator(_weight), Field(pattern=r"^(?:[1-9]00|normal|bold)$")]
ColourName = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class ThemeBranding(FileModel):
    """Name and images; `brand.json` and `branding.json` beat them."""

    app_name: Label = Field("", description="Name of the app.")
    logo_url: Icon = Field("", description="Logo, a file below assets/.")
    favicon_url: Icon = Field("", description="Favicon, a file below assets/.")


class Theme(FileModel):
    """One theme: colours by name (`primary`, `secondary`, `accent`, `background`, `surface`, `text_primary`, …)."""

    id: Ident = Field(description="Unique; `light` and `dark` replace the two built-in ones.")
    name: Label = Field("", description="Name people see.")
    colors: Annotated[dict[ColourName, Colour], Field(max_length=60)] = Field({}, description="Colours by name.")


class Typography(FileModel):
    """Letters."""

    font_family: Fonts | None = Field(None, description="Fonts with commas between them.")
    base_font_size: Length | None = Field(None, description="Size of plain text.")
    heading_weight: Weight | None = Field(None, description="Weight of headings, 100 to 900.")
    body_weight: Weight | None = Field(None, description="Weight of plain text, 100 to 900.")


class ThemeLayout(FileModel):
    """Measures."""

    border_radius: Length | None = Field(None, description="Corner radius of controls.")
    spacing_unit: Length | None = Field(None, description="Base distance.")
    max_width: Length | None = Field(None, description="Widest content.")
    container_padding: Length | None = Field(None, description="Distance to the edge of the page.")


class ThemeConfig(FileModel):
    """`theme_config.json`. Further keys are kept for `GET /api/theme-config` and have no effect."""

    model_config = ConfigDict(extra="allow", frozen=True)

    branding: ThemeBranding = part(ThemeBranding, "Name and images.")
    available_themes: Annotated[list[Theme], Entries] = Field([], description="Themes people may choose between.")
    default_theme: Annotated[str, Field(max_length=80)] = Field("", description="Id of a theme, or `light`, `dark`, `system`.")
    typography: Typography = part(Typography, "Letters.")
    layout: ThemeLayout = part(ThemeLayout, "Measures.")
