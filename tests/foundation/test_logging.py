"""Logs obey their settings and keep secrets out, also from loggers made at import (F-312, F-314)."""

import json

import pytest
import structlog

from mozaiks_shell.foundation import logging
from mozaiks_shell.foundation.logging import configure, get_logger

EARLY = get_logger("early")
CANARY = "correct horse battery canary"


@pytest.fixture(autouse=True)
def restored():
    yield
    structlog.reset_defaults()


def fail() -> None:
    password = CANARY  # noqa: F841 - a local variable that a talkative traceback would print
    raise ValueError("it broke")


@pytest.mark.parametrize("as_json", ["true", "false"])
def test_f312_no_secret_in_key_local_or_traceback(settings, monkeypatch, capsys, as_json):
    configure(settings.model_copy(update={"log_json": as_json == "true"}))
    try:
        fail()
    except ValueError:
        EARLY.exception("sign-in failed", password=CANARY, access_token=CANARY, name="ada")
    written = capsys.readouterr().err
    assert CANARY not in written
    assert "it broke" in written
    assert "fail" in written
    assert "[hidden]" in written


def test_f314_one_json_object_per_line_with_level_and_room(settings, capsys):
    configure(settings.model_copy(update={"log_json": True}))
    EARLY.info("started", port=3000)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["room"], line["port"]) == ("started", "info", "early", 3000)


def test_the_level_counts_for_loggers_made_before(settings, capsys):
    configure(settings.model_copy(update={"log_level": "error"}))
    EARLY.info("not this")
    EARLY.error("but this")
    written = capsys.readouterr().err
    assert "not this" not in written
    assert "but this" in written


def test_a_character_no_terminal_knows_does_not_break_logging(settings, capsys):
    configure(settings)
    logging.get_logger("any").info("odd \ud800")
    assert "odd" in capsys.readouterr().err
