"""Arithmetic on colours: reading, laying one over another, WCAG contrast, making one legible on others."""

import colorsys
import re
from functools import lru_cache
from typing import Final

Rgb = tuple[float, float, float]

TEXT: Final = 4.5  # WCAG 2.2, 1.4.3 Contrast (Minimum), AA
CONTROL: Final = 3.0  # WCAG 2.2, 1.4.11 Non-text Contrast
BLACK: Final = "#000000"
WHITE: Final = "#ffffff"

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_NUMBER = r" {0,2}([0-9]{1,3}(?:\.[0-9]{1,4})?)"
_ALPHA = r"(?: {0,2}[,/] {0,2}((?:[0-9]{1,3}(?:\.[0-9]{1,4})?|\.[0-9]{1,4})%?) {0,2})?"
_GAP = r"(?: {0,2}, {0,2}| )"
_RGB = re.compile(rf"rgba?\({_NUMBER}{_GAP}{_NUMBER}{_GAP}{_NUMBER}{_ALPHA} ?\)")
_HSL = re.compile(rf"hsla?\({_NUMBER}(?:deg)?{_GAP}{_NUMBER}%{_GAP}{_NUMBER}%{_ALPHA} ?\)")
COLOR: Final = rf"(?:{_HEX.pattern}|{_RGB.pattern}|{_HSL.pattern})"


def parse(text: str) -> Rgb:
    """Red, green, blue from 0 to 1; transparency is left out.

    Raises:
        ValueError: not ``#hex``, ``rgb()`` or ``hsl()``.
    """
    return _read(text)[:3]


def alpha(text: str) -> float:
    """Opacity from 0 to 1.

    Raises:
        ValueError: as :func:`parse`.
    """
    return _read(text)[3]


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[float, float, float, float]:
    if len(text) <= 64:
        if _HEX.fullmatch(text):
            digits = text[1:] if len(text) > 5 else "".join(digit * 2 for digit in text[1:])
            red, green, blue, opacity = (int(digits[at : at + 2] or "ff", 16) / 255 for at in (0, 2, 4, 6))
            return red, green, blue, opacity
        if found := _RGB.fullmatch(text):
            red, green, blue = (min(float(part), 255) / 255 for part in found.groups()[:3])
            return red, green, blue, _opacity(found[4])
        if found := _HSL.fullmatch(text):
            hue, saturation, lightness = (float(part) for part in found.groups()[:3])
            red, green, blue = colorsys.hls_to_rgb(hue % 360 / 360, min(lightness, 100) / 100, min(saturation, 100) / 100)
            return red, green, blue, _opacity(found[4])
    raise ValueError("must be a colour: #hex, rgb() or hsl()")


def _opacity(text: str | None) -> float:
    if not text:
        return 1.0
    return min(float(text[:-1]) / 100 if text.endswith("%") else float(text), 1.0)


def to_hex(color: Rgb) -> str:
    """``#rrggbb``."""
    return "#" + "".join(f"{round(part * 255):02x}" for part in color)


def over(color: str, ground: str) -> str:
    """What the eye sees of a colour on an opaque ground: the colour itself, or the opaque mixture when it is translucent."""
    return color if (opacity := alpha(color)) >= 1 else mix(color, ground, opacity)


def luminance(color: Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@lru_cache(maxsize=8192)
def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio, 1 to 21, of a colour on a ground; a translucent colour is laid over the ground first."""
    bright, dim = sorted((luminance(parse(over(one, other))), luminance(parse(other))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of the first colour, the rest of the second."""
    pairs = zip(parse(one), parse(other), strict=True)
    red, green, blue = (share * a + (1 - share) * b for a, b in pairs)
    return to_hex((red, green, blue))


def is_dark(color: str) -> bool:
    """True for a background that wants light text."""
    return luminance(parse(color)) < 0.18


def legible(color: str, *grounds: str, ratio: float = TEXT) -> str:
    """The colour itself, or the nearest lighter or darker one of its hue with this contrast on all grounds.

    Where no shade of the hue reaches it on every ground, the better one of black and white.
    """
    if all(contrast(color, ground) >= ratio for ground in grounds):
        return color
    hue, lightness, saturation = colorsys.rgb_to_hls(*parse(over(color, grounds[0])))
    for away in (1.0, 0.0) if is_dark(grounds[0]) else (0.0, 1.0):
        for step in range(1, 101):
            candidate = to_hex(colorsys.hls_to_rgb(hue, lightness + (away - lightness) * step / 100, saturation))
            if all(contrast(candidate, ground) >= ratio for ground in grounds):
                return candidate
    return max("#ffffff", "#000000", key=lambda ink: min(contrast(ink, ground) for ground in grounds))


def text_on(color: str) -> str:
    """Black-ish or white, whichever reads better on it; always at least 4.5:1."""
    inky = mix("#000000", color, 0.85)
    dark = inky if contrast(inky, color) >= TEXT else "#000000"
    return max("#ffffff", dark, key=lambda ink: contrast(ink, color))
