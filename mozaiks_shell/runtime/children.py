"""Child workflows: started beside the chat of a run, kept alive while it waits, ended when it waits no longer.

A child is a chat like any other: its person finds it, opens it and answers it. Ids follow from the parent's, so a run that is
repeated after a restart finds the children it has.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .chat import COMPLETED, Chat
from .frames import Frame
from .journeys import Plan, Task, Trigger
from .merging import Result

if TYPE_CHECKING:
    from .app import Services

log = logging.getLogger(__name__)
DEEPEST = 3  # a child may have children; one that starts itself does not go on for ever
STOPPED = "cancelled (timeout or parent abort)"


@dataclass(frozen=True)
class Child:
    """One started child, as the journal keeps it."""

    chat_id: str
    workflow: str
    task: str
    target: str
    message: str | None = None
    seeded: bool = False

    def row(self, app_id: str, user_id: str) -> Frame:
        """The child as ``chat.workflow_batch_started`` lists it."""
        row = {"chat_id": self.chat_id, "workflow_name": self.workflow, "app_id": app_id, "user_id": user_id}
        made = {"generated_workflow_name": self.target} if self.target != self.workflow else {}
        return row | {"task_id": self.task} | made


@dataclass
class Started:
    """What came of a plan: the children, and why some workflows did not start."""

    children: list[Child] = field(default_factory=list)
    blocked: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class Nursery:
    """Starts, watches and ends the children of every run of this process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def start(self, parent: Chat, trigger: Trigger, plan: Plan, cycle: int) -> Started:
        """Begin the workflows of a plan. Unknown ones, and those whose prerequisites are not met, are left out."""
        out = Started()
        depth = int(parent.family.get("depth", 0)) + 1
        if depth > DEEPEST:
            log.warning("chat %s is a child of children already: it starts no more", parent.chat_id)
            return out
        for number, task in enumerate(plan.tasks[: trigger.most]):
            name = trigger.generator if trigger.spawn_mode == "generator_subrun" else task.workflow
            if name not in self._services.workflows:
                out.unknown.append(name)
                continue
            reason = await self._services.blocked(parent.app_id, parent.user_id, name)
            if reason is not None:
                out.blocked.append((name, reason))
                continue
            out.children.append(await self._begin(parent, trigger, task, name, f"{cycle}.{number}", depth))
        return out

    async def _begin(self, parent: Chat, trigger: Trigger, task: Task, name: str, place: str, depth: int) -> Child:
        mark = hashlib.sha256(f"{parent.app_id}:{parent.chat_id}:{trigger.id}:{place}".encode()).hexdigest()
        generated = name != task.workflow
        start = f"chat_gen_{task.workflow[:90]}_" if generated else f"chat_{name[:100]}_"
        task_id, chat_id = f"sub_{mark[:8]}", start + mark[8:16]
        chat = await self._services.chats.find(parent.app_id, chat_id)
        if chat is not None and chat.family.get("parent_chat_id") != parent.chat_id:
            chat, chat_id = None, start + uuid.uuid4().hex[:8]
        message = task.message or (_commission(task) if generated else None)
        seeded = self._services.workflows[name].takes_a_seed
        child = Child(chat_id, name, task_id, task.workflow, message, seeded)
        if chat is None:
            chat = self._services.open_chat(parent.app_id, parent.user_id, name, chat_id)
            chat.family = {
                "parent_chat_id": parent.chat_id,
                "parent_workflow_name": parent.workflow,
                "spawn_mode": trigger.spawn_mode,
                "spawn_trigger_agent": trigger.agent,
                "spawn_trigger_id": trigger.id,
                "task_id": task_id,
                "depth": depth,
                "initial_message": message if seeded else None,
                "initial_agent": task.agent or (trigger.child_agent if generated else None),
                "context": trigger.seed | (_generated(task, message) if generated else {}),
            }
            chat.touch()
        await self._services.chats.saved(chat)
        self._go(parent, chat, child)
        return child

    def _go(self, parent: Chat, chat: Chat, child: Child) -> None:
        if parent not in chat.relatives:
            chat.relatives.append(parent)
        if chat.status != COMPLETED and not chat.running:
            first = None if child.seeded else child.message
            contextvars.Context().run(self._services.begin, chat, first)  # it is no part of the parent's run

    async def ended(self, parent: Chat, children: Sequence[Child]) -> AsyncGenerator[Child, None]:
        """The children as they end, in that order; those that a restart interrupted go on."""
        waiting = {asyncio.create_task(self._end_of(parent, child)): child for child in children}
        try:
            while waiting:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in [one for one in waiting if one in done]:
                    task.result()
                    yield waiting.pop(task)
        finally:
            for task in waiting:
                task.cancel()

    async def _end_of(self, parent: Chat, child: Child) -> None:
        while (chat := await self._services.chats.find(parent.app_id, child.chat_id)) is not None:
            if chat.status == COMPLETED:
                return
            self._go(parent, chat, child)  # again, if it was put out of memory meanwhile
            if chat.run is None:
                return
            await asyncio.wait({chat.run})
            if chat.lost:
                return

    async def stop(self, parent: Chat, children: Sequence[Child]) -> None:
        """End those that still run: nobody waits for them any longer."""
        for child in children:
            chat = await self._services.chats.find(parent.app_id, child.chat_id)
            if chat is not None and chat.status != COMPLETED:
                await self._services.runner.stop(chat, STOPPED)

    async def results(self, parent: Chat, children: Sequence[Child]) -> list[Result]:
        """How each ended, in the order of the plan."""
        out = []
        for child in children:
            chat = await self._services.chats.find(parent.app_id, child.chat_id)
            if chat is None:
                out.append(Result(child.task, child.target, success=False, error="the chat is gone"))
                continue
            told: dict[str, Any] = chat.result
            good = chat.status == COMPLETED and not chat.failed
            error = "" if good else str(told.get("error") or STOPPED)
            out.append(Result(child.task, child.target, told.get("text", ""), told.get("data", {}), good, error))
        return out


def _commission(task: Task) -> str:
    described = task.meta.get("description")
    return f"Generate a new workflow named '{task.workflow}'." + (f" Description: {described}" if described else "")


def _generated(task: Task, message: str | None) -> Frame:
    """What a generator's run finds in its context (published names)."""
    selection = {
        "is_multi_workflow": False,
        "resume_agent": None,
        "decomposition_reason": None,
        "pack_name": task.workflow,
        "workflows": [task.meta | {"name": task.workflow}],
    }
    return {
        "is_child_workflow": True,
        "generated_workflow_name": task.workflow,
        "generated_workflow_description": task.meta.get("description"),
        "PatternSelection": selection,
        "pattern_selection": selection,
        "current_workflow_index": 0,
        "InterviewTranscript": message,
    }
