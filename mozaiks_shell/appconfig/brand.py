"""The brand that counts: which file gives it, for which app, as of now (F-017, F-018).

``brand.json`` wins over ``branding.json``, that over ``theme_config.json`` (C-27); the files of an app id win over those
of the installation. A file that changes is read again; one that went bad keeps the last good brand (:mod:`.live`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mozaiks_shell.appconfig import brand_files
from mozaiks_shell.appconfig.brand_model import Assets, Brand, Fonts, OldBrand, Palette
from mozaiks_shell.appconfig.brand_values import asset_path
from mozaiks_shell.appconfig.contrast import findings
from mozaiks_shell.appconfig.hosts import APPS, app_for_host, app_ids, known_app
from mozaiks_shell.appconfig.live import LiveFile
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.appconfig.monogram import address_of
from mozaiks_shell.appconfig.problems import Finding
from mozaiks_shell.appconfig.sheet import font_preloads, style_sheet
from mozaiks_shell.appconfig.themes import APPEARANCES, AppBrand, ThemeConfig, dressed, from_file
from mozaiks_shell.appconfig.tokens import tokens
from mozaiks_shell.foundation.settings import get_settings

__all__ = [
    "AppBrand", "Brand", "Palette", "app_for_host", "app_ids", "asset_path", "brand", "brand_file", "default_theme",
    "font_preloads", "known_app", "style_sheet", "theme_config", "theme_names", "tokens",
]  # fmt: skip


def _of_brand(content: Brand, _: object = None) -> Iterator[Finding]:
    yield from findings(content)
    yield from brand_files.findings(content)


def _of_old(content: OldBrand | None, _: object = None) -> Iterator[Finding]:
    if content is not None:
        for one in findings(content.as_brand()):
            yield Finding(("theme", *one.where[:2]), one.level, one.message, "")
        for name in ("logo", "favicon"):
            yield from brand_files.of_file(("app", name), getattr(content.app, name), image=True)


def _of_themes(content: ThemeConfig, _: object = None) -> Iterator[Finding]:
    for name, theme in content.themes.items():
        yield from findings(theme.alone(), ("themes", name))


BRAND: LiveFile[Brand] = LiveFile("brand.json", Brand, late=_of_brand)
BRANDING: LiveFile[OldBrand | None] = LiveFile("branding.json", OldBrand, default=lambda: None, late=_of_old)
THEMES: LiveFile[ThemeConfig] = LiveFile("theme_config.json", ThemeConfig, build=from_file, late=_of_themes)

Look = TypeVar("Look", bound=Brand)

_made: dict[str, tuple[tuple[object, ...], AppBrand]] = {}
_awaited: dict[str, set[str]] = {}  # font files that a brand names and that are not there


def _winner(app_id: str) -> LiveFile[Any]:
    """The file that gives the brand of this app: its own files first, then the newest notation."""
    folder, app = get_settings().configs_path, app_id or get_settings().app_id
    named: list[LiveFile[Any]] = [BRAND, BRANDING]
    if THEMES.current(app_id).branding.app_name:
        named.append(THEMES)
    paths = [(file, path) for file in named if (path := file.path(app_id)) is not None and not path.is_relative_to(DEFAULTS)]
    own = [file for file, path in paths if folder is not None and path.parent == folder / "apps" / app]
    return next(iter([*own, *[file for file, _ in paths]]), BRAND)


def brand_file(app_id: str = "") -> Path:
    """The file that gives the brand of this app."""
    return _winner(app_id).path(app_id) or DEFAULTS / "brand.json"


def brand(app_id: str = "") -> AppBrand:
    """The brand of an app id as of now, with its named themes; the installation's own for an unknown one. Never raises."""
    app_id = known_app(app_id) if app_id else ""
    winner = _winner(app_id)
    given, config, entry = winner.current(app_id), THEMES.current(app_id), APPS.current().apps.get(app_id)
    key = (get_settings(), given, config, entry)
    known = _made.get(app_id)
    if known is not None and all(one is other for one, other in zip(known[0], key, strict=True)) and _has_fonts(known[1]):
        return known[1]
    made = _as_brand(given, entry.name if entry and winner.path(app_id) == winner.path() else "")
    if not brand_file(app_id).is_relative_to(DEFAULTS) or made.name != BRAND.current().name:
        made = _marked(made)
    made = _with_fonts(dressed(made, config, app_id))
    _made[app_id] = (key, made)
    return made


def _as_brand(given: Brand | OldBrand | ThemeConfig | None, name: str) -> Brand:
    if isinstance(given, OldBrand):
        given = given.as_brand()
    elif isinstance(given, ThemeConfig):
        given = _of_theme_config(given)
    elif given is None:
        given = BRAND.current()
    return given.model_copy(update={"name": name}) if name else given


def _with_fonts(made: AppBrand) -> AppBrand:
    """The brand without font files that are not there: a browser would ask for them on every page."""
    _awaited[made.app_id] = {path for path in _font_files(made) if brand_files.asset_file(path, made.app_id) is None}
    themes = tuple((name, _present(look, made.app_id)) for name, look in made.themes)
    return _present(made, made.app_id).model_copy(update={"themes": themes})


def _present(look: Look, app_id: str) -> Look:
    update = {}
    for name in Fonts.model_fields:
        font = getattr(look.fonts, name)
        if font is not None and font.src in _awaited[app_id]:
            update[name] = font.model_copy(update={"src": None})
    return look.model_copy(update={"fonts": look.fonts.model_copy(update=update)}) if update else look


def _font_files(made: AppBrand) -> set[str]:
    looks = [made, *(look for _, look in made.themes)]
    return {
        font.src for look in looks for name in Fonts.model_fields if (font := getattr(look.fonts, name)) is not None and font.src
    }


def _has_fonts(made: AppBrand) -> bool:
    """Whether the fonts are still as they were found: none has gone, none has come."""
    there = all(brand_files.asset_file(path, made.app_id) is not None for path in _font_files(made))
    return there and all(brand_files.asset_file(path, made.app_id) is None for path in _awaited.get(made.app_id, ()))


def _marked(given: Brand) -> Brand:
    """The brand with its initial where it names no logo and no icon: the packaged ones are somebody else's."""
    missing = {"logo", "favicon"} - given.assets.model_fields_set
    if not missing:
        return given
    path = address_of(given) if "logo" in missing else given.assets.logo
    return given.model_copy(update={"assets": given.assets.model_copy(update=dict.fromkeys(missing, path))})


def _of_theme_config(config: ThemeConfig) -> Brand:
    packaged = BRAND.current()
    try:
        assets = Assets(logo=config.branding.logo_url) if config.branding.logo_url else Assets()
    except ValidationError:
        assets = Assets()
    return packaged.model_copy(update={"name": config.branding.app_name[:60], "assets": assets, "tagline": ""})


def theme_config(app_id: str = "") -> ThemeConfig:
    """``theme_config.json`` as of now; an empty one when there is none."""
    return THEMES.current(app_id)


def theme_names(app_id: str = "") -> dict[str, str]:
    """What a person may choose as theme: name -> label in English (marked for translation where it is ours)."""
    return {"light": "Light", "dark": "Dark", "system": "System", **dict(brand(app_id).labels)}


def default_theme(app_id: str = "") -> str:
    """The theme of somebody who chose none: ``theme_config.json``'s ``default_theme``, else the brand's ``mode``."""
    look = brand(app_id)
    return look.default_theme or look.mode


def appearance_of(theme: str, app_id: str = "") -> str:
    """``light``, ``dark`` or ``system``: which appearance a theme has; a named one with two follows the device."""
    if theme in APPEARANCES:
        return theme
    look = dict(brand(app_id).themes).get(theme)
    return look.mode if look else "system"
