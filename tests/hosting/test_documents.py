"""Pages as they are served: marks become the reader's words, and nothing a catalogue or brand says is markup (F-017, F-021)."""

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.foundation import i18n
from mozaiks_shell.hosting.csp import script_hashes
from mozaiks_shell.hosting.documents import START_SCRIPT, Document, Reader, boot, brand_words, respond, say

WORDS = {"name": "Acme & <Sons>", "tagline": ""}


def mark(*call: object) -> str:
    """As ``ui/i18n.js`` writes it, escaped by React."""
    text = quote(json.dumps(call), safe="!*'()~-_.")
    return "\ue000" + text.replace("'", "&#x27;") + "\ue001"


@pytest.fixture
def catalogues(tmp_path, monkeypatch):
    """A domain with a German and an Arabic catalogue."""
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    german = head + (
        'msgid "Save"\nmsgstr "<b>Sichern</b> & gut"\n\n'
        'msgid "Hello {name}"\nmsgstr "{name}, guten Tag"\n\n'
        'msgid "{count} chat"\nmsgid_plural "{count} chats"\nmsgstr[0] "{count} Gespräch"\nmsgstr[1] "{count} Gespräche"\n\n'
        '#. server\nmsgid "Only said by the server"\nmsgstr "Nur vom Server"\n'
    )
    (tmp_path / "de.po").write_text(german, "utf-8")
    (tmp_path / "ar.po").write_text(head + 'msgid "Hello {name}"\nmsgstr "مرحبا {name}"\n', "utf-8")
    monkeypatch.setitem(i18n._FOLDERS, "probe", tmp_path)
    return tmp_path


def page(folder: Path, body: str) -> Path:
    (folder / "404.html").write_text(
        f'<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>{body}</body></html>', "utf-8"
    )
    return folder


def served(folder: Path, body: str, locale: str = "de", **reader: object) -> str:
    answer = respond(page(folder, body), None, Document(Reader(locale, **reader)))  # type: ignore[arg-type]
    return bytes(answer.body).decode()


def test_a_mark_becomes_the_readers_words_and_never_markup(settings, catalogues, tmp_path):
    html = served(tmp_path, f'<p title="{mark("t", "Save", {}, "probe")}">{mark("t", "Save", {}, "probe")}</p>')
    said = "&lt;b&gt;Sichern&lt;/b&gt; &amp; gut"
    assert f'<p title="{said}">{said}</p>' in html
    assert "\ue000" not in html


def test_values_may_hold_marks_and_are_isolated_in_right_to_left_text(settings, catalogues):
    inner = mark("b", "name").replace("&#x27;", "'")
    assert say(["t", "Hello {name}", {"name": inner}, "probe"], "de", WORDS) == "Acme & <Sons>, guten Tag"
    assert say(["t", "Hello {name}", {"name": "Ada"}, "probe"], "ar", WORDS) == "مرحبا \u2068Ada\u2069"


@pytest.mark.parametrize(("count", "text"), [(1, "1 Gespräch"), (2, "2 Gespräche"), (1200, "1.200 Gespräche")])
def test_counted_texts(settings, catalogues, count, text):
    assert say(["n", "{count} chat", "{count} chats", count, {}, "probe"], "de", WORDS) == text


def test_what_nobody_translated_stays_english(settings, catalogues):
    assert say(["t", "Nobody {x}", {"x": 1}, "probe"], "de", WORDS) == "Nobody 1"
    assert say(["n", "{count} dog", "{count} dogs", 1, {}, ""], "ja", WORDS) == "1 dog"


def test_the_script_is_told_the_same_without_what_only_the_server_says(settings, catalogues, tmp_path):
    html = served(tmp_path, "")
    told = json.loads(html.split('id="mz-boot">', 1)[1].split("</script>", 1)[0])
    assert told["locale"] == "de" and told["dir"] == "ltr" and told["plurals"] == ["one", "other"]
    assert told["catalogues"]["probe"]["Save"] == "<b>Sichern</b> & gut"
    assert "Only said by the server" not in told["catalogues"]["probe"]
    assert "<b>" not in html.split('id="mz-boot">', 1)[1].split("</script>", 1)[0]


def test_an_edited_catalogue_counts_at_once(settings, catalogues, tmp_path):
    text = mark("t", "Hello {name}", {"name": "Ada"}, "probe")
    assert "Ada, guten Tag" in served(tmp_path, text)
    file = catalogues / "de.po"
    file.write_text(file.read_text("utf-8").replace("guten Tag", "willkommen zurück"), "utf-8")
    assert "Ada, willkommen zurück" in served(tmp_path, text)


def test_the_root_says_language_direction_theme_and_who_is_there(settings, catalogues, tmp_path):
    html = served(tmp_path, "", "he", theme="dark", timezone="Asia/Tokyo", signed_in=True)
    root = html.split("<html", 1)[1].split(">", 1)[0]
    assert 'lang="he" dir="rtl"' in root and 'data-timezone="Asia/Tokyo"' in root and 'data-choice="dark"' in root
    assert "data-person" not in root
    assert 'data-person="none"' in served(tmp_path, "", "en")


def test_what_goes_into_the_head_stands_at_its_end(settings, tmp_path):
    """React takes the first script it meets in the head for its own: ours must come after all of the build's."""
    html = served(tmp_path, "", "en")
    assert html.index("<title>") < html.index("<script") < html.index("</head>")
    assert '<style id="mz-brand">' in html and brand().name in html


def test_boot_speaks_of_the_brand(settings):
    assert boot(Reader("en"), brand_words(brand()))["brand"]["name"] == brand().name


def test_the_style_sheet_is_in_the_page_and_its_link_no_longer_holds_the_first_paint(settings, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "x-1.css").write_text('a{color:red;background:url("data:image/svg+xml,x")}', "utf-8")
    link = (
        '<link as="style" href="/assets/x-1.css" rel="preload"/><link href="/assets/x-1.css" rel="stylesheet" type="text/css"/>'
    )
    (tmp_path / "404.html").write_text(f"<!DOCTYPE html><html><head>{link}</head><body></body></html>", "utf-8")
    html = bytes(respond(tmp_path, None, Document(Reader("en"))).body).decode()
    assert '<link media="not all" disabled href="/assets/x-1.css" rel="stylesheet" type="text/css"/>' in html
    assert '<link media="not all" disabled as="style" href="/assets/x-1.css" rel="preload"/>' in html
    assert html.index('<style id="mz-sheet">a{color:red') < html.index('<style id="mz-brand">'), "the brand has the last word"


@pytest.mark.parametrize("css", ["a{content:'</style>'}", "a{background:url(x.png)}"])
def test_a_style_sheet_that_would_not_survive_in_the_page_stays_outside(settings, tmp_path, css):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "x-1.css").write_text(css, "utf-8")
    link = '<link href="/assets/x-1.css" rel="stylesheet"/>'
    (tmp_path / "404.html").write_text(f"<!DOCTYPE html><html><head>{link}</head><body></body></html>", "utf-8")
    html = bytes(respond(tmp_path, None, Document(Reader("en"))).body).decode()
    assert link in html
    assert "mz-sheet" not in html


def test_the_program_waits_until_the_page_is_drawn(settings, tmp_path):
    program = 'import "/assets/manifest-1.js";\nimport("/assets/entry.client-1.js");'
    script = f'<script type="module" async="">{program}</script>'
    early = '<link rel="modulepreload" href="/assets/x.js"/>'
    (tmp_path / "404.html").write_text(f"<!DOCTYPE html><html><head>{early}</head><body>{script}</body></html>", "utf-8")
    html = bytes(respond(tmp_path, None, Document(Reader("en"))).body).decode()
    assert f'<script type="mz/start" async="">{program}</script>' in html
    assert 'type="module"' not in html
    assert '<link rel="mz-later" href="/assets/x.js"/>' in html
    for wanted in (program, START_SCRIPT):
        digest = base64.b64encode(hashlib.sha256(wanted.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in script_hashes(tmp_path), "the policy lets it run"
