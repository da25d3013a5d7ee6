"""docs/theming.md: every token is in it and exists, its examples load, and no page has a colour of its own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.hosts import Apps
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.appconfig.sheet import appearance, style_sheet
from mozaiks_shell.appconfig.themes import ThemeConfig
from tests.invariants.product import modules, plugin_modules
from tests.live import ROOT

TEXT = (ROOT / "docs" / "theming.md").read_text("utf-8")
SHEETS = [*sorted((ROOT / "assets").glob("*.css")), *sorted((ROOT / "mozaiks_shell").rglob("*.css"))]
SCRIPTS = [path for path in sorted((ROOT / "mozaiks_shell").rglob("*.js")) if "node_modules" not in path.parts]

FULL = Brand.model_validate(
    {
        "name": "Full",
        "fonts": {use: {"family": "Inter"} for use in ("body", "heading", "logo")},
        "assets": {"backgroundImage": "x.png", "loadingIcon": "y.png"},
    }
)


def test_f019_every_token_is_documented_and_every_documented_token_exists() -> None:
    named = set(re.findall(r"--[a-z][a-z0-9-]+", TEXT))
    there = {*appearance(FULL, "light"), *re.findall(r"(--[a-z0-9-]+):", style_sheet(FULL))}
    assert there - named == set(), "not documented"
    assert named - there == set(), "documented, but nowhere"


def examples() -> list[Any]:
    return [json.loads(found) for found in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]


@pytest.mark.parametrize("example", examples(), ids=lambda one: next(iter(one)))
def test_examples_load_without_a_word(example: dict[str, Any]) -> None:
    model = Apps if "apps" in example else ThemeConfig if "themes" in example else Brand
    reading = check(model, example)  # type: ignore[arg-type]
    assert reading.value is not None
    assert reading.findings == []


COLOR = re.compile(
    r"(?<![\w&])#[0-9a-fA-F]{3,8}\b|%23[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab)\(\s*[\d.]|"
    r":\s*(?:white|black|red|green|blue|gr[ae]y|silver|orange|yellow|pink|purple)\s*[;!}]"
)
# Why a colour may stand in a style sheet outside of the token block.
REASONS = {
    "body { background: #fff; color: #000; }": "paper is white",
    "background: #fff": "the knob of a switch is white on every track",
    "stroke='%23808693'": "a picture in a style sheet cannot take a token; this grey has 3:1 on light and dark",
    "rgb(0 0 0 / 0.4)": "the veil behind the widened chat",
}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda one: one.name)
def test_f019_no_style_sheet_has_a_colour_outside_of_the_tokens(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"@layer theme \{.*?\n\}", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r"(?:-webkit-)?mask(?:-image)?:[^;]*;", "", text)  # a mask knows only see-through and not
    for reason in REASONS:
        text = text.replace(reason, "")
    assert [found[0] for found in COLOR.finditer(text)] == []


# Modules whose business colours are: arithmetic, the shipped values, looks to start from.
COLOURED = {
    "mozaiks_shell.appconfig.colors": "arithmetic",
    "mozaiks_shell.appconfig.tokens": "the shipped values",
    "mozaiks_shell.appconfig.brand_model": "black and white, for comparison",
    "mozaiks_shell.appconfig.brand_values": "an example in a message",
    "mozaiks_shell.admin.branding_looks": "looks to start from",
    "mozaiks_shell.admin.branding_draft": "an example in a message",
    "mozaiks_shell.hosting.standalone": "the page that is shown when nothing else can be",
}


def test_f019_no_module_and_no_script_has_a_colour_of_its_own() -> None:
    found = {
        str(module.path.relative_to(ROOT)): colors
        for module in [*modules(), *plugin_modules()]
        if module.name not in COLOURED and (colors := _of_code(module.path.read_text("utf-8")))
    }
    found |= {str(path.relative_to(ROOT)): colors for path in SCRIPTS if (colors := _of_code(path.read_text("utf-8")))}
    assert found == {}


def _of_code(text: str) -> list[str]:
    return re.findall(r"""["'`][^"'`\n]*?(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|\brgba?\(\d|\bhsla?\(\d)[^"'`\n]*["'`]""", text)
