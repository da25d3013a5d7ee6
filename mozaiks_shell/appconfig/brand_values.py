"""Kinds of values of ``brand.json``. Each accepts a closed notation only, so that what is accepted can be written into
a style sheet as it stands: no ``url(``, ``;``, ``}``, ``<``, comment or escape fits any of them (F-024)."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mozaiks_shell.appconfig.colors import COLOR, parse
from mozaiks_shell.appconfig.problems import nearest, shown

RADII: Final = {"none": 0, "small": 4, "medium": 7, "large": 12, "full": 18}
DENSITIES: Final = {"compact": (3.5, 32), "comfortable": (4.0, 36), "spacious": (4.5, 40)}
FONT_SCALES: Final = {"small": 0.9375, "medium": 1.0, "large": 1.0625}
GENERIC_FONTS: Final = frozenset(
    {
        "serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "ui-serif", "ui-sans-serif", "ui-monospace",
        "ui-rounded", "math", "emoji", "-apple-system",
    }
)  # fmt: skip
IMAGE_TYPES: Final = ("svg", "png", "jpg", "jpeg", "webp", "gif", "ico")
FONT_TYPES: Final = ("woff2", "woff", "ttf", "otf")

_LENGTH = r"-?(?:0|[0-9]{1,3}(?:\.[0-9]{1,3})?(?:px|rem|em))"
_LAYER = rf"(?:inset )?{_LENGTH}(?: {_LENGTH}){{1,3}} {COLOR}"
_SHADOW = re.compile(rf"none|{_LAYER}(?:, ?{_LAYER}){{0,4}}")
_FONT = re.compile(r"[^\W_][\w .-]{0,62}[\w.-]|[^\W_]|-apple-system")
_PART = r"[A-Za-z0-9_-](?:[A-Za-z0-9_. -]{0,62}[A-Za-z0-9_-])?"
_ASSET = re.compile(rf"(?:{_PART}/){{0,4}}{_PART}\.(?:{'|'.join((*IMAGE_TYPES, *FONT_TYPES))})")
_PIXELS = re.compile(r"(?:0|[0-9]{1,2}(?:\.[0-9]{1,2})?px|[0-9](?:\.[0-9]{1,4})?rem)")
_UNSAFE = re.compile(r"(?i)url\s*\(|expression\s*\(|@import|javascript:|/\*|\*/|\\|[;{}<>]")


def refuse_css(value: Any) -> Any:
    """Say plainly what is wrong with a value that tries to be more than a value.

    Raises:
        ValueError: it holds something that ends a declaration, loads a file or hides text.
    """
    if isinstance(value, str) and (found := _UNSAFE.search(value)):
        raise ValueError(f"holds {shown(found[0])}, which a style value must not hold")
    return value.strip() if isinstance(value, str) else value


def _color(value: str) -> str:
    parse(value)
    return value


def _shadow(value: str) -> str:
    if not _SHADOW.fullmatch(value):
        raise ValueError("must be a box-shadow such as 0 12px 32px rgba(0, 0, 0, 0.2): lengths, then one colour, per layer")
    return value


def _font(value: str) -> str:
    if not _FONT.fullmatch(value):
        raise ValueError("must be the name of a font: letters, digits, spaces, . _ -")
    return value


def asset_path(value: str) -> str:
    """A file below the app's ``assets`` (or ``fonts``) folder; a leading ``/assets/`` is dropped.

    Raises:
        ValueError: an address elsewhere, a way out of the folder, or an unknown type.
    """
    value = value.removeprefix("/").removeprefix("assets/")
    if not _ASSET.fullmatch(value):
        raise ValueError("must be an image or font file below assets/ (no address, no ..)")
    return value


def _image(value: str) -> str:
    if value.rpartition(".")[2] not in IMAGE_TYPES:
        raise ValueError(f"must be an image: {', '.join(IMAGE_TYPES)}")
    return value


def _font_file(value: str) -> str:
    if value.rpartition(".")[2] not in FONT_TYPES:
        raise ValueError(f"must be a font: {', '.join(FONT_TYPES)}")
    return value


def pixels(radius: str) -> float:
    """A radius of the file in CSS pixels: ``large``, ``10px``, ``0.5rem``."""
    if radius in RADII:
        return RADII[radius]
    return float(radius[:-3]) * 16 if radius.endswith("rem") else float(radius.removesuffix("px"))


def _radius(value: Any) -> str:
    text = f"{value:g}px" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    if text not in RADII and not _PIXELS.fullmatch(text):
        near = nearest(text, RADII)
        raise ValueError(
            f"must be one of {', '.join(RADII)}, or a length such as 8px" + (f"; the nearest is {near}" if near else "")
        )
    if pixels(text) > 24:
        raise ValueError("must be at most 24px")
    return text


Color = Annotated[str, Field(max_length=64), BeforeValidator(refuse_css), AfterValidator(_color)]
Shadow = Annotated[str, Field(max_length=400), BeforeValidator(refuse_css), AfterValidator(_shadow)]
FontName = Annotated[str, Field(max_length=64), BeforeValidator(refuse_css), AfterValidator(_font)]
Asset = Annotated[str, Field(max_length=200), AfterValidator(asset_path)]
Image = Annotated[Asset, AfterValidator(_image)]
FontFile = Annotated[Asset, AfterValidator(_font_file)]
Radius = Annotated[
    str,
    BeforeValidator(_radius),
    WithJsonSchema({"type": ["string", "number"], "description": f"{', '.join(RADII)} or 0 to 24px"}),
]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^<>\x00-\x1f\x7f\u2028-\u202e\u2066-\u2069]*$")]
