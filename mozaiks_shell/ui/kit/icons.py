"""Icons: Lucide drawings inlined as SVG, so that no request and no icon library is needed (F-032).

The drawings are Lucide's (ISC licence, see ``lucide.LICENSE``).
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

import reflex as rx

from mozaiks_shell.ui.page import pages

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
def _drawings() -> dict[str, str]:
    return json.loads((Path(__file__).parent / "lucide.json").read_text(encoding="utf-8"))


def known(name: str) -> str:
    """The Lucide name for ``name`` in any notation (``ListChecks``, ``list_checks``), or the neutral glyph's."""
    plain = name.strip().replace("_", "-")
    if plain not in _drawings():
        plain = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in plain).lstrip("-")
    return plain if plain in _drawings() else FALLBACK


def _svg(name: str, size: int | rx.Var[int], label: str = "", class_name: str = "") -> rx.Component:
    hearing = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    drawing = {"dangerouslySetInnerHTML": {"__html": _drawings()[known(name)]}}
    return rx.el.svg(
        view_box="0 0 24 24", width=size, height=size, class_name=f"mz-icon {class_name}".strip(), custom_attrs=drawing, **hearing
    )


@rx.memo
def named_icon(name: rx.Var[str], size: rx.Var[int]) -> rx.Component:
    """An icon whose name arrives with State: one of :data:`COMMON` or of the declared pages'."""
    names = sorted({*COMMON, *(known(page.icon) for page in pages() if "." not in page.icon)})
    return rx.match(name, *[(one, _svg(one, size)) for one in names], _svg(FALLBACK, size))


def icon(name: str | rx.Var[str], size: int = 16, label: str = "", class_name: str = "") -> rx.Component:
    """An icon in the text's colour.

    Args:
        name: A Lucide name (``list-checks``), an image file of the app's assets (``spark.svg``), or a Var holding a Lucide name.
        size: Edge in CSS pixels.
        label: What a screen reader says; empty hides a decorative icon from it. Not for a Var.
        class_name: A further class. Not for a Var.
    """
    if isinstance(name, rx.Var):
        return named_icon(name=name.to(str), size=size)
    if "." in name:
        return rx.el.img(src=f"/brand/assets/{name}", alt=label, width=size, height=size, class_name="mz-icon")
    return _svg(name, size, label, class_name)
