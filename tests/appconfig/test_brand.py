"""The brand file: what is refused and where, which file wins, and that an edit counts at once or not at all."""

from typing import Any

import pytest

from mozaiks_shell.appconfig.brand import BRAND, brand, brand_file, style_sheet, tokens
from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.foundation.settings import Settings
from tests.appconfig.brands import SVG, UPSTREAM, Folder


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"colors": {"primary": {"main": "red;}body{display:none}"}}}, "$.colors.primary.main"),
        ({"colors": {"primary": {"main": "url(javascript:alert(1))"}}}, "$.colors.primary.main"),
        ({"colors": {"background": {"base": "#fff;@import 'x'"}}}, "$.colors.background.base"),
        ({"colors_dark": {"text": {"primary": "var(--x, expression(1))"}}}, "$.colors_dark.text.primary"),
        ({"colors": {"accent": {"main": "#fff/**/"}}}, "$.colors.accent.main"),
        ({"colors": {"accent": {"main": "\\23 fff"}}}, "$.colors.accent.main"),
        ({"colors": {"accent": {"main": "#" + "f" * 9000}}}, "$.colors.accent.main"),
        ({"colors": {"accent": {"main": "rgb(٢,2,2)"}}}, "$.colors.accent.main"),
        ({"shadows": {"elevated": "0 1px 2px red}"}}, "$.shadows.elevated"),
        ({"shadows": {"focus": "0 0 0 3px url(//evil)"}}, "$.shadows.focus"),
        ({"fonts": {"body": {"family": 'Inter";} body{}'}}}, "$.fonts.body.family"),
        ({"fonts": {"body": {"family": "Inter", "fallbacks": ["</style>"]}}}, "$.fonts.body.fallbacks[0]"),
        ({"fonts": {"body": {"family": "Inter", "src": "https://fonts.example/inter.woff2"}}}, "$.fonts.body.src"),
        ({"fonts": {"body": {"family": "Inter", "src": "logo.svg"}}}, "$.fonts.body.src"),
        ({"assets": {"logo": "https://cdn.example/logo.svg"}}, "$.assets.logo"),
        ({"assets": {"logo": "../../secrets.svg"}}, "$.assets.logo"),
        ({"assets": {"logo": "inter.woff2"}}, "$.assets.logo"),
        ({"assets": {"favicon": "page.html"}}, "$.assets.favicon"),
        ({"shape": {"radius": "8px;}"}}, "$.shape.radius"),
        ({"shape": {"radius": "400px"}}, "$.shape.radius"),
        ({"layout": {"density": "tight"}}, "$.layout.density"),
        ({"name": "<script>"}, "$.name"),
        ({"name": ""}, "$.name"),
        ({"name": "A\u202ecm"}, "$.name"),
    ],
)
def test_f024_a_dangerous_value_is_refused_with_file_and_path(folder: Folder, content: dict[str, Any], path: str) -> None:
    """Nothing but colours, shadows, lengths and names reaches the style sheet; an edit that tries is not used at all."""
    folder.brand(tagline="good")
    folder.brand(**content)
    found = folder.problems("error")
    assert {(one.file, one.path) for one in found} == {("brand.json", path)}, found
    assert found[0].line == 1
    assert BRAND.refused()
    assert brand().tagline == "good"


@pytest.mark.parametrize(
    ("content", "path", "meant"),
    [
        ({"colors": {"primry": {"main": "#fff"}}}, "$.colors.primry", "the nearest is primary"),
        ({"colors": {"text": {"on_accent": "#fff"}}}, "$.colors.text.on_accent", "the nearest is onAccent"),
        ({"colors": {"background": {"bse": "#fff"}}}, "$.colors.background.bse", "the nearest is base"),
        ({"shadows": {"elevation": "none"}}, "$.shadows.elevation", "the nearest is elevated"),
        ({"colors": {"zebra": {"main": "#fff"}}}, "$.colors.zebra", "known here: primary, secondary"),
        ({"shape": {"radius": "larg"}}, "$.shape.radius", "the nearest is large"),
    ],
)
def test_f024_an_unknown_token_is_refused_with_the_nearest_name(
    folder: Folder, content: dict[str, Any], path: str, meant: str
) -> None:
    folder.brand(**content)
    found = folder.problems("error")
    assert [one.path for one in found] == [path]
    assert meant in found[0].message


def test_f024_several_problems_are_named_at_once(folder: Folder) -> None:
    folder.brand(colors={"primry": {"main": "#fff"}, "error": {"main": "}"}, "text": {"mutd": "#000"}}, shadows={"focus": "x"})
    assert {one.path for one in folder.problems("error")} == {
        "$.colors.primry", "$.colors.error.main", "$.colors.text.mutd", "$.shadows.focus",
    }  # fmt: skip


def test_a_key_that_is_not_read_is_named(folder: Folder) -> None:
    folder.brand(colours={"primary": "#fff"})
    assert any("$.colours" in one and "colors" in one for one in folder.said("warning"))


def test_f019_every_value_of_the_file_becomes_a_token(folder: Folder) -> None:
    """F-019, F-020: under its own name, as it stands."""
    folder.write("assets/fonts/i n.woff2", b"wOF2")
    folder.brand(
        colors={
            "primary": {"main": "#0055aa", "light": "#3377cc", "dark": "#003366", "name": "Harbour"},
            "error": {"main": "rgb(170, 20, 20)"},
            "background": {"base": "#ffffff", "surface": "#fafafa"},
            "border": {"subtle": "rgba(0, 0, 0, 0.1)", "accent": "#445566"},
            "text": {"primary": "hsl(220, 20%, 10%)", "onAccent": "#ffffff"},
        },
        shadows={"elevated": "0 10px 30px rgba(0, 0, 0, 0.2), inset 0 0 0 1px #00000011"},
        fonts={
            "body": {"family": "Inter", "fallbacks": "Segoe UI, sans-serif", "localFont": True, "src": "/assets/fonts/i n.woff2"}
        },
        shape={"radius": 10},
        layout={"density": "compact", "fontSize": "large"},
    )
    css = style_sheet(brand())
    for expected in (
        "--color-accent:#0055aa;", "--color-primary-main:#0055aa;", "--color-primary-light:#3377cc;",
        "--color-primary-dark:#003366;",
        "--color-bg:#ffffff;", "--color-background-base:#ffffff;", "--color-background-surface:#fafafa;",
        "--color-line:rgba(0, 0, 0, 0.1);", "--color-border-subtle:rgba(0, 0, 0, 0.1);", "--color-border-accent:#445566;",
        "--color-on-accent:#ffffff;", "--color-text-on-accent:#ffffff;", "--color-text-primary:hsl(220, 20%, 10%);",
        "--color-error-main:rgb(170, 20, 20);", "--shadow-lg:0 10px 30px", "--shadow-elevated:0 10px 30px",
        'url("/brand/assets/fonts/i%20n.woff2") format("woff2")', '--font-body:"Inter", "Segoe UI", sans-serif;',
        "--radius:10px;", "--radius-lg:17px;", "--space:3.5px;", "--control:32px;", "--font-scale:1.0625;",
        "--core-primitive-surface:var(--color-surface);", "--core-primitive-accent:var(--color-accent);",
    ):  # fmt: skip
        assert expected in css, expected
    assert "://" not in css


def test_f019_the_upstream_file_loads_unchanged(folder: Folder) -> None:
    """No error in the file as it is published; what could not be read is corrected and said."""
    for name in ("mozaik_logo.svg", "mozaik.png", "chat_bg_template.png"):
        folder.write(f"assets/{name}", SVG if name.endswith("svg") else b"\x89PNG\r\n\x1a\n")
    folder.write("fonts/Fagrak Inline.otf", b"OTTO")
    folder.write("brand.json", UPSTREAM)
    assert folder.said("error") == []
    assert {one.path for one in folder.problems("warning")} == {
        "$.colors.text.muted", "$.colors.text.onAccent", "$.colors.border.strong", "$.colors.error.main",
    }  # fmt: skip
    dark = style_sheet(brand()).partition(":root.dark{")[2]
    for expected in (
        "--color-text-muted:#64748b;", "--color-border-strong:#334155;", "--color-background-elevated:#131d33;",
        "--color-text-on-accent:#f8fafc;", "--shadow-elevated:0 24px 60px rgba(11, 18, 32, 0.55);",
        "--shadow-focus:0 0 0 3px rgba(8,",
    ):  # fmt: skip
        assert expected in dark, expected


def test_a_dark_palette_is_the_dark_appearance() -> None:
    """The single palette of the upstream file goes where its background belongs; the other is derived."""
    file = Brand.model_validate(UPSTREAM)
    light, dark = tokens(file.light, "light"), tokens(file.dark, "dark")
    assert dark["--color-bg"] == "#0b1220"
    assert dark["--color-accent"] == "#06b6d4"
    assert light["--color-bg"] == "#fafafb"
    assert light["--color-accent"] != "#06b6d4", "too pale for text on white"
    assert light["--color-fill"] == "#06b6d4", "a button keeps the brand's own colour"


def test_f017_a_change_of_the_file_is_seen_and_a_bad_one_keeps_the_last_good(folder: Folder) -> None:
    folder.brand()
    assert brand().name == "Acme"
    folder.brand(name="Beta")
    assert brand().name == "Beta"
    folder.brand(name="<b>")
    assert brand().name == "Beta"
    folder.brand(name="Gamma")
    assert brand().name == "Gamma"


def test_c27_brand_wins_over_branding_over_theme_config(folder: Folder) -> None:
    folder.write("theme_config.json", {"branding": {"app_name": "Oldest", "logo_url": "/assets/oldest.svg"}})
    assert (brand().name, brand().assets.logo, brand_file().name) == ("Oldest", "oldest.svg", "theme_config.json")
    old = {"app": {"name": "Older", "logo": "/assets/old.svg"}, "theme": {"mode": "dark", "colors": {"primary": "#aa0000"}}}
    folder.write("branding.json", {**old, "layout": {"sidebar": {"position": "left"}}, "$schema": "x", "version": "1"})
    assert (brand().name, brand().assets.logo, brand().mode, brand_file().name) == ("Older", "old.svg", "dark", "branding.json")
    assert tokens(brand().light, "light")["--color-accent"] == "#aa0000"
    file = folder.brand(name="Newer")
    assert (brand().name, brand_file()) == ("Newer", file)
    old["theme"] = {"colors": {"primary": "red;}"}}
    folder.write("branding.json", old)
    assert ("branding.json", "$.theme.colors.primary") in {(one.file, one.path) for one in folder.problems("error")}


def test_a_hostile_address_in_the_oldest_file_is_left_out(folder: Folder) -> None:
    folder.write("theme_config.json", {"branding": {"app_name": "Oldest", "logo_url": "https://cdn.example/logo.svg"}})
    assert brand().name == "Oldest"
    assert brand().assets.logo.startswith("_monogram/")


def test_the_packaged_brand_is_valid(settings: Settings) -> None:
    assert brand().name == "Mozaiks"
    assert brand_file().parent == DEFAULTS
    assert BRAND.problems() == []
