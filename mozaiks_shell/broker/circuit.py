"""A circuit breaker per runtime: who is down is asked seldom, and everybody else is told at once (F-163).

Closed: calls go through. Three failures in a row that mean "nobody is there" open it. Open: calls are refused without
asking, for a time that doubles up to a minute. Then it is half open: one caller asks whether anybody is there, and
while they do the others are still refused. Everything here is arithmetic; nothing waits.
"""

import random
import time
from datetime import datetime
from typing import Final, Literal

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("broker")

FAILURES: Final = 3  # in a row
FIRST_PAUSE: Final = 2.0  # seconds
LONGEST_PAUSE: Final = 60.0
_KEPT: Final = 32  # circuits; addresses change only when an operator moves a runtime

State = Literal["closed", "open", "half_open"]


class Circuit:
    """What this process knows of one base URL.

    Attributes:
        since: When it opened; None while it is closed.
        reason: The last failure, for operators.
        answered: Whether this address ever answered.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.failures = 0
        self.since: datetime | None = None
        self.reason = ""
        self.answered = False
        self._pause = FIRST_PAUSE
        self._retry_at = 0.0
        self._asking = False

    @property
    def state(self) -> State:
        """Where it stands now."""
        if self.since is None:
            return "closed"
        return "half_open" if self._asking or time.monotonic() >= self._retry_at else "open"

    @property
    def retry_in(self) -> int:
        """Whole seconds until somebody asks again, at least 1 while it is open; 0 when it is closed."""
        return 0 if self.since is None else max(1, round(self._retry_at - time.monotonic() + 0.5))

    def may_pass(self) -> bool:
        """Whether calls go through."""
        return self.since is None

    def take_probe(self) -> bool:
        """Whether this caller is the one who asks if anybody is there. They end it with :meth:`succeeded` or :meth:`failed`."""
        if self.state != "half_open" or self._asking:
            return False
        self._asking = True
        return True

    def drop_probe(self) -> None:
        """The one who asked was interrupted and learned nothing."""
        self._asking = False

    def succeeded(self) -> None:
        """Somebody answered, whatever they said."""
        if self.since is not None:
            log.info("the runtime answers again", url=self.url, failures=self.failures)
        self.failures, self.since, self.reason, self._pause, self._asking = 0, None, "", FIRST_PAUSE, False
        self.answered = True

    def failed(self, reason: str) -> None:
        """Nobody answered, or not in time."""
        self.failures += 1
        self.reason = reason[:200]
        if self.since is not None and self._asking:
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
        elif self.failures < FAILURES or self.since is not None:
            return
        else:
            self.since = now()
            log.warning("the runtime is down", url=self.url, reason=self.reason)
        self._asking = False
        self._retry_at = time.monotonic() + self._pause * random.uniform(0.9, 1.1)


_circuits: dict[str, Circuit] = {}


def circuit_of(url: str) -> Circuit:
    """The circuit of this address in this process."""
    if url not in _circuits:
        if len(_circuits) >= _KEPT:
            _circuits.pop(next(iter(_circuits)))
        _circuits[url] = Circuit(url)
    return _circuits[url]


def forget(url: str) -> None:
    """The runtime at this address was given up; another one there starts anew."""
    _circuits.pop(url, None)
