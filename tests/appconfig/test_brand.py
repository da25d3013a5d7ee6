"""The brand file: what is refused, what becomes tokens, and that every derived palette can be read."""

import json
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.appconfig.brand import Brand, asset_path, brand, read_brand, style_sheet, tokens
from mozaiks_shell.appconfig.colors import contrast, is_dark, legible, parse
from mozaiks_shell.appconfig.loader import ConfigError
from mozaiks_shell.foundation.settings import Settings, get_settings


@pytest.fixture
def write(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call with the content of brand.json of an operator's folder."""
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path))
    get_settings.cache_clear()

    def put(content: dict[str, Any]) -> Path:
        file = tmp_path / "brand.json"
        file.write_text(json.dumps({"name": "Acme", **content}))
        return file

    return put


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"colors": {"primary": {"main": "red;}body{display:none}"}}}, "$.colors.primary.main"),
        ({"colors": {"primary": {"main": "url(javascript:alert(1))"}}}, "$.colors.primary.main"),
        ({"colors": {"background": {"base": "#fff;@import 'x'"}}}, "$.colors.background.base"),
        ({"colors_dark": {"text": {"primary": "var(--x, expression(1))"}}}, "$.colors_dark.text.primary"),
        ({"colors": {"tertiary": {"main": "#fff"}}}, "$.colors.tertiary"),
        ({"shadows": {"elevated": "0 1px 2px red}"}}, "$.shadows.elevated"),
        ({"shadows": {"focus": "0 0 0 3px url(//evil)"}}, "$.shadows.focus"),
        ({"fonts": {"body": {"family": 'Inter";} body{}'}}}, "$.fonts.body.family"),
        ({"fonts": {"body": {"family": "Inter", "fallbacks": ["</style>"]}}}, "$.fonts.body.fallbacks[0]"),
        ({"fonts": {"body": {"family": "Inter", "src": "https://fonts.example/inter.woff2"}}}, "$.fonts.body.src"),
        ({"assets": {"logo": "https://cdn.example/logo.svg"}}, "$.assets.logo"),
        ({"assets": {"logo": "../../secrets.svg"}}, "$.assets.logo"),
        ({"assets": {"favicon": "page.html"}}, "$.assets.favicon"),
        ({"name": "<script>"}, "$.name"),
        ({"name": ""}, "$.name"),
    ],
)
def test_a_dangerous_value_is_refused_with_file_and_path(write: Any, content: dict[str, Any], path: str) -> None:
    """F-024: nothing but colours, shadows and names reaches the style sheet."""
    file = write(content)
    with pytest.raises(ConfigError) as refused:
        read_brand()
    assert str(file) in str(refused.value)
    assert any(problem.startswith(path) for problem in refused.value.problems), refused.value.problems


def test_text_that_cannot_be_read_on_its_background_is_refused(write: Any) -> None:
    write({"colors": {"background": {"base": "#888888"}, "text": {"primary": "#777777"}}})
    with pytest.raises(ConfigError, match="contrast"):
        read_brand()


def test_every_value_of_the_file_becomes_a_token(write: Any) -> None:
    """F-019, F-020."""
    write(
        {
            "colors": {
                "primary": {"main": "#0055aa", "light": "#3377cc", "dark": "#003366", "name": "Harbour"},
                "error": {"main": "rgb(170, 20, 20)"},
                "background": {"base": "#ffffff", "surface": "#fafafa"},
                "border": {"subtle": "rgba(0, 0, 0, 0.1)"},
                "text": {"primary": "hsl(220, 20%, 10%)", "onAccent": "#ffffff"},
            },
            "shadows": {"elevated": "0 10px 30px rgba(0, 0, 0, 0.2), inset 0 0 0 1px #00000011"},
            "fonts": {
                "body": {
                    "family": "Inter",
                    "fallbacks": "Segoe UI, sans-serif",
                    "localFont": True,
                    "src": "/assets/fonts/inter.woff2",
                }
            },
        }
    )
    css = style_sheet(read_brand())
    for expected in (
        "--color-accent:#0055aa;", "--color-primary-light:#3377cc;", "--color-primary-dark:#003366;", "--color-bg:#ffffff;",
        "--color-surface:#fafafa;", "--color-line:rgba(0, 0, 0, 0.1);", "--color-on-accent:#ffffff;", "--color-danger:#aa1414;",
        "--shadow-lg:0 10px 30px", 'url("/brand/assets/fonts/inter.woff2")', '--font-body:"Inter", "Segoe UI", sans-serif',
    ):  # fmt: skip
        assert expected in css
    assert "://" not in css


def test_a_dark_palette_is_the_dark_appearance() -> None:
    """The single palette of the upstream file goes where its background belongs; the other is derived."""
    file = Brand.model_validate({"name": "Acme", "colors": {"primary": {"main": "#06b6d4"}, "background": {"base": "#0b1220"}}})
    light, dark = tokens(file.light, "light"), tokens(file.dark, "dark")
    assert dark["--color-bg"] == "#0b1220"
    assert dark["--color-accent"] == "#06b6d4"
    assert not is_dark(light["--color-bg"])
    assert light["--color-accent"] != "#06b6d4", "too pale for text on white"


PRIMARIES = ["#2f54c9", "#06b6d4", "#facc15", "#ffffff", "#000000", "#7f7f7f", "#ff00aa", "#00ff00"]


@pytest.mark.parametrize(("primary", "mode"), list(product(PRIMARIES, ["light", "dark"])))
def test_whatever_the_primary_colour_everything_can_be_read(primary: str, mode: str) -> None:
    """WCAG 2.2 AA: 4.5:1 for text, 3:1 for the edge of a control, in both appearances."""
    file = Brand.model_validate({"name": "Acme", "colors": {"primary": {"main": primary}}})
    got = tokens(file.light, "light") if mode == "light" else tokens(file.dark, "dark")
    for ground in ("bg", "surface", "elevated"):
        for ink in ("text", "muted", "accent", "success", "warning", "danger"):
            assert contrast(got[f"--color-{ink}"], got[f"--color-{ground}"]) >= 4.5, (ink, ground)
        assert contrast(got["--color-line-strong"], got[f"--color-{ground}"]) >= 3
    assert contrast(got["--color-accent"], got["--color-accent-soft"]) >= 4.5
    assert contrast(got["--color-on-accent"], got["--color-accent"]) >= 4.5


def test_a_change_of_the_file_is_seen_and_a_bad_one_keeps_the_last_good(write: Any) -> None:
    file = write({})
    assert brand().name == "Acme"
    write({"name": "Beta"})
    os.utime(file, ns=(1, 1))
    assert brand().name == "Beta"
    write({"name": "<b>"})
    os.utime(file, ns=(2, 2))
    assert brand().name == "Beta"


def test_the_older_file_counts_when_the_newer_is_not_there(write: Any) -> None:
    file = write({"name": "Newer"})
    old = {"app": {"name": "Older", "logo": "/assets/old.svg"}, "theme": {"mode": "dark", "colors": {"primary": "#aa0000"}}}
    (file.parent / "branding.json").write_text(json.dumps(old))
    assert read_brand().name == "Newer"
    file.unlink()
    got = read_brand()
    assert (got.name, got.assets.logo, got.mode) == ("Older", "old.svg", "dark")
    assert tokens(got.light, "light")["--color-accent"] == "#aa0000"
    old["theme"] = {"colors": {"primary": "red;}"}}
    (file.parent / "branding.json").write_text(json.dumps(old))
    with pytest.raises(ConfigError, match="branding.json"):
        read_brand()


def test_the_packaged_brand_is_valid(settings: Settings) -> None:
    assert read_brand().name == "Mozaiks"


def test_colours_are_read_in_every_notation() -> None:
    assert parse("#fff") == (1, 1, 1)
    assert parse("#ff000080")[0] == 1
    assert [round(part, 2) for part in parse("hsl(120, 100%, 50%)")] == [0, 1, 0]
    assert parse("rgb(255 0 0 / 50%)") == (1, 0, 0)
    assert contrast("#000000", "#ffffff") == 21
    assert legible("#000000", "#ffffff") == "#000000"
    for bad in ("red", "#12", "rgb(1,2)", "#gggggg", "rgb(1,2,3);}", "hsl(1,2,3)"):
        with pytest.raises(ValueError, match="colour"):
            parse(bad)


def test_an_asset_path_never_leaves_its_folder() -> None:
    assert asset_path("/assets/img/logo.svg") == "img/logo.svg"
    for bad in ("//evil/x.svg", "a/../../x.svg", "x.js", ".hidden.svg", "C:\\x.svg", "x.svg?y", "x.svg\n"):
        with pytest.raises(ValueError, match="assets"):
            asset_path(bad)
