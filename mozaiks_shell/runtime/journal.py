"""What a run did, step by step, so that it can go on after its process died.

A run is code; it cannot be stored. What it asked, showed, said and was told can. After a restart the run is started again
and given its past: what it asks is already answered, what it says was said, and nothing of that is sent a second time.
Where the past ends, the present begins: a question that was open is open under the same id, an answer that was being
written is written anew.

Steps: ``input`` (the first text), ``ask``, ``show``, ``answer``, ``said``, ``failed``, ``once``.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

MAX_STEPS = 20_000  # a run that did more is not repeated
IN_RUN: ContextVar[bool] = ContextVar("in_run", default=False)


class PastDiffers(Exception):
    """The run does not do again what it did: its workflow was changed, or acts on something that is not in the journal."""


@dataclass(frozen=True)
class Step:
    """One thing that happened; ``ref`` is the id of a question or tool."""

    kind: str
    ref: str
    body: Any


@dataclass
class Journal:
    """The steps of one run, and how far a repeated run has come."""

    kept: bool = False  # without a database there is nothing to come back from
    steps: list[Step] = field(default_factory=list)
    at: int = 0
    full: bool = False
    clears: int = 0

    @property
    def replaying(self) -> bool:
        """Whether the run that is alive still walks through its past."""
        return self.at < len(self.steps)

    def write(self, kind: str, ref: str = "", body: Any = None) -> None:
        """Note something that happens now."""
        if not self.kept or self.full:
            return
        if len(self.steps) >= MAX_STEPS:
            self.full = True
            return
        live = not self.replaying
        self.steps.append(Step(kind, ref, body))
        if live:
            self.at = len(self.steps)

    def take(self, *kinds: str) -> Step | None:
        """The next step of the past, or None in the present.

        Raises:
            PastDiffers: the past went on with something else.
        """
        if not self.replaying:
            return None
        step = self.steps[self.at]
        if step.kind not in kinds:
            raise PastDiffers(f"step {self.at} was {step.kind}, now it is {' or '.join(kinds)}")
        self.at += 1
        return step

    def next_answer(self) -> Step | None:
        """The next step if it is an answer; it is taken."""
        return self.take("answer") if self.replaying and self.steps[self.at].kind == "answer" else None

    def clear(self) -> None:
        """Forget everything: a run ended or a new one begins."""
        self.steps.clear()
        self.at, self.full, self.clears = 0, False, self.clears + 1
