"""Time in the hands of a test."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mozaiks_shell.foundation import clock as _clock


class Clock:
    """A context manager: inside, ``sdk.now()`` and everything in the shell that asks for the time get this clock's.

    It runs on from the real time until :meth:`freeze`.

    Example:
        >>> clock.freeze("2026-11-30T12:00")
        >>> clock.advance(days=1)
        >>> sdk.now().day
        1
    """

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The time of this clock, in UTC."""
        return (self._frozen or datetime.now(UTC)) + self._ahead

    def freeze(self, moment: datetime | str = "") -> datetime:
        """Stand still at this moment (ISO 8601; UTC without an offset), or now. Returns it."""
        found = datetime.fromisoformat(moment) if isinstance(moment, str) and moment else moment or self.now()
        assert isinstance(found, datetime)
        self._frozen = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        self._ahead = timedelta()
        return self._frozen

    def advance(self, **span: float) -> datetime:
        """Go on by ``weeks=``, ``days=``, ``hours=``, ``minutes=`` or ``seconds=``, back with negative ones; the new time."""
        self._ahead += timedelta(**span)
        return self.now()

    def __enter__(self) -> "Clock":
        _clock.use(self.now)
        return self

    def __exit__(self, *_: Any) -> None:
        _clock.use(None)
