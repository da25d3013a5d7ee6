"""Names of icons: what is a Lucide name, and what a name means that is none (F-032). No Reflex here."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

FALLBACK: Final = "circle-dashed"

# What a name that is only known at run time may be, besides the icons of declared pages.
COMMON: Final = (
    "activity", "archive", "bell", "bookmark", "book-open", "bot", "box", "briefcase", "calendar", "chart-column", "check",
    "circle-check", "circle-alert", "circle-question-mark", "clipboard-list", "clock", "cloud", "code", "compass", "credit-card",
    "database", "download", "file", "file-text", "flask-conical", "folder", "gauge", "gift", "globe", "graduation-cap", "heart",
    "history", "house", "image", "inbox", "info", "key-round", "layers", "layout-dashboard", "lightbulb", "link", "list-checks",
    "lock", "mail", "map", "megaphone", "message-circle", "message-square", "moon", "newspaper", "notebook-pen", "package",
    "palette", "pen-line", "plug", "puzzle", "receipt", "rocket", "scale", "search", "settings", "shield", "shopping-cart",
    "sliders-horizontal", "sparkles", "star", "store", "sun", "table", "table-2", "tag", "target", "ticket", "trending-up",
    "triangle-alert",
    "truck", "upload", "user", "users", "video", "wallet", "wand-sparkles", "workflow", "wrench", "zap",
)  # fmt: skip


@lru_cache(maxsize=1)
def drawings() -> dict[str, str]:
    """Lucide name -> what stands inside its ``<svg>``."""
    return json.loads((Path(__file__).parent / "kit" / "lucide.json").read_text(encoding="utf-8"))


def known(name: str) -> str:
    """The Lucide name for ``name`` in any notation (``ListChecks``, ``list_checks``), or the neutral glyph's."""
    plain = name.strip().replace("_", "-")
    if plain not in drawings():
        plain = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in plain).lstrip("-")
    return plain if plain in drawings() else FALLBACK
