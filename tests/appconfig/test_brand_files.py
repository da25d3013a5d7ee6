"""Images and fonts of a brand: only what lies in the assets folder, and only when it is what its name says (F-033)."""

from xml.etree import ElementTree

import pytest

from mozaiks_shell.appconfig import brand_files
from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.appconfig.brand_files import asset_file, images
from mozaiks_shell.appconfig.brand_values import asset_path
from mozaiks_shell.appconfig.monogram import _STROKES
from mozaiks_shell.appconfig.sheet import font_preloads, style_sheet
from tests.appconfig.brands import PNG, SVG, Folder


def test_an_asset_path_never_leaves_its_folder() -> None:
    assert asset_path("/assets/img/logo.svg") == "img/logo.svg"
    assert asset_path("/fonts/Fagrak Inline.otf") == "fonts/Fagrak Inline.otf"
    for bad in (
        "//evil/x.svg",
        "a/../../x.svg",
        "x.js",
        ".hidden.svg",
        "C:\\x.svg",
        "x.svg?y",
        "x.svg\n",
        " x.svg",
        "a/ b.svg",
        "a .svg",
    ):
        with pytest.raises(ValueError, match="assets"):
            asset_path(bad)


def test_f033_files_are_found_in_the_operators_folders_only(folder: Folder) -> None:
    folder.write("assets/logo.svg", SVG)
    folder.write("fonts/Fagrak Inline.otf", b"OTTO....")
    folder.write("secret.svg", SVG)
    folder.write("plain.png", PNG)
    (folder.root / "assets" / "out.svg").symlink_to(folder.root / "secret.svg")
    assert asset_file("/assets/logo.svg") == folder.root / "assets" / "logo.svg"
    assert asset_file("/fonts/Fagrak Inline.otf") == folder.root / "fonts" / "Fagrak Inline.otf"
    for bad in ("out.svg", "../secret.svg", "plain.png", "brand.json", "none.svg", "shell.css", "", "/"):
        assert asset_file(bad) is None, bad
    assert images() == ["logo.svg", "apple-touch-icon.png", "favicon.ico"][: len(images())]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"<html><script>alert(1)</script>"),
        ("a.png", b"GIF89a"),
        ("a.svg", b"<html><svg/></html>"),
        ("a.svg", b"<!DOCTYPE svg [<!ENTITY x 'y'>]><svg/>"),
        ("a.webp", PNG),
        ("fonts/a.woff2", b"OTTO"),
        ("a.ico", b""),
    ],
)
def test_f033_a_file_that_is_not_what_it_says_is_not_served(folder: Folder, name: str, content: bytes) -> None:
    folder.write(f"assets/{name}", content)
    assert asset_file(name) is None


def test_a_brand_is_told_about_its_files(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brand_files, "LARGEST", 400)
    monkeypatch.setitem(brand_files._ADVISED, "favicon", 100)
    folder.write("assets/wrong.png", b"nothing of the kind")
    folder.write("assets/heavy.png", PNG + b"\0" * 500)
    folder.write("assets/big.png", PNG + b"\0" * 120)
    folder.brand(assets={"logo": "gone.svg", "wordmark": "wrong.png", "backgroundImage": "heavy.png", "favicon": "big.png"})
    said = {one.path: (one.level, one.message) for one in folder.problems() if one.path.startswith("$.assets")}
    assert said["$.assets.logo"][0] == "warning"
    assert said["$.assets.wordmark"][0] == "error"
    assert said["$.assets.backgroundImage"][0] == "error"
    assert said["$.assets.favicon"][0] == "hint"
    assert brand().name == "Acme", "a missing picture does not take the brand away"


@pytest.mark.parametrize(
    ("name", "shape"), [("Acme", "<path"), ("élan", "<text"), ("東京", "<text"), ("7 Seas", "<text"), ("& <b", "<path")]
)
def test_f017_a_brand_without_a_logo_wears_its_initial(folder: Folder, name: str, shape: str) -> None:
    """Never the packaged sign, which is the vendor's."""
    folder.brand(name=name.replace("<", ""), colors={"primary": {"main": "#aa0000"}})
    look = brand()
    assert look.assets.logo == look.assets.favicon
    file = asset_file(look.assets.logo)
    assert file is not None
    drawn = file.read_text()
    assert shape in drawn
    assert "#aa0000" in drawn
    ElementTree.fromstring(drawn)
    assert asset_file("_monogram/0123456789abcdef.svg") is None
    folder.brand(assets={"logo": "mark.png"})
    assert (brand().assets.logo, brand().assets.favicon) == ("mark.png", "mark.png")


def test_every_letter_can_be_drawn_without_a_font() -> None:
    assert set(_STROKES) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_f020_fonts_of_the_first_screen_are_announced(folder: Folder) -> None:
    font = {"family": "Inter", "src": "fonts/Inter Var.woff2", "localFont": True}
    folder.brand(fonts={"body": font, "heading": font, "logo": {"family": "Logo", "src": "fonts/l.otf"}})
    assert font_preloads(brand()) == [], "nobody asks for a font that is not there"
    assert "@font-face" not in style_sheet(brand())
    assert '--font-body:"Inter"' in style_sheet(brand())
    folder.write("assets/fonts/Inter Var.woff2", b"wOF2")
    assert style_sheet(brand()).count("@font-face") == 1
    assert font_preloads(brand()) == [("/brand/assets/fonts/Inter%20Var.woff2", "font/woff2")]
