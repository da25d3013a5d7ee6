"""Icons of the installed app and the picture of a shared link, drawn from the brand's own images (F-017).

The source is wrapped into an SVG that gives it a canvas, a ground and room, and drawn by resvg; so a brand needs one
logo, as SVG or as any bitmap.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import resvg_py

from mozaiks_shell.appconfig.brand import AppBrand, tokens
from mozaiks_shell.appconfig.brand_files import MEDIA_TYPES, asset_file
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import ASSETS

log = get_logger("hosting")

_DRAWABLE: Final = {"svg", "png", "jpg", "jpeg", "webp", "gif"}
_LARGEST: Final = 2_000_000  # bytes of a source


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is drawn: size in pixels, the share of the shorter side the image takes, and whether there is a ground."""

    width: int
    height: int
    share: float
    ground: bool = True


# A maskable icon may be cut down to the circle of 80 % in its middle (W3C Web Application Manifest, §1.7.3).
CANVASES: Final = {
    "icon-192.png": Canvas(192, 192, 0.86, ground=False),
    "icon-512.png": Canvas(512, 512, 0.86, ground=False),
    "icon-maskable-192.png": Canvas(192, 192, 0.56),
    "icon-maskable-512.png": Canvas(512, 512, 0.56),
    "apple-touch-icon.png": Canvas(180, 180, 0.66),
    "social.png": Canvas(1200, 630, 0.4),
}


def source_of(look: AppBrand, *, wide: bool = False) -> Path:
    """The image to draw: the brand's icon, else its logo (for a ``wide`` canvas the wordmark first); else the packaged logo."""
    icon = getattr(look.assets, "icon", None)
    wanted: Iterable[str | None] = (look.assets.wordmark, look.assets.logo, icon) if wide else (icon, look.assets.logo)
    for path in filter(None, wanted):
        file = asset_file(path, look.app_id)
        if file is not None and file.suffix[1:].lower() in _DRAWABLE and file.stat().st_size <= _LARGEST:
            return file
    return ASSETS / "logo.svg"


def icon(look: AppBrand, name: str) -> bytes:
    """The picture of this name (a key of :data:`CANVASES`) as PNG."""
    canvas = CANVASES[name]
    colours = tokens(look.palette("light"), "light")
    file = source_of(look, wide=canvas.width != canvas.height)
    packaged = ASSETS / "logo.svg"
    for candidate in dict.fromkeys((file, packaged)):
        try:
            ground, accent = colours["--color-surface"], colours["--color-accent"]
            return _drawn(candidate, candidate.stat().st_mtime_ns, canvas, ground, accent)
        except (ValueError, OSError) as error:
            log.warning("icon cannot be drawn", file=candidate.name, reason=str(error)[:200])
    raise OSError("the packaged logo is missing")


def icon_tag(look: AppBrand, name: str) -> str:
    """Changes whenever the picture does."""
    file = source_of(look, wide=name == "social.png")
    colours = tokens(look.palette("light"), "light")
    return f"{file.stat().st_mtime_ns:x}-{abs(hash((file, colours['--color-surface'], colours['--color-accent']))):x}"


@lru_cache(maxsize=64)
def _drawn(file: Path, _: int, canvas: Canvas, ground: str, accent: str) -> bytes:
    kind = MEDIA_TYPES[file.suffix[1:].lower()]
    data = base64.b64encode(file.read_bytes()).decode()
    side = min(canvas.width, canvas.height) * canvas.share
    wide = side * 2 if canvas.width != canvas.height else side
    x, y = (canvas.width - wide) / 2, (canvas.height - side) / 2
    under = f'<rect width="100%" height="100%" fill="{ground}"/>' if canvas.ground else ""
    if canvas.width != canvas.height:
        under += f'<rect y="{canvas.height - 14}" width="100%" height="14" fill="{accent}"/>'
    return resvg_py.svg_to_bytes(
        svg_string=f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}">{under}'
        f'<image x="{x:g}" y="{y:g}" width="{wide:g}" height="{side:g}" href="data:{kind};base64,{data}"/></svg>',
        skip_system_fonts=False,
    )
