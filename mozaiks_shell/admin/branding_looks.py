"""Where to start from: finished looks, and families of type faces that need no file."""

from typing import Any, Final

from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.brand_store import Raw
from mozaiks_shell.appconfig.tokens import tokens
from mozaiks_shell.foundation.i18n import msg

# Stacks of faces that systems bring along, best first.
FACES: Final[dict[str, tuple[str, dict[str, Any] | None]]] = {
    "": (msg("System"), None),
    "humanist": (
        msg("Humanist"),
        {
            "family": "Seravek",
            "fallbacks": ["Gill Sans Nova", "Ubuntu", "Calibri", "DejaVu Sans", "source-sans-pro", "sans-serif"],
        },
    ),
    "geometric": (
        msg("Geometric"),
        {"family": "Avenir", "fallbacks": ["Montserrat", "Corbel", "URW Gothic", "source-sans-pro", "sans-serif"]},
    ),
    "rounded": (
        msg("Rounded"),
        {
            "family": "ui-rounded",
            "fallbacks": ["Hiragino Maru Gothic ProN", "Quicksand", "Comfortaa", "Nunito", "Calibri", "sans-serif"],
        },
    ),
    "serif": (
        msg("Serif"),
        {
            "family": "Iowan Old Style",
            "fallbacks": ["Palatino Linotype", "URW Palladio L", "P052", "Georgia", "Cambria", "serif"],
        },
    ),
    "elegant": (
        msg("Elegant serif"),
        {"family": "Baskerville", "fallbacks": ["Libre Baskerville", "Baskerville Old Face", "P052", "Georgia", "serif"]},
    ),
    "mono": (
        msg("Monospace"),
        {"family": "ui-monospace", "fallbacks": ["SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"]},
    ),
}

# What a look sets; name, words and images stay as they are.
SET_BY_A_LOOK: Final = ("colors", "colors_dark", "colors_light", "shadows", "shadows_dark", "fonts", "shape", "layout")

LOOKS: Final[dict[str, tuple[str, Raw]]] = {
    "calm": (msg("Calm blue"), {"colors": {"primary": {"main": "#2f54c9"}}, "colors_dark": {"primary": {"main": "#93aaff"}}}),
    "pink": (
        msg("Loud pink"),
        {
            "colors": {
                "primary": {"main": "#ff2d8a"},
                "secondary": {"main": "#7a1fff"},
                "accent": {"main": "#ffb800"},
                "background": {"base": "#ffffff", "surface": "#ffffff"},
                "border": {"subtle": "#f6dfea"},
                "text": {"primary": "#2a0a1c", "muted": "#7b5068"},
            },
            "colors_dark": {
                "primary": {"main": "#ff62a8"},
                "background": {"base": "#170610", "surface": "#210b18", "elevated": "#2c1020"},
                "text": {"primary": "#ffeaf4"},
            },
            "shape": {"radius": "full"},
            "fonts": {"body": FACES["rounded"][1], "heading": FACES["rounded"][1]},
        },
    ),
    "navy": (
        msg("Navy and gold"),
        {
            "colors": {
                "primary": {"main": "#1d3461"},
                "accent": {"main": "#b98b2f"},
                "background": {"base": "#f7f5ef", "surface": "#fffdf8"},
                "border": {"subtle": "#e6dfcd"},
                "text": {"primary": "#16233f", "muted": "#5b6274"},
            },
            "colors_dark": {
                "primary": {"main": "#e3b341"},
                "background": {"base": "#0a1428", "surface": "#101d38", "elevated": "#162746"},
                "border": {"subtle": "#22355c"},
                "text": {"primary": "#f2ecdc", "muted": "#aab4c9"},
            },
            "shape": {"radius": "small"},
            "fonts": {"heading": FACES["serif"][1]},
        },
    ),
    "ink": (
        msg("Ink on paper"),
        {
            "colors": {
                "primary": {"main": "#000000"},
                "background": {"base": "#ffffff", "surface": "#ffffff"},
                "border": {"subtle": "#e4e4e4", "strong": "#767676"},
                "text": {"primary": "#000000", "muted": "#595959"},
            },
            "colors_dark": {
                "primary": {"main": "#ffffff"},
                "background": {"base": "#000000", "surface": "#0b0b0b", "elevated": "#161616"},
                "border": {"subtle": "#262626"},
                "text": {"primary": "#ffffff", "muted": "#a3a3a3"},
            },
            "shape": {"radius": "none"},
            "fonts": {"body": FACES["serif"][1], "heading": FACES["elegant"][1]},
        },
    ),
    "forest": (
        msg("Forest"),
        {
            "colors": {
                "primary": {"main": "#1f6b43"},
                "background": {"base": "#f6f8f3", "surface": "#ffffff"},
                "border": {"subtle": "#dfe6d8"},
                "text": {"primary": "#15241b", "muted": "#55655a"},
            },
            "colors_dark": {
                "primary": {"main": "#7bd3a0"},
                "background": {"base": "#0c1510", "surface": "#131f18", "elevated": "#1a2a20"},
            },
            "shape": {"radius": "large"},
            "fonts": {"body": FACES["humanist"][1]},
        },
    ),
    "signal": (
        msg("Signal yellow"),
        {
            "colors": {
                "primary": {"main": "#ffd60a"},
                "background": {"base": "#fafaf7", "surface": "#ffffff"},
                "text": {"primary": "#14140f"},
            },
            "colors_dark": {"primary": {"main": "#ffd60a"}, "background": {"base": "#12120e", "surface": "#1b1b15"}},
            "fonts": {"heading": FACES["geometric"][1]},
        },
    ),
}


def spots_of(look: str) -> list[str]:
    """Four colours that tell a look: page and button, light and dark."""
    brand = Brand.model_validate({"name": look, **LOOKS[look][1]})
    light, dark = tokens(brand.light, "light"), tokens(brand.dark, "dark")
    return [light["--color-bg"], light["--color-fill"], dark["--color-fill"], dark["--color-bg"]]


def face_of(font: dict[str, Any] | None) -> str:
    """Which of :data:`FACES` a font of a file is: its key, ``file:<path>`` for one with a file, ``own`` for another."""
    if not font:
        return ""
    if isinstance(font.get("src"), str):
        return f"file:{font['src'].removeprefix('/').removeprefix('assets/')}"
    return next((key for key, (_, face) in FACES.items() if face and face["family"] == font.get("family")), "own")


def face(choice: str) -> dict[str, Any] | None:
    """The font behind such a choice; None for the system's.

    Raises:
        KeyError: there is no such choice.
    """
    if choice.startswith("file:"):
        path = choice.removeprefix("file:")
        stem = path.rpartition("/")[2].rpartition(".")[0]
        family = " ".join(stem.replace("_", " ").split("-")[0].split()) or "Brand"
        return {"family": family, "fallbacks": ["system-ui", "sans-serif"], "localFont": True, "src": path}
    return FACES[choice][1]
