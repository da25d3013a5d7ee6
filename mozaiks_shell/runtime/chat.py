"""One chat: its stored messages, what is pending, who listens, and what a newcomer has to be told.

Everything here is synchronous and runs on one event loop, so attaching a listener and taking the snapshot it
needs is atomic: no frame is lost between the two, none comes twice.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from . import frames
from .frames import Frame

IN_PROGRESS, COMPLETED = 0, 1
END_FRAMES = ("chat.run_complete", "error")
MAX_ANSWER_CHARS = 200_000


class Listener(Protocol):
    """Something that takes frames: a WebSocket."""

    def send(self, frame: Frame) -> None:
        """Queue a frame; must not block and must not raise."""


@dataclass(frozen=True)
class Message:
    """A stored message; ``index`` is its place in the whole conversation, counting dropped ones too."""

    index: int
    sequence: int
    role: str
    agent: str
    content: str
    timestamp: str
    metadata: Frame | None


@dataclass
class Question:
    """A pending ``chat.input_request``."""

    frame: Frame
    answer: asyncio.Future[str]
    password: bool = False

    @property
    def id(self) -> str:
        """The request id."""
        return str(self.frame["data"]["request_id"])


@dataclass
class UiTool:
    """A shown UI tool that awaits its answer."""

    frame: Frame
    answer: asyncio.Future[Frame]

    @property
    def id(self) -> str:
        """The event id (``corr``)."""
        return str(self.frame["data"]["corr"])

    @property
    def component(self) -> str:
        """The component type, which is also the ``ui_tool_id``."""
        return str(self.frame["data"]["component_type"])

    @property
    def display(self) -> str:
        """``inline`` or ``artifact``."""
        return str(self.frame["data"]["display"])


@dataclass(eq=False)
class Draft:
    """An answer that is being written: the chunks so far and the task that writes it."""

    agent: str
    chunks: list[Frame] = field(default_factory=list)
    size: int = 0
    task: asyncio.Task[None] | None = None
    cancelled: bool = False

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(chunk["data"]["content"] for chunk in self.chunks)


class Chat:
    """State of one chat and the only place that sends its frames."""

    def __init__(self, app_id: str, user_id: str, workflow: str, chat_id: str, *, keep: int, keep_missed: int) -> None:
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
        self.listeners: set[Listener] = set()
        self.run: asyncio.Task[None] | None = None
        self._missed: deque[Frame] = deque(maxlen=keep_missed)

    # -- sending -----------------------------------------------------------------------------------------

    def emit(self, frame: Frame, *, keep: bool = True) -> None:
        """Send to every listener. With none, ``keep`` holds the frame for the next one; frames a snapshot
        can rebuild (texts, prints, questions, UI tools) are emitted with ``keep=False``."""
        for listener in self.listeners:
            listener.send(frame)
        if keep and not self.listeners:
            self._missed.append(frame)

    def next_sequence(self) -> int:
        """The number of the next text or print frame (protocol §2.2)."""
        self.sequence += 1
        return self.sequence

    def add_message(self, role: str, agent: str, content: str, metadata: Frame | None = None) -> Message:
        """Store a message without sending anything."""
        message = Message(self.message_count, self.next_sequence(), role, agent, content, frames.stored_now(), metadata)
        self.messages.append(message)
        self.message_count += 1
        self.updated_at = message.timestamp
        return message

    def say(self, role: str, agent: str, content: str, extra: Frame | None = None) -> None:
        """Store a message of the run and send its ``chat.text``."""
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
        frame = frames.input_request(str(uuid.uuid4()), prompt, password=password)
        question = Question(frame, asyncio.get_running_loop().create_future(), password)
        self.questions[question.id] = question
        self.emit(frame, keep=False)
        return question

    def answer_question(self, request_id: str, text: str) -> bool:
        """Resolve a question and echo the answer; False when it is not pending."""
        question = self.questions.pop(request_id, None)
        if question is None or question.answer.done():
            return False
        self.emit(frames.input_ack(request_id))
        question.answer.set_result(text)
        return True

    def echo_answer(self, text: str, *, password: bool = False) -> None:
        """Show what the user answered; a password is neither shown nor stored."""
        self.emit(frames.select_speaker("user"), keep=False)
        self.say("user", "user", "•" * 8 if password else text)

    def show(self, component: str, payload: Frame, display: str, agent: str) -> UiTool:
        """Show a UI tool and remember it as ``last_artifact`` (protocol §1.3: inline ones too)."""
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
        self.emit(frame, keep=False)
        return tool

    def answer_tool(self, event_id: str, response: Frame) -> bool:
        """Resolve a UI tool and close it on screen; False when it is not waiting."""
        tool = self.tools.pop(event_id, None)
        if tool is None or tool.answer.done():
            return False
        if tool.display != "inline":  # an inline card is closed by the run, after the acknowledgement
            self.emit(frames.ui_tool_dismiss(tool.id, tool.component))
        tool.answer.set_result(response)
        return True

    def dismiss(self, tool: UiTool) -> None:
        """Withdraw a UI tool nobody answered."""
        if self.tools.pop(tool.id, None) is not None:
            tool.answer.cancel()
            self.emit(frames.ui_tool_dismiss(tool.id, tool.component))

    def withdraw(self, question: Question) -> None:
        """Forget a question; the contract has no frame for it, a late answer is rejected."""
        if self.questions.pop(question.id, None) is not None:
            question.answer.cancel()

    # -- listeners ---------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a run is alive."""
        return self.run is not None and not self.run.done()

    def take_missed(self) -> list[Frame]:
        """Hand over what was sent while nobody listened."""
        missed = list(self._missed)
        self._missed.clear()
        return missed

    @property
    def has_undelivered_end(self) -> bool:
        """Whether nobody was told yet that the run ended."""
        return any(frame["type"] in END_FRAMES for frame in self._missed)

    def attach(self, listener: Listener, snapshot: list[Frame]) -> None:
        """Send a newcomer its snapshot and every frame from here on."""
        for frame in snapshot:
            listener.send(frame)
        self.listeners.add(listener)

    def detach(self, listener: Listener) -> None:
        """The listener went away; the run goes on."""
        self.listeners.discard(listener)
