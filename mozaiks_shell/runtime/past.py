"""The side of a chat that lets its run be repeated after a restart: see :mod:`.journal`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from . import frames
from .journal import IN_RUN, Journal, PastDiffers
from .pieces import Question, UiTool

IN_PROGRESS, COMPLETED = 0, 1


class Past:
    """What :class:`.chat.Chat` knows of the run's past."""

    status: int
    failed: bool
    updated_at: str
    journal: Journal
    questions: dict[str, Question]
    tools: dict[str, UiTool]
    _raised: dict[str, asyncio.Future[Any]]

    def touch(self) -> None:
        """Something changed that has to be stored; the chat knows how."""

    def begin_run(self, first_input: str | None) -> str | None:
        """A run starts: the first text it gets. One whose process died gets its own again, and its past with it."""
        if self.status == IN_PROGRESS and self.journal.replaying and not self.journal.full:
            self.journal.at = 0
            step = self.journal.take("input")
            return step.body["text"] if step is not None else None
        self.journal.clear()
        self.journal.write("input", body={"text": first_input})
        self.failed = False
        self.status = IN_PROGRESS
        self.touch()
        return first_input

    def end_run(self, *, failed: bool) -> None:
        """A run is over; what it did need not be done again."""
        self.journal.clear()
        self._raised.clear()
        self.failed = failed
        self.status = COMPLETED
        self.updated_at = frames.stored_now()
        self.touch()

    def recall(self, *kinds: str) -> Any:
        """What the run did here before its process died (a step's body), or None when it is in the present.

        Raises:
            PastDiffers: it did something else here.
        """
        if not IN_RUN.get():
            return None
        step = self.journal.take(*kinds)
        if step is None:
            return None
        self._tell_answers()
        return step.body if step.body is not None else {}

    def note(self, kind: str, body: Any) -> None:
        """Write down what the run did, so that it need not be done twice."""
        if IN_RUN.get():
            self.journal.write(kind, body=body)
            self.touch()

    async def once(self, work: Callable[[], Any]) -> Any:
        """The JSON value of ``await work()``: done once, also when the run is repeated after a restart."""
        past = self.recall("once")
        if past is not None:
            return past["value"]
        value = await work()
        self.note("once", {"value": value})
        return value

    def _raise_again(self, kind: str) -> Any:
        """The frame of a question or tool that the repeated run asks for; its answer, if there was one, comes next."""
        step = self.journal.take(kind) if IN_RUN.get() else None
        if step is None:
            return None
        frame = step.body["frame"]
        known: Question | UiTool | None = self.questions.get(step.ref) if kind == "ask" else self.tools.get(step.ref)
        if known is None:
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            known = Question(frame, answer, bool(step.body.get("password"))) if kind == "ask" else UiTool(frame, answer)
        self._raised[step.ref] = known.answer
        self._tell_answers()
        return known

    def _tell_answers(self) -> None:
        while (step := self.journal.next_answer()) is not None:
            answer = self._raised.pop(step.ref, None)
            if answer is None:
                raise PastDiffers(f"{step.ref} was answered and is not asked now")
            if answer.done():
                continue
            if step.body is None:
                answer.set_exception(PastDiffers("a password is not kept"))
            else:
                answer.set_result(step.body)

    def _resolve(self, ref: str, answer: asyncio.Future[Any], value: Any, *, secret: bool = False) -> None:
        past = self.journal.replaying  # or waiting to be repeated: the answer is told when the run asks for it
        self.journal.write("answer", ref, None if secret else value)
        self.touch()
        if not past:
            answer.set_result(value)
