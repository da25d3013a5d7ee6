"""What the settings pages show, without a browser: devices in words, fields as views, forms as values."""

import pytest

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.shell.settings_answers import field_errors, text_of
from mozaiks_shell.shell.settings_devices import device
from mozaiks_shell.shell.settings_fields import FieldSpec
from mozaiks_shell.shell.settings_profile import initials
from mozaiks_shell.shell.settings_views import sent, view

WEBKIT = "AppleWebKit/537"


@pytest.mark.parametrize(
    ("agent", "browser", "system", "icon"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge", "Windows", "monitor"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome", "macOS", "laptop"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.1 Safari/605", "Safari", "macOS", "laptop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604", "Safari", "iPhone", "smartphone"),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile Safari/537.36", "Chrome", "Android", "smartphone"),
        (f"Mozilla/5.0 (Linux; Android 15; Tab) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome", "Android", "tablet"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux", "monitor"),
        ("curl/8.5.0", "curl", "", "globe"),
        ("", "", "", "globe"),
    ],
)  # fmt: skip
def test_f235_a_browser_in_words(agent, browser, system, icon):
    assert device(agent) == (browser, system, icon)


def test_f235_a_program_is_shown_as_one_whatever_it_says():
    assert device("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "token").icon == "key-round"


@pytest.mark.parametrize(("name", "letters"), [("Ada Lovelace", "AL"), ("ada", "A"), ("", ""), ("  ", ""), ("a b c", "AB")])
def test_f231_initials(name, letters):
    assert initials(name) == letters


def test_f224_a_field_as_the_browser_gets_it():
    spec = FieldSpec("size", "Size", "select", required=True, options=(("s", "Small"),))
    unset, chosen = view(spec, None, "k"), view(spec, "s", "k")
    assert [one["value"] for one in unset["options"]] == ["", "s"]
    assert [one["value"] for one in chosen["options"]] == ["s"]  # required: nothing to go back to
    assert view(spec, "s", "k", operator=True)["options"][0]["label"] == "Not set"


def test_f224_a_read_only_theme_is_a_plain_value():
    assert view(FieldSpec("theme", "Theme", "theme-selector", editable=False), "dark", "k")["kind"] == "select"
    assert view(FieldSpec("theme", "Theme", "theme-selector"), "dark", "k")["kind"] == "theme-selector"


def test_f225_channels_are_told_in_a_sentence():
    assert (
        view(FieldSpec("due", "Due", "toggle", channels=("in_app", "email")), True, "k")["help"]
        == "Sent in the app and by e-mail."
    )


def test_fields_of_two_plugins_do_not_meet_in_one_form():
    one, other = FieldSpec("limit", "Limit", plugin="a"), FieldSpec("limit", "Limit", plugin="b")
    form = {"a/limit": "1", "b/limit": "2"}
    assert (sent([one], form), sent([other], form)) == ({"limit": "1"}, {"limit": "2"})


def test_an_unticked_toggle_is_off_and_what_was_not_sent_is_left_out():
    assert sent([FieldSpec("news", "News", "toggle"), FieldSpec("city", "City")], {}) == {"news": False}


def test_errors_of_a_service_by_the_names_of_the_form():
    problem = Invalid("x", errors=[{"field": "password", "message": "Too short."}, {"field": "password", "message": "Common."}])
    assert field_errors(problem, password="new") == {"new": "Too short."}
    assert field_errors(Invalid("No.")) == {"": "No."}


@pytest.mark.parametrize("form", [None, 7, [], {"name": 7}, {"name": None}])
def test_a_text_of_whatever_was_sent(form):
    assert text_of(form, "name") == ""
