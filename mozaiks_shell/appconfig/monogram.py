"""The mark of a brand that brings no logo: its initial on its colour. Nobody's app wears somebody else's sign (F-017)."""

import hashlib
import html
from pathlib import Path
from typing import Final

from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.brand_values import pixels
from mozaiks_shell.appconfig.tokens import tokens
from mozaiks_shell.foundation.settings import get_settings

FOLDER: Final = "_monogram/"

# One line per letter on a field of 64, so that no font is needed to draw it.
_STROKES: Final = {
    "A": "M19 46 32 18l13 28M24 37h16",
    "B": "M23 18v28M23 18h10a7 7 0 0 1 0 14H23h12a7 7 0 0 1 0 14H23",
    "C": "M43 23a14 14 0 1 0 0 18",
    "D": "M22 18v28h8a14 14 0 0 0 0-28z",
    "E": "M42 18H23v28h19M23 32h15",
    "F": "M42 18H23v28M23 32h15",
    "G": "M43 23a14 14 0 1 0 3 10H34",
    "H": "M21 18v28M43 18v28M21 32h22",
    "I": "M32 18v28",
    "J": "M39 18v18a9 9 0 0 1-18 2",
    "K": "M22 18v28M42 18 22 34M29 29l14 17",
    "L": "M24 18v28h18",
    "M": "M18 46V18l14 20 14-20v28",
    "N": "M21 46V18l22 28V18",
    "O": "M32 18a14 14 0 1 0 0 28 14 14 0 1 0 0-28z",
    "P": "M23 46V18h11a8 8 0 0 1 0 16H23",
    "Q": "M32 18a14 14 0 1 0 0 28 14 14 0 1 0 0-28zM37 38l8 8",
    "R": "M23 46V18h11a8 8 0 0 1 0 16H23M33 34l10 12",
    "S": "M42 23c-2-4-6-5-10-5-6 0-10 3-10 7 0 10 21 4 21 14 0 4-5 7-11 7-5 0-9-2-11-6",
    "T": "M20 18h24M32 18v28",
    "U": "M21 18v17a11 11 0 0 0 22 0V18",
    "V": "M19 18l13 28 13-28",
    "W": "M15 18l9 28 8-22 8 22 9-28",
    "X": "M21 18l22 28M43 18 21 46",
    "Y": "M20 18l12 15 12-15M32 33v13",
    "Z": "M21 18h22L21 46h22",
}

_known: dict[str, str] = {}


def monogram(brand: Brand) -> str:
    """The mark as SVG, 64 by 64, in the colours of the light appearance."""
    values = tokens(brand.palette("light"), "light")
    fill, ink = values["--color-fill"], values["--color-on-fill"]
    letter = next((sign for sign in brand.name.upper() if sign.isalnum()), "·")[:1]
    corner = f"{min(pixels(brand.shape.radius) * 2, 32):g}"
    if letter in _STROKES:
        style = f'fill="none" stroke="{ink}" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"'
        sign = f'<path d="{_STROKES[letter]}" {style}/>'
    else:
        place = 'x="32" y="44" text-anchor="middle" font-family="system-ui,sans-serif" font-weight="600" font-size="34"'
        sign = f'<text {place} fill="{ink}">{html.escape(letter)}</text>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
        f'<rect width="64" height="64" rx="{corner}" fill="{fill}"/>{sign}</svg>'
    )


def address_of(brand: Brand) -> str:
    """The path under which :func:`file_at` has this brand's mark."""
    drawn = monogram(brand)
    path = f"{FOLDER}{hashlib.sha256(drawn.encode()).hexdigest()[:16]}.svg"
    if len(_known) > 256:
        _known.clear()
    _known[path] = drawn
    return path


def file_at(path: str) -> Path | None:
    """The mark as a file in the data folder; None for a path that :func:`address_of` never gave."""
    drawn = _known.get(path)
    if drawn is None:
        return None
    file = get_settings().data_dir / "brand" / path.removeprefix(FOLDER)
    try:
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(".tmp")
            draft.write_text(drawn, encoding="utf-8")
            draft.replace(file)
    except OSError:
        return None
    return file
