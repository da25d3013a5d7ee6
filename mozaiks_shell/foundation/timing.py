"""When regular work is due: an interval (``10m``) or a cron line (``0 9 * * mon-fri``)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])")
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS: Final = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_WORDS: Final = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_FAR: Final = 366 * 9  # days; 29 February comes at least every eight years
SHORTEST: Final = timedelta(seconds=1)


class Timing(Protocol):
    """A rule that says when something is due."""

    @property
    def text(self) -> str:
        """How it was written, in one form."""
        ...

    def after(self, moment: datetime) -> datetime:
        """The first time strictly after ``moment``, in UTC."""
        ...


def span(value: str | float | timedelta) -> timedelta:
    """A length of time: ``"90s"``, ``"10m"``, ``"1h30m"``, ``"2d"``, ``"1w"``, seconds, or a timedelta.

    Raises:
        ValueError: none of these, or negative.
    """
    if isinstance(value, timedelta):
        length = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        length = timedelta(seconds=value)
    elif isinstance(value, str) and (parts := _SPAN.findall(value.lower())) and not _SPAN.sub("", value.lower()).strip():
        length = timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    else:
        raise ValueError(f"{value!r} is no length of time; write 90s, 10m, 1h30m, 2d or 1w")
    if length < timedelta(0):
        raise ValueError(f"{value!r} is negative")
    return length


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again after ``length``."""

    length: timedelta

    def __post_init__(self) -> None:
        if self.length < SHORTEST:
            raise ValueError("regular work is due every second at most")

    @property
    def text(self) -> str:
        """As it is stored."""
        return f"every {self.length.total_seconds():g}s"

    def after(self, moment: datetime) -> datetime:
        """``length`` later."""
        return moment.astimezone(UTC) + self.length


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line of five fields in a time zone. Build with :func:`cron`."""

    line: str
    zone: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @property
    def text(self) -> str:
        """As it is stored."""
        return f"cron {self.line} {self.zone}"

    def after(self, moment: datetime) -> datetime:
        """The next time. An hour that daylight saving skips counts as the hour after it; one that comes twice counts once."""
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone)
        for day in _from(local.date()):
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    due = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
                    if due > moment:
                        return due
        raise ValueError(f"{self.line!r} never comes")

    def _on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def _from(day: date) -> Iterator[date]:
    return (day + timedelta(days=number) for number in range(_FAR))


def cron(line: str, zone: str = "UTC") -> Cron:
    """A cron line: minute, hour, day of the month, month, weekday, with ``*``, lists, ranges, steps and English names.

    As in cron, a day counts when the date **or** the weekday fits, if both are given. ``@daily`` and its sisters work.

    Raises:
        ValueError: not such a line, a date that never comes, or an unknown zone.
    """
    text = " ".join(line.lower().split())
    fields = _WORDS.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(f"{line!r} is no cron line: minute, hour, day, month, weekday")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{zone!r} is not an IANA time zone") from None
    weekdays = {day % 7 for day in _field(fields[4], 0, 7, _DAYS, line)}
    made = Cron(
        text, zone,
        frozenset(_field(fields[0], 0, 59, {}, line)), frozenset(_field(fields[1], 0, 23, {}, line)),
        frozenset(_field(fields[2], 1, 31, {}, line)), frozenset(_field(fields[3], 1, 12, _MONTHS, line)),
        frozenset(weekdays), not fields[2].startswith("*") and not fields[4].startswith("*"),
    )  # fmt: skip
    made.after(datetime(2024, 1, 1, tzinfo=UTC))
    return made


def _field(text: str, low: int, high: int, names: dict[str, int], line: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        reach, _, step = part.partition("/")
        first, _, last = reach.partition("-")
        try:
            begin = low if reach == "*" else names.get(first, -1) if first in names else int(first)
            end = (
                high
                if reach == "*" or (step and not last)
                else begin
                if not last
                else names[last]
                if last in names
                else int(last)
            )
            stride = int(step) if step else 1
        except ValueError:
            raise ValueError(f"{line!r} is no cron line: {part!r}") from None
        if not (low <= begin <= end <= high and stride > 0):
            raise ValueError(f"{line!r} is no cron line: {part!r} is outside {low}-{high}")
        found |= set(range(begin, end + 1, stride))
    return found
