"""What a run uses, told to whoever counts it, in the order it happened: measured calls (F-247, F-250),
long answers before they are measured (F-253), and the end.
"""

import asyncio
import contextlib
from typing import Any, Final

from mozaiks_shell.chat.recent import Recent
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.chat.upstream_frames import Usage
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.errors import ShellError

_TELL_EVERY: Final = 1000  # characters of an answer after which it is told of
_PER_TOKEN: Final = 4  # characters, roughly

_tasks: set[asyncio.Task[None]] = set()


class Meter:
    """Of one run. Returns at once wherever it is told something; a bridge that is gone is waited for by nobody."""

    def __init__(self, channel: Channel, workflow: str) -> None:
        self._channel = channel
        self._workflow = workflow
        self._order = asyncio.Lock()
        self._seen: Recent[str] = Recent(20_000)
        self._uncounted: set[asyncio.Task[None]] = set()
        self._written = self._told = 0  # characters since the last measured call, and of them told

    def measured(self, usage: Usage, chat_id: str = "", workflow: str = "") -> bool:
        """The runtime measured a call; one it tells again is left out, and False.

        Args:
            chat_id: The chat it was made in, where that is a child of this run's.
            workflow: Of that chat.
        """
        if not self._seen.add(usage.event_id):
            return False
        self.begin()
        event, keep = outbox.kept(self._event("chat.usage", usage.data, chat_id, workflow))
        self._channel.write(keep)  # with the transcript: what was measured is as safe as what was said
        self.tell(event, self._uncounted)
        return True

    def begin(self) -> None:
        """What is written from here on is not measured yet."""
        self._written = self._told = 0

    def writes(self, characters: int) -> None:
        """A call is measured when it is over; a long one is told of before, lest it pass a budget unseen."""
        self._written += characters
        if self._written - self._told >= _TELL_EVERY:
            self._told = self._written
            self.tell(self._event("chat.writing", {"tokens": self._written // _PER_TOKEN}))

    async def counted(self) -> None:
        """Wait until everything measured so far was told, and whoever counts has heard it."""
        await asyncio.gather(*self._uncounted, return_exceptions=True)

    def _event(self, name: str, data: dict[str, Any], chat_id: str = "", workflow: str = "") -> events.Event:
        one = self._channel
        of = {"chat_id": chat_id or one.chat_id, "workflow": workflow or self._workflow}
        return events.Event(name, one.app_id, one.user_id, {**data, **of})

    def tell(self, event: events.Event, *kept: set[asyncio.Task[None]]) -> None:
        """Publish it after everything that was told before, when the transcript is written."""
        task = asyncio.create_task(self._publish(event))
        for tasks in (_tasks, *kept):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _publish(self, event: events.Event) -> None:
        async with self._order:
            with contextlib.suppress(ShellError):
                await self._channel.settled()
            await (outbox.tell(event) if event.row else events.publish(event))
