"""The configuration banner: for everybody in development, for administrators in production, for nobody else (F-025)."""

import json

import pytest

from mozaiks_shell.foundation.access import set_principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.shell import config_banner
from mozaiks_shell.shell.config_banner import ConfigBanner, heading
from tests.conftest import ADA, ROOT


@pytest.fixture
def typo(settings, tmp_path, monkeypatch):
    """A folder with an unknown key and a wrong value."""
    (tmp_path / "ui.json").write_text(json.dumps({"futer": {}, "profile": {"show": "perhaps"}}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(tmp_path))
    get_settings.cache_clear()


def seen(principal):
    """What the banner holds for this person."""
    set_principal(principal)
    try:
        state = ConfigBanner(_reflex_internal_init=True)
        ConfigBanner.look.fn(state)
    finally:
        set_principal(None)
    return state


def test_f025_in_development_everybody_sees_file_and_path(typo, monkeypatch):
    monkeypatch.setattr(config_banner, "is_prod_mode", lambda: False)
    state = seen(None)
    assert (state.heading, state.tone) == ("1 error and 1 warning in the configuration", "danger")
    assert [(one["level"], one["place"]) for one in state.lines] == [
        ("error", "ui.json:1 $.profile.show"),
        ("warning", "ui.json:1 $.futer"),
    ]
    assert "Did you mean 'footer'?" in state.lines[1]["text"]
    ConfigBanner.close.fn(state)
    assert state.heading == "" and state.lines == []


@pytest.mark.parametrize(("principal", "sees"), [(None, False), (ADA, False), (ROOT, True)], ids=["nobody", "ada", "root"])
def test_in_production_only_administrators_see_it(typo, monkeypatch, principal, sees):
    monkeypatch.setattr(config_banner, "is_prod_mode", lambda: True)
    assert bool(seen(principal).lines) is sees


def test_words_count():
    assert heading(0, 0) == "" and heading(1, 0) == "1 error in the configuration"
    assert heading(2, 3) == "2 errors and 3 warnings in the configuration"


@pytest.mark.parametrize(("principal", "sees"), [(None, False), (ADA, False), (ROOT, True)], ids=["nobody", "ada", "root"])
def test_safe_mode_is_told_to_whom_it_concerns(settings, monkeypatch, principal, sees):
    monkeypatch.setattr(config_banner, "is_prod_mode", lambda: True)
    assert seen(ROOT).safe_mode is False
    monkeypatch.setattr(get_settings(), "safe_mode", True)
    assert seen(principal).safe_mode is sees
