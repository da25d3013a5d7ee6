"""When a budget starts again (F-254). A period is a window of its own, so nothing has to be set back."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mozaiks_shell.appconfig.usage_config import Period

BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` up to and without ``end``, both in UTC; ``end`` None: for ever."""

    start: datetime
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies within."""
        return self.start <= moment and (self.end is None or moment < self.end)


def window(period: Period, moment: datetime, zone: ZoneInfo, resets_on: int = 1) -> Window:
    """The period that ``moment`` (aware) falls into.

    Days and months begin at midnight in ``zone``, however long daylight saving makes them; where midnight is left out,
    with the first moment after it. A month that is too short for ``resets_on`` begins on its last day.
    """
    if period == "never":
        return Window(BEGINNING, None)
    today = moment.astimezone(zone).date()
    if period == "daily":
        return Window(_midnight(today, zone), _midnight(today + timedelta(days=1), zone))
    this = _anchor(today.year, today.month, resets_on)
    if today >= this:
        return Window(_midnight(this, zone), _midnight(_next(today.year, today.month, resets_on, 1), zone))
    return Window(_midnight(_next(today.year, today.month, resets_on, -1), zone), _midnight(this, zone))


def _anchor(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _next(year: int, month: int, day: int, step: int) -> date:
    years, months = divmod(month - 1 + step, 12)
    return _anchor(year + years, months + 1, day)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day. A midnight that comes twice counts from the first, one left out from when clocks go on."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
