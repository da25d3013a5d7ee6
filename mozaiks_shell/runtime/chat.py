"""One chat: its stored messages, what is pending, who listens, and what a newcomer has to be told.

Everything here is synchronous and runs on one event loop, so attaching a listener and taking the snapshot it
needs is atomic: no frame is lost between the two, none comes twice.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Protocol

from . import frames
from .frames import Frame
from .journal import IN_RUN, Journal
from .past import COMPLETED, IN_PROGRESS, Past
from .pieces import Draft, Message, Question, UiTool

__all__ = ["COMPLETED", "IN_PROGRESS", "Chat", "Draft", "Listener", "Message", "Question", "UiTool"]

END_FRAMES = ("chat.run_complete", "error")
MAX_ANSWER_CHARS = 200_000
_MAX_VARIABLES = 100_000  # characters of JSON
_SURELY_HEARD = 30.0  # seconds after which a frame that was sent is not on its way any more
_NUMBERS_AHEAD = 5000  # sequences reserved in the database: prints are not stored one by one


class Listener(Protocol):
    """Something that takes frames: a WebSocket."""

    def send(self, frame: Frame) -> None:
        """Queue a frame; must not block and must not raise."""

    def end(self, code: int, reason: str) -> None:
        """Close it soon."""


class Chat(Past):
    """State of one chat and the only place that sends its frames."""

    def __init__(
        self,
        app_id: str,
        user_id: str,
        workflow: str,
        chat_id: str,
        *,
        keep: int,
        keep_missed: int,
        born: int = 0,
        on_change: Callable[[Chat], None] | None = None,
        counts: Counter[str] | None = None,
    ) -> None:
        self.app_id, self.user_id, self.workflow, self.chat_id = app_id, user_id, workflow, chat_id
        self.created_at = self.updated_at = frames.stored_now()
        self.status = IN_PROGRESS
        self.messages: deque[Message] = deque(maxlen=keep)
        self.message_count = 0
        self.sequence = 0
        self.questions: dict[str, Question] = {}
        self.tools: dict[str, UiTool] = {}
        self.drafts: list[Draft] = []
        self.last_artifact: Frame | None = None
        self.failed = False  # completed, but not in order: opens no gate
        self.listeners: dict[Listener, None] = {}  # the oldest first
        self.run: asyncio.Task[None] | None = None
        self.variables: Frame = {}  # what component actions set
        self.attachments: list[Frame] = []
        self.has_children = False
        self.family: Frame = {}  # of a child: its parent, and what it was started with
        self.result: Frame = {}  # of a run that ended: its last text and its data
        self.relatives: list[Chat] = []  # hear of this chat's usage, for nobody may ever open it
        self.usage = {"prompt_tokens": 0, "completion_tokens": 0, "turns": 0}
        self.born = born
        self.journal = Journal(kept=on_change is not None)
        self.version = self.saved = 0
        self.base: tuple[str, str] | None = None  # owner and body of the row as this process knows it
        self.lost = False
        self.unsaved: list[Message] = []
        self.saved_steps = self.saved_clears = 0
        self.reserved = 0
        self._raised: dict[str, asyncio.Future[Any]] = {}
        self._on_change = on_change
        self._counts = counts
        self._missed: deque[Frame] = deque(maxlen=keep_missed)
        self._measured: deque[tuple[float, Frame]] = deque(maxlen=50)

    @property
    def id(self) -> str:
        """The chat id."""
        return self.chat_id

    def lose(self) -> None:
        """Another process has taken this chat over: stop, and send everybody there."""
        self.lost = True
        if self.run is not None:
            self.run.cancel()
        for listener in tuple(self.listeners):
            listener.end(1012, "Served by another process")

    def touch(self) -> None:
        """Something changed that has to be stored."""
        self.version += 1
        if self._on_change is not None:
            self._on_change(self)

    # -- sending -----------------------------------------------------------------------------------------

    def emit(self, frame: Frame, *, keep: bool = True) -> None:
        """Send to every listener. With none, ``keep`` holds the frame for the next one; frames a snapshot
        can rebuild (texts, prints, questions, UI tools) are emitted with ``keep=False``. A run that walks through
        its past sends nothing."""
        if self.journal.replaying and IN_RUN.get():
            return
        if self._counts is not None:
            self._counts[frame["type"]] += 1
        if frame["type"] == "chat.usage_delta":
            self._account(frame["data"])
            for relative in self.relatives:
                relative.pass_on(frame)
            if self.listeners:
                self._measured.append((time.monotonic(), frame))
        if keep and not self.listeners:
            self._missed.append(frame)
            self.touch()
        for listener in tuple(self.listeners):
            listener.send(frame)

    def pass_on(self, frame: Frame) -> None:
        """Send what happened in a child to whoever listens here; it is not of this chat."""
        if not self.listeners:
            self._missed.append(frame)
            self.touch()
        for listener in tuple(self.listeners):
            listener.send(frame)
        for relative in self.relatives:
            relative.pass_on(frame)

    def _account(self, data: Frame) -> None:
        self.usage["turns"] += 1
        for name in ("prompt_tokens", "completion_tokens"):
            self.usage[name] += data[name]

    def next_sequence(self) -> int:
        """The number of the next text or print frame (protocol §2.2)."""
        self.sequence += 1
        if self.sequence > self.reserved - _NUMBERS_AHEAD // 2:
            self.reserved = self.sequence + _NUMBERS_AHEAD
            self.touch()
        return self.sequence

    def add_message(self, role: str, agent: str, content: str, metadata: Frame | None = None) -> Message:
        """Store a message without sending anything."""
        message = Message(self.message_count, self.next_sequence(), role, agent, content, frames.stored_now(), metadata)
        self.messages.append(message)
        self.message_count += 1
        self.updated_at = message.timestamp
        if self._on_change is not None:
            self.unsaved.append(message)
        self.touch()
        return message

    def say(self, role: str, agent: str, content: str, extra: Frame | None = None) -> None:
        """Store a message of the run and send its ``chat.text``."""
        if IN_RUN.get():
            if self.recall("said") is not None:
                return
            self.journal.write("said", body={"content": content, "extra": extra})
        metadata = {"source": "workflow", "sequence": self.sequence + 1, **(extra or {})}
        message = self.add_message(role, agent, content, metadata)
        data: Frame = {"kind": "text", "agent": agent, "content": content, "chat_id": self.chat_id}
        data |= {"timestamp": frames.now(), "metadata": metadata, **frames.text_flags()}
        data |= {"sequence": message.sequence, "index": message.index}
        self.emit(frames.queued("chat.text", data), keep=False)

    def echo(self, content: str) -> None:
        """Store free text and echo it; agents do not see it (protocol §2.3)."""
        message = self.add_message("user", "user", content)
        data: Frame = {"kind": "text", "agent": "user", "content": content, "index": message.index}
        data |= {**frames.text_flags(), "sequence": message.sequence}
        self.emit(frames.queued("chat.text", data), keep=False)

    def attach_file(self, attachment: Frame) -> None:
        """Tell everybody that a file was attached, and let the run know of it."""
        self.attachments = [*self.attachments[-99:], attachment]
        self.touch()
        self.emit(frames.attachment_uploaded(self.chat_id, self.app_id, self.user_id, self.workflow, attachment))

    def set_variables(self, values: Frame) -> bool:
        """Set context variables; False when there would be too much of them."""
        variables = self.variables | values
        if len(json.dumps(variables)) > _MAX_VARIABLES:
            return False
        self.variables = variables
        self.touch()
        return True

    # -- drafts ------------------------------------------------------------------------------------------

    def open_draft(self, agent: str) -> Draft:
        """Announce the speaker and begin an answer."""
        draft = Draft(agent)
        self.drafts.append(draft)
        self.emit(frames.select_speaker(agent), keep=False)
        return draft

    def append(self, draft: Draft, chunk: str) -> None:
        """Send the next piece of an answer; a runaway answer is cut at MAX_ANSWER_CHARS."""
        chunk = chunk[: MAX_ANSWER_CHARS - draft.size]
        if not chunk:
            return
        draft.size += len(chunk)
        frame = frames.print_chunk(draft.agent, chunk, self.chat_id, self.next_sequence())
        draft.chunks.append(frame)
        self.emit(frame, keep=False)

    def close_draft(self, draft: Draft) -> None:
        """The answer is finished; the caller sends its final text."""
        if draft in self.drafts:
            self.drafts.remove(draft)

    def cancel_drafts(self) -> bool:
        """Stop every answer that is being written; whether there was one."""
        for draft in self.drafts:
            draft.cancelled = True
            if draft.task is not None:
                draft.task.cancel()
        return bool(self.drafts)

    # -- pending things ----------------------------------------------------------------------------------

    def ask(self, prompt: str, *, password: bool = False) -> Question:
        """Raise a question."""
        again: Question | None = self._raise_again("ask")
        if again is not None:
            return again
        frame = frames.input_request(str(uuid.uuid4()), prompt, password=password)
        question = Question(frame, asyncio.get_running_loop().create_future(), password)
        self.questions[question.id] = question
        self.journal.write("ask", question.id, {"frame": frame, "password": password})
        self.touch()
        self.emit(frame, keep=False)
        return question

    def answer_question(self, request_id: str, text: str) -> bool:
        """Resolve a question and echo the answer; False when it is not pending."""
        question = self.questions.pop(request_id, None)
        if question is None or question.answer.done():
            return False
        self._resolve(request_id, question.answer, text, secret=question.password)
        self.emit(frames.input_ack(request_id))
        return True

    def echo_answer(self, text: str, *, password: bool = False) -> None:
        """Show what the user answered; a password is neither shown nor stored."""
        self.emit(frames.select_speaker("user"), keep=False)
        self.say("user", "user", "•" * 8 if password else text)

    def show(self, component: str, payload: Frame, display: str, agent: str) -> UiTool:
        """Show a UI tool and remember it as ``last_artifact`` (protocol §1.3: inline ones too)."""
        again: UiTool | None = self._raise_again("show")
        if again is not None:
            return again
        event_id = f"{component}_{uuid.uuid4().hex[:8]}"
        payload = {**payload, "workflow_name": self.workflow, "display": display, "mode": display}
        frame = frames.tool_call(event_id, component, payload, display, agent)
        tool = UiTool(frame, asyncio.get_running_loop().create_future())
        self.tools[tool.id] = tool
        self.last_artifact = {
            "ui_tool_id": component,
            "event_id": event_id,
            "display": display,
            "workflow_name": self.workflow,
            "payload": payload,
            "updated_at": frames.stored_now(),
        }
        self.journal.write("show", tool.id, {"frame": frame})
        self.touch()
        self.emit(frame, keep=False)
        return tool

    def answer_tool(self, event_id: str, response: Frame) -> bool:
        """Resolve a UI tool and close it on screen; False when it is not waiting."""
        tool = self.tools.pop(event_id, None)
        if tool is None or tool.answer.done():
            return False
        self._resolve(event_id, tool.answer, response)
        if tool.display != "inline":  # an inline card is closed by the run, after the acknowledgement
            self.emit(frames.ui_tool_dismiss(tool.id, tool.component))
        return True

    def dismiss(self, tool: UiTool) -> None:
        """Withdraw a UI tool nobody answered."""
        if self.tools.pop(tool.id, None) is not None:
            tool.answer.cancel()
            self.touch()
            self.emit(frames.ui_tool_dismiss(tool.id, tool.component))

    def withdraw(self, question: Question) -> None:
        """Forget a question; the contract has no frame for it, a late answer is rejected."""
        if self.questions.pop(question.id, None) is not None:
            question.answer.cancel()
            self.touch()

    # -- listeners ---------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a run is alive."""
        return self.run is not None and not self.run.done()

    def take_missed(self) -> list[Frame]:
        """Hand over what was sent while nobody listened."""
        missed = list(self._missed)
        self._missed.clear()
        if missed:
            self.touch()
        return missed

    @property
    def missed(self) -> list[Frame]:
        """What was sent while nobody listened, without taking it."""
        return list(self._missed)

    def give_back(self, missed: list[Frame]) -> None:
        """Put frames into the buffer for the next listener (they come from the database)."""
        self._missed.extendleft(reversed(missed))

    @property
    def has_undelivered_end(self) -> bool:
        """Whether nobody was told yet that the run ended."""
        return any(frame["type"] in END_FRAMES for frame in self._missed)

    def attach(self, listener: Listener, snapshot: list[Frame]) -> None:
        """Send a newcomer its snapshot and every frame from here on."""
        for frame in snapshot:
            listener.send(frame)
        self.listeners[listener] = None

    def detach(self, listener: Listener) -> None:
        """The listener went away; the run goes on. What it may not have heard of costs is told again: each has an id, so it
        counts once."""
        self.listeners.pop(listener, None)
        if not self.listeners and self._measured:
            since = time.monotonic() - _SURELY_HEARD
            self.give_back([frame for at, frame in self._measured if at > since])
            self._measured.clear()
            self.touch()
