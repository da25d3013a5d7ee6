"""How long the latest calls of each plugin took, and how many failed. In memory, of this process, for the operator's page."""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.events import Event, subscribe

CALLS: Final = 500  # of each plugin that are remembered
PLUGINS: Final = 2000


@dataclass(frozen=True, slots=True)
class Figures:
    """What the latest calls of a plugin were like.

    Attributes:
        calls: How many are remembered, at most :data:`CALLS`; ``errors`` of them failed.
        p50, p95: Milliseconds that half of them, and 95 of 100, did not exceed.
        last: When the latest was; None without any.
    """

    calls: int = 0
    errors: int = 0
    p50: float = 0.0
    p95: float = 0.0
    last: datetime | None = None


_kept: "OrderedDict[str, deque[tuple[float, bool, datetime]]]" = OrderedDict()
_lock = threading.Lock()


def note(plugin: str, milliseconds: float, ok: bool) -> None:
    """Remember a call."""
    with _lock:
        if plugin not in _kept:
            _kept[plugin] = deque(maxlen=CALLS)
            if len(_kept) > PLUGINS:
                _kept.popitem(last=False)
        _kept[plugin].append((max(0.0, milliseconds), ok, now()))


def figures(plugin: str) -> Figures:
    """What is remembered of a plugin's calls."""
    with _lock:
        calls = list(_kept.get(plugin, ()))
    if not calls:
        return Figures()
    times = sorted(one for one, _, _ in calls)
    errors = sum(not ok for _, ok, _ in calls)
    return Figures(len(calls), errors, _nearest(times, 0.5), _nearest(times, 0.95), calls[-1][2])


def forget(plugin: str) -> None:
    """Begin anew (its code changed)."""
    with _lock:
        _kept.pop(plugin, None)


def _nearest(ordered: list[float], share: float) -> float:
    """The nearest-rank percentile of a sorted list."""
    return ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)]


@subscribe("plugin.executed", "plugin.failed")
async def _called(event: Event) -> None:
    name, took = event.data.get("plugin"), event.data.get("duration_ms")
    if isinstance(name, str) and isinstance(took, int | float):
        note(name, float(took), event.name == "plugin.executed")
