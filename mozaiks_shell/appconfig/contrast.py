"""What the validator says of a brand that may be used: colours that were corrected, and what is ignored (F-024).

Errors are not here: a brand with one is refused by its model (:mod:`.brand_model`).
"""

from mozaiks_shell.appconfig.brand_model import MODES, Brand, Font, Mode
from mozaiks_shell.appconfig.problems import Finding, Location
from mozaiks_shell.appconfig.tokens import Correction, corrections


def located(brand: Brand) -> list[tuple[Mode, Location, bool, Correction]]:
    """Every correction: (appearance, place in the file, whether the palette describes this very appearance, what)."""
    found: list[tuple[Mode, Location, bool, Correction]] = []
    for mode in MODES:
        for one in corrections(brand.palette(mode), mode):
            key, own = brand.place(mode, one.ink.partition(".")[0])
            found.append((mode, (key, *one.ink.split(".")), own, one))
    return found


def findings(brand: Brand, at: Location = ()) -> list[Finding]:
    """Warnings and hints about a valid brand, located; ``at`` is its place in the file."""
    found = [
        Finding(
            (*at, *where),
            "warning" if own else "hint",
            f"{one.color} on {one.ground} {one.on} has a contrast of {one.ratio:.2f}:1 in the {mode} appearance; "
            f"{one.needed:g}:1 is needed, so {one.used} is used.",
            f"Set it to {one.used}." if own else f"colors_{mode} can say what you prefer.",
        )
        for mode, where, own, one in located(brand)
    ]
    for use in ("body", "heading", "logo"):
        font: Font | None = getattr(brand.fonts, use)
        if font and font.googleFont and not font.src:
            found.append(
                Finding(
                    (*at, "fonts", use, "googleFont"),
                    "hint",
                    "is not fetched: no page asks another origin. The fallbacks are shown.",
                    "Put the font file into assets/fonts and name it in src.",
                )
            )
        elif font and font.localFont and not font.src:
            found.append(
                Finding((*at, "fonts", use, "src"), "warning", "is missing although localFont is true.", "Name the file.")
            )
    return found
