"""F-254 and abuse 53: periods across month ends, leap days and daylight saving, in the app's time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import service
from mozaiks_shell.usage.periods import window
from tests.usage.conftest import APP, report

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def edges(period, moment, zone, resets_on=1):
    found = window(period, moment, zone, resets_on)
    return [found.start.astimezone(zone).strftime("%m-%d %H:%M"), found.end.astimezone(zone).strftime("%m-%d %H:%M")]


@pytest.mark.parametrize(
    ("moment", "hours"), [("2026-03-29T10:00+02:00", 23), ("2026-10-25T10:00+01:00", 25), ("2026-03-30T10:00+02:00", 24)]
)
def test_f254_a_day_is_as_long_as_the_clocks_make_it(moment, hours):
    day = window("daily", datetime.fromisoformat(moment), BERLIN)
    assert day.end - day.start == timedelta(hours=hours)
    assert edges("daily", datetime.fromisoformat(moment), BERLIN)[0].endswith("00:00")


def test_f254_a_midnight_that_is_left_out_begins_with_the_first_moment_there_is():
    """In Beirut the clocks go from 00:00 to 01:00."""
    day = window("daily", datetime(2025, 3, 30, 12, tzinfo=UTC), ZoneInfo("Asia/Beirut"))
    assert day.start == datetime(2025, 3, 29, 22, tzinfo=UTC)
    assert day.end - day.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("moment", "resets_on", "expected"),
    [
        ("2026-02-15T00:00", 1, ["02-01 00:00", "03-01 00:00"]),
        ("2026-02-15T00:00", 31, ["01-31 00:00", "02-28 00:00"]),
        ("2026-02-28T00:00", 31, ["02-28 00:00", "03-31 00:00"]),
        ("2028-02-29T12:00", 30, ["02-29 00:00", "03-30 00:00"]),
        ("2026-12-31T23:59", 15, ["12-15 00:00", "01-15 00:00"]),
        ("2026-04-30T23:59", 31, ["04-30 00:00", "05-31 00:00"]),
    ],
)
def test_f254_a_short_month_begins_on_its_last_day(moment, resets_on, expected):
    assert edges("monthly", datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK), NEW_YORK, resets_on) == expected


@given(
    some.datetimes(datetime(2000, 2, 1), datetime(2090, 1, 1), timezones=some.just(UTC)),
    some.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
    some.sampled_from(["daily", "monthly"]),
    some.integers(1, 31),
)
def test_f254_every_moment_is_in_one_period_and_periods_leave_no_gap(moment, zone, period, resets_on):
    here = window(period, moment, ZoneInfo(zone), resets_on)
    assert here.holds(moment)
    assert window(period, here.end, ZoneInfo(zone), resets_on).start == here.end
    assert window(period, here.end - timedelta(microseconds=1), ZoneInfo(zone), resets_on) == here


async def test_f254_a_budget_starts_again_at_midnight_where_the_app_lives(database, configure, at):
    configure(budgets={"default": {"limit": 100}}, MOZAIKS_DEFAULT_TIMEZONE="America/New_York")
    eve = datetime(2026, 7, 1, 3, 59, tzinfo=UTC)  # still June in New York
    at(eve)
    await service.record(report(tokens=100, event_ts=eve.isoformat()))
    assert [one.remaining for one in await service.standings(APP, "usr_ada")] == [0]
    at(eve + timedelta(minutes=1))
    (fresh,) = await service.standings(APP, "usr_ada")
    assert (fresh.remaining, fresh.budget.window.start) == (100, datetime(2026, 7, 1, 4, tzinfo=UTC))
    late = report(tokens=7, event_ts=eve.isoformat())  # told in July, made in June
    await service.record(late)
    assert [one.used for one in await service.standings(APP, "usr_ada")] == [0]
    at(eve)
    assert [one.used for one in await service.standings(APP, "usr_ada")] == [107]
    assert get_settings().default_timezone == "America/New_York"
