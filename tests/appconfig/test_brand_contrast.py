"""WCAG AA of every pair the shell draws, in both appearances, whatever the brand; and what is said about corrections (F-024)."""

import re
from itertools import product

import pytest

from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.colors import alpha, contrast, is_dark, legible, mix, over, parse, text_on
from mozaiks_shell.appconfig.contrast import findings
from mozaiks_shell.appconfig.tokens import corrections, tokens
from tests.appconfig.brands import UPSTREAM, Folder

GROUNDS = ("bg", "surface", "elevated")
PRIMARIES = ["#2f54c9", "#06b6d4", "#facc15", "#ffffff", "#000000", "#7f7f7f", "#ff00aa", "#00ff00", "rgba(0, 0, 255, 0.4)"]
PAGES = [None, "#ffffff", "#fdf6e3", "#e8e4d8", "#0a1026", "#000000", "#201a10", "#2b2b2b"]


def pairs(got: dict[str, str]) -> list[tuple[str, str, float, float]]:
    """(what, on what, ratio, needed) of everything the style sheets put on one another."""
    found = []
    hovered = float(re.search(r"(\d+)%", got["--color-hover"])[1]) / 100  # type: ignore[index]
    for name in GROUNDS:
        ground = got[f"--color-{name}"]
        for ink in ("text", "muted", "accent", "success", "warning", "danger"):
            found.append((ink, name, contrast(got[f"--color-{ink}"], ground), 4.5))
        for ink in ("text", "muted"):
            found.append(
                (ink, f"{name} hovered", contrast(got[f"--color-{ink}"], mix(got["--color-text"], ground, hovered)), 4.5)
            )
        for tone in ("accent", "success", "warning", "danger"):
            color = got[f"--color-{tone}"]
            found.append((tone, f"its tint on {name}", contrast(color, mix(color, ground, 0.11)), 4.5))
        found.append(("line-strong", name, contrast(got["--color-line-strong"], ground), 3.0))
    found.append(("accent", "accent-soft", contrast(got["--color-accent"], got["--color-accent-soft"]), 4.5))
    found.append(("on-accent", "accent", contrast(got["--color-on-accent"], got["--color-accent"]), 4.5))
    found.append(("on-fill", "fill", contrast(got["--color-on-fill"], got["--color-fill"]), 4.5))
    found.append(("on-fill", "fill-hover", contrast(got["--color-on-fill"], got["--color-fill-hover"]), 4.5))
    return found


@pytest.mark.parametrize(("primary", "page", "mode"), list(product(PRIMARIES, PAGES, ["light", "dark"])))
def test_f024_whatever_the_brand_everything_can_be_read(primary: str, page: str | None, mode: str) -> None:
    colors = {name: {"main": primary} for name in ("primary", "success", "warning", "error")}
    if page:
        colors["background"] = {"base": page}
    file = Brand.model_validate({"name": "Acme", "colors": colors})
    got = tokens(file.palette(mode), mode)
    assert [one for one in pairs(got) if one[2] < one[3]] == []


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_f024_the_upstream_brand_can_be_read(mode: str) -> None:
    got = tokens(Brand.model_validate(UPSTREAM).palette(mode), mode)
    assert [one for one in pairs(got) if one[2] < one[3]] == []


def test_f024_text_of_the_file_on_grounds_of_the_file_is_refused_with_the_pair(folder: Folder) -> None:
    folder.brand(colors={"background": {"base": "#888888", "elevated": "#111111"}, "text": {"primary": "#777777"}})
    (found,) = folder.problems("error")
    assert found.path == "$.colors.text.primary"
    for said in ("#777777", "background.base #888888", "1.26:1", "4.5:1"):
        assert said in found.message, said


def test_f024_translucent_text_is_measured_as_it_is_seen(folder: Folder) -> None:
    folder.brand(colors_dark={"background": {"base": "#000000"}, "text": {"primary": "rgba(255, 255, 255, 0.2)"}})
    assert [one.path for one in folder.problems("error")] == ["$.colors_dark.text.primary"]


def test_f024_what_was_corrected_is_said_with_both_figures_and_the_colour_used(folder: Folder) -> None:
    folder.brand(colors={"background": {"base": "#ffffff"}, "text": {"muted": "#aaaaaa"}, "border": {"strong": "#eeeeee"}})
    muted, line = sorted(
        (one for one in folder.problems("warning") if "assets" not in one.path), key=lambda one: one.path, reverse=True
    )
    assert (muted.path, line.path) == ("$.colors.text.muted", "$.colors.border.strong")
    used = re.search(r"so (#[0-9a-f]{6}) is used", muted.message)[1]  # type: ignore[index]
    assert "2.32:1 in the light appearance; 4.5:1 is needed" in muted.message
    assert "3:1 is needed" in line.message
    assert muted.fix == f"Set it to {used}."
    folder.brand(colors={"background": {"base": "#ffffff"}, "text": {"muted": used}})
    assert [one for one in folder.problems() if "text" in one.path] == [], "the suggestion is accepted"


def test_a_colour_lent_to_the_other_appearance_is_a_hint_not_a_warning() -> None:
    file = Brand.model_validate({"name": "Acme", "colors": {"primary": {"main": "#102a6b"}}})
    assert [(one.level, one.where) for one in findings(file) if one.where[0] == "colors"] == [
        ("hint", ("colors", "primary", "main"))
    ]


def test_every_suggestion_settles_its_finding() -> None:
    raw = {"name": "Acme", "colors": {**UPSTREAM["colors"], "success": {"main": "#114433"}}}
    for _ in range(8):
        file = Brand.model_validate(raw)
        found = corrections(file.dark, "dark")
        if not found:
            return
        for one in found:
            group, _, name = one.ink.partition(".")
            raw["colors"][group] = {**raw["colors"][group], name: one.used}
    raise AssertionError([(one.ink, one.color, one.used) for one in found])


def test_a_black_brand_is_white_in_the_dark() -> None:
    file = Brand.model_validate({"name": "Mono", "colors": {"primary": {"main": "#000000"}}})
    assert tokens(file.light, "light")["--color-accent"] == "#000000"
    dark = tokens(file.dark, "dark")
    assert dark["--color-accent"] == dark["--color-text"]
    assert contrast(dark["--color-fill"], dark["--color-bg"]) > 7


def test_a_button_keeps_the_brands_colour_where_its_text_can_be_read() -> None:
    yellow = tokens(Brand.model_validate({"name": "A", "colors": {"primary": {"main": "#facc15"}}}).light, "light")
    assert yellow["--color-fill"] == "#facc15"
    assert is_dark(yellow["--color-on-fill"])
    pink = tokens(Brand.model_validate({"name": "A", "colors": {"primary": {"main": "#ff2d95"}}}).light, "light")
    assert pink["--color-on-fill"] == "#ffffff", "people expect white on pink: the pink gives way"
    assert contrast("#ffffff", pink["--color-fill"]) >= 4.5


def test_colours_are_read_in_every_notation() -> None:
    assert parse("#fff") == (1, 1, 1)
    assert parse("#ff000080")[0] == 1
    assert (alpha("#ff000080"), alpha("#f008"), alpha("#f00")) == (128 / 255, 136 / 255, 1.0)
    assert [round(part, 2) for part in parse("hsl(120, 100%, 50%)")] == [0, 1, 0]
    assert parse("rgb(255 0 0 / 50%)") == (1, 0, 0)
    assert (alpha("rgb(255 0 0 / 50%)"), alpha("rgba(1, 2, 3, .25)"), alpha("rgba(1, 2, 3, 40)")) == (0.5, 0.25, 1.0)
    assert over("#00000080", "#ffffff") == "#7f7f7f"
    assert contrast("#000000", "#ffffff") == 21
    assert legible("#000000", "#ffffff") == "#000000"
    assert text_on("#777777") in {"#ffffff", "#000000"}
    for bad in ("red", "#12", "rgb(1,2)", "#gggggg", "rgb(1,2,3);}", "hsl(1,2,3)", "rgba(1,2,3,...)", "#fff\n", "#" + "f" * 99):
        with pytest.raises(ValueError, match="colour"):
            parse(bad)
