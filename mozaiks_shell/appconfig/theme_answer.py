"""What ``GET /api/themes/{app_id}`` tells about an app's look, in the field names of its callers (F-018)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mozaiks_shell.appconfig.brand_model import HUES, Brand, Font, Mode
from mozaiks_shell.appconfig.tokens import GROUNDS, shadow_tokens, tokens

_SYSTEM = "system-ui"


def theme_answer(brand: Brand, app_id: str, source: str, file: Path | None = None) -> dict[str, Any]:
    """Fonts, colours and shadows complete: what the brand does not say is as the shell shows it.

    ``colors`` is the appearance the brand's file describes; ``updatedAt`` is when that file last changed (ISO 8601, UTC).
    """
    mode: Mode = "dark" if brand.colors_are_dark else "light"
    values = tokens(brand.palette(mode), mode)
    shadows = shadow_tokens(brand.shadows_of(mode), mode)
    palette = brand.palette(mode)
    colors: dict[str, Any] = {}
    for name in HUES:
        shade = getattr(palette, name)
        parts = {part: values[f"--color-{name}-{part}"] for part in ("main", "light", "dark")}
        colors[name] = {**parts, "name": (shade.name if shade else "") or None}
    colors["background"] = {name: values[f"--color-background-{name}"] for name in (*GROUNDS, "overlay")}
    colors["border"] = {name: values[f"--color-border-{name}"] for name in ("subtle", "strong", "accent")}
    colors["text"] = {name: values[f"--color-text-{name}"] for name in ("primary", "secondary", "muted")}
    colors["text"]["onAccent"] = values["--color-text-on-accent"]
    body = _font(brand.fonts.body, None)
    theme = {
        "fonts": {"body": body, "heading": _font(brand.fonts.heading, body), "logo": _font(brand.fonts.logo, body)},
        "colors": colors,
        "shadows": {name: shadows[f"--shadow-{name}"] for name in (*HUES, "elevated", "focus")},
        "branding": {
            "name": brand.name,
            "logo": f"/assets/{brand.assets.logo}",
            "favicon": f"/assets/{brand.assets.favicon}",
        },
    }
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat() if file is not None and file.is_file() else None
    return {"app_id": app_id, "theme": theme, "source": source, "updatedAt": changed, "updatedBy": None}


def _font(font: Font | None, other: dict[str, Any] | None) -> dict[str, Any]:
    if font is None:
        plain = {"family": _SYSTEM, "fallbacks": "sans-serif", "googleFont": None, "localFont": False, "tailwindClass": None}
        return other or plain
    return {
        "family": font.family,
        "fallbacks": ", ".join(font.fallbacks) or None,
        "googleFont": None,
        "localFont": bool(font.src),
        "tailwindClass": font.tailwindClass or None,
    }
