"""No accepted brand, and no refused one either, writes anything into the style sheet but declarations of ours (F-024).

The sheet stands in a ``<style>`` element of every page, so it may hold neither ``<`` nor a way out of a declaration.
"""

import re
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.appconfig.sheet import appearance, style_sheet
from mozaiks_shell.appconfig.themes import ThemeConfig, dressed

HOSTILE = [
    "</style><script>alert(1)</script>", "red;}body{display:none}", "url(javascript:alert(1))", "#fff/*", "*/}", "\\7d", "\\",
    "}", "{", ";", "#fff;--x:y", "expression(alert(1))", "@import 'x'", "var(--x)", "env(x)", "attr(x)", "image-set('x')",
    "rgb(0,0,0)}", "#fff\n}", "#fff\u2028}", "\u0000", "“", '"', "'", "0 0 0 #fff) url(x", "calc(1px*9999)", "1e999px", "-1px",
    "99999999px", "rgb(٠,٠,٠)", "＃fff", "inherit", "initial", "javascript:alert(1)", "data:text/html,x", "//evil/x.svg",
    "../x.svg", "x.svg?y", "a/../../x.svg", "x.svg#y", "C:\\x.svg", "logo.svg\n", "%2e%2e/x.svg", "<!--", "-->", "</", "]]>",
    "\ud800", "\u202e", "😀", "a" * 5000,
]  # fmt: skip
FINE = [
    "#fff", "#12345678", "rgb(1, 2, 3)", "rgba(1,2,3,.5)", "hsl(200 50% 50%)", "0 1px 2px #000", "none", "Inter", "Fagrak Inline",
    "sans-serif", "logo.svg", "fonts/x y.woff2", "8px", "large", "compact", "dark", "small", "-apple-system", "ヒラギノ角ゴ",
]  # fmt: skip

scalars = st.one_of(
    st.sampled_from(HOSTILE), st.sampled_from(FINE), st.text(max_size=40), st.integers(-5, 400), st.floats(), st.booleans(),
    st.none(),
    st.tuples(st.sampled_from(FINE), st.sampled_from(HOSTILE)).map(lambda two: two[0] + two[1]),
    st.tuples(st.sampled_from(HOSTILE), st.sampled_from(FINE)).map(lambda two: two[0] + two[1]),
)  # fmt: skip
KEYS = {
    "colors": ("primary", "secondary", "accent", "success", "warning", "error", "background", "border", "text"),
    "shadows": ("primary", "elevated", "focus", "error"),
    "fonts": ("body", "heading", "logo"),
    "assets": ("logo", "wordmark", "favicon", "backgroundImage"),
    "shape": ("radius",),
    "layout": ("density", "fontSize"),
}
INNER = {
    "colors": (
        "main",
        "light",
        "dark",
        "name",
        "base",
        "surface",
        "elevated",
        "overlay",
        "subtle",
        "strong",
        "muted",
        "onAccent",
    ),
    "fonts": ("family", "fallbacks", "src", "googleFont", "localFont", "tailwindClass"),
}


@st.composite
def looks(draw: Any) -> dict[str, Any]:
    """A file somebody wrote to break out, with some of it as it should be."""
    raw: dict[str, Any] = {"name": draw(scalars), "tagline": draw(scalars), "mode": draw(scalars)}
    for group in ("colors", "colors_dark", "shadows", "fonts", "assets", "shape", "layout"):
        kind = group.removesuffix("_dark")
        values: dict[str, Any] = {}
        for key in draw(st.lists(st.sampled_from(KEYS[kind]), max_size=3, unique=True)):
            if kind in INNER:
                names = st.one_of(st.sampled_from(INNER[kind]), st.sampled_from(HOSTILE))
                values[key] = draw(st.dictionaries(names, st.one_of(scalars, st.lists(scalars, max_size=2)), max_size=4))
            else:
                values[key] = draw(scalars)
        raw[group] = values
    return raw


_VALUE = r'(?:[^"{};<>\\]|"[^"{};<>\\\n]*")*'
_RULE = re.compile(
    rf'(:root|:root\.dark|:root\[data-theme="[A-Za-z0-9_.:-]+"\](?:\.dark)?)\{{((?:[a-z-][a-z0-9-]*:{_VALUE};)*)\}}'
)
_FACE = re.compile(
    r'@font-face\{font-family:(?:"[^"{};<>\\\n]+"|[a-z-]+);'
    r'src:url\("/brand/assets/[A-Za-z0-9_.%/-]+(?:\?app=[A-Za-z0-9_.-]+)?"\) format\("[a-z0-9]+"\);'
    r"(?:font-weight:100 900;)?font-display:swap\}"
)
_DECLARATION = re.compile(rf"([a-z-][a-z0-9-]*):({_VALUE});")
_FUNCTION = re.compile(r"([a-z-]+)\(")


def assert_harmless(css: str) -> None:
    """The sheet is lines of rules over our selectors, of declarations of custom properties, of functions we know."""
    assert not re.search(r"[<>\\\x00-\x09\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]|/\*|@import|javascript:|expression", css), css
    for line in css.strip().split("\n"):
        if _FACE.fullmatch(line):
            continue
        rule = _RULE.fullmatch(line)
        assert rule, line
        for name, value in _DECLARATION.findall(rule[2]):
            assert name.startswith("--") or (name, value) in {("color-scheme", "dark"), ("color-scheme", "light")}, name
            plain = re.sub(r'"[^"]*"', '""', value)
            assert set(_FUNCTION.findall(plain)) <= {"rgb", "rgba", "hsl", "hsla", "var", "color-mix", "url"}, value
            assert plain.count("(") == plain.count(")"), value
            if "url(" in value:
                assert re.fullmatch(r'url\("/brand/assets/[A-Za-z0-9_.%/-]+(?:\?app=[A-Za-z0-9_.-]+)?"\)', value), value
    css.encode()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(look=looks(), theme=looks(), name=st.one_of(st.sampled_from(["midnight", "dark", "x-1"]), scalars.map(str)))
@example(look={"name": "A", "fonts": {"body": {"family": "inherit"}}}, theme={"mode": "dark"}, name="a")
def test_f024_no_brand_can_leave_its_place(look: dict[str, Any], theme: dict[str, Any], name: str) -> None:
    """Through the very reader that files go through: what is wrong is left out, what is left is harmless."""
    brand = check(Brand, {**look, "name": "Acme"}).value or Brand(name="Acme")
    config = check(ThemeConfig, {"themes": {name: theme}}).value or ThemeConfig()
    worn = dressed(brand, config, "acme")
    css = style_sheet(worn)
    assert_harmless(css)
    assert "--color-bg:#" in css
    for mode in ("light", "dark"):
        for token, value in appearance(worn, mode).items():
            assert token.startswith("--")
            assert not re.search(r"[{};<>\\\n]", value), value


@settings(max_examples=150, deadline=None)
@given(look=looks())
def test_f017_names_hold_no_markup(look: dict[str, Any]) -> None:
    brand = check(Brand, {**look, "colors": {}, "fonts": {}}).value
    if brand is not None:
        for words in (brand.name, brand.tagline):
            assert not re.search(r"[<>\x00-\x1f\u202e]", words)
