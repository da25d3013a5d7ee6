"""Arithmetic on colours: reading, WCAG contrast, making one legible on another."""

import colorsys
import re

Rgb = tuple[float, float, float]

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_NUMBER = r"\s*(\d{1,3}(?:\.\d{1,4})?)"
_RGB = re.compile(rf"rgba?\({_NUMBER}\s*[,\s]{_NUMBER}\s*[,\s]{_NUMBER}\s*(?:[,/]\s*[\d.]{{1,6}}%?\s*)?\)")
_HSL = re.compile(rf"hsla?\({_NUMBER}(?:deg)?\s*[,\s]{_NUMBER}%\s*[,\s]{_NUMBER}%\s*(?:[,/]\s*[\d.]{{1,6}}%?\s*)?\)")
COLOR = rf"(?:{_HEX.pattern}|{_RGB.pattern}|{_HSL.pattern})"


def parse(text: str) -> Rgb:
    """Red, green, blue from 0 to 1; transparency is left out.

    Raises:
        ValueError: not ``#hex``, ``rgb()`` or ``hsl()``.
    """
    if _HEX.fullmatch(text):
        digits = text[1:]
        if len(digits) in {3, 4}:
            digits = "".join(digit * 2 for digit in digits)
        return int(digits[0:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:6], 16) / 255
    if found := _RGB.fullmatch(text):
        red, green, blue = (min(float(part), 255) / 255 for part in found.groups())
        return red, green, blue
    if found := _HSL.fullmatch(text):
        hue, saturation, lightness = (float(part) for part in found.groups())
        return colorsys.hls_to_rgb(hue % 360 / 360, min(lightness, 100) / 100, min(saturation, 100) / 100)
    raise ValueError("must be a colour: #hex, rgb() or hsl()")


def to_hex(color: Rgb) -> str:
    """``#rrggbb``."""
    return "#" + "".join(f"{round(part * 255):02x}" for part in color)


def luminance(color: Rgb) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    bright, dim = sorted((luminance(parse(one)), luminance(parse(other))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of the first colour, the rest of the second."""
    pairs = zip(parse(one), parse(other), strict=True)
    red, green, blue = (share * a + (1 - share) * b for a, b in pairs)
    return to_hex((red, green, blue))


def is_dark(color: str) -> bool:
    """True for a background that wants light text."""
    return luminance(parse(color)) < 0.18


def legible(color: str, *grounds: str, ratio: float = 4.5) -> str:
    """The colour itself, or the nearest lighter or darker one of its hue with this contrast on all grounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*parse(color))
    away = "#ffffff" if is_dark(grounds[0]) else "#000000"
    for step in range(101):
        reached = lightness + (1 - lightness) * step / 100 if away == "#ffffff" else lightness * (1 - step / 100)
        candidate = to_hex(colorsys.hls_to_rgb(hue, reached, saturation)) if step else to_hex(parse(color))
        if all(contrast(candidate, ground) >= ratio for ground in grounds):
            return candidate
    return away


def text_on(color: str) -> str:
    """Black or white-ish, whichever reads better on it."""
    return max("#ffffff", mix("#000000", color, 0.85), key=lambda text: contrast(text, color))
