"""Time. One place to ask, so that a test can move it."""

from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC) if _source is None else _source()


def use(source: Callable[[], datetime] | None) -> None:
    """Take the time from there (tests); None for the machine's."""
    global _source
    _source = source


def aware(moment: datetime) -> datetime:
    """A time from the database with its zone: SQLite forgets it; what we store is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
