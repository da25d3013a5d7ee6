"""Which language is spoken, and how it writes dates, numbers and money."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mozaiks_shell.foundation import clock, i18n
from mozaiks_shell.foundation.locales import LOCALES, PLURALS
from mozaiks_shell.foundation.settings import Settings, get_settings


@pytest.mark.parametrize(
    ("chosen", "cookie", "accept", "spoken"),
    [
        ("", "", "", "en"),
        ("", "", "de-AT,de;q=0.9,en;q=0.3", "de"),
        ("", "", "en;q=0.3,fr-CA;q=0.9", "fr"),
        ("", "", "zh-Hant-TW", "zh"),
        ("", "", "pt-BR", "pt"),
        ("", "", "xx, de;q=0", "en"),
        ("", "", "*", "en"),
        ("", "ja", "de", "ja"),
        ("he", "ja", "de", "he"),
        ("tlh", "../../etc", "de", "de"),
    ],
)
def test_person_then_browser_then_header_then_default(settings, chosen, cookie, accept, spoken):
    assert i18n.choose(chosen, cookie, accept) == spoken


@given(accept=st.text(max_size=300))
def test_any_header_gives_an_offered_language(accept):
    assert i18n.choose("", "", accept) in i18n.offered()


def test_only_offered_languages_are_spoken(settings, monkeypatch):
    monkeypatch.setenv("MOZAIKS_LOCALES", "de, fr")
    monkeypatch.setenv("MOZAIKS_DEFAULT_LOCALE", "fr")
    get_settings.cache_clear()
    assert (list(i18n.offered()), i18n.choose("en", "", "en-GB"), i18n.choose("", "", "de")) == (["de", "fr"], "fr", "de")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"MOZAIKS_LOCALES": "de,tlh"}, "tlh"),
        ({"MOZAIKS_LOCALES": "de"}, "MOZAIKS_DEFAULT_LOCALE"),
        ({"MOZAIKS_DEFAULT_TIMEZONE": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
def test_settings_that_cannot_be_are_named(monkeypatch, variables, named):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=named):
        Settings()


def test_every_language_has_the_forms_its_grammar_needs():
    from babel import Locale

    for code in LOCALES:
        needed = {Locale.parse(code).plural_form(count) for count in range(200)}
        assert needed <= set(PLURALS[code]), code


def test_dates_numbers_money_follow_the_language(settings):
    moment = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)
    assert i18n.moment(moment, "date", "de") == "05.03.2026"
    assert i18n.moment(moment, "time", "en", "Asia/Tokyo") == "11:07\u202fPM"
    assert i18n.moment(moment.replace(tzinfo=None), "time", "de", "Europe/Berlin") == "15:07"
    assert i18n.moment(clock.now() - timedelta(hours=3), "relative", "fr") == "il y a 3 heures"
    assert (i18n.number(1234.5, "de"), i18n.number(1234.5, "en"), i18n.percent(0.256, "en")) == ("1.234,5", "1,234.5", "26%")
    assert [i18n.money(12, "usd", "en"), i18n.money(9.99, "EUR", "de")] == ["$12", "9,99\xa0€"]
    assert i18n.day(date(clock.now().year, 11, 30), "en") == "Nov 30"


def test_values_are_not_evaluated(settings):
    i18n.speak("en")
    assert i18n.tr("Hi {name.__class__} {0} {name}", name="{name}") == "Hi {name.__class__} {0} {name}"


def test_a_value_may_have_any_name(settings):
    i18n.speak("en")
    assert i18n.tr("“{text}”", text="hello") == "“hello”"
    assert i18n.trn("{one} {count}", "{many} {count}", 2, one=1, many="some") == "some 2"
