"""Named themes: blocks of their own in the sheet, names people choose from, the default one (F-022)."""

import pytest

from mozaiks_shell.appconfig.brand import appearance_of, brand, default_theme, style_sheet, theme_config, theme_names
from mozaiks_shell.appconfig.colors import contrast
from mozaiks_shell.appconfig.tokens import tokens
from tests.appconfig.brands import Folder

MIDNIGHT = {
    "label": "Midnight blue",
    "mode": "dark",
    "colors": {"primary": {"main": "#7aa2ff"}, "background": {"base": "#050a1e"}},
}


def test_f022_a_theme_is_a_block_of_its_own(folder: Folder) -> None:
    folder.brand(colors={"primary": {"main": "#0055aa", "light": "#3377cc"}}, shadows={"focus": "0 0 0 2px #000"})
    folder.write(
        "theme_config.json",
        {"default_theme": "midnight", "themes": {"midnight": MIDNIGHT, "paper": {"shape": {"radius": "none"}}}},
    )
    css = style_sheet(brand())
    block = css.partition(':root[data-theme="midnight"]{')[2].partition("}")[0]
    assert "--color-bg:#050a1e;" in block
    assert "--color-primary-main:#7aa2ff;" in block
    assert "--color-primary-light:#3377cc;" not in block, "a shade belongs to its hue"
    assert block.endswith("color-scheme:dark;")
    assert ':root[data-theme="midnight"].dark' not in css
    assert "--radius:0px;" in css.partition(':root[data-theme="paper"]{')[2].partition("}")[0]
    assert ':root[data-theme="paper"].dark{' in css
    assert theme_names() == {
        "light": "Light", "dark": "Dark", "system": "System", "midnight": "Midnight blue", "paper": "Paper",
    }  # fmt: skip
    assert [appearance_of(name) for name in ("light", "midnight", "paper", "nothing")] == ["light", "dark", "system", "system"]
    assert default_theme() == "midnight"
    alone = style_sheet(brand(), theme="midnight")
    assert "data-theme" not in alone
    assert "--color-bg:#050a1e;" in alone


def test_f022_a_theme_is_legible_too(folder: Folder) -> None:
    folder.brand()
    folder.write(
        "theme_config.json",
        {"themes": {"grey": {"mode": "dark", "colors": {"background": {"base": "#303030"}, "text": {"muted": "#505050"}}}}},
    )
    look = dict(brand().themes)["grey"]
    got = tokens(look.palette("dark"), "dark")
    assert contrast(got["--color-muted"], got["--color-elevated"]) >= 4.5
    assert ("theme_config.json", "$.themes.grey.colors.text.muted") in {
        (one.file, one.path) for one in folder.problems("warning")
    }


def test_f022_themes_named_light_and_dark_change_the_appearances(folder: Folder) -> None:
    folder.brand(colors={"primary": {"main": "#0055aa"}})
    folder.write("theme_config.json", {"themes": {"dark": {"colors": {"background": {"base": "#101820"}}}}})
    assert tokens(brand().dark, "dark")["--color-bg"] == "#101820"
    assert tokens(brand().light, "light")["--color-bg"] == "#fafafb"
    assert "data-theme" not in style_sheet(brand())
    assert list(theme_names()) == ["light", "dark", "system"]


def test_f022_themes_may_stand_beside_the_other_keys(folder: Folder) -> None:
    folder.write(
        "theme_config.json", {"branding": {"app_name": "Old"}, "ocean": {"colors": {"primary": "#0077aa"}}, "note": {"x": 1}}
    )
    assert list(theme_names()) == ["light", "dark", "system", "ocean"]
    assert brand().name == "Old"
    assert theme_config().model_dump()["note"] == {"x": 1}


def test_f022_flat_themes_are_themes_too(folder: Folder) -> None:
    """``available_themes``, ``typography`` and ``layout`` of older files."""
    folder.brand(colors={"primary": {"main": "#0055aa"}})
    night = {"primary": "#ffcc00", "background": "#101010", "text_primary": "#f0f0f0", "unknown": "#123456"}
    themes = [{"id": "Night.1", "name": "By night", "colors": night}, {"id": "sun", "colors": {"primary": "#aa5500"}}]
    content = {
        "available_themes": themes,
        "default_theme": "Night.1",
        "typography": {"font_family": "Inter, Segoe UI"},
        "layout": {"border_radius": "12px"},
    }
    folder.write("theme_config.json", content)
    css = style_sheet(brand())
    block = css.partition(':root[data-theme="Night.1"]{')[2].partition("}")[0]
    assert "--color-bg:#101010;" in block
    assert "--color-primary-main:#ffcc00;" in block
    assert block.endswith("color-scheme:dark;")
    assert (theme_names()["Night.1"], theme_names()["sun"], default_theme()) == ("By night", "Sun", "Night.1")
    assert '--font-body:"Inter", "Segoe UI", system-ui, sans-serif;' in css
    assert "--radius:12px;" in css
    unreadable = {"id": "bad", "colors": {"background": "#101010", "text": "#202020"}}
    folder.write("theme_config.json", {**content, "available_themes": [themes[0], unreadable]})
    (found,) = folder.problems("error")
    assert (found.file, found.path) == ("theme_config.json", "$.available_themes[1].colors")
    assert "sun" in theme_names(), "the last good file stays"
    folder.brand(shape={"radius": "none"}, fonts={"body": {"family": "Georgia"}})
    assert "--radius:0px;" in style_sheet(brand()), "the brand's own wins"
    assert '--font-body:"Georgia"' in style_sheet(brand())


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"default_theme": "midnigt", "themes": {"midnight": MIDNIGHT}}, "$.default_theme"),
        ({"themes": {'x"]{}': MIDNIGHT}}, "$.themes"),
        ({"themes": {"system": MIDNIGHT}}, "$.themes.system"),
        ({"themes": {"x": {"colors": {"primary": {"main": "url(x)"}}}}}, "$.themes.x.colors.primary.main"),
        ({"themes": {"x": {"colours": {}}}}, "$.themes.x.colours"),
        (
            {"themes": {"x": {"colors": {"background": {"base": "#888"}, "text": {"primary": "#999"}}}}},
            "$.themes.x.colors.text.primary",
        ),
    ],
)
def test_f024_a_theme_is_checked_like_a_brand(folder: Folder, content: dict, path: str) -> None:
    folder.write("theme_config.json", content)
    assert any(one.path.startswith(path) for one in folder.problems("error")), folder.said()


def test_f021_without_a_word_the_brands_mode_counts(folder: Folder) -> None:
    assert default_theme() == "system"
    folder.brand(mode="dark")
    assert default_theme() == "dark"
