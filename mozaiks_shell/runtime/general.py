"""Ask mode: the assistant beside a workflow, over the workflow's socket (protocol §2.7)."""

from __future__ import annotations

import asyncio
import logging

from . import frames
from .assistant import NAME, Assistant, Turn
from .chat import IN_PROGRESS, Chat
from .frames import Frame
from .messages import UiContext
from .store import Thread, ThreadStore
from .streaming import write

log = logging.getLogger(__name__)


class AskDesk:
    """Answers questions in ask threads; one at a time per thread, whether or not the socket stays."""

    def __init__(self, threads: ThreadStore, assistant: Assistant) -> None:
        self.threads = threads
        self._assistant = assistant
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, chat: Chat) -> Thread:
        """A new thread for the owner of ``chat``."""
        return self.threads.create(chat.app_id, chat.user_id)

    def submit(self, chat: Chat, thread: Thread, text: str, context: Frame | None) -> None:
        """Answer ``text`` in the background; frames go to everyone on ``chat``."""
        task = asyncio.create_task(self._answer(chat, thread, text, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Stop answering."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, chat: Chat, thread: Thread, text: str, context: Frame | None) -> None:
        try:
            async with thread.turn:
                await self._answer_in_turn(chat, thread, text, context)
        except Exception:
            log.exception("ask mode failed in chat %s", chat.chat_id)
            chat.emit(frames.failure("The assistant could not answer.", "GENERAL_MODE_FAILED"))

    async def _answer_in_turn(self, chat: Chat, thread: Thread, text: str, context: Frame | None) -> None:
        metadata = _metadata(chat, thread, context)
        thread.add("user", "user", text)
        self._text(chat, "user", text, metadata, timestamp=False)
        turns = [Turn(m["role"], m["content"]) for m in thread.messages if m["content"]]
        reply = self._assistant.reply(turns, UiContext.read(context))

        def finish(answer: str, extra: Frame) -> None:
            thread.add("assistant", NAME, answer)
            self._text(chat, NAME, answer, metadata | extra)

        answer = await write(chat, NAME, reply.source, reply.meter, finish)
        if answer.error is None:
            if reply.path and not answer.cancelled:
                chat.emit(frames.navigate(reply.path, NAME))
            chat.emit(frames.text_ack(chat.chat_id))

    @staticmethod
    def _text(chat: Chat, agent: str, content: str, metadata: Frame, *, timestamp: bool = True) -> None:
        data: Frame = {"kind": "text", "agent": agent, "content": content, "chat_id": chat.chat_id}
        if timestamp:
            data["timestamp"] = frames.now()
        data |= {"metadata": metadata, **frames.text_flags(), "sequence": chat.next_sequence()}
        chat.emit(frames.queued("chat.text", data))


def _metadata(chat: Chat, thread: Thread, context: Frame | None) -> Frame:
    workflow = {
        "chat_id": chat.chat_id,
        "workflow_name": chat.workflow,
        "app_id": chat.app_id,
        "user_id": chat.user_id,
        "artifact_id": None,
        "status": "paused" if chat.status == IN_PROGRESS else "completed",
        "created_at": chat.created_at,
        "last_active": chat.updated_at,
    }
    return {
        "source": "general_agent",
        "ui_context": context or {},
        "workflows": [workflow],
        "general_chat_id": thread.id,
        "general_chat_label": thread.label,
        "user_id": chat.user_id,
    }
