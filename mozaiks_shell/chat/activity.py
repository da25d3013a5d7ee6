"""What goes on between the messages of a run: tools at work and how far they are, and what the model's calls cost (F-191).

Items: ``progress`` (``id``, ``name``, ``percent``, ``text``) while a tool works, taken out of the log when something is
said; ``step`` (``id``, ``name``, ``text``, ``state`` done or failed) when it is over; ``usage`` (``tokens``, ``pico``,
``currency``, ``total``) for each measured call. Money is in pico units (1e-12), None where a call has no price.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete
from sqlmodel import col

from mozaiks_shell.chat.models import ChatEvent
from mozaiks_shell.chat.recent import Recent
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.chat.upstream_frames import Progress, Step, Usage

Price = Callable[[str, int, int, bool], tuple[int, str] | None]  # model, prompt, completion, cached: pico units and currency

_EVERY: Final = 0.25  # seconds; a tool that reports faster is shown that often
_DELETE_AT_ONCE: Final = 500
_AT_ONCE: Final = 50  # tools at work that are kept track of


def unpriced(_model: str, _prompt: int, _completion: int, _cached: bool) -> None:
    """No call has a price."""


@dataclass(slots=True)
class _Work:
    name: str
    text: str = ""
    answers: bool = False  # the runtime tells when it is over


class Activity:
    """Of one run; appends to its channel."""

    def __init__(self, channel: Channel, price: Price = unpriced) -> None:
        self._channel = channel
        self._price = price
        self._working: dict[str, _Work] = {}
        self._over: Recent[str] = Recent(2000)
        self._rows: list[int] = []
        self._shown: tuple[str, float, str] = ("", -1.0, "")
        self._at = 0.0
        self._total: dict[str, Any] = {"tokens": 0, "pico": 0, "priced": True, "currency": ""}

    # -- tools -------------------------------------------------------------------------------------------

    def step(self, step: Step) -> None:
        """A tool begins, or is over. One that is told again does nothing."""
        if step.state == "running":
            if step.id not in self._over and step.id not in self._working and len(self._working) < _AT_ONCE:
                self._working[step.id] = _Work(step.name, answers=True)
                self._show(step.id, step.name, 0.0, "")
        elif step.id in self._working:
            self._end(step.id, step.state)

    def progress(self, told: Progress) -> bool:
        """A tool tells how far it is. Returns whether that is shown."""
        shown, at = (told.id, told.percent, told.text), time.monotonic()
        if told.id in self._over or shown == self._shown or (told.percent < 100 and at - self._at < _EVERY):
            return False
        work = self._working.get(told.id)
        if work is None and len(self._working) < _AT_ONCE:
            work = self._working[told.id] = _Work(told.name)
        if work is not None:
            work.text = told.text
        self._shown, self._at = shown, at
        self._show(told.id, work.name if work else told.name, told.percent, told.text)
        return True

    def said(self) -> None:
        """Something is about to be said or asked: what only told how far it was is over."""
        for name in [name for name, work in self._working.items() if not work.answers]:
            self._end(name, "done")

    def finished(self) -> None:
        """The run is over, and with it all its tools."""
        for name in list(self._working):
            self._end(name, "done")
        self.drop()

    def drop(self) -> None:
        """Take out of the log how far tools were."""
        for first in range(0, len(self._rows), _DELETE_AT_ONCE):
            which = col(ChatEvent.offset).in_(self._rows[first : first + _DELETE_AT_ONCE])
            self._channel.later(delete(ChatEvent).where(col(ChatEvent.chat_id) == self._channel.chat_id, which))
        self._rows, self._at = [], 0.0

    def _show(self, id: str, name: str, percent: float, text: str) -> None:
        body = {"id": id, "name": name, "percent": percent, "text": text}
        self._rows.append(self._channel.append("progress", body))

    def _end(self, id: str, state: str) -> None:
        work = self._working.pop(id)
        if work.answers:
            self._over.add(id)
        self._channel.append("step", {"id": id, "name": work.name, "text": work.text, "state": state})

    # -- calls of the model ------------------------------------------------------------------------------

    def used(self, usage: Usage) -> None:
        """A call was measured, for the first time."""
        counts = usage.data
        prompt, completion = counts["prompt_tokens"], counts["completion_tokens"]
        self._count(prompt + completion, self._price(counts["model"], prompt, completion, counts["cached"]))

    def counted(self, tokens: int) -> None:
        """The runtime sums up what it used; what none of its calls told is added, so that the total is the summary's."""
        if tokens > self._total["tokens"]:
            self._count(tokens - self._total["tokens"], None)

    def restore(self, kind: str, item: dict[str, Any]) -> None:
        """An item of the log, read back in order."""
        if kind == "usage":
            self._total = dict(item["total"])

    def _count(self, tokens: int, price: tuple[int, str] | None) -> None:
        if not tokens:
            return
        pico, currency = price or (None, "")
        total = self._total
        total = {
            "tokens": total["tokens"] + tokens,
            "pico": total["pico"] + (pico or 0),
            "priced": total["priced"] and pico is not None,
            "currency": currency or total["currency"],
        }
        self._total = total
        self._channel.append("usage", {"tokens": tokens, "pico": pico, "currency": currency, "total": total})
