"""The operator reads what a plugin wrote and what the host wrote about it; no secret among it (F-092, abuse 45)."""

import logging
import sys
import threading

import pytest
import structlog
from pydantic import SecretStr

from mozaiks_shell.foundation.logging import configure, get_logger
from mozaiks_shell.plugin_host import journal

HOST = get_logger("plugin_host")


@pytest.fixture(autouse=True)
def written(settings):
    configure(settings)
    yield
    structlog.reset_defaults()
    for name in ("talk", "my-plugin", "other"):
        journal.forget(name)


def test_lines_of_the_plugin_and_of_the_host_about_it():
    get_logger("mozaiks_plugins.talk").info("hello", count=3)
    HOST.warning("slow answer", plugin="talk", milliseconds=900)
    HOST.info("nobody's line")
    get_logger("mozaiks_plugins.other").info("theirs")
    first, second = journal.lines("talk")
    assert (first.level, first.text, first.facts) == ("info", "hello", {"count": "3"})
    assert (second.level, second.text, second.facts) == ("warning", "slow answer", {"milliseconds": "900"})
    assert first.at <= second.at
    assert [line.text for line in journal.lines("other")] == ["theirs"]
    assert journal.lines("nobody") == []


def test_pythons_own_logging_arrives_under_either_spelling(settings, capsys):
    configure(settings)  # its stream is the one that is watched
    logging.getLogger("mozaiks_plugins.my_plugin.logic").warning("%s left", 2)
    get_logger("mozaiks_plugins.my-plugin").info("again")
    assert [line.text for line in journal.lines("my-plugin")] == ["2 left", "again"]
    assert journal.lines("my_plugin") == journal.lines("my-plugin")
    assert "2 left" in capsys.readouterr().err, "and they still go where all lines go"


def test_the_operators_level_counts(settings):
    configure(settings.model_copy(update={"log_level": "error"}))
    logging.getLogger("mozaiks_plugins.talk").warning("not this")
    logging.getLogger("mozaiks_plugins.talk").error("but this")
    assert [line.text for line in journal.lines("talk")] == ["but this"]


@pytest.mark.parametrize("python", [True, False], ids=["logging", "structlog"])
def test_a_traceback_is_kept(python):
    try:
        raise ValueError("it broke")
    except ValueError:
        (logging.getLogger("mozaiks_plugins.talk") if python else get_logger("mozaiks_plugins.talk")).exception("failed")
    (line,) = journal.lines("talk")
    assert line.level == "error" and "ValueError: it broke" in line.trace and "test_journal.py" in line.trace


def test_it_is_bounded():
    log = get_logger("mozaiks_plugins.talk")
    for number in range(journal.LINES + 5):
        log.info("x" * 5000, number=number, long="y" * 5000)
    kept = journal.lines("talk")
    assert len(kept) == journal.LINES
    assert kept[-1].facts["number"] == str(journal.LINES + 4) and kept[0].facts["number"] == "5"
    assert len(kept[0].text) <= 1000 and len(kept[0].facts["long"]) <= 500
    assert [line.facts["number"] for line in journal.lines("talk", 2)] == [str(journal.LINES + 3), str(journal.LINES + 4)]
    assert journal.lines("talk", 0) == []


def test_plugins_nobody_has_heard_of_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(journal, "PLUGINS", 3)
    monkeypatch.setattr(journal, "_kept", type(journal._kept)())
    for number in range(9):
        HOST.info("hello", plugin=f"plugin-{number}")
    assert [bool(journal.lines(f"plugin-{number}")) for number in range(9)] == [False] * 6 + [True] * 3


CANARY = "canary-in-a-coal-mine"
LEAKS = [
    f"password={CANARY}",
    f"PASSWORD: {CANARY}, next",
    f'{{"api_key": "{CANARY}"}}',
    f"{{'client_secret': '{CANARY}'}}",
    f"Authorization: Bearer {CANARY}",
    f"calling with bearer {CANARY}",
    f"postgresql://shop:{CANARY}@db.internal/shop",
    f"?access_token={CANARY}&page=2",
    f"sk_live_{CANARY}",
    f"whsec_{CANARY}",
    f"eyJhbGciOi.eyJzdWIiOiJ.{CANARY}",
    f"Set-Cookie: session={CANARY}",
]


@pytest.mark.parametrize("leak", LEAKS)
def test_no_secret_in_text_fact_or_traceback(leak):
    log = get_logger("mozaiks_plugins.talk")
    try:
        raise RuntimeError(f"refused: {leak}")
    except RuntimeError:
        log.exception(f"it said {leak}", answer=leak, password=CANARY)
    (line,) = journal.lines("talk")
    assert CANARY not in repr(line)
    assert journal.redact(line.text) == line.text, "hiding twice changes nothing"


def test_what_this_installation_is_configured_with_is_hidden_wherever_it_stands(settings, monkeypatch):
    monkeypatch.setattr(settings, "stripe_secret_key", SecretStr(CANARY))
    monkeypatch.setattr(settings, "openai_api_key", SecretStr("a"))
    get_logger("mozaiks_plugins.talk").info(f"the key is {CANARY}!")
    assert journal.lines("talk")[0].text == "the key is [hidden]!"


@pytest.mark.parametrize("text", ["3 tokens left of 500", "https://example.com:8080/x@y", "secretary Ada", "user@example.com"])
def test_ordinary_words_stay(text):
    assert journal.redact(text) == text


@pytest.mark.parametrize("text", ["x" * 50_000, "a." * 20_000, "password" * 5_000, "eyJ" * 9_000, "://" * 9_000, "=" * 50_000])
def test_no_text_takes_long_to_look_through(text):
    """Quadratic patterns would need minutes."""
    get_logger("mozaiks_plugins.talk").error(text, again=text)
    assert len(journal.lines("talk")) == 1


def test_wrong_arguments_do_not_raise_in_the_plugin(monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("mozaiks_plugins.talk").info("%s %s", "too few")
    assert journal.lines("talk") == []


def test_an_object_that_cannot_be_written_breaks_nobody():
    class Awkward:
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __str__

    event = {"event": "odd", "level": "info", "room": "mozaiks_plugins.talk", "it": Awkward()}
    journal.keep(event)
    assert journal.lines("talk")[0].facts["it"].startswith("<Awkward")


def test_many_threads_write_and_read_at_once():
    log = get_logger("mozaiks_plugins.talk")
    failed = []

    def work() -> None:
        try:
            for _ in range(100):
                log.info("hello")
                journal.lines("talk")
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and len(journal.lines("talk")) == journal.LINES
    sys.stderr.flush()
