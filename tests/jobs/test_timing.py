"""Intervals and cron lines."""

from datetime import UTC, datetime, timedelta

import pytest

from mozaiks_shell.foundation.timing import Every, cron, span


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), (45, 45), ("1.5h", 5400)]
)
def test_spans(text, seconds):
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "10", "10 parsecs", "m", True, -5])
def test_no_spans(text):
    with pytest.raises(ValueError):
        span(text)


def test_more_often_than_once_a_second_is_refused():
    with pytest.raises(ValueError, match="every second"):
        Every(span("0.2s"))


@pytest.mark.parametrize(
    ("line", "zone", "moment", "due"),
    [
        ("*/15 * * * *", "UTC", "2026-03-02T08:00", "2026-03-02T08:15"),
        ("0 9 * * mon-fri", "UTC", "2026-03-06T09:00", "2026-03-09T09:00"),  # Friday -> Monday
        ("0 9 * * 7", "UTC", "2026-03-02T08:00", "2026-03-08T09:00"),  # 7 is Sunday, too
        ("0 0 29 2 *", "UTC", "2026-03-01T00:00", "2028-02-29T00:00"),
        ("0 0 13 * fri", "UTC", "2026-03-02T08:00", "2026-03-06T00:00"),  # the date or the weekday
        ("@monthly", "UTC", "2026-03-02T08:00", "2026-04-01T00:00"),
        ("30 9 * * *", "Asia/Kolkata", "2026-03-02T04:00", "2026-03-03T04:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:30"),  # 02:30 does not exist: 03:30
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45", "2026-10-26T01:30"),
    ],
)
def test_cron(line, zone, moment, due):
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert cron(line, zone).after(at) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "line", ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "0 0 31 2 *", "x * * * *", "*/0 * * * *", "5-1 * * * *"]
)
def test_no_cron(line):
    with pytest.raises(ValueError):
        cron(line)


def test_an_unknown_zone():
    with pytest.raises(ValueError, match="time zone"):
        cron("* * * * *", "Mars/Olympus")
