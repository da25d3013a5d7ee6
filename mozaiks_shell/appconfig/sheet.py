"""The style sheet of a brand with its themes (F-019, F-020): custom properties, faces of local fonts, nothing else."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from mozaiks_shell.appconfig.brand_model import Brand, Mode
from mozaiks_shell.appconfig.tokens import ALIASES, measures, quoted, shadow_tokens, tokens

_FORMATS: Final = {"woff2": "woff2", "woff": "woff", "ttf": "truetype", "otf": "opentype"}


def appearance(brand: Brand, mode: Mode) -> dict[str, str]:
    """Every token of one appearance, complete: for a part of a page that shows another look than the rest."""
    own = {**tokens(brand.palette(mode), mode), **shadow_tokens(brand.shadows_of(mode), mode)}
    return {**measures(brand), **own, **ALIASES}


@lru_cache(maxsize=64)
def style_sheet(brand: Brand, theme: str = "") -> str:
    """The brand as CSS: custom properties of both appearances, faces of local fonts, a block per named theme.

    Safe to put into a ``<style>`` element: it holds nothing but names of ours and values of closed notations.

    Args:
        brand: As :func:`mozaiks_shell.appconfig.brand.brand` gives it.
        theme: Only this named theme, made the look of the whole page; empty for the brand with all its themes.
    """
    themes: Mapping[str, Brand] = dict(getattr(brand, "themes", ()))
    app_id: str = getattr(brand, "app_id", "")
    if theme:
        brand, themes = themes.get(theme, brand), {}
    blocks = [*_faces([brand, *themes.values()], app_id), *_blocks(":root", brand, app_id, {**measures(brand), **ALIASES})]
    for name, look in themes.items():
        here = f':root[data-theme="{name}"]'
        changed = {key: value for key, value in measures(look).items() if measures(brand).get(key) != value}
        blocks += _blocks(here, look, app_id, changed)
    return "\n".join([*blocks, ""])


def _blocks(selector: str, brand: Brand, app_id: str, fixed: dict[str, str]) -> list[str]:
    modes = {
        mode: {**tokens(brand.palette(mode), mode), **shadow_tokens(brand.shadows_of(mode), mode)} for mode in ("light", "dark")
    }
    if brand.assets.backgroundImage:
        fixed = {**fixed, "--brand-background": f'url("{asset_address(brand.assets.backgroundImage, app_id)}")'}
    if brand.assets.loadingIcon:
        icon = f'url("{asset_address(brand.assets.loadingIcon, app_id)}")'
        fixed = {**fixed, "--brand-loading": icon, "--brand-loading-display": "block"}
    if selector != ":root" and brand.mode != "system":  # a theme with one appearance
        values = {**fixed, **modes[brand.mode], "color-scheme": brand.mode}
        return [_block(selector, values)]
    light = _block(selector, {**fixed, **modes["light"]})
    same = fixed | modes["light"]
    return [light, _block(f"{selector}.dark", {name: value for name, value in modes["dark"].items() if same.get(name) != value})]


def _block(selector: str, values: Mapping[str, str]) -> str:
    return selector + "{" + "".join(f"{name}:{value};" for name, value in values.items()) + "}"


def _faces(brands: list[Brand], app_id: str) -> list[str]:
    faces: dict[str, None] = {}
    for brand in brands:
        for font in (brand.fonts.body, brand.fonts.heading, brand.fonts.logo):
            if font is not None and font.src:
                kind = _FORMATS[font.src.rpartition(".")[2]]
                source = f'src:url("{asset_address(font.src, app_id)}") format("{kind}")'
                weight = "font-weight:100 900;" if kind in {"woff2", "truetype"} else ""
                faces[f"@font-face{{font-family:{quoted(font.family)};{source};{weight}font-display:swap}}"] = None
    return list(faces)


def font_preloads(brand: Brand) -> list[tuple[str, str]]:
    """Fonts of the first screen, for ``<link rel="preload" as="font" crossorigin>``: (address, media type), at most two."""
    fonts = [font for font in (brand.fonts.body, brand.fonts.heading) if font is not None and font.src]
    app_id: str = getattr(brand, "app_id", "")
    found = {asset_address(font.src or "", app_id): f"font/{(font.src or '').rpartition('.')[2]}" for font in fonts}
    return list(found.items())[:2]


def asset_address(path: str, app_id: str = "") -> str:
    """Where a file of the brand is served."""
    return f"/brand/assets/{quote(path)}" + (f"?app={quote(app_id, safe='')}" if app_id else "")
