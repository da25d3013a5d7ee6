"""From the file's colours to every design token of one appearance (F-019), legible wherever the shell puts them.

Two families come out of one palette. The shell's own (``--color-accent``) are corrected until they can be read on every
ground they meet. The file's (``--color-primary-main``) are the file's values as they stand.
"""

from dataclasses import dataclass
from typing import Final

from mozaiks_shell.appconfig.brand_model import HUES, Brand, Mode, Palette, Shade, Shadows
from mozaiks_shell.appconfig.brand_values import DENSITIES, FONT_SCALES, GENERIC_FONTS, pixels
from mozaiks_shell.appconfig.colors import CONTROL, TEXT, alpha, contrast, legible, mix, over, parse, text_on, to_hex

GROUNDS: Final = ("base", "surface", "elevated")

# The shell's look where a file says nothing; assets/shell.css has the same for the time before a brand is there.
_NEUTRAL: Final[dict[str, dict[str, str]]] = {
    "light": {
        "base": "#fafafb", "surface": "#ffffff", "elevated": "#ffffff", "overlay": "rgba(16, 18, 24, 0.38)",
        "subtle": "#e5e6ea", "strong": "#878d99", "text": "#17191e", "muted": "#5d6370",
        "primary": "#2f54c9", "success": "#1a7343", "warning": "#8c5a00", "error": "#c0312b",
        "shadow": "0 1px 2px rgba(16, 18, 24, 0.05)",
        "elevation": "0 12px 32px -8px rgba(16, 18, 24, 0.18), 0 2px 6px rgba(16, 18, 24, 0.06)",
    },
    "dark": {
        "base": "#0f1013", "surface": "#16181c", "elevated": "#1d1f25", "overlay": "rgba(0, 0, 0, 0.6)",
        "subtle": "#282b32", "strong": "#6b717e", "text": "#ecedf0", "muted": "#9ca2ae",
        "primary": "#93aaff", "success": "#5cc98b", "warning": "#e0ae53", "error": "#ff8a82",
        "shadow": "0 1px 2px rgba(0, 0, 0, 0.3)",
        "elevation": "0 16px 40px -8px rgba(0, 0, 0, 0.6), 0 2px 6px rgba(0, 0, 0, 0.4)",
    },
}  # fmt: skip

_HOVERED: Final = {"light": 0.05, "dark": 0.07}  # share of the text's colour in a hovered ground
_TINT: Final = 0.11  # share of a tone in the ground of its badge or notice


@dataclass(frozen=True, slots=True)
class Correction:
    """A colour of the file that could not be read where the shell uses it, and what is used instead.

    ``ink`` and ``ground`` are tokens as in the file (``text.muted``, ``background.surface``); ``ratio`` is what the file's
    pair has, ``needed`` what WCAG AA asks for; ``used`` is the colour shown instead.
    """

    ink: str
    color: str
    ground: str
    on: str
    ratio: float
    needed: float
    used: str


class _Look:
    """One appearance in the making."""

    def __init__(self, palette: Palette, mode: Mode) -> None:
        self.palette, self.mode, self.plain = palette, mode, _NEUTRAL[mode]
        self.corrections: list[Correction] = []
        given = palette.background
        base = _opaque(given.base, "#ffffff" if mode == "light" else "#000000") or self.plain["base"]
        lift = mode == "dark" and given.base is not None
        surface = _opaque(given.surface, base) or (mix("#ffffff", base, 0.035) if lift else self.plain["surface"])
        lifted = mix("#ffffff", surface, 0.035) if lift else surface if given.surface else self.plain["elevated"]
        elevated = _opaque(given.elevated, base) or lifted
        if mode == "light" and given.base and not given.surface and contrast(base, surface) > 1.35:
            surface = elevated = _opaque(given.elevated, base) or mix("#ffffff", base, 0.55)
        self.grounds = {"base": base, "surface": surface, "elevated": elevated}

    def ink(self, token: str, wanted: str | None, default: str, needed: float = TEXT, more: tuple[str, ...] = ()) -> str:
        """A colour of the file made legible on all grounds (and on ``more``); notes it when the file's own was not."""
        used = legible(_hex(wanted or default), *self.grounds.values(), *more, ratio=needed)
        if wanted:
            self.compare(token, wanted, self.named(), needed, used)
        return used

    def compare(self, token: str, wanted: str, grounds: dict[str, str], needed: float, used: str) -> None:
        """Note the worst of these pairs when the file's colour does not reach what is needed on it."""
        name, ground = min(grounds.items(), key=lambda one: contrast(wanted, one[1]))
        if (ratio := contrast(wanted, ground)) < needed:
            self.corrections.append(Correction(token, wanted, name, ground, ratio, needed, used))

    def tone(self, name: str) -> str:
        """A hue as text: on every ground, and on the tint of itself that a badge or notice has."""
        shade: Shade | None = getattr(self.palette, name)
        wanted = shade.main if shade else self.plain[name]
        grounds = self.named()
        if self.mode == "dark" and shade and shade.light and contrast(wanted, self.grounds["elevated"]) < TEXT:
            wanted = shade.light
        found = legible(_hex(over(wanted, self.grounds["base"])), *self.grounds.values())
        if shade and _grey(wanted) and found != _hex(wanted):
            found = self.text  # a black or white brand turns over with the appearance instead of fading to grey
        for more in range(12):
            if all(contrast(found, mix(found, ground, _TINT)) >= TEXT for ground in self.grounds.values()):
                break
            found = legible(found, *self.grounds.values(), ratio=TEXT + (more + 1) * 0.15)
        if shade:
            self.compare(f"{name}.main", shade.main, grounds, TEXT, found)
        return found

    def named(self) -> dict[str, str]:
        """Grounds by their token."""
        return {f"background.{name}": ground for name, ground in self.grounds.items()}

    def build(self) -> dict[str, str]:
        """Every colour token."""
        given, named, plain = self.palette, self.named(), self.plain
        share = _HOVERED[self.mode]
        self.text = self.ink("text.primary", given.text.primary, plain["text"])
        touched = tuple(mix(self.text, ground, share) for ground in named.values())
        wish = "muted" if given.text.muted else "secondary"
        muted = self.ink(f"text.{wish}", getattr(given.text, wish), plain["muted"], more=touched)
        accent = self.tone("primary")
        fill, on_fill = self.fill(accent)
        on_accent = given.text.onAccent if given.text.onAccent and contrast(given.text.onAccent, accent) >= TEXT else None
        strong = self.ink("border.strong", given.border.strong, plain["strong"], CONTROL)
        values = {
            "bg": named["background.base"],
            "surface": named["background.surface"],
            "elevated": named["background.elevated"],
            "overlay": given.background.overlay or plain["overlay"],
            "line": given.border.subtle
            or (mix(self.text, self.grounds["surface"], 0.11) if given.background.base else plain["subtle"]),
            "line-strong": strong,
            "text": self.text,
            "muted": muted,
            "hover": f"color-mix(in srgb, var(--color-text) {round(share * 100)}%, transparent)",
            "accent": accent,
            "on-accent": on_accent or text_on(accent),
            "accent-soft": _soft(accent, self.grounds["surface"]),
            "fill": fill,
            "on-fill": on_fill,
            "fill-hover": mix("#000000" if contrast("#ffffff", on_fill) < 4 else "#ffffff", fill, 0.1),
            "success": self.tone("success"),
            "warning": self.tone("warning"),
            "danger": self.tone("error"),
        }
        return {f"--color-{name}": value for name, value in {**values, **self.of_the_file(values)}.items()}

    def fill(self, accent: str) -> tuple[str, str]:
        """(ground, text) of a primary button: the brand's own colour, as long as it shows and its text can be read."""
        shade, wish = self.palette.primary, self.palette.text.onAccent
        raw = _hex(over(shade.main, self.grounds["base"])) if shade else accent
        if any(contrast(raw, ground) < 1.2 for ground in (self.grounds["base"], self.grounds["surface"])):
            raw = accent
        ink = wish or "#ffffff"
        if contrast(ink, raw) >= TEXT:
            return raw, ink
        shifted = legible(raw, ink) if contrast(ink, raw) >= 3 else ""
        fill, on_fill = (shifted, ink) if shifted and contrast(shifted, self.grounds["surface"]) >= 1.2 else (raw, text_on(raw))
        if wish:
            pair = {"primary.main": raw}
            self.compare("text.onAccent", wish, pair, TEXT, on_fill if on_fill != wish else fill)
        return fill, on_fill

    def of_the_file(self, own: dict[str, str]) -> dict[str, str]:
        """The tokens under the names of the file (F-019): its values as they stand, else the derived ones."""
        given, found = self.palette, {}
        fallback = {"success": own["success"], "warning": own["warning"], "error": own["danger"]}
        for name in HUES:
            shade: Shade | None = getattr(given, name)
            main = shade.main if shade else fallback.get(name) or (given.primary.main if given.primary else own["accent"])
            opaque = over(main, own["bg"])
            found[f"{name}-main"] = main
            found[f"{name}-light"] = (shade.light if shade else None) or mix("#ffffff", opaque, 0.28)
            found[f"{name}-dark"] = (shade.dark if shade else None) or mix("#000000", opaque, 0.22)
        grounds, lines, inks = given.background, given.border, given.text
        found |= {f"background-{name}": getattr(grounds, name) or self.grounds[name] for name in GROUNDS}
        found["background-overlay"] = own["overlay"]
        found |= {"border-subtle": own["line"], "border-strong": lines.strong or own["line-strong"]}
        found["border-accent"] = lines.accent or own["accent"]
        found |= {"text-primary": inks.primary or own["text"], "text-secondary": inks.secondary or own["muted"]}
        found |= {"text-muted": inks.muted or own["muted"], "text-on-accent": inks.onAccent or own["on-fill"]}
        return found


def tokens(palette: Palette, mode: Mode) -> dict[str, str]:
    """Every colour token (``--color-…``) of one appearance; what the shell draws with reaches WCAG AA on every ground."""
    return _Look(palette, mode).build()


def corrections(palette: Palette, mode: Mode) -> list[Correction]:
    """Where the file's colours were not used as they stand, because they could not be read."""
    look = _Look(palette, mode)
    look.build()
    return look.corrections


def shadow_tokens(shadows: Shadows, mode: Mode) -> dict[str, str]:
    """Every shadow token (``--shadow…``) of one appearance."""
    plain = _NEUTRAL[mode]
    elevated = shadows.elevated or plain["elevation"]
    found = {"--shadow": plain["shadow"], "--shadow-lg": elevated, "--shadow-elevated": elevated}
    for name in HUES:
        derived = f"0 10px 28px -6px color-mix(in srgb, var(--color-{name}-main) 28%, transparent)"
        found[f"--shadow-{name}"] = getattr(shadows, name) or derived
    found["--shadow-focus"] = shadows.focus or "0 0 0 3px color-mix(in srgb, var(--color-accent) 26%, transparent)"
    return found


# Further names of the same, as pages written for the upstream shell use them.
ALIASES: Final = {
    "--color-primary": "var(--color-primary-main)",
    "--color-secondary": "var(--color-secondary-main)",
    "--color-error": "var(--color-danger)",
    "--color-background": "var(--color-bg)",
    "--color-surface-alt": "var(--color-elevated)",
    "--color-surface-overlay": "var(--color-overlay)",
    "--color-card": "var(--color-surface)",
    "--color-border": "var(--color-line)",
    "--core-primitive-surface": "var(--color-surface)",
    "--core-primitive-surface-alt": "var(--color-elevated)",
    "--core-primitive-border": "var(--color-line)",
    "--core-primitive-text": "var(--color-text)",
    "--core-primitive-muted": "var(--color-muted)",
    "--core-primitive-accent": "var(--color-accent)",
    "--core-primitive-radius": "var(--radius-lg)",
    "--core-primitive-shadow": "var(--shadow-lg)",
}


def measures(brand: Brand) -> dict[str, str]:
    """Tokens that are the same in both appearances: corners, spacing, sizes, type faces."""
    radius = pixels(brand.shape.radius)
    space, control = DENSITIES[brand.layout.density]
    found = {
        "--radius-sm": f"{round(radius * 0.85)}px",
        "--radius": f"{_px(radius)}px",
        "--radius-md": f"{round(radius * 1.3)}px",
        "--radius-lg": f"{round(min(radius * 1.7, 22))}px",
        "--radius-full": "999px" if radius else "0px",
        "--space": f"{_px(space)}px",
        **{f"--space-{step}": f"{_px(space * step)}px" for step in (1, 2, 3, 4, 5, 6, 7, 8)},
        "--control": f"{control}px",
        "--font-scale": f"{FONT_SCALES[brand.layout.fontSize]:g}",
    }
    for use in ("body", "heading", "logo"):
        font = getattr(brand.fonts, use)
        if font is not None:
            stack = [font.family, *font.fallbacks, *([] if GENERIC_FONTS & set(font.fallbacks) else ["system-ui", "sans-serif"])]
            found[f"--font-{use}"] = ", ".join(dict.fromkeys(quoted(name) for name in stack))
    return found


def quoted(name: str) -> str:
    """A font's name as CSS writes it."""
    return name if name in GENERIC_FONTS else f'"{name}"'


def _px(value: float) -> str:
    return f"{round(value, 2):g}"


def _hex(color: str) -> str:
    return to_hex(parse(color)) if alpha(color) >= 1 else color


def _opaque(color: str | None, ground: str) -> str | None:
    return _hex(over(color, ground)) if color else None


def _grey(color: str) -> bool:
    return max(parse(color)) - min(parse(color)) < 0.06


def _soft(accent: str, surface: str) -> str:
    """A tint of the surface on which the accent can still be read."""
    shares = (0.13, 0.1, 0.07, 0.04, 0.02)
    return next((tint for share in shares if contrast(accent, tint := mix(accent, surface, share)) >= TEXT), surface)
